/*
 * store_servers: MCP servers of users and the policies of their tools. Each statement names the owner.
 */
#ifndef PARLEY_CHAT_STORE_SERVERS_H
#define PARLEY_CHAT_STORE_SERVERS_H

#include "chat.pb-c.h"
#include "common/db/db.h"

extern const struct db_stmt store_servers_statements[];

enum { STORE_SERVERS = 100 /* of one user that are looked at */ };

struct server_row {
	int64_t id;
	const char *name, *description, *type, *uri, *transport;
	const char *headers; /* sealed; NULL: none */
	const char *status, *status_detail;
	bool sessions;
	bool signed_in;    /* there is a token for it, or was; read alone */
	const char *tools; /* JSON array, as the server describes them */
	int tools_count;
	int64_t age;       /* seconds since it was last asked; -1: never */
	int fresh_seconds; /* for so long that does, as it says; -1: it does not say */
	const char *created_at;
};

/* Newest first. limit: what the caller asked for, 0 for nothing; tools: they are megabytes, and read only where they are wanted;
 * *next: the cursor when more follow, else 0. */
int store_list_servers(struct db *db, const char *owner, int64_t cursor, int limit, bool tools,
                       struct server_row **ret, size_t *count, int64_t *next, struct arena *a,
                       struct error *err) CHECKED;
/* 1, 0, -1. */
int store_get_server(struct db *db, const char *owner, int64_t id, struct server_row *ret, struct arena *a,
                     struct error *err) CHECKED;
/* row->id becomes the new one's. ERROR_FORBIDDEN when the owner has `most` already. */
int store_add_server(struct db *db, const char *owner, struct server_row *row, int64_t most,
                     struct error *err) CHECKED;
/* What people change; `anew`: another address or other headers, so what is known of it goes. 1, 0, -1. */
int store_change_server(struct db *db, const char *owner, const struct server_row *row, bool anew,
                        struct error *err) CHECKED;
int store_delete_server(struct db *db, const char *owner, int64_t id, struct error *err) CHECKED;
/* What asking it has shown. tools NULL: those that are known stay. */
int store_note_server(struct db *db, const char *owner, const struct server_row *row, const char *tools,
                      struct error *err) CHECKED;
/* Its tools are not what they were: it is asked for them before they are used again. */
int store_forget_tools(struct db *db, const char *owner, int64_t id, struct error *err) CHECKED;

/* The owner's policy for a tool, or NULL. */
int store_policies(struct db *db, const char *owner, PGresult **ret, struct error *err) CHECKED;
const char *store_policy_of(const PGresult *policies, int64_t server, const char *tool, const char **digest);
/* policy NULL: the rule's. digest: of the tool as its user saw it. */
int store_set_policy(struct db *db, const char *owner, int64_t server, const char *tool, const char *policy,
                     const char *digest, struct error *err) CHECKED;

#endif
