/*
 * store_visitors: how often visitors of websites come. What they show tells which session is theirs (sealed.h), so there
 * is nothing to look up.
 */
#ifndef PARLEY_CHAT_STORE_VISITORS_H
#define PARLEY_CHAT_STORE_VISITORS_H

#include "common/db/db.h"
#include "svc-chat/visitor.h"

extern const struct db_stmt store_visitors_statements[];

/* A message of a visitor: under which keys it counts, and how many of them a minute may have. */
struct store_visit {
	const char *session, *address, *chatbot;
	int per_session, per_address, per_chatbot;
};
/* Counts it: 0 it may be, 1 there are too many in this minute (then it does not count for the chatbot). */
int store_count_visit(struct db *db, const struct store_visit *visit, struct error *err) CHECKED;
/* The session of a visitor whom the site has named: there before his first message. */
int store_add_known_visitor(struct db *db, const char *owner, const char *session, const char *chatbot,
                            const char *origin, const char *expires_at, const struct visitor *visitor,
                            struct error *err) CHECKED;
/* Drops what has expired. */
int store_sweep_visitors(struct db *db, struct error *err) CHECKED;

#endif
