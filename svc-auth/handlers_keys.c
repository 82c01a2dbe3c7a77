/* API keys, and what other processes ask for: one function per method of auth.proto. */
#include <string.h>

#include "auth.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "svc-auth/auth.h"

enum { KEY_BYTES = 32, KEY_TEXT = 3 + 43 + 1, PREFIX = 10, REVOCATIONS_PAGE = 20000 };

int auth_list_api_keys(struct call *call, const Auth__ListRequest *in, Auth__ApiKeyList *out)
{
	if (account_number_cursor(call, in->cursor) < 0)
		return -1;
	return store_list_keys(call->db, call->owner_id, in->cursor, in->limit, out, call->arena, call->err);
}

/* The ends of a secret that is long enough to have a middle. */
static char *mask(const char *secret, struct arena *a)
{
	size_t length = strlen(secret);

	if (length < 16)
		return arena_strdup(a, "…");
	return arena_printf(a, "%.4s…%s", secret, secret + length - 4);
}

/* "account" was "auth" once. */
static const char *scope_now(const char *scope)
{
	return strcmp(scope, "auth") == 0 ? "account" : scope;
}

static bool allowed(const Rpc__Caller *caller, const char *scope)
{
	for (size_t i = 0; i < caller->n_scopes; i++)
		if (strcmp(scope_now(caller->scopes[i]), scope_now(scope)) == 0)
			return true;
	return caller->n_scopes == 0;
}

/* A key makes no key beyond itself: neither one that may do more, nor one that lasts longer. */
static int check_reach(struct call *call, char **scopes, size_t count, const char *expires_at)
{
	bool more = call->caller->n_scopes > 0 && count == 0;
	int outlives = 0;

	for (size_t i = 0; i < count; i++)
		more |= !allowed(call->caller, scopes[i]);
	if (more)
		return error_set(call->err, ERROR_FORBIDDEN, "this API key cannot make one that may do more");
	if (call->caller->api_key_id)
		outlives = store_key_outlives(call->db, call->owner_id, call->caller->api_key_id, expires_at,
		                              call->err);
	if (outlives > 0)
		return error_set(call->err, ERROR_FORBIDDEN,
		                 "this API key cannot make one that lasts longer than itself");
	return outlives;
}

/* Why no key was added. */
static int not_added(struct call *call)
{
	int64_t count, most = auth_state(call)->settings->limits.keys;

	if (store_count_keys(call->db, call->owner_id, &count, call->err) < 0)
		return -1;
	if (count >= most)
		return error_set(call->err, ERROR_FORBIDDEN,
		                 "you have %lld keys, as many as one user may have here: delete one first",
		                 (long long)most);
	return error_field(call->err, call->arena, "body", "expires_at", "value_error", "is in the past");
}

static int add_key(struct call *call, const struct new_key *key, Auth__ApiKey *out)
{
	int added = store_add_key(call->db, call->owner_id, key, auth_state(call)->settings->limits.keys, out,
	                          call->arena, call->err);

	if (added <= 0)
		return added < 0 ? -1 : not_added(call);
	return audit(call, key->provider ? "provider_key_stored" : "key_made", call->owner_id,
	             key->provider ? key->provider : key->prefix);
}

/* A fresh platform key, shown in *out this once. */
static int add_platform_key(struct call *call, const char *name, const char *expires_at, char **scopes,
                            size_t count, Auth__ApiKey *out)
{
	unsigned char bytes[KEY_BYTES];
	char *text = arena_alloc(call->arena, KEY_TEXT), hash[65];
	struct new_key key = {
		.name = name, .expires_at = expires_at, .scopes = scopes, .scope_count = count
	};

	random_bytes(bytes, sizeof bytes);
	memcpy(text, "pk_", 3);
	base64url_encode(text + 3, bytes, sizeof bytes);
	sha256_hex(hash, text, strlen(text));
	key.hash = hash;
	key.prefix = arena_strndup(call->arena, text, PREFIX);
	key.masked = arena_printf(call->arena, "%s…%s", key.prefix, text + strlen(text) - 4);
	out->key = text;
	return add_key(call, &key, out);
}

/* What it is sealed for: so that it cannot be moved to another row. */
static char *seal_context(struct call *call, const char *provider)
{
	return arena_printf(call->arena, "auth.api_key/%s/%s", call->owner_id, provider);
}

static int add_provider_key(struct call *call, const Auth__AddApiKeyRequest *in, Auth__ApiKey *out)
{
	struct new_key key = {
		.name = in->name && *in->name ? in->name : in->provider,
		.masked = mask(in->key, call->arena),
		.expires_at = in->expires_at,
		.provider = in->provider,
		.base_url = in->base_url,
	};
	struct keyring ring;

	keystore_ring(auth_state(call)->keys, KEYSTORE_STORAGE, clock_unix_ms() / 1000, &ring);
	key.sealed =
	    keyring_seal(&ring, seal_context(call, in->provider), in->key, strlen(in->key), call->arena);
	explicit_bzero(&ring, sizeof ring);
	return add_key(call, &key, out);
}

static int missing(struct call *call, const char *field)
{
	return error_field(call->err, call->arena, "body", field, "missing", "is required");
}

