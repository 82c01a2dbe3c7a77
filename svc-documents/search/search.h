/*
 * search: the passages of one's documents that best answer a question. Words and vectors are looked up, the best of
 * both ranked finely and fused, neighbours joined (bm25.h, rank.h, passage.h say how).
 */
#ifndef PARLEY_DOCUMENTS_SEARCH_H
#define PARLEY_DOCUMENTS_SEARCH_H

#include "documents.pb-c.h"
#include "svc-documents/store_search.h"
#include "svc-documents/svc.h"

enum { SEARCH_LIMIT = 8 /* sources, unless asked otherwise */ };

/* scope: as the caller may see it; ERROR_NOT_FOUND when a named document is not there. */
int search(struct call *call, const struct scope *scope, const char *question, size_t limit,
           Documents__SearchReply *out) CHECKED;

#endif
