/*
 * store: every SQL statement of svc-auth. store.c: users, sessions, revocations; store_keys.c: API keys, provider keys,
 * the keyring; store_proofs.c: codes, links, the audit trail, and what is swept away.
 *
 * Lookups return 1 found, 0 not, -1 failed. Everything is in the caller's transaction, when there is one.
 */
#ifndef PARLEY_AUTH_STORE_H
#define PARLEY_AUTH_STORE_H

#include "auth.pb-c.h"
#include "common/db/db.h"

extern const struct db_stmt store_statements[], store_keys_statements[], store_proofs_statements[];

enum { STORE_PAGE = 10000 };

/* --- Users ------------------------------------------------------------------------------------------------------- */

struct account {
	const char *uid, *email, *display_name;
	const char *password; /* PHC; NULL when there is none */
	int64_t id;
	bool admin, disabled, proven;
	const char *preferences;             /* JSON */
	const char *created_at, *updated_at; /* RFC 3339 */
};

int store_find_account(struct db *db, const char *email, struct account *out, struct arena *a,
                       struct error *err) CHECKED;
int store_get_account(struct db *db, const char *owner, struct account *out, struct arena *a,
                      struct error *err) CHECKED;
/* The same, and nobody else changes the row before the transaction ends. */
int store_lock_account(struct db *db, const char *owner, struct account *out, struct arena *a,
                       struct error *err) CHECKED;

/* 1 made (*id is ChatConnect's), 0 the address is taken. */
int store_add_account(struct db *db, const char *owner, const char *email, const char *display_name,
                      const char *password, int64_t *id, struct error *err) CHECKED;
int store_set_password(struct db *db, const char *owner, const char *password, struct error *err) CHECKED;
/* 1, or 0 when the password is not `before` any more (NULL: none). */
int store_change_password(struct db *db, const char *owner, const char *before, const char *password,
                          struct error *err) CHECKED;
/* The address is theirs: now, if it was not before. admin_email: who is an administrator once proven. */
int store_set_proven(struct db *db, const char *owner, const char *admin_email, struct error *err) CHECKED;
int store_set_disabled(struct db *db, const char *owner, bool disabled, struct error *err) CHECKED;
int store_set_preferences(struct db *db, const char *owner, const char *json, const char *display_name,
                          struct error *err) CHECKED;
/* With everything that any service has of them, however long it takes. Inside a transaction. */
int store_delete_account(struct db *db, const char *owner, struct error *err) CHECKED;

int store_list_users(struct db *db, const char *cursor, int limit, Auth__AdminUserList *out, struct arena *a,
                     struct error *err) CHECKED;
int store_get_user(struct db *db, const char *owner, Auth__AdminUser *out, struct arena *a,
                   struct error *err) CHECKED;
/* by_claim: some provider may say so of people. Whoever is an administrator and should not be, or the other way round, is so from now on, and must sign in again. */
int store_settle_admin(struct db *db, const char *admin_email, bool by_claim, struct error *err) CHECKED;

/* --- Sessions ---------------------------------------------------------------------------------------------------- */

struct new_session {
	const char *kind; /* token, browser, program */
	const char *id;
	int64_t hours;
	const char *ip, *user_agent;
	const char *password;                           /* as it was seen; NULL: none */
	bool admin;                                     /* as it was seen */
	const char *client_id, *client_name, *resource; /* of a program; else NULL */
	const char *issuer, *issuer_session;            /* of a sign-in with a provider; else NULL */
};
/* 1, or 0 when the user is gone, disabled, or not any more as they were seen: by that password, (no) administrator. */
int store_open_session(struct db *db, const char *owner, const struct new_session *s,
                       struct error *err) CHECKED;
