/* crawl_store: the end of a round: the texts of its parts as one document. */
#ifndef PARLEY_DOCUMENTS_CRAWL_STORE_H
#define PARLEY_DOCUMENTS_CRAWL_STORE_H

#include "svc-documents/ingest/prepare.h"
#include "svc-documents/store_site.h"

/* ERROR_INVALID: no part has text, and the document had none before. */
int crawl_store(struct call *call, const struct target *t, const struct stored_site *site, const char *url,
                bool alone) CHECKED;

#endif
