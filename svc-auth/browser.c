#include "svc-auth/browser.h"

#include <string.h>

#include "auth.methods.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/ticket.h"

enum { BROWSER_HOURS = 8, FORM_SECONDS = 86400, FORM_TEXT = 43, NEXT_BYTES = 8000 };
static const char cookie_name[] = "parley_signed_in", form_name[] = "parley_form";

static const unsigned char *key(const struct web *w)
{
	return auth_state(w->call)->ticket_key;
}

int browser_account(struct web *w, struct account *ret, const char **cookie)
{
	struct ticket t;

	*cookie = web_cookie(w, cookie_name);
	if (!ticket_read(key(w), TICKET_BROWSER, *cookie, &t))
		return 0;
	return store_find_session(w->call->db, t.owner, t.id, "browser", ret, w->call->arena, w->call->err);
}

int browser_sign_in(struct web *w, const struct account *who, const char *issuer, const char *issuer_session)
{
	struct new_session how = {
		.kind = "browser", .hours = BROWSER_HOURS, .issuer = issuer, .issuer_session = issuer_session
	};
	char text[TICKET_TEXT];
	struct ticket t = { .number = 0 };

	if (account_open(w->call, who, &how) < 0)
		return -1;
	memcpy(t.owner, who->uid, UUID_TEXT);
	memcpy(t.id, how.id, UUID_TEXT);
	ticket_make(key(w), TICKET_BROWSER, &t, text);
	web_set_cookie(w, cookie_name, text, "/oauth", BROWSER_HOURS * 3600);
	return 0;
}

int browser_sign_out(struct web *w)
{
	struct ticket t;

	web_set_cookie(w, cookie_name, "", "/oauth", 0);
	if (!ticket_read(key(w), TICKET_BROWSER, web_cookie(w, cookie_name), &t))
		return 0;
	if (store_end_session(w->call->db, t.owner, t.id, w->call->err) < 0)
		return -1;
	return audit(w->call, "signed_out", t.owner, "of the sign-in page");
}

/* --- Forms ------------------------------------------------------------------------------------------------------- */

const char *browser_form_cookie(struct web *w)
{
	const char *there = web_cookie(w, form_name);
	unsigned char bytes[32];
	char *text;

	if (there && strlen(there) == FORM_TEXT &&
	    base64url_decode(bytes, sizeof bytes, there, FORM_TEXT) > 0)
		return there;
	random_bytes(bytes, sizeof bytes);
	text = arena_alloc(w->call->arena, FORM_TEXT + 1);
	base64url_encode(text, bytes, sizeof bytes);
	web_set_cookie(w, form_name, text, "/sign-in", FORM_SECONDS);
	return text;
}

const char *browser_seal(const struct web *w, const char *cookie, const char *what)
{
	static const char purpose[] = "form";
	unsigned char inner[MAC_SIZE], mac[MAC_SIZE];
	char *text = arena_alloc(w->call->arena, FORM_TEXT + 1);

	mac_sha256(key(w), purpose, sizeof purpose, cookie, strlen(cookie), inner);
	mac_sha256(inner, what, strlen(what), NULL, 0, mac);
	base64url_encode(text, mac, sizeof mac);
	return text;
}

bool browser_sealed(const struct web *w, const char *cookie, const char *what, const char *seal)
{
	return cookie && seal && strlen(seal) == FORM_TEXT &&
	       mac_equal(seal, browser_seal(w, cookie, what), FORM_TEXT);
}

const char *browser_next(const char *given)
{
	static const char page[] = "/oauth/authorize?";

	if (!given || strncmp(given, page, sizeof page - 1) != 0 || strlen(given) > NEXT_BYTES)
		return NULL;
	for (const char *c = given; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '"' || *c == '<' || *c == '>')
			return NULL;
	return given;
}
