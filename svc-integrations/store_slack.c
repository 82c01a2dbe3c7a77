#include <stdio.h>

#include "common/base/id.h"
#include "svc-integrations/store.h"

#define ROW                                                                                             \
	"SELECT owner_id, id, type, status, status_detail, name, chatbot_id, config, secrets, team_id," \
	" app_id, bot_user_id, bot_id FROM integration"

const struct db_stmt store_slack_statements[] = {
	{ "of_team", ROW " WHERE team_id = $1 AND secrets IS NOT NULL ORDER BY id DESC LIMIT 200" },
	/* The newest of each owner first: one who has many pushes nobody out. */
	{ "with_secrets",
	  ROW " WHERE type = 'slack' AND secrets IS NOT NULL"
	      " ORDER BY row_number() OVER (PARTITION BY owner_id ORDER BY id DESC), id DESC LIMIT 1000" },
	{ "find_installed", ROW " WHERE owner_id = $1 AND type = 'slack' AND team_id = $2 AND app_id = $3"
	                        " ORDER BY id DESC LIMIT 1" },
	/* A token that could be renewed is good. */
	{ "put_secrets", "UPDATE integration SET secrets = $3, config = $4, updated_at = now(),"
	                 " status = CASE WHEN status = 'error' THEN 'active' ELSE status END,"
	                 " status_detail = CASE WHEN status = 'error' THEN NULL ELSE status_detail END"
	                 " WHERE owner_id = $1 AND id = $2 AND secrets = $5" },
	{ "refuse_secrets", "UPDATE integration SET status_detail = $4, updated_at = now(),"
	                    " status = CASE WHEN status = 'inactive' THEN status ELSE 'error' END"
	                    " WHERE owner_id = $1 AND id = $2 AND secrets = $3" },
	{ "begin_install", "INSERT INTO slack_install (owner_id, state, cookie, chatbot_id, expires_at)"
	                   " VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')" },
	{ "find_install", "SELECT cookie, chatbot_id FROM slack_install"
	                  " WHERE owner_id = $1 AND state = $2 AND expires_at > now()" },
	{ "end_install",
	  "DELETE FROM slack_install WHERE owner_id = $1 AND state = $2 AND expires_at > now()" },
	{ "learn_app",
	  "UPDATE integration SET app_id = $3 WHERE owner_id = $1 AND id = $2 AND app_id IS NULL" },
	/* tag: so that the next statement knows whether it was this call that was the first. */
	{ "mark_question",
	  "WITH event AS (INSERT INTO slack_event (owner_id, key) VALUES ($1, coalesce($2::text, 'no ' || $3::text))"
	  " ON CONFLICT DO NOTHING RETURNING key)"
	  " INSERT INTO slack_event (owner_id, key, ts) SELECT $1, $3::text, $4 FROM event ON CONFLICT DO NOTHING" },
	{ "add_question",
	  "INSERT INTO job (owner_id, kind, payload) SELECT $1::uuid, 'slack_answer', $4::jsonb"
	  " FROM slack_event WHERE owner_id = $1 AND key = $2 AND ts = $3" },
	{ "wake_for_question", "SELECT pg_notify('parley_job', 'slack_answer')" },
	{ "mark_event", "INSERT INTO slack_event (owner_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING" },
	{ "put_post", "INSERT INTO slack_event (owner_id, key, ts) VALUES ($1, $2, $3)"
	              " ON CONFLICT (owner_id, key) DO UPDATE SET ts = excluded.ts" },
	{ "get_post", "SELECT coalesce(ts, '') AS ts FROM slack_event WHERE owner_id = $1 AND key = $2" },
	{ "sweep_events", "DELETE FROM slack_event WHERE created_at < now() - interval '1 day'" },
	{ "sweep_installs", "DELETE FROM slack_install WHERE expires_at < now()" },
	{ "join_thread", "INSERT INTO slack_thread (owner_id, integration_id, channel, thread)"
	                 " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING" },
	{ "in_thread",
	  "SELECT 1 FROM slack_thread WHERE owner_id = $1 AND integration_id = $2 AND channel = $3"
	  " AND thread = $4" },
	{ NULL, NULL },
};

void store_read_row(const PGresult *res, int row, struct integration_row *ret, struct arena *a)
{
#define TEXT(column) arena_strdup(a, db_text(res, row, column))
	*ret = (struct integration_row){
		.owner_id = TEXT("owner_id"),
		.id = TEXT("id"),
		.type = TEXT("type"),
		.status = TEXT("status"),
		.status_detail = TEXT("status_detail"),
		.name = TEXT("name"),
		.chatbot_id = TEXT("chatbot_id"),
		.config = TEXT("config"),
		.secrets = TEXT("secrets"),
		.read_secrets = TEXT("secrets"),
		.team = TEXT("team_id"),
		.app = TEXT("app_id"),
		.bot_user = TEXT("bot_user_id"),
		.bot = TEXT("bot_id"),
	};
#undef TEXT
}