int auth_add_api_key(struct call *call, const Auth__AddApiKeyRequest *in, Auth__ApiKey *out)
{
	for (size_t i = 0; i < in->n_scopes; i++)
		in->scopes[i] = (char *)scope_now(in->scopes[i]);
	if (in->provider ? !in->key : in->key != NULL)
		return missing(call, in->provider ? "key" : "provider");
	if (!in->provider && (!in->name || !*in->name))
		return missing(call, "name");
	if (check_reach(call, in->scopes, in->n_scopes, in->expires_at) < 0 ||
	    db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, in->provider ? add_provider_key(call, in, out)
	                                      : add_platform_key(call, in->name, in->expires_at, in->scopes,
	                                                         in->n_scopes, out));
}

static int delete_key(struct call *call, int64_t id)
{
	if (db_must_find(store_delete_key(call->db, call->owner_id, id, call->err), "key", call->err) < 0)
		return -1;
	return audit(call, "key_deleted", call->owner_id, NULL);
}

int auth_delete_api_key(struct call *call, const Auth__ApiKeyRequest *in, Rpc__Message *out)
{
	if (db_begin(call->db, call->err) < 0 || account_end(call, delete_key(call, in->key_id)) < 0)
		return -1;
	out->message = (char *)"API key deleted";
	return 0;
}

static int regenerate(struct call *call, Auth__ApiKey *key)
{
	if (store_delete_keys_named(call->db, call->owner_id, "settings", call->err) < 0)
		return -1;
	return add_platform_key(call, "settings", NULL, NULL, 0, key);
}

int auth_regenerate_api_key(struct call *call, const Rpc__Empty *in, Auth__RegenerateReply *out)
{
	Auth__ApiKey key = AUTH__API_KEY__INIT;

	(void)in;
	if (check_reach(call, NULL, 0, NULL) < 0 || db_begin(call->db, call->err) < 0 ||
	    account_end(call, regenerate(call, &key)) < 0)
		return -1;
	out->api_key = key.key;
	return 0;
}

/* --- For the other processes ------------------------------------------------------------------------------------- */

int auth_get_keyring(struct call *call, const Auth__KeyringRequest *in, Auth__Keyring *out)
{
	struct keystore *keys = auth_state(call)->keys;
	struct keyring ring;

	/* Read anew: who asks was just told that there is a key, maybe by another replica. */
	if (keystore_reload(keys, call->err) < 0)
		return -1;
	if (!keystore_ring(keys, in->purpose ? in->purpose : "", clock_unix_ms() / 1000, &ring))
		return error_set(call->err, ERROR_INVALID, "no such purpose");
	out->n_keys = (size_t)ring.count;
	out->keys = arena_new(call->arena, Auth__Key *, out->n_keys);
	for (int i = 0; i < ring.count; i++) {
		Auth__Key *key = out->keys[i] = arena_new(call->arena, Auth__Key, 1);

		auth__key__init(key);
		key->id = arena_strdup(call->arena, ring.keys[i].id);
		key->value.data = arena_memdup(call->arena, ring.keys[i].bytes, KEY_SIZE);
		key->value.len = KEY_SIZE;
		key->has_value = 1;
	}
	explicit_bzero(&ring, sizeof ring);
	return 0;
}

int auth_follow_revocations(struct call *call, const Auth__FollowRequest *in, Auth__Revocations *out)
{
	const char *stream;

	/* The place before the rows: what comes between is told twice, not never. */
	if (feed_place(auth_state(call)->feed, &stream, &out->after, call->err) < 0)
		return -1;
	out->stream = arena_strdup(call->arena, stream);
	out->has_after = 1;
	return store_list_revocations(call->db, in->page, REVOCATIONS_PAGE, out, call->arena, call->err);
}

int auth_resolve_key(struct call *call, const Auth__ResolveKeyRequest *in, Auth__ResolvedKey *out)
{
	return db_must_find(
	    store_resolve_key(call->db, in->hash ? in->hash : "", out, call->arena, call->err), "key",
	    call->err);
}

int auth_check_owner(struct call *call, const Rpc__Empty *in, Rpc__Empty *out)
{
	struct account who;
	int found;

	(void)in;
	(void)out;
	if (!call->owner_id)
		return error_set(call->err, ERROR_FORBIDDEN, "whose?");
	found = store_get_account(call->db, call->owner_id, &who, call->arena, call->err);
	if (found < 0)
		return -1;
	return found && !who.disabled
	           ? 0
	           : error_set(call->err, ERROR_FORBIDDEN,
	                       "this chatbot is not available: its owner's account is disabled");
}

int auth_get_provider_key(struct call *call, const Auth__ProviderKeyRequest *in, Auth__ProviderKey *out)
{
	struct keyring ring;
	size_t size;
	int opened;

	if (!call->owner_id)
		return error_set(call->err, ERROR_FORBIDDEN, "whose key?");
	if (db_must_find(
	        store_provider_key(call->db, call->owner_id, in->provider, out, call->arena, call->err),
	        "key", call->err) < 0)
		return -1;
	keystore_ring(auth_state(call)->keys, KEYSTORE_STORAGE, clock_unix_ms() / 1000, &ring);
	opened = keyring_open(&ring, seal_context(call, out->provider), out->key, &out->key, &size,
	                      call->arena, call->err);
	explicit_bzero(&ring, sizeof ring);
	return opened;
}
