/* crawl_part: one request of a round, and all that comes of it. */
#ifndef PARLEY_DOCUMENTS_CRAWL_PART_H
#define PARLEY_DOCUMENTS_CRAWL_PART_H

#include "svc-documents/ingest/crawl.h"
#include "svc-documents/ingest/site.h"
#include "svc-documents/store_site.h"

enum {
	CRAWL_PATIENCE_MS = 20 * 1000, /* for an answer */
	CRAWL_LISTS_MAX = 50           /* sitemaps in all */
};

struct round {
	struct call *call;
	const struct target *target;
	struct stored_site stored;
	struct crawl_wish wish;
	struct site_limits limits;
	struct site_budget budget;
	int pause_ms;
};

/* What is wrong with the page is stored of it; -1: the round cannot go on. */
int crawl_part(const struct round *r, const struct stored_part *part) CHECKED;

#endif