int store_of_team(struct db *db, const char *team, struct integration_row **ret, size_t *count,
                  struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if ((team ? db_exec(db, "of_team", DB_ARGS(team), &res, err)
	          : db_exec(db, "with_secrets", DB_ARGS(), &res, err)) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct integration_row, *count);
	for (size_t i = 0; i < *count; i++)
		store_read_row(res, (int)i, &(*ret)[i], a);
	return 0;
}

int store_find_installed(struct db *db, const char *owner, const char *team, const char *app,
                         struct integration_row *ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_installed", DB_ARGS(owner, team, app), &res, err);

	if (found > 0)
		store_read_row(res, 0, ret, a);
	return found;
}

int store_put_secrets(struct db *db, const struct integration_row *row, struct error *err)
{
	return db_changed(db, "put_secrets",
	                  DB_ARGS(row->owner_id, row->id, row->secrets, row->config, row->read_secrets), err);
}

int store_refuse_secrets(struct db *db, const struct integration_row *row, const char *detail,
                         struct error *err)
{
	return db_changed(db, "refuse_secrets", DB_ARGS(row->owner_id, row->id, row->read_secrets, detail),
	                  err);
}

int store_begin_install(struct db *db, const char *owner, const char *state, const char *cookie,
                        const char *chatbot, int seconds, struct error *err)
{
	return db_exec(db, "begin_install", DB_ARGS(owner, state, cookie, chatbot, seconds), NULL, err);
}

int store_find_install(struct db *db, const char *owner, const char *state, const char **cookie,
                       const char **chatbot, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "find_install", DB_ARGS(owner, state), &res, err);

	if (found > 0) {
		*cookie = arena_strdup(a, db_text(res, 0, "cookie"));
		*chatbot = arena_strdup(a, db_text(res, 0, "chatbot_id"));
	}
	return found;
}

int store_end_install(struct db *db, const char *owner, const char *state, struct error *err)
{
	return db_changed(db, "end_install", DB_ARGS(owner, state), err);
}

int store_learn_app(struct db *db, const char *owner, const char *id, const char *app, struct error *err)
{
	return db_exec(db, "learn_app", DB_ARGS(owner, id, app), NULL, err);
}

int store_take_question(struct db *db, const char *owner, const char *event, const char *text,
                        const char *payload, bool tell, struct error *err)
{
	int count = tell ? 3 : 2;
	char tag[UUID_TEXT];
	struct db_step steps[] = {
		{ "mark_question", DB_ARGS(owner, event, text, (const char *)tag) },
		{ "add_question", DB_ARGS(owner, text, (const char *)tag, payload) },
		{ "wake_for_question", DB_ARGS() },
	};

	uuid_make(tag);
	if (db_together(db, steps, count, err) < 0)
		return -1;
	db_steps_done(steps, count);
	return 0;
}

int store_mark_event(struct db *db, const char *owner, const char *key, struct error *err)
{
	return db_changed(db, "mark_event", DB_ARGS(owner, key), err);
}

int store_sweep_events(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_events", DB_ARGS(), NULL, err);
}

int store_sweep_installs(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_installs", DB_ARGS(), NULL, err);
}

int store_join_thread(struct db *db, const char *owner, const char *id, const char *channel,
                      const char *thread, struct error *err)
{
	return db_exec(db, "join_thread", DB_ARGS(owner, id, channel, thread), NULL, err);
}

int store_in_thread(struct db *db, const char *owner, const char *id, const char *channel, const char *thread,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_find(db, "in_thread", DB_ARGS(owner, id, channel, thread), &res, err);
}

static const char *post_key(const char *job, char key[64])
{
	snprintf(key, 64, "post %s", job);
	return key;
}

int store_put_post(struct db *db, const char *owner, const char *job, const char *ts, struct error *err)
{
	char key[64];

	return db_exec(db, "put_post", DB_ARGS(owner, post_key(job, key), ts), NULL, err);
}

int store_get_post(struct db *db, const char *owner, const char *job, const char **ts, struct arena *a,
                   struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	char key[64];
	int found = db_find(db, "get_post", DB_ARGS(owner, post_key(job, key)), &res, err);

	if (found > 0)
		*ts = arena_strdup(a, db_text(res, 0, "ts"));
	return found;
}
