#include "svc-auth/pages.h"

/* One field is enough: it can be shown. The browser's own password tools find what they look for. */
static const char form[] = PAGE_HEAD(
    "Set a new password") "<h1>Set a new password</h1>\n"
                          "<p class=\"lead\">At least 8 characters, and not one that everybody uses. You will be signed out everywhere.</p>\n"
                          "<form id=\"reset\">\n"
                          "<label for=\"password\">New password</label>\n"
                          "<input id=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"8\" maxlength=\"128\" required "
                          "autofocus>\n"
                          "<label class=\"check\"><input id=\"show\" type=\"checkbox\"> Show it</label>\n"
                          "<button>Set password</button>\n"
                          "<p id=\"said\" role=\"status\"></p>\n"
                          "</form>\n"
                          "<noscript><p>This page needs JavaScript.</p></noscript>\n"
                          "</main>\n"
                          "<script src=\"/reset-password.js\"></script>\n"
                          "</body>\n"
                          "</html>\n";

static const char dead[] = PAGE_HEAD(
    "Set a new password") "<h1>This link does not work any more</h1>\n"
                          "<p class=\"lead\">A link to set a new password works once, and for one hour. Ask for a new one "
                          "where you sign in.</p>\n"
                          "</main>\n"
                          "</body>\n"
                          "</html>\n";

/* A click, since mail programs open links by themselves. */
static const char ask[] = PAGE_HEAD(
    "Confirm your address") "<h1>Is this your account?</h1>\n"
                            "<p class=\"lead\">Somebody registered at Parley with your e-mail address and a password of their choice. Confirm it if "
                            "that was you. If it was not, close this page.</p>\n"
                            "<form id=\"confirm\">\n"
                            "<button>Yes, it was me</button>\n"
                            "<p id=\"said\" role=\"status\"></p>\n"
                            "</form>\n"
                            "<noscript><p>This page needs JavaScript.</p></noscript>\n"
                            "</main>\n"
                            "<script src=\"/confirm-email.js\"></script>\n"
                            "</body>\n"
                            "</html>\n";

static const char confirmed[] = PAGE_HEAD(
    "Confirm your address") "<h1>This link does not work any more</h1>\n"
                            "<p class=\"lead\">A link to confirm an address works once, and for one day. Signing in "
                            "with a code by mail confirms it, too.</p>\n"
                            "</main>\n"
                            "</body>\n"
                            "</html>\n";

char *page_confirm(int alive, struct arena *a)
{
	return arena_strdup(a, alive ? ask : confirmed);
}

char *page_reset(int alive, struct arena *a)
{
	return arena_strdup(a, alive ? form : dead);
}
