#include "common/base/thread.h"
#include "gateway/identity_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/json/json.h"

enum {
	REFETCH_MS = 200,  /* how often a strange token makes us ask for keys */
	FEED_SECONDS = 60, /* by then the feed has told of it for good, or nobody is believed */
	AGENT_MAX = 500,
	MISSES_A_MINUTE = 60 /* unknown API keys that one address may try */
};

int identity_start(struct peer *auth, struct rates *rates, struct identity **ret, struct error *err)
{
	struct identity *id = calloc(1, sizeof *id);

	(void)err;
	if (!id)
		abort();
	id->auth = auth;
	id->rates = rates;
	id->keys = api_keys_new();
	id->revoked = revocations_new();
	pthread_rwlock_init(&id->lock, NULL);
	pthread_mutex_init(&id->fetching, NULL);
	id->thread = thread_start(identity_follow, id);
	*ret = id;
	return 0;
}

void identity_leave(struct identity *id)
{
	atomic_store(&id->stop, true);
}

void identity_stop(struct identity *id)
{
	identity_leave(id);
	pthread_join(id->thread, NULL);
	pthread_mutex_destroy(&id->fetching);
	pthread_rwlock_destroy(&id->lock);
	revocations_free(id->revoked);
	api_keys_free(id->keys);
	free(id);
}

int identity_ready(const struct identity *id)
{
	int64_t heard = atomic_load(&id->heard_ms);

	return heard && clock_mono_ms() - heard < IDENTITY_TRUST_MS;
}

/* --- Judging what a request shows ----------------------------------------------------------------------------------- */

/* What a thread verified last: it serves one connection, which mostly shows the same token again. */
static _Thread_local struct {
	const struct identity *by;
	unsigned generation;
	char token[512];
	struct token_claims claims;
} last;

/* token_verify(), unless this thread has just done it with the same keys. The lock is held. Kept are tokens for the API
 * alone. */
static int verify_signature(const struct identity *id, const char *token, const char *address,
                            struct token_claims *claims, struct error *err)
{
	int64_t now = clock_unix_ms() / 1000;

	if (address)
		return token_verify(&id->ring, token, now, address, claims, err);
	if (last.by == id && last.generation == id->generation && last.claims.expires > now &&
	    !strcmp(last.token, token)) {
		*claims = last.claims;
		return 0;
	}
	if (token_verify(&id->ring, token, now, NULL, claims, err) < 0)
		return -1;
	if (strlen(token) < sizeof last.token) {
		last.by = id;
		last.generation = id->generation;
		last.claims = *claims;
		memcpy(last.token, token, strlen(token) + 1);
	}
	return 0;
}

static int verify(struct identity *id, const char *token, const char *address, struct token_claims *claims,
                  struct error *err)
{
	int rc;

	pthread_rwlock_rdlock(&id->lock);
	rc = verify_signature(id, token, address, claims, err);
	if (rc == 0 && revocations_hit(id->revoked, claims))
		rc = error_set(err, ERROR_UNAUTHENTICATED, "the session has ended; sign in again");
	pthread_rwlock_unlock(&id->lock);
	return rc;
}

/*
 * A token may be signed with a key so new that the feed has not told us. 1 when there are keys newer than `seen`. One
 * strange token at a time asks, and none soon after another, whatever came of it: svc-auth may hang, and nobody else
 * shall wait for that.
 */
static int newer_keys(struct identity *id, int64_t seen, struct arena *a)
{
	struct error err = { 0 };

	if (pthread_mutex_trylock(&id->fetching) != 0)
		return 0;
	if (atomic_load(&id->fetched_ms) == seen && clock_mono_ms() - id->tried_ms > REFETCH_MS) {
		(void)identity_fetch_keys(id, a, &err); /* the token stays refused then */
		id->tried_ms = clock_mono_ms();
	}
	pthread_mutex_unlock(&id->fetching);
	return atomic_load(&id->fetched_ms) != seen;
}

static int by_token(struct identity *id, struct request *req, const char *token, const char *address,
                    Rpc__Caller *caller)
{
	struct token_claims claims;
	int64_t seen = atomic_load(&id->fetched_ms);
	struct error first = { 0 };

	if (verify(id, token, address, &claims, &first) < 0 &&
	    (!newer_keys(id, seen, req->arena) || verify(id, token, address, &claims, &req->err) < 0))
		return error_set(&req->err, first.code, "%s", first.message);
	caller->owner_id = arena_strdup(req->arena, claims.user_id);
	caller->session_id = arena_strdup(req->arena, claims.session_id);
	caller->has_user_number = caller->has_admin = 1;
	caller->user_number = claims.user_number;
	caller->admin = claims.admin;
	caller->token = (char *)token;
	return 0;
}

/* Only misses count against the client's address: somebody may well use a hundred keys. */
static int resolve(struct identity *id, struct request *req, char *hash, struct api_key *ret)
{
	Auth__ResolveKeyRequest in = AUTH__RESOLVE_KEY_REQUEST__INIT;
	int64_t now = clock_unix_ms() / 1000;
	unsigned age = api_keys_age(id->keys);
	ProtobufCMessage *out;
	int wait;

	if (api_keys_find(id->keys, hash, now, ret))
		return 0;
	wait = rates_take(id->rates, req->ip, UINT32_MAX, MISSES_A_MINUTE, clock_mono_ms());
	if (wait)
		return error_too_many(&req->err, wait, "too many API keys were tried");
	in.hash = hash;
	if (identity_ask(id, AUTH_METHOD_RESOLVE_KEY, &in.base, req->id, req->arena, &out, &req->err) < 0) {
		if (req->err.code != ERROR_NOT_FOUND)
			return -1;
		error_clear(&req->err);
		return error_set(&req->err, ERROR_UNAUTHENTICATED, "the API key is not valid");
	}
	rates_give(id->rates, req->ip, UINT32_MAX, MISSES_A_MINUTE, clock_mono_ms());
	if (api_keys_put(id->keys, age, hash, (const Auth__ResolvedKey *)out, now, ret) < 0)
		return error_internal(&req->err, "svc-auth gave an API key that cannot be one");
	return 0;
}

