/* pages: the page that the link for a new password opens. Its style and script are the gateway's /page.css and
 * /reset-password.js: nothing stands inline, and nothing from outside stands in it. */
#ifndef PARLEY_AUTH_PAGES_H
#define PARLEY_AUTH_PAGES_H

#include "common/base/arena.h"

/* alive: the link still works. */
char *page_reset(int alive, struct arena *a);

#endif
