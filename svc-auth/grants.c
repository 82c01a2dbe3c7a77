#include "svc-auth/grants.h"

#include <openssl/evp.h>
#include <string.h>

#include "auth.methods.h"
#include "common/base/clock.h"
#include "common/json/json.h"
#include "common/secret/token.h"
#include "svc-auth/browser.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/ticket.h"

enum { VERIFIER_LEAST = 43, VERIFIER_MOST = 128, CHALLENGE = 43, SHA256_BYTES = 32 };

const char *grants_chatbot(struct call *call, const char *resource)
{
	static const char path[] = "/mcp/chatbots/";
	const char *site = auth_state(call)->settings->url;
	size_t length = strlen(site);

	if (!resource || strncmp(resource, site, length) != 0 ||
	    strncmp(resource + length, path, sizeof path - 1) != 0)
		return NULL;
	resource += length + sizeof path - 1;
	return uuid_valid(resource) && !strpbrk(resource, "ABCDEF") ? resource : NULL;
}

/* --- Codes ------------------------------------------------------------------------------------------------------- */

static bool is_of(const char *text, size_t least, size_t most, const char *others)
{
	size_t length = strlen(text);

	for (const char *c = text; *c; c++)
		if (!(*c >= '0' && *c <= '9') && !((*c | 32) >= 'a' && (*c | 32) <= 'z') &&
		    !strchr(others, *c))
			return false;
	return length >= least && length <= most;
}

bool grants_challenge_fits(const char *challenge)
{
	return is_of(challenge, CHALLENGE, CHALLENGE, "-_");
}

/* PKCE, S256. */
bool grants_proves(const char *verifier, const char *challenge)
{
	unsigned char hash[SHA256_BYTES];
	char text[CHALLENGE + 2];

	if (!challenge || !verifier || !is_of(verifier, VERIFIER_LEAST, VERIFIER_MOST, "-._~") ||
	    EVP_Digest(verifier, strlen(verifier), hash, NULL, EVP_sha256(), NULL) != 1)
		return false;
	base64url_encode(text, hash, sizeof hash);
	return strlen(challenge) == CHALLENGE && mac_equal(text, challenge, CHALLENGE);
}

/* Who allows it is signed in still: 1; 0, -1. Where a provider let them in, its word ends what they allow, too (though not
 * the end of that one visit). With the account locked, whatever ends sessions has ended this one, or finds the code. */
static int still_in(struct web *w, const char *owner, const char **issuer)
{
	struct call *call = w->call;
	struct account who;
	const char *cookie;
	struct ticket t;
	int found = store_lock_account(call->db, owner, &who, call->arena, call->err);

	if (found > 0)
		found = browser_account(w, &who, &cookie);
	if (found <= 0 || !ticket_read(auth_state(call)->ticket_key, TICKET_BROWSER, cookie, &t))
		return found < 0 ? -1 : 0;
	return store_session_issuer(call->db, owner, t.id, issuer, call->arena, call->err);
}

static int put_code(struct web *w, const char *owner, struct sign_in_code *code)
{
	struct call *call = w->call;
	int in = still_in(w, owner, &code->issuer);

	if (in <= 0)
		return in;
	if (store_put_sign_in_code(call->db, owner, code, GRANTS_CODE_SECONDS, call->err) < 0 ||
	    audit(call, "program_allowed", owner,
	          arena_printf(call->arena, "%.100s, for %s", code->client_name, code->resource)) < 0)
		return -1;
	return 1;
}

int grants_code(struct web *w, const struct account *who, const struct client *c, const char *redirect_uri,
                const char *challenge, const char *resource, char **code)
{
	struct call *call = w->call;
	struct sign_in_code row = { .kind = "program",
		                    .client_id = c->id,
		                    .client_name = c->name,
		                    .redirect_uri = redirect_uri,
		                    .challenge = challenge,
		                    .resource = resource };
	struct ticket t = { .number = 0 };
	int put;

	memcpy(t.owner, who->uid, UUID_TEXT);
	uuid_make(t.id);
	row.id = t.id;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	put = put_code(w, who->uid, &row);
	if (account_end(call, put < 0 ? -1 : 0) < 0)
		return -1;
	*code = arena_alloc(call->arena, TICKET_TEXT);
	ticket_make(auth_state(call)->ticket_key, TICKET_CODE, &t, *code);
	return put;
}

/* --- Tokens ------------------------------------------------------------------------------------------------------ */

