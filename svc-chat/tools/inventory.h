/*
 * tools/inventory: what tools an MCP server has, asked of many servers at once. No table is touched here: the caller says
 * what is known of a server and stores what comes back.
 */
#ifndef PARLEY_TOOLS_INVENTORY_H
#define PARLEY_TOOLS_INVENTORY_H

#include "common/egress/egress.h"

enum { INVENTORY_BYTES = 1 << 20 /* of one server's tools, as JSON */ };

/* One server to ask. */
struct inventory {
	/* Given. */
	const char *url;
	const char *const *headers;
	const char *bearer;
	bool sessions; /* it was of the older era */
	bool events;   /* its user says that it is of the oldest */

	/* What came of it; err.code 0: the rest is there. One that has an error before is not asked with others. */
	struct error err;
	const char *challenge; /* of a sign-in that is wanted */
	const char *tools;     /* JSON array of {name, title, description, inputSchema, annotations} */
	int count;
	int fresh_seconds; /* they are good for so long, as the server says; -1: it does not say */
};

/* Ask one. Waits at most ms. */
void inventory_ask(struct egress *egress, struct inventory *server, int ms, struct arena *a);

/* Ask all, at once; waits at most ms, whatever some of them do. */
void inventory_ask_all(struct egress *egress, struct inventory *servers, size_t count, int ms,
                       struct arena *a);

#endif
