#include "svc-chat/oauth/pages.h"

#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"

static const char head[] = "<!doctype html>\n"
                           "<html lang=\"en\">\n"
                           "<head>\n"
                           "<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta name=\"referrer\" content=\"no-referrer\">\n"
                           "<meta name=\"robots\" content=\"noindex\">\n"
                           "<title>Connecting · Parley</title>\n"
                           "<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n"
                           "<link rel=\"stylesheet\" href=\"/page.css\">\n"
                           "</head>\n"
                           "<body>\n";
static const char name[] =
    "<p class=\"name\"><img src=\"/favicon.svg\" alt=\"\" width=\"34\" height=\"34\">Parley</p>\n";
static const char foot[] = "</main>\n"
                           "<script src=\"/oauth.js\"></script>\n"
                           "</body>\n"
                           "</html>\n";

static void add(struct text *page, const char *words)
{
	for (; *words; words++)
		switch (*words) {
		case '<': text_adds(page, "&lt;"); break;
		case '>': text_adds(page, "&gt;"); break;
		case '&': text_adds(page, "&amp;"); break;
		case '"': text_adds(page, "&quot;"); break;
		case '\'': text_adds(page, "&#39;"); break;
		default: text_addc(page, *words);
		}
}

static void begin(struct text *page, const char *result, int64_t server_id, struct arena *a)
{
	text_init(page, a);
	text_adds(page, head);
	text_addf(page, "<main class=\"narrow\" data-result=\"%s\" data-server=\"%lld\">\n", result,
	          (long long)server_id);
	text_adds(page, name);
}

char *page_ask(const char *server, const char *address, struct arena *a)
{
	struct text page;

	begin(&page, "ask", 0, a);
	text_adds(&page, "<h1>Connect ");
	add(&page, server);
	text_adds(&page, "?</h1>\n<p class=\"lead\">Connect ");
	add(&page, server);
	text_adds(&page, " to the Parley account ");
	add(&page, address);
	text_adds(
	    &page,
	    "? Whoever uses that account can then use what you have just signed in to. If it is not yours, "
	    "close this page.</p>\n"
	    "<form id=\"confirm\">\n"
	    "<button>Connect</button>\n"
	    "<p id=\"said\" role=\"status\"></p>\n"
	    "</form>\n"
	    "<noscript><p>This page needs JavaScript.</p></noscript>\n");
	text_adds(&page, foot);
	return page.at;
}

char *page_end(const char *server, int64_t server_id, const char *wrong, struct arena *a)
{
	struct text page;

	begin(&page, wrong ? "failed" : "connected", server_id, a);
	text_adds(&page, "<h1>");
	add(&page, server ? server : "This sign-in");
	text_adds(&page, wrong ? " is not connected</h1>\n" : " is connected</h1>\n");
	text_adds(&page, "<p class=\"lead\">");
	if (wrong) {
		add(&page, wrong);
		text_adds(&page, ".</p>\n");
	} else {
		text_adds(&page, "You can close this window.</p>\n");
	}
	text_adds(&page, foot);
	return page.at;
}

char *page_mask(const char *address, struct arena *a)
{
	const char *at = strrchr(address, '@'), *second = address;

	if (!at || at == address || !utf8_valid(address, strlen(address)))
		return arena_strdup(a, "of another user");
	utf8_next(&second);
	return arena_printf(a, "%.*s…%s", (int)(second - address), address, at);
}
