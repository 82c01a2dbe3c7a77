/*
 * robots: what a site's robots.txt (RFC 9309) says to us: of the groups for our name, or else of those for everybody, the
 * longest rule that fits decides. `*` in a rule stands for anything, `$` at its end for the end.
 */
#ifndef PARLEY_DOCUMENTS_ROBOTS_H
#define PARLEY_DOCUMENTS_ROBOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

enum { ROBOTS_MAX = 512 * 1024 /* bytes of it that are read */, ROBOTS_SITEMAPS = 10 };

struct robots {
	const char *rules; /* ours, as robots_allow() reads them: to be kept */
	int delay_ms;      /* between two requests; 0: it says nothing */
	const char *sitemaps[ROBOTS_SITEMAPS];
	int sitemap_count;
};

void robots_read(const char *bytes, size_t size, struct robots *ret, struct arena *a);
/* path: with its query. */
bool robots_allow(const char *rules, const char *path);
/* Does a pattern fit the beginning of a path? Patterns of people who limit a crawl are of the same kind. */
bool robots_fits(const char *pattern, size_t size, const char *path);
/* A pattern as people write it, in the letters that addresses have: "/a b*" is "/a%20b*". */
char *robots_pattern(const char *pattern, struct arena *a);

#endif
