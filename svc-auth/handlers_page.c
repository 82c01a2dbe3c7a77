/* The sign-in page: one function per method of auth.proto. */
#include <string.h>

#include "auth.methods.h"
#include "common/json/format.h"
#include "svc-auth/browser.h"
#include "svc-auth/sign_pages.h"

/* What the form said, and what the page says to it. */
struct sign_in {
	struct web *w;
	const char *cookie, *next, *email, *said;
	bool code_sent;
	int status;
};

static const struct page_way *ways(struct sign_in *s, size_t *count)
{
	const struct providers *p = auth_state(s->w->call)->providers;
	struct page_way *list = arena_new(s->w->call->arena, struct page_way, providers_count(p) + 1);

	*count = providers_count(p);
	for (size_t i = 0; i < *count; i++) {
		struct text url;

		text_init(&url, s->w->call->arena);
		text_addf(&url, "/auth/oidc/%s/start?page=1", providers_at(p, i)->id);
		web_add(&url, "next", s->next);
		list[i] = (struct page_way){ providers_at(p, i)->set->name, url.at };
	}
	return list;
}

static int show(struct sign_in *s)
{
	struct page_sign_in page = { .seal = browser_seal(s->w, s->cookie, ""),
		                     .next = s->next,
		                     .email = s->email,
		                     .said = s->said,
		                     .code_sent = s->code_sent,
		                     .providers_only = auth_state(s->w->call)->settings->oidc_only };

	page.ways = ways(s, &page.way_count);
	return web_page(s->w, s->status ? s->status : 200, page_sign_in(&page, s->w->call->arena), NULL);
}

int auth_sign_in_page(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct web w;
	struct sign_in s = { .w = &w };

	web_open(&w, call, in, out, false);
	s.next = browser_next(web_get(&w, "next"));
	s.cookie = browser_form_cookie(&w);
	return show(&s);
}

/* --- The form ---------------------------------------------------------------------------------------------------- */

/* What the person is to read goes into the page; what is wrong with us does not. */
static int tell(struct sign_in *s, int failed)
{
	static const struct {
		enum error_code code;
		int status;
	} told[] = { { ERROR_TOO_MANY, 429 },
		     { ERROR_FORBIDDEN, 403 },
		     { ERROR_UNAUTHENTICATED, 401 },
		     { ERROR_UNAVAILABLE, 503 },
		     { ERROR_MALFORMED, 400 } };
	struct error *err = s->w->call->err;

	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		if (err->code != told[i].code)
			continue;
		s->said = arena_printf(s->w->call->arena, "That did not work: %s.", err->message);
		s->status = told[i].status;
		error_clear(err);
		return show(s);
	}
	return failed;
}

static int say(struct sign_in *s, int status, const char *said)
{
	s->said = said;
	s->status = status;
	return show(s);
}

static int go_on(struct sign_in *s)
{
	return web_redirect(s->w, s->next ? s->next : "/oauth/account");
}

static int mail_code(struct sign_in *s)
{
	if (mailer_ask_code(s->w->call, s->email) < 0)
		return tell(s, -1);
	s->code_sent = true;
	return show(s);
}

static int enter(struct sign_in *s, const struct account *who, const char *how)
{
	if (browser_sign_in(s->w, who, NULL, NULL) < 0)
		return -1;
	return audit(s->w->call, "signed_in", who->uid, how);
}

/* 1 in, 0 the code is wrong: which is to be committed, too. */
static int enter_by_code(struct sign_in *s, const char *code)
{
	struct account who;
	bool removed;
	int right = account_check_code(s->w->call, s->email, code, &who);

	if (right <= 0)
		return right;
	return account_prove(s->w->call, &who, false, &removed) < 0 ||
	               enter(s, &who, "with a code, at the sign-in page") < 0
	           ? -1
	           : 1;
}

