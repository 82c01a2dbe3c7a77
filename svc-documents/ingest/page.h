/* page: a page of the web, fetched through egress and prepared like a file. */
#ifndef PARLEY_DOCUMENTS_PAGE_H
#define PARLEY_DOCUMENTS_PAGE_H

#include "svc-documents/ingest/prepare.h"

/* ERROR_UPSTREAM: no page; ERROR_INVALID: refused, or no text. ret->metadata tells of it. */
int page_prepare(struct call *call, const struct target *t, const char *url, struct prepared *ret) CHECKED;

#endif
