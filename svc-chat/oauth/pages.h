/*
 * oauth/pages: what a browser shows at the end of a sign-in at an MCP server. Their script (gateway/static/oauth.js) asks
 * where that is needed, tells the window that opened it, and closes it.
 */
#ifndef PARLEY_OAUTH_PAGES_H
#define PARLEY_OAUTH_PAGES_H

#include <stdint.h>

#include "common/base/arena.h"

/* "Connect <server> to the Parley account <address>?" */
char *page_ask(const char *server, const char *address, struct arena *a);
/* server NULL: it is not known which. wrong NULL: it went well; else the sentence that says what did not. */
char *page_end(const char *server, int64_t server_id, const char *wrong, struct arena *a);

/* "ada@example.com" as "a…@example.com". */
char *page_mask(const char *address, struct arena *a);

#endif