/* People copy codes with blanks in them. */
static char *digits(const char *given, struct arena *a)
{
	char *code = arena_alloc(a, strlen(given) + 1), *to = code;

	for (; *given; given++)
		if (*given >= '0' && *given <= '9')
			*to++ = *given;
	return code;
}

static int verify(struct sign_in *s)
{
	struct call *call = s->w->call;
	const char *code = web_get(s->w, "code");
	int right;

	s->code_sent = true;
	if (!code)
		return say(s, 422, "Type in the code of the mail.");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	right = enter_by_code(s, digits(code, call->arena));
	if (account_end(call, right < 0 ? -1 : 0) < 0)
		return tell(s, -1);
	return right ? go_on(s) : say(s, 400, "The code is wrong, was used, or has expired.");
}

static int check_password(struct sign_in *s)
{
	struct call *call = s->w->call;
	const char *password = web_get(s->w, "password");
	struct account who = { 0 };
	int right;

	if (!password)
		return say(s, 422, "Type in your password, or have a code mailed to you.");
	if (store_find_account(call->db, s->email, &who, call->arena, call->err) < 0)
		return -1;
	right = account_check_password(call, s->email, who.password, password);
	if (right < 0)
		return tell(s, -1);
	if (!right)
		return who.uid && audit(call, "wrong_password", who.uid, NULL) < 0
		           ? -1
		           : say(s, 401, "The e-mail address or the password is wrong.");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (account_end(call, enter(s, &who, "with a password, at the sign-in page")) < 0)
		return tell(s, -1);
	return go_on(s);
}

static int act(struct sign_in *s)
{
	static const struct {
		const char *word;
		int (*act)(struct sign_in *s);
	} acts[] = {
		{ "password", check_password }, { "code", mail_code }, { "verify", verify }, { "back", show }
	};
	const char *wanted = web_get(s->w, "do");

	for (size_t i = 0; wanted && i < sizeof acts / sizeof *acts; i++)
		if (strcmp(wanted, acts[i].word) == 0)
			return acts[i].act(s);
	return say(s, 400, "The form came incomplete. Please try again.");
}

int auth_sign_in_form(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct web w;
	struct sign_in s = { .w = &w };
	const char *email;
	bool sealed;

	web_open(&w, call, in, out, true);
	email = web_get(&w, "email");
	s.next = browser_next(web_get(&w, "next"));
	s.cookie = browser_form_cookie(&w);
	sealed = browser_sealed(&w, s.cookie, "", web_get(&w, "seal"));
	if (!sealed || web_from_elsewhere(&w) || web_doubled(&w))
		return say(&s, 403,
		           "This page was open for too long, or cookies are switched off. Please try again.");
	if (account_may_prove(call) < 0)
		return tell(&s, -1);
	if (!email || !format_email(email, strlen(email)))
		return say(&s, 422, "Type in your e-mail address.");
	s.email = account_email(call, email);
	return act(&s);
}

/* --- Signed in --------------------------------------------------------------------------------------------------- */

int auth_signed_in_page(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *cookie;
	struct account who;
	struct web w;
	int found;

	web_open(&w, call, in, out, false);
	found = browser_account(&w, &who, &cookie);
	if (found < 0)
		return -1;
	if (!found)
		return web_redirect(&w, "/sign-in");
	return web_page(&w, 200, page_signed_in(who.email, browser_seal(&w, cookie, "sign-out"), call->arena),
	                NULL);
}

int auth_sign_out_form(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const char *cookie;
	struct account who;
	struct web w;
	int found;

	web_open(&w, call, in, out, true);
	found = browser_account(&w, &who, &cookie);
	if (found < 0)
		return -1;
	if (found && browser_sealed(&w, cookie, "sign-out", web_get(&w, "seal")) && !web_from_elsewhere(&w) &&
	    (db_begin(call->db, call->err) < 0 || account_end(call, browser_sign_out(&w)) < 0))
		return -1;
	return web_redirect(&w, "/sign-in");
}
