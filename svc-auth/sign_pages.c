#include "svc-auth/sign_pages.h"

#include "common/base/text.h"
#include "svc-auth/letters.h"
#include "svc-auth/pages.h"

char *page_field(const char *name, const char *value, struct arena *a)
{
	return value ? arena_printf(a, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n", name,
	                            letter_escape(value, a))
	             : arena_strdup(a, "");
}

static void add_said(struct text *t, const char *said)
{
	if (said)
		text_addf(t, "<p class=\"wrong\" role=\"alert\">%s</p>\n", letter_escape(said, t->arena));
}

/* --- Signing in -------------------------------------------------------------------------------------------------- */

static void add_ways(struct text *t, const struct page_sign_in *p)
{
	if (p->way_count == 0)
		return;
	text_adds(t, "<ul class=\"ways\">\n");
	for (size_t i = 0; i < p->way_count; i++)
		text_addf(t, "<li><a href=\"%s\">Sign in with %s</a></li>\n",
		          letter_escape(p->ways[i].url, t->arena), letter_escape(p->ways[i].name, t->arena));
	text_adds(t, "</ul>\n");
	if (!p->providers_only)
		text_adds(t, "<p class=\"or\"><span>or</span></p>\n");
}

static void begin_form(struct text *t, const struct page_sign_in *p)
{
	text_addf(t, "<form method=\"post\" action=\"/sign-in\">\n%s%s",
	          page_field("seal", p->seal, t->arena), page_field("next", p->next, t->arena));
}

/* The first button is what the return key presses. */
static void add_password_form(struct text *t, const struct page_sign_in *p)
{
	begin_form(t, p);
	text_addf(
	    t,
	    "<label for=\"email\">E-mail address</label>\n"
	    "<input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" maxlength=\"254\" required "
	    "value=\"%s\"%s>\n"
	    "<label for=\"password\">Password</label>\n"
	    "<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" "
	    "maxlength=\"128\"%s>\n"
	    "<button name=\"do\" value=\"password\">Sign in</button>\n"
	    "<button class=\"second\" name=\"do\" value=\"code\">Mail me a code instead</button>\n"
	    "</form>\n",
	    letter_escape(p->email ? p->email : "", t->arena), p->email ? "" : " autofocus",
	    p->email ? " autofocus" : "");
}

static void add_code_form(struct text *t, const struct page_sign_in *p)
{
	begin_form(t, p);
	text_addf(
	    t,
	    "%s"
	    "<label for=\"code\">Code</label>\n"
	    "<input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"12\" "
	    "autofocus>\n"
	    "<button name=\"do\" value=\"verify\">Sign in</button>\n"
	    "<button class=\"second\" name=\"do\" value=\"back\">Another way</button>\n"
	    "</form>\n",
	    page_field("email", p->email, t->arena));
}

char *page_sign_in(const struct page_sign_in *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, PAGE_HEAD("Sign in") "<h1>Sign in</h1>\n");
	if (p->code_sent) {
		text_addf(
		    &t,
		    "<p class=\"lead\">If there is an account for <b>%s</b>, a code is on its way there. It is good "
		    "for ten minutes.</p>\n",
		    letter_escape(p->email ? p->email : "", a));
		add_said(&t, p->said);
		add_code_form(&t, p);
	} else {
		add_said(&t, p->said);
		add_ways(&t, p);
		if (!p->providers_only)
			add_password_form(&t, p);
	}
	text_adds(&t, PAGE_FOOT);
	return t.at;
}

char *page_signed_in(const char *email, const char *seal, struct arena *a)
{
	return arena_printf(
	    a,
	    PAGE_HEAD("Signed in") "<h1>You are signed in</h1>\n"
	                           "<p class=\"lead\">As <b>%s</b>. You can close this page.</p>\n"
	                           "<form method=\"post\" action=\"/oauth/sign-out\">\n%s"
	                           "<button class=\"second\">Sign out</button>\n"
	                           "</form>\n" PAGE_FOOT,
	    letter_escape(email, a), page_field("seal", seal, a));
}

/* --- Letting a program in ---------------------------------------------------------------------------------------- */

char *page_consent(const struct page_consent *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t,
	          PAGE_HEAD("Let a program in") "<h1>Let this program use your chatbot?</h1>\n"
	                                        "<dl>\n"
	                                        "<dt>Program</dt><dd>%s</dd>\n"
	                                        "<dt>Who says so</dt><dd>%s%s</dd>\n"
	                                        "<dt>Sends you back to</dt><dd>%s</dd>\n"
	                                        "<dt>Chatbot</dt><dd>%s</dd>\n"
	                                        "<dt>Your account</dt><dd>%s</dd>\n"
	                                        "</dl>\n",
	          letter_escape(p->client, a),
	          letter_escape(
	              p->client_host ? p->client_host : "The program itself: nobody has checked its name", a),
	          p->client_host ? ", which publishes it" : "", letter_escape(p->place, a),
	          letter_escape(p->chatbot, a), letter_escape(p->email, a));
	text_addf(
	    &t,
	    "<p class=\"note\">It may ask this chatbot questions and read its documents, as you may. Nothing else. It "
	    "stays signed in until you end it under your sessions. If you did not start this, refuse.</p>\n"
	    "<form method=\"post\" action=\"/oauth/authorize\">\n%s"
	    "<button name=\"decision\" value=\"allow\">Allow</button>\n"
	    "<button class=\"second\" name=\"decision\" value=\"refuse\">Refuse</button>\n"
	    "</form>\n"
	    "<p class=\"note\"><a href=\"%s\">Use another account</a></p>\n" PAGE_FOOT,
	    p->fields, letter_escape(p->other, a));
	return t.at;
}

char *page_handed_over(const char *code, const char *state, struct arena *a)
{
	return arena_printf(
	    a,
	    PAGE_HEAD("Signed in") "<h1>You are signed in</h1>\n"
	                           "<p class=\"lead\">You can close this page.</p>\n"
	                           "<p id=\"code\" hidden data-code=\"%s\" data-state=\"%s\"></p>\n"
	                           "<script src=\"/signed-in.js\"></script>\n" PAGE_FOOT,
	    letter_escape(code, a), letter_escape(state ? state : "", a));
}

char *page_message(const char *heading, const char *text, struct arena *a)
{
	return arena_printf(a,
	                    PAGE_HEAD("Sign in") "<h1>%s</h1>\n"
	                                         "<p class=\"lead\">%s</p>\n" PAGE_FOOT,
	                    letter_escape(heading, a), letter_escape(text, a));
}
