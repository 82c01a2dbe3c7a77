/*
 * lists: the lists of a question's terms, wherever the documents have them: each in a row of its own, or in the block of a
 * small document (store_small.h). Blocks that were read lately are in memory (cache.h).
 */
#ifndef PARLEY_DOCUMENTS_LISTS_H
#define PARLEY_DOCUMENTS_LISTS_H

#include "svc-documents/search/vectors.h"

/* Of the search's corpus, or of all of the owner's documents when that is large. Blocks are held until lists_close(). */
int lists_open(struct call *call, struct search *s) CHECKED;
/* near: of the words that are spelled nearly like the query's. */
int lists_find(struct call *call, const struct search *s, bool near, struct found_list **ret,
               size_t *count) CHECKED;
void lists_close(struct call *call, struct search *s);

#endif
