/*
 * crawl: a document that is a whole site, or a page that is read again from time to time.
 *
 * A round asks for every part (store_site.h) once: pages found by links, feeds and sitemaps, breadth first, within the
 * site, its robots.txt and the limits; one request at a time with a pause between. Each answer is stored at once, so a
 * killed round goes on where it was. A round is many short jobs, one after the other: who waits comes in between. At its
 * end the texts become one document, whose pages are the site's pages; when nothing has changed it stays as it is.
 */
#ifndef PARLEY_DOCUMENTS_CRAWL_H
#define PARLEY_DOCUMENTS_CRAWL_H

#include "common/job/job.h"
#include "svc-documents/ingest/prepare.h"

/* What is wanted, as it is stored. */
struct crawl_wish {
	int depth, pages;
	bool sitemap;
	bool alone; /* a page, not a site: nobody asks robots.txt, which speaks to crawlers */
	char *const *include, *const *exclude;
	size_t include_count, exclude_count;
};
const char *crawl_settings(const struct crawl_wish *wish, struct arena *a);

/* A job's share of a round. ERROR_UPSTREAM, ERROR_INVALID: why there is no site to read. */
int crawl(struct call *call, const struct target *t) CHECKED;
/* Begins the rounds that are due; comes back by itself. */
int crawl_rounds(struct call *call, const struct job *job);

#endif
