#include "svc-chat/store_handover.h"

#include <string.h>

#include "svc-chat/store.h"

const struct db_stmt store_handover_statements[] = {
	{ "handover_due",
	  "SELECT CASE WHEN s.visitor_email IS NULL THEN '" STORE_WANTED "' ELSE '" STORE_GIVEN
	  "' END AS handover FROM session s JOIN listening l ON l.owner_id = $1"
	  " AND s.chatbot_id = ANY (l.handover) WHERE s.owner_id = $1 AND s.id = $2"
	  " AND s.visitor AND s.handover IS DISTINCT FROM '" STORE_GIVEN "'" },
	{ "handover_of", "SELECT handover FROM session WHERE owner_id = $1 AND id = $2" },
	/* With the end of a turn: of one that was none, as little. */
	{ "mark_handover", "UPDATE session SET handover = $4 WHERE owner_id = $1 AND id = $2"
	                   " AND $4::text IS NOT NULL AND handover IS DISTINCT FROM '" STORE_GIVEN "'"
	                   " AND EXISTS (SELECT FROM message WHERE owner_id = $1 AND session_id = $2"
	                   " AND id = $3 AND lease_until IS NULL)" },
	{ "hand_over", "UPDATE session SET handover = '" STORE_GIVEN "', contact = $3"
	               " WHERE owner_id = $1 AND id = $2 AND handover = '" STORE_WANTED "'" },
	{ "last_answer", "SELECT id FROM message WHERE owner_id = $1 AND session_id = $2"
	                 " AND role = 'assistant' AND shown AND lease_until IS NULL"
	                 " ORDER BY number DESC LIMIT 1" },
	{ NULL, NULL },
};

static const char *read(const PGresult *res)
{
	const char *text = PQntuples(res) ? db_text(res, 0, "handover") : NULL;

	return !text ? NULL : strcmp(text, STORE_GIVEN) == 0 ? STORE_GIVEN : STORE_WANTED;
}

int store_handover_due(struct db *db, const char *owner, const char *session, const char **ret,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "handover_due", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	*ret = read(res);
	return *ret != NULL;
}

int store_handover_of(struct db *db, const char *owner, const char *session, const char **ret,
                      struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "handover_of", DB_ARGS(owner, session), &res, err) < 0)
		return -1;
	*ret = read(res);
	return 0;
}

/* 1 now, 0 not, -1. */
static int give(struct db *db, const char *owner, const char *session, const char *contact, struct arena *a,
                struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int given = db_changed(db, "hand_over", DB_ARGS(owner, session, contact), err);
	int found = given > 0 ? db_find(db, "last_answer", DB_ARGS(owner, session), &res, err) : given;

	if (found <= 0)
		return found < 0 ? -1 : given;
	return store_tell_message(db, owner, session, arena_strdup(a, db_text(res, 0, "id")),
	                          "conversation.handover", err) < 0
	           ? -1
	           : 1;
}

int store_hand_over(struct db *db, const char *owner, const char *session, const char *contact,
                    struct arena *a, struct error *err)
{
	const char *before = NULL;
	int given;

	if (db_begin(db, err) < 0)
		return -1;
	given = give(db, owner, session, contact, a, err);
	if (given < 0 || db_commit(db, err) < 0) {
		db_rollback(db);
		return -1;
	}
	if (given > 0)
		return 1;
	if (store_handover_of(db, owner, session, &before, err) < 0)
		return -1;
	return before && strcmp(before, STORE_GIVEN) == 0;
}
