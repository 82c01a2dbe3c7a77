/* sentence: where sentences end, in any of the languages we know of and in most scripts. */
#ifndef PARLEY_SENTENCE_H
#define PARLEY_SENTENCE_H

#include <stdbool.h>

/* The end of the sentence that starts at s (past its full stop, closing quotes and marks of footnotes), at most `end`.
 * Lines do not matter: text that has items or paragraphs is given piece by piece. Valid UTF-8. */
const char *sentence_end(const char *s, const char *end);

/* Does a list's item, or a row of a Markdown table, begin at this line? */
bool sentence_item(const char *line, const char *end);

#endif
