/* pages: the pages that the links in our mails open. Their style and scripts are the gateway's /page.css,
 * /reset-password.js and /confirm-email.js: nothing stands inline, and nothing from outside stands in it. */
#ifndef PARLEY_AUTH_PAGES_H
#define PARLEY_AUTH_PAGES_H

#include "common/base/arena.h"

#define PAGE_HEAD(title)                                                             \
	"<!doctype html>\n"                                                          \
	"<html lang=\"en\">\n"                                                       \
	"<head>\n"                                                                   \
	"<meta charset=\"utf-8\">\n"                                                 \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" \
	"<meta name=\"referrer\" content=\"no-referrer\">\n"                         \
	"<meta name=\"robots\" content=\"noindex\">\n"                               \
	"<title>" title " · Parley</title>\n"                                       \
	"<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n"         \
	"<link rel=\"stylesheet\" href=\"/page.css\">\n"                             \
	"</head>\n"                                                                  \
	"<body>\n"                                                                   \
	"<main class=\"narrow\">\n"                                                  \
	"<p class=\"name\"><img src=\"/favicon.svg\" alt=\"\" width=\"34\" height=\"34\">Parley</p>\n"
#define PAGE_FOOT "</main>\n</body>\n</html>\n"

/* alive: the link still works. */
char *page_reset(int alive, struct arena *a);
char *page_confirm(int alive, struct arena *a);

#endif
