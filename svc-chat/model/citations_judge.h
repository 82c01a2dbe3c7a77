/*
 * citations_judge: whether a bracket in the text is a citation, a definition of one, or something else, by what stands around
 * it. For citations.c alone. MARKDOWN_MORE: what is there does not tell yet.
 */
#ifndef PARLEY_CHAT_CITATIONS_JUDGE_H
#define PARLEY_CHAT_CITATIONS_JUDGE_H

#include "svc-chat/model/citations.h"
#include "svc-chat/model/mark.h"

#define CITE_START "[cite_start]"
enum numbers { NUMBERS_OTHER, NUMBERS_OURS, NUMBERS_INVENTED };

/* All of them passages, or all of them what passages there could be more of; or anything else. */
enum numbers citations_numbers(const struct citations *c, const struct mark *mark);
enum markdown_answer citations_cites(const struct citations *c, const struct mark *mark, enum numbers numbers,
                                     struct view behind);
char citations_last(const struct citations *c); /* the character before; a blank at the start */
/* Does a bracket that is no citation belong to something with indexes or lists: "a[", "a[1][", "[[1, 2], ["? */
bool citations_indexes(const struct citations *c);
/* "(#1)" behind a bracket: a link to nowhere, which models make of their citations. *size: of it. */
enum markdown_answer citations_nowhere(struct view behind, size_t *size);
/* "[cite_start]", with which Gemini begins what it cites. */
enum markdown_answer citations_begin(const struct view *v);
/* Is there a definition of one of our passages at the line? *size: of it. */
enum markdown_answer citations_definition(const struct citations *c, struct view line, size_t *size);

#endif
