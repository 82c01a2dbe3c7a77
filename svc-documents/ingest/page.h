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
/* The same in two steps, for who sends it himself: what is to be sent, and why nothing came, in a page's words. */
void page_request(struct call *call, const struct page_wish *wish, struct egress_request *ret);
int page_failed(struct error *err);
/* What kind of file it is, in memory: to be closed. ERROR_INVALID: none that is read. */
int page_open(struct call *call, const struct egress_response *page, struct raw *ret) CHECKED;
void page_metadata(struct text *t, const char *name, const char *value); /* ,"name":"value" */
int64_t page_words(const char *text);

/* ERROR_UPSTREAM: no page; ERROR_INVALID: refused, or no text. ret->metadata tells of it. */
int page_prepare(struct call *call, const struct target *t, const char *url, struct prepared *ret) CHECKED;

/* The same, one answer at a time. A page may send its reader on at once, a few times; that is judged like a redirect. */
struct page_way {
	const char *url; /* as it was named */
	const char *at;  /* what is to be asked for next */
	int sent_on;
};
void page_set_out(struct page_way *way, const char *url, struct arena *a);
/* 1: it is there, in *ret. 0: way->at is to be asked for. -1 */
int page_arrive(struct call *call, const struct target *t, struct page_way *way,
                const struct egress_response *page, struct prepared *ret) CHECKED;

#endif
