/* pages: the pages that the links in our mails open. Their style and scripts are the gateway's /page.css,
 * /reset-password.js and /confirm-email.js: nothing stands inline, and nothing from outside stands in it. */
#ifndef PARLEY_AUTH_PAGES_H
#define PARLEY_AUTH_PAGES_H

#include "common/base/arena.h"

/* alive: the link still works. */
char *page_reset(int alive, struct arena *a);
char *page_confirm(int alive, struct arena *a);

#endif