/* "documents|chat" as the caller's list. */
static void list_scopes(Rpc__Caller *caller, char *scopes, struct arena *a)
{
	char *rest = NULL;

	caller->scopes = arena_new(a, char *, strlen(scopes) / 2 + 1);
	for (char *s = strtok_r(scopes, "|", &rest); s; s = strtok_r(NULL, "|", &rest))
		caller->scopes[caller->n_scopes++] = s;
}

static int by_key(struct identity *id, struct request *req, const char *text, Rpc__Caller *caller)
{
	char hash[API_KEY_HASH];
	struct api_key key;

	sha256_hex(hash, text, strlen(text));
	if (resolve(id, req, hash, &key) < 0)
		return -1;
	caller->owner_id = arena_strdup(req->arena, key.user_id);
	caller->api_key_id = arena_printf(req->arena, "%lld", (long long)key.id);
	caller->has_user_number = caller->has_admin = 1;
	caller->user_number = key.user_number;
	caller->admin = key.admin;
	list_scopes(caller, arena_strdup(req->arena, key.scopes), req->arena);
	return 0;
}

/* What the request shows: NULL when nothing. -1: something that cannot be credentials. */
static int credentials(struct request *req, const char **ret)
{
	static const char scheme[] = "Bearer ";
	const char *header = request_header(req, "Authorization");

	*ret = NULL;
	if (!header) {
		*ret = request_header(req, "X-API-Key");
		return 0;
	}
	if (strncasecmp(header, scheme, sizeof scheme - 1) != 0)
		return error_set(&req->err, ERROR_UNAUTHENTICATED,
		                 "the Authorization header must say \"Bearer\" and a token");
	*ret = header + sizeof scheme - 1;
	*ret += strspn(*ret, " ");
	return 0;
}

static int authenticate(struct identity *id, struct request *req, const char *shown, const char *address,
                        Rpc__Caller *caller)
{
	bool key = !strncmp(shown, "pk_", 3) || !request_header(req, "Authorization");

	if (!identity_ready(id))
		return error_busy(&req->err, 2, "signing in is not possible right now");
	if ((key ? by_key(id, req, shown, caller) : by_token(id, req, shown, address, caller)) < 0)
		return -1;
	caller->kind = RPC__CALLER__KIND__USER;
	req->user = caller->owner_id;
	return 0;
}

static int authorize(struct request *req, enum access access, const char *scope, const Rpc__Caller *caller)
{
	bool allowed = !caller->n_scopes;

	for (size_t i = 0; i < caller->n_scopes; i++)
		allowed =
		    allowed || !strcmp(caller->scopes[i], scope) ||
		    (!strcmp(caller->scopes[i], "auth") && !strcmp(scope, "account")); /* its old name */
	if (!allowed)
		return error_set(&req->err, ERROR_FORBIDDEN, "this API key is not for %s", scope);
	if (access == ACCESS_ADMIN && caller->api_key_id)
		return error_set(&req->err, ERROR_FORBIDDEN,
		                 "administration needs somebody who is signed in; an API key does not do");
	if (access == ACCESS_ADMIN && !caller->admin)
		return error_set(&req->err, ERROR_FORBIDDEN, "this is for administrators");
	return 0;
}

void identity_end_session(struct identity *id, const Rpc__Caller *caller)
{
	Auth__Revocation what = AUTH__REVOCATION__INIT;
	int64_t now = clock_unix_ms() / 1000;

	what.session_id = caller->session_id;
	what.has_until = 1;
	what.until = now + FEED_SECONDS;
	pthread_rwlock_wrlock(&id->lock);
	revocations_add(id->revoked, &what, now);
	pthread_rwlock_unlock(&id->lock);
}

int identity_caller(struct identity *id, struct request *req, enum access access, const char *scope,
                    const char *address, Rpc__Caller **ret)
{
	Rpc__Caller *caller = arena_new(req->arena, Rpc__Caller, 1);
	const char *shown, *agent = request_header(req, "User-Agent");

	rpc__caller__init(caller);
	*ret = caller;
	caller->has_kind = 1;
	caller->kind = access == ACCESS_VISITOR ? RPC__CALLER__KIND__VISITOR : RPC__CALLER__KIND__NOBODY;
	caller->ip = (char *)req->ip;
	caller->origin = (char *)req->origin;
	if (agent && strlen(agent) <= AGENT_MAX && utf8_valid(agent, strlen(agent)))
		caller->user_agent = (char *)agent;
	if (access == ACCESS_ANYBODY || access == ACCESS_VISITOR)
		return 0; /* whatever is shown: a stale token must not keep anybody from signing in */
	if (credentials(req, &shown) < 0)
		return -1;
	if (shown)
		return authenticate(id, req, shown, address, caller) < 0
		           ? -1
		           : authorize(req, access, scope, caller);
	if (access == ACCESS_USER || access == ACCESS_ADMIN || access == ACCESS_PROGRAM)
		return error_set(&req->err, ERROR_UNAUTHENTICATED, "sign in first: no token was sent");
	return 0;
}
