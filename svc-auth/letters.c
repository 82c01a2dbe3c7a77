#include "svc-auth/letters.h"

#include <string.h>

#include "common/base/text.h"

char *letter_escape(const char *text, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (const char *c = text; *c; c++) {
		switch (*c) {
		case '&': text_adds(&t, "&amp;"); break;
		case '<': text_adds(&t, "&lt;"); break;
		case '>': text_adds(&t, "&gt;"); break;
		case '"': text_adds(&t, "&quot;"); break;
		case '\'': text_adds(&t, "&#39;"); break;
		default: text_addc(&t, *c);
		}
	}
	return t.at;
}

/* Mail programs know few rules, so the styles stand where they apply. The three gaps: lead, what it is about, note. */
static char *page(const char *lead, const char *matter, const char *note, struct arena *a)
{
	return arena_printf(
	    a,
	    "<!DOCTYPE html>\n"
	    "<html lang=\"en\">\n"
	    "<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"></head>\n"
	    "<body style=\"margin:0;padding:24px;background:#f3f4f6;font-family:Helvetica,Arial,sans-serif;color:#111827\">\n"
	    "<div style=\"max-width:440px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px\">\n"
	    "<p style=\"margin:0 0 16px;font-size:16px;line-height:24px\">%s</p>\n"
	    "%s\n"
	    "<p style=\"margin:24px 0 0;font-size:13px;line-height:20px;color:#6b7280\">%s</p>\n"
	    "</div>\n"
	    "</body>\n"
	    "</html>\n",
	    lead, matter, note);
}

void letter_code(const char *code, const char *site, struct letter *ret, struct arena *a)
{
	const char *from = letter_escape(site, a);

	ret->subject = arena_printf(a, "%s is your Parley sign-in code", code);
	ret->text = arena_printf(
	    a,
	    "Your code to sign in to Parley (%s):\n"
	    "\n"
	    "    %s\n"
	    "\n"
	    "It is good for 10 minutes, and once. Tell it to nobody.\n"
	    "If you did not ask for it, you can ignore this mail: nobody gets in without the code.\n",
	    site, code);
	ret->html = page(
	    arena_printf(a, "Your code to sign in to <b>Parley</b> (%s):", from),
	    arena_printf(
	        a,
	        "<p style=\"margin:0;padding:16px;background:#f3f4f6;border-radius:6px;text-align:center;"
	        "font-family:monospace;font-size:32px;letter-spacing:6px\">%s</p>",
	        letter_escape(code, a)),
	    "It is good for 10 minutes, and once. Tell it to nobody. If you did not ask for it, you can ignore this mail: "
	    "nobody gets in without the code.",
	    a);
}

/* A link to click, and below it to read. */
static char *button(const char *url, const char *label, struct arena *a)
{
	const char *link = letter_escape(url, a);

	return arena_printf(
	    a,
	    "<p style=\"margin:0;text-align:center\"><a href=\"%s\" style=\"display:inline-block;"
	    "padding:12px 24px;background:#2563eb;border-radius:6px;color:#ffffff;font-size:16px;"
	    "text-decoration:none\">%s</a></p>\n"
	    "<p style=\"margin:16px 0 0;font-size:13px;line-height:20px;word-break:break-all\">%s</p>",
	    link, label, link);
}

void letter_link(const char *url, const char *site, struct letter *ret, struct arena *a)
{
	const char *from = letter_escape(site, a);

	ret->subject = "Set a new Parley password";
	ret->text =
	    arena_printf(a,
	                 "Somebody, hopefully you, asked for a new password for your Parley account (%s).\n"
	                 "To set one, open this link:\n"
	                 "\n"
	                 "%s\n"
	                 "\n"
	                 "It works for one hour, and once.\n"
	                 "If it was not you, you can ignore this mail: your password stays as it is.\n",
	                 site, url);
	ret->html = page(
	    arena_printf(
	        a, "Somebody, hopefully you, asked for a new password for your <b>Parley</b> account (%s).",
	        from),
	    button(url, "Set a new password", a),
	    "The link works for one hour, and once. If it was not you, you can ignore this mail: your password stays as it "
	    "is.",
	    a);
}

void letter_confirm(const char *url, const char *site, struct letter *ret, struct arena *a)
{
	const char *from = letter_escape(site, a);

	ret->subject = "Is this your Parley account?";
	ret->text =
	    arena_printf(a,
	                 "Somebody made a Parley account (%s) with this address and a password.\n"
	                 "If it was you, open this link to prove that the address is yours:\n"
	                 "\n"
	                 "%s\n"
	                 "\n"
	                 "It works for one day.\n"
	                 "If it was not you, do not open it: whoever made the account knows its password.\n",
	                 site, url);
	ret->html = page(
	    arena_printf(
	        a,
	        "Somebody made a <b>Parley</b> account (%s) with this address and a password. If it was you, "
	        "prove that the address is yours:",
	        from),
	    button(url, "It was me", a),
	    "The link works for one day. If it was not you, do not open it: whoever made the account knows its password.",
	    a);
}

void letter_removed(const char *site, struct letter *ret, struct arena *a)
{
	static const char why[] =
	    "You signed in with a code for the first time, which proves that this address is yours. "
	    "A password that was set before, by whoever made the account, works no longer; "
	    "sessions and keys made with it have ended.";

	ret->subject = "Your Parley password was removed";
	ret->text = arena_printf(a,
	                         "Parley (%s)\n"
	                         "\n"
	                         "%s\n"
	                         "\n"
	                         "You can set a new password in your account, or by \"forgot password\".\n",
	                         site, why);
	ret->html = page(arena_printf(a, "<b>Parley</b> (%s)", letter_escape(site, a)),
	                 arena_printf(a, "<p style=\"margin:0\">%s</p>", why),
	                 "You can set a new password in your account, or by &quot;forgot password&quot;.", a);
}

void letter_of_user(const char *subject, const char *words, const char *user, const char *site,
                    struct letter *ret, struct arena *a)
{
	ret->subject = subject;
	ret->text = arena_printf(a,
	                         "%s\n"
	                         "-- \n"
	                         "Sent by Parley (%s) for %s, who chose this address for it.\n",
	                         words, site, user);
	ret->html = page(
	    arena_printf(a, "<b>%s</b>", letter_escape(subject, a)),
	    arena_printf(a, "<p style=\"margin:0;white-space:pre-wrap\">%s</p>", letter_escape(words, a)),
	    arena_printf(a, "Sent by Parley (%s) for %s, who chose this address for it.",
	                 letter_escape(site, a), letter_escape(user, a)),
	    a);
}
