/*
 * store_oauth: sign-ins under way, tokens, and the clients that we registered. Each statement names the owner, but for
 * those on clients, which are the installation's. Secrets come and go sealed.
 */
#ifndef PARLEY_CHAT_STORE_OAUTH_H
#define PARLEY_CHAT_STORE_OAUTH_H

#include "chat.pb-c.h"
#include "common/db/db.h"

extern const struct db_stmt store_oauth_statements[];

/* --- Clients --- */

struct oauth_client_row {
	const char *id, *secret; /* sealed, or NULL */
	int method;
	int64_t expires_at; /* Unix seconds; 0: never */
};
/* 1, 0, -1. */
int store_oauth_client(struct db *db, const char *issuer, const char *redirect_uri,
                       struct oauth_client_row *ret, struct arena *a, struct error *err) CHECKED;
int store_keep_oauth_client(struct db *db, const char *issuer, const char *redirect_uri,
                            const struct oauth_client_row *row, struct error *err) CHECKED;
int store_forget_oauth_client(struct db *db, const char *issuer, const char *id, struct error *err) CHECKED;

/* --- Sign-ins --- */

enum { STORE_FLOW_SECONDS = 600, STORE_FLOWS = 50 /* of one user at a time; the oldest go */ };

struct oauth_flow_row {
	const char *state; /* its SHA-256 */
	int64_t server_id;
	const char *server_name; /* read only */
	const char *uri, *provider, *issuer, *document, *client_id;
	int method;
	const char *scope, *resource, *redirect_uri, *secrets, *cookie;
};
int store_add_flow(struct db *db, const char *owner, const struct oauth_flow_row *row,
                   struct error *err) CHECKED;
/* 1, 0 (used, over, never there), -1. */
int store_get_flow(struct db *db, const char *owner, const char *state, struct oauth_flow_row *ret,
                   struct arena *a, struct error *err) CHECKED;
/* The same, and it is used. Of several who take it one gets it. */
int store_take_flow(struct db *db, const char *owner, const char *state, struct error *err) CHECKED;

/* --- Tokens --- */

struct oauth_token_row {
	int64_t server_id;
	const char *provider, *issuer, *document, *client_id;
	int method;
	const char *scope, *resource, *secrets;
	bool refreshes, valid;
	int64_t lifetime; /* to be written: seconds from now; 0: not known */
	int64_t version;
	bool due, over; /* read: soon over; over */
};
/* 1, 0, -1. */
int store_get_token(struct db *db, const char *owner, int64_t server, struct oauth_token_row *ret,
                    struct arena *a, struct error *err) CHECKED;
/* A new sign-in; what is known of the server's tools is asked for anew. 0: the server has gone, or moved from `uri`. */
int store_put_token(struct db *db, const char *owner, const struct oauth_token_row *row, const char *uri,
                    struct error *err) CHECKED;
/* Of those who want to refresh this version one gets it, for `seconds`. 1, 0, -1. */
int store_lock_token(struct db *db, const char *owner, int64_t server, int64_t version, int seconds,
                     struct error *err) CHECKED;
/* Ends it: with new secrets (row->version being the old one), with the old, or as refused. 0: it was replaced meanwhile. */
int store_refresh_token(struct db *db, const char *owner, const struct oauth_token_row *row,
                        struct error *err) CHECKED;
int store_unlock_token(struct db *db, const char *owner, int64_t server, int64_t version, bool valid,
                       struct error *err) CHECKED;
/* Gone, with *ret what it was; sign-ins under way too. 1, 0, -1. */
int store_drop_token(struct db *db, const char *owner, int64_t server, struct oauth_token_row *ret,
                     struct arena *a, struct error *err) CHECKED;
/* All of an owner's, the same way. */
int store_drop_tokens(struct db *db, const char *owner, struct oauth_token_row **ret, size_t *count,
                      struct arena *a, struct error *err) CHECKED;
/* What is known of its tools is asked for anew. */
int store_ask_server_anew(struct db *db, const char *owner, int64_t server, struct error *err) CHECKED;
/* Of every server that has a token, or wants one; newest first. */
int store_oauth_status(struct db *db, const char *owner, Chat__OauthStatusList *ret, struct arena *a,
                       struct error *err) CHECKED;

#endif
