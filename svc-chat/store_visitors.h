/*
 * store_visitors: the statements about visitors of websites: their sessions, found by what they show, and how often they
 * come. The rows belong to the chatbot's owner; once a session is found, store.h serves it.
 */
#ifndef PARLEY_CHAT_STORE_VISITORS_H
#define PARLEY_CHAT_STORE_VISITORS_H

#include "common/db/db.h"
#include "svc-chat/store.h"

extern const struct db_stmt store_visitors_statements[];

struct store_visitor {
	const char *owner, *session_id, *origin,
	    *expires_at; /* origin: of the page that started it; may be NULL */
};

/* hash: of what the visitor shows. The session is good for a day. */
int store_add_visitor(struct db *db, const char *owner, const char *session_id, const char *chatbot,
                      const char *hash, const char *origin, const char **expires_at, struct arena *a,
                      struct error *err) CHECKED;
int store_find_visitor(struct db *db, const char *chatbot, const char *hash, struct store_visitor *ret,
                       struct arena *a, struct error *err) CHECKED;
/* The answer of that stream in a visitor's session, whoever owns it. */
int store_visitor_turn(struct db *db, const char *stream, const char **owner, struct store_turn *ret,
                       struct arena *a, struct error *err) CHECKED;
/* Counts one more under that key: *count is how many there were in this minute. */
int store_count_visit(struct db *db, const char *key, int64_t *count, struct error *err) CHECKED;
/* Drops what has expired. */
int store_sweep_visitors(struct db *db, struct error *err) CHECKED;

#endif