static int make_tokens(struct call *call, const struct account *who, const struct ticket *t,
                       const char *resource, struct grants_tokens *ret)
{
	ret->refresh = arena_alloc(call->arena, TICKET_TEXT);
	ticket_make(auth_state(call)->ticket_key, TICKET_REFRESH, t, ret->refresh);
	return account_token(call, who, t->id, resource, GRANTS_ACCESS_SECONDS, &ret->access);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Is the request the one that the code was given for? It is used up either way. */
static const char *misfit(const struct web *w, const struct sign_in_code *code)
{
	const char *resource = web_get(w, "resource");

	if (strcmp(code->kind, "program") != 0 || !same(web_get(w, "client_id"), code->client_id))
		return "the code is not for this client";
	if (!same(web_get(w, "redirect_uri"), code->redirect_uri))
		return "redirect_uri is not the one that the code was sent to";
	if (!grants_proves(web_get(w, "code_verifier"), code->challenge))
		return "code_verifier does not fit";
	return resource && !same(resource, code->resource) ? "the code is for another resource" : NULL;
}

/* In a transaction that is committed whatever comes out. */
static int use_code(struct web *w, const struct ticket *t, struct grants_tokens *ret, const char **why)
{
	struct call *call = w->call;
	struct sign_in_code code;
	struct account who;
	int found = store_lock_account(call->db, t->owner, &who, call->arena, call->err);

	*why = "the account is not there any more";
	if (found <= 0)
		return found;
	found = store_take_sign_in_code(call->db, t->owner, t->id, &code, call->arena, call->err);
	if (found < 0)
		return -1;
	*why = "the code is wrong, was used, or has expired";
	if (!found) {
		int ended = store_end_program(call->db, t->owner, t->id, NULL, call->err);

		return ended <= 0 ? ended
		                  : audit(call, "code_reused", t->owner, "the sign-in it became has ended");
	}
	*why = misfit(w, &code);
	if (*why)
		return 0;
	*why = "the account is not there any more";
	if (who.disabled)
		return 0;
	if (account_open(call, &who,
	                 &(struct new_session){ .kind = "program",
	                                        .id = t->id,
	                                        .hours = GRANTS_DAYS * 24,
	                                        .client_id = code.client_id,
	                                        .client_name = code.client_name,
	                                        .resource = code.resource,
	                                        .issuer = code.issuer }) < 0 ||
	    audit(call, "signed_in", who.uid,
	          arena_printf(call->arena, "a program: %.100s", code.client_name)) < 0)
		return -1;
	*why = NULL;
	return make_tokens(call, &who, t, code.resource, ret);
}

int grants_exchange(struct web *w, struct grants_tokens *ret, const char **why)
{
	struct ticket t;

	*why = "the code is wrong, was used, or has expired";
	if (!ticket_read(auth_state(w->call)->ticket_key, TICKET_CODE, web_get(w, "code"), &t))
		return 0;
	if (db_begin(w->call->db, w->call->err) < 0)
		return -1;
	if (account_end(w->call, use_code(w, &t, ret, why)) < 0)
		return -1;
	return *why ? 0 : 1;
}

/* Used before: two have it, and nobody knows which of them is the program. */
static int end_reused(struct call *call, const struct ticket *t, const char *client_id)
{
	int ended = store_end_reused(call->db, t->owner, t->id, client_id, t->number, call->err);

	return ended <= 0 ? ended
	                  : audit(call, "refresh_reused", t->owner, "the program's sign-in has ended");
}

static int use_refresh(struct web *w, struct ticket *t, struct grants_tokens *ret, const char **why)
{
	const char *client_id = web_get(w, "client_id"), *resource;
	struct call *call = w->call;
	struct account who;
	int found =
	    store_renew_program(call->db, t->owner, t->id, client_id, t->number, web_get(w, "resource"),
	                        GRANTS_DAYS, &resource, call->arena, call->err);

	*why = "the refresh token was used before, is for something else, or the sign-in has ended";
	if (found <= 0)
		return found < 0 ? -1 : end_reused(call, t, client_id);
	found = store_get_account(call->db, t->owner, &who, call->arena, call->err);
	if (found <= 0)
		return found;
	*why = NULL;
	t->number += 1;
	return make_tokens(call, &who, t, resource, ret);
}

int grants_refresh(struct web *w, struct grants_tokens *ret, const char **why)
{
	struct ticket t;

	*why = "this is no refresh token";
	if (!ticket_read(auth_state(w->call)->ticket_key, TICKET_REFRESH, web_get(w, "refresh_token"), &t))
		return 0;
	if (db_begin(w->call->db, w->call->err) < 0)
		return -1;
	if (account_end(w->call, use_refresh(w, &t, ret, why)) < 0)
		return -1;
	return *why ? 0 : 1;
}

/* --- The end ----------------------------------------------------------------------------------------------------- */

/* Whose and which an access token is, if it is one of ours: its audience has to be read before it can be verified. */
static bool read_access(struct call *call, const char *token, struct ticket *ret)
{
	const char *payload = strchr(token, '.'), *end = payload ? strchr(payload + 1, '.') : NULL, *audience;
	int64_t now = clock_unix_ms() / 1000;
	OWN(json) json_object *claims = NULL;
	struct token_claims read;
	struct error ignored = { 0 };
	struct keyring ring;
	char *json;
	int size;
	bool fine;

	if (!end)
		return false;
	json = arena_alloc(call->arena, (size_t)(end - payload));
	size = base64url_decode(json, (size_t)(end - payload), payload + 1, (size_t)(end - payload) - 1);
	if (size < 0 || json_parse(json, (size_t)size, &claims, &ignored) < 0)
		return false;
	audience = json_string(claims, "aud");
	keystore_ring(auth_state(call)->keys, KEYSTORE_TOKEN, now, &ring);
	fine = audience && token_verify(&ring, token, now, audience, &read, &ignored) == 0;
	explicit_bzero(&ring, sizeof ring);
	if (fine) {
		memcpy(ret->owner, read.user_id, UUID_TEXT);
		memcpy(ret->id, read.session_id, UUID_TEXT);
	}
	return fine;
}

static int revoke(struct call *call, const struct ticket *t, const char *client_id)
{
	int ended = store_end_program(call->db, t->owner, t->id, client_id, call->err);

	return ended <= 0 ? ended : audit(call, "signed_out", t->owner, "a program");
}

int grants_revoke(struct call *call, const char *token, const char *client_id)
{
	struct ticket t;

	if (!ticket_read(auth_state(call)->ticket_key, TICKET_REFRESH, token, &t) &&
	    !read_access(call, token, &t))
		return 0;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, revoke(call, &t, client_id));
}