int store_end_session(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
/* All of the user's, but for one (or NULL). */
int store_end_sessions(struct db *db, const char *owner, const char *but, struct error *err) CHECKED;
/* It was seen: noted once in five minutes. */
int store_touch_session(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
/* 1 it began within the last 10 minutes, 0 it did not. */
int store_session_is_fresh(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_list_sessions(struct db *db, const char *owner, const char *current, const char *cursor, int limit,
                        Auth__SessionList *out, struct arena *a, struct error *err) CHECKED;

/* What is revoked, after that id; fills next when there is more. */
int store_list_revocations(struct db *db, int64_t after, int limit, Auth__Revocations *out, struct arena *a,
                           struct error *err) CHECKED;
int store_beat(struct db *db, struct error *err) CHECKED; /* NOTIFY auth_beat */

/* --- API keys (store_keys.c) ------------------------------------------------------------------------------------- */

struct new_key {
	const char *name, *masked, *expires_at; /* expires_at may be NULL */
	const char *hash, *prefix;              /* a platform key */
	char **scopes;
	size_t scope_count;
	const char *provider, *sealed, *base_url; /* or one of a model provider */
};
/* 1, or 0 when it would have expired already, or the owner has `most` keys. */
int store_add_key(struct db *db, const char *owner, const struct new_key *key, int64_t most,
                  Auth__ApiKey *out, struct arena *a, struct error *err) CHECKED;
/* 1 when a key with that expiry (NULL: none) outlives the key `by`. */
int store_key_outlives(struct db *db, const char *owner, const char *by, const char *expires_at,
                       struct error *err) CHECKED;
int store_count_keys(struct db *db, const char *owner, int64_t *ret, struct error *err) CHECKED;
int store_list_keys(struct db *db, const char *owner, const char *cursor, int limit, Auth__ApiKeyList *out,
                    struct arena *a, struct error *err) CHECKED;
int store_delete_key(struct db *db, const char *owner, int64_t id, struct error *err) CHECKED;
int store_delete_keys(struct db *db, const char *owner, struct error *err) CHECKED;
int store_delete_keys_named(struct db *db, const char *owner, const char *name, struct error *err) CHECKED;
/* The newest platform key of that name, masked. */
int store_masked_key(struct db *db, const char *owner, const char *name, const char **ret, struct arena *a,
                     struct error *err) CHECKED;
/* Gateways ask anew about the user's keys. */
int store_revoke_keys(struct db *db, const char *owner, struct error *err) CHECKED;
int store_resolve_key(struct db *db, const char *hash, Auth__ResolvedKey *out, struct arena *a,
                      struct error *err) CHECKED;
/* key is still sealed. provider NULL: the newest of any. */
int store_provider_key(struct db *db, const char *owner, const char *provider, Auth__ProviderKey *out,
                       struct arena *a, struct error *err) CHECKED;

struct stored_key {
	const char *purpose, *id, *sealed;
	int64_t signs_from; /* Unix seconds */
};
/* Newest first. */
int store_list_keyring(struct db *db, const char *purpose, struct stored_key **ret, size_t *count,
                       struct arena *a, struct error *err) CHECKED;
/* A key that signs after so many seconds; the others are told (NOTIFY auth_keys). */
int store_add_keyring(struct db *db, const char *purpose, const char *id, const char *sealed, int seconds,
                      struct error *err) CHECKED;
/* Forget keys that were replaced before so many seconds. */
int store_retire_keyring(struct db *db, const char *purpose, int64_t seconds, struct error *err) CHECKED;
/* One process at a time, until the transaction ends. */
int store_lock_keyring(struct db *db, struct error *err) CHECKED;

/* --- Proofs, audit (store_proofs.c) ------------------------------------------------------------------------------ */

struct stored_code {
	struct account account;
	const char *hash;
};
/* The live code of that address; locks it and its user. */
int store_lock_code(struct db *db, const char *email, struct stored_code *out, struct arena *a,
                    struct error *err) CHECKED;
/* 1 when it is the live code now; a job that runs twice, or late, does not bring a used, dead or older one back: 0. */
int store_put_code(struct db *db, const char *owner, const char *job_id, const char *hash, int64_t expires,
                   struct error *err) CHECKED;
int store_miss_code(struct db *db, const char *email, struct error *err) CHECKED; /* a wrong try */
int store_drop_code(struct db *db, const char *owner, struct error *err) CHECKED;

int store_put_link(struct db *db, const char *owner, const char *hash, int64_t expires,
                   struct error *err) CHECKED;
int store_find_link(struct db *db, const char *hash, struct account *out, struct arena *a,
                    struct error *err) CHECKED;
int store_lock_link(struct db *db, const char *hash, struct account *out, struct arena *a,
                    struct error *err) CHECKED;
int store_drop_links(struct db *db, const char *owner, struct error *err) CHECKED;

/* The link that proves the address of a new account, and changes nothing else. */
int store_put_confirm(struct db *db, const char *owner, const char *hash, int64_t expires,
                      struct error *err) CHECKED;
int store_find_confirm(struct db *db, const char *hash, struct account *out, struct arena *a,
                       struct error *err) CHECKED;
int store_lock_confirm(struct db *db, const char *hash, struct account *out, struct arena *a,
                       struct error *err) CHECKED;
int store_drop_confirms(struct db *db, const char *owner, struct error *err) CHECKED;

struct audit_row {
	const char *event, *owner, *actor, *ip, *user_agent, *request_id, *detail;
};
int store_audit(struct db *db, const struct audit_row *row, struct error *err) CHECKED;

/* Whatever has expired. */
int store_sweep(struct db *db, struct error *err) CHECKED;

#endif
