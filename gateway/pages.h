/*
 * pages: what the gateway answers by itself: whether it is alive and all of it ready, metrics, the documentation.
 */
#ifndef PARLEY_PAGES_H
#define PARLEY_PAGES_H

#include "gateway/gateway.h"

struct page {
	const char *path;
	int (*answer)(struct gateway *g, struct request *req);
	bool everywhere; /* for pages of any origin: it says so itself */
};

const struct page *
pages_find(const char *path); /* with or without a trailing slash; NULL: not one of these */

/* Is every service there, its database too, and do we know who is calling? 1, or 0 with a sentence. */
int pages_ready(struct gateway *g, char *why, size_t size);

#endif
