/* rtf: words and numbers of the format. */
#ifndef PARLEY_DOCUMENTS_RTF_H
#define PARLEY_DOCUMENTS_RTF_H

#include <stdbool.h>

/* Does the group that begins with the word hold no text of the document? */
bool rtf_is_apart(const char *word);
/* The code page of a font's charset (\fcharset); 0: none of its own. */
short rtf_code_page(long charset);

#endif
