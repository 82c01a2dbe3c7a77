/* page: a page of the web, fetched through egress and prepared like a file. */
#ifndef PARLEY_DOCUMENTS_PAGE_H
#define PARLEY_DOCUMENTS_PAGE_H

#include "common/base/text.h"
#include "common/egress/egress.h"
#include "svc-documents/ingest/prepare.h"

/* One request. etag, modified: of what is there already; NULL. Any answer is an answer; ERROR_UPSTREAM: none came,
 * ERROR_INVALID: the address is refused. */
struct page_wish {
	const char *url, *etag, *modified;
	int timeout_ms; /* 0: the usual */
};
int page_fetch(struct call *call, const struct page_wish *wish, struct egress_response *page) CHECKED;
/* What kind of file it is, in memory: to be closed. ERROR_INVALID: none that is read. */
int page_open(struct call *call, const struct egress_response *page, struct raw *ret) CHECKED;
void page_metadata(struct text *t, const char *name, const char *value); /* ,"name":"value" */
int64_t page_words(const char *text);

/* ERROR_UPSTREAM: no page; ERROR_INVALID: refused, or no text. ret->metadata tells of it. */
int page_prepare(struct call *call, const struct target *t, const char *url, struct prepared *ret) CHECKED;

#endif
