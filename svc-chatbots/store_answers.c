/* Statements about answers that were written beforehand. */
#include "svc-chatbots/store.h"

#define ANSWER "SELECT id, questions, answer, enabled, created_at, updated_at FROM answer"
/* What a chatbot's answers take, but for one of them. */
#define TAKEN(but)                                                                                       \
	"taken AS (SELECT count(*) AS answers, coalesce(sum(octet_length(answer)"                        \
	" + octet_length(array_to_string(questions, ' '))), 0) AS bytes FROM answer WHERE owner_id = $1" \
	" AND chatbot_id = $2" but ")"

const struct db_stmt store_answers_statements[] = {
	{ "list_answers", ANSWER " WHERE owner_id = $1 AND chatbot_id = $2 AND ($3::uuid IS NULL OR id > $3)"
	                         " ORDER BY id LIMIT $4" },
	{ "enabled_answers", ANSWER " WHERE owner_id = $1 AND chatbot_id = $2 AND enabled ORDER BY id" },
	{ "get_answer", ANSWER " WHERE owner_id = $1 AND chatbot_id = $2 AND id = $3" },
	{ "add_answer",
	  "WITH " TAKEN(
	      "") " INSERT INTO answer (owner_id, chatbot_id, id, questions, answer, enabled)"
	          " SELECT $1, $2, $3, $4::text[], $5::text, $6 FROM taken WHERE answers < $7 AND bytes"
	          " + octet_length($5::text) + octet_length(array_to_string($4::text[], ' ')) <= $8" },
	{ "update_answer",
	  "WITH " TAKEN(
	      " AND id <> $3") " UPDATE answer SET questions = coalesce($4::text[], questions),"
	                       " answer = coalesce($5::text, answer), enabled = coalesce($6::bool, enabled),"
	                       " updated_at = now() FROM taken WHERE owner_id = $1 AND chatbot_id = $2 AND id = $3"
	                       " AND bytes + octet_length(coalesce($5::text, answer))"
	                       " + octet_length(array_to_string(coalesce($4::text[], questions), ' ')) <= $7" },
	{ "delete_answer", "DELETE FROM answer WHERE owner_id = $1 AND chatbot_id = $2 AND id = $3" },
	{ NULL, NULL },
};

int store_list_answers(struct db *db, const char *owner, const char *chatbot, const char *cursor, int limit,
                       Chatbots__AnswerList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list_answers", DB_ARGS(owner, chatbot, cursor), limit, STORE_ANSWERS, &out->base,
	               a, err);
}

int store_enabled_answers(struct db *db, const char *owner, const char *chatbot, size_t *n,
                          Chatbots__Answer ***ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "enabled_answers", DB_ARGS(owner, chatbot), &res, err) < 0)
		return -1;
	return db_rows(res, &chatbots__answer__descriptor, n, ret, a, err);
}

int store_get_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                     Chatbots__Answer *out, struct arena *a, struct error *err)
{
	return db_one(db, "get_answer", DB_ARGS(owner, chatbot, id), &out->base, a, err);
}

static int full(struct error *err)
{
	return error_set(err, ERROR_FORBIDDEN,
	                 "a chatbot may have %d answers, and %d KB of them: delete or shorten one first",
	                 STORE_ANSWERS_MAX, STORE_ANSWERS_BYTES >> 10);
}

int store_add_answer(struct db *db, const char *owner, const char *chatbot, const char *id, char **questions,
                     size_t count, const char *answer, bool enabled, struct arena *a, struct error *err)
{
	int added = db_changed(db, "add_answer",
	                       DB_ARGS(owner, chatbot, id, db_text_array(questions, count, a), answer,
	                               enabled, STORE_ANSWERS_MAX, STORE_ANSWERS_BYTES),
	                       err);

	return added ? (added < 0 ? -1 : 0) : full(err);
}

int store_update_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                        char **questions, size_t count, const char *answer, const bool *enabled,
                        struct arena *a, struct error *err)
{
	const char *list = count ? db_text_array(questions, count, a) : NULL;
	const char *on = enabled ? (*enabled ? "t" : "f") : NULL;
	int changed = db_changed(db, "update_answer",
	                         DB_ARGS(owner, chatbot, id, list, answer, on, STORE_ANSWERS_BYTES), err);

	return changed ? (changed < 0 ? -1 : 0) : full(err);
}

int store_delete_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                        struct error *err)
{
	return db_changed(db, "delete_answer", DB_ARGS(owner, chatbot, id), err);
}
