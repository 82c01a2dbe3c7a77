/* site: which addresses belong to a crawl: within its site, its limits, and no trap. Knows nothing of how they are read. */
#ifndef PARLEY_DOCUMENTS_SITE_H
#define PARLEY_DOCUMENTS_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct site_limits {
	const char *url;           /* where it begins */
	const char *robots;        /* as robots_allow() reads it; NULL: nobody asks */
	char **include, **exclude; /* patterns of paths; without any, all are included */
	size_t include_count, exclude_count;
};

/* "http://a.org/x?y" from where a page names it; no fragment, no default port; NULL: no address of the web. */
const char *site_address(const char *here, const char *there, struct arena *a);
/* The same host and port, with or without "www.". */
bool site_same(const char *a, const char *b);
const char *site_path(const char *url); /* with its query; "/" at least */
/* Is it to be read? url: as site_address() has it. */
bool site_wants(const struct site_limits *s, const char *url);

#endif
