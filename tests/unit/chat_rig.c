#include "tests/unit/chat_rig.h"

#include <stdio.h>
#include <string.h>

#include "common/job/event.h"
#include "documents.pb-c.h"

extern const struct db_migration chat_migrations[];

const char owner[] = ADA;
const char other[] = GRACE;
const char bot[] = "00000000-0000-7000-8000-0000000000b1";

/* How PostgreSQL would run these: filled in from the statements themselves. */
static const char *const planned[] = { "begin_turn", "finish_turn", "touch_session", "renew" };
enum { PLANS = sizeof planned / sizeof *planned };
static char plans[PLANS][8192];

/* The tables of others that ours refer to, and statements that only tests need. */
static const char neighbours[] =
    "DROP SCHEMA IF EXISTS chatbots CASCADE; CREATE SCHEMA chatbots;"
    "CREATE TABLE chatbots.chatbot (owner_id uuid, id uuid, PRIMARY KEY (owner_id, id));"
    "INSERT INTO chatbots.chatbot VALUES ('" ADA "', '00000000-0000-7000-8000-0000000000b1')";
static const struct db_stmt test_statements[] = {
	{ "t_expire", "UPDATE message SET lease_until = now() - interval '1 second' WHERE id = $1" },
	{ "t_ask", "UPDATE message SET status = 'waiting' WHERE id = $1" },
	{ "t_age", "UPDATE message SET created_at = now() - interval '2 days' WHERE id = $1" },
	{ "t_old_log",
	  "UPDATE stream_log SET expires_at = now() - interval '1 second' WHERE message_id = $1" },
	{ "t_logs", "SELECT count(*) AS n FROM stream_log WHERE message_id = $1" },
	{ "t_owner", "WITH person AS (INSERT INTO auth.users VALUES ($1))"
	             " INSERT INTO session (owner_id, id) VALUES ($1, $2)" },
	{ "t_calls",
	  "WITH told AS (UPDATE message SET tools = true WHERE owner_id = $1 AND id = $2)"
	  " INSERT INTO step (owner_id, message_id, number, round, kind, state, call_id, content)"
	  " SELECT $1, $2, n, 1, 'tool_call', 'done', gen_random_uuid(), $3 FROM generate_series(1, 4) AS n" },
	{ "t_events", "SELECT count(*) AS n FROM job WHERE kind = 'event'" },
	{ "t_parts", "SELECT count(*) AS n FROM asked_part" },
	{ "t_drop_bot", "DELETE FROM chatbots.chatbot" },
	{ "t_crowd", "WITH bot AS (INSERT INTO chatbots.chatbot VALUES ($1, $2) ON CONFLICT DO NOTHING)"
	             " INSERT INTO session (owner_id, id, chatbot_id, visitor)"
	             " SELECT $1, ($3 || to_char(n, 'FM00000000000'))::uuid, $2, true"
	             " FROM generate_series(1, $4::int) AS n" },
	{ "t_analyze", "ANALYZE session" },
	{ "t_plan_begin_turn", plans[0] },
	{ "t_plan_finish_turn", plans[1] },
	{ "t_plan_touch_session", plans[2] },
	{ "t_plan_renew", plans[3] },
	{ NULL, NULL },
};

static void fill_plans(const struct db_stmt *s)
{
	for (; s->name; s++)
		for (int i = 0; i < PLANS; i++)
			if (strcmp(s->name, planned[i]) == 0)
				snprintf(plans[i], sizeof plans[i], "EXPLAIN %s", s->sql);
}

int chat_rig_open(void **state)
{
	static const struct db_stmt *const tables[] = { store_sessions_statements, store_messages_statements,
		                                        store_turns_statements,    store_follow_statements,
		                                        store_keep_statements,     event_statements,
		                                        test_statements,           NULL };
	static const char *const measured[] = { "list_sessions", "list_chats", "list_conversations", NULL };

	(void)state;
	fill_plans(store_turns_statements);
	fill_plans(store_keep_statements);
	return store_rig_open(&(struct store_rig){ .schema = "chat",
	                                           .neighbours = neighbours,
	                                           .migrations = chat_migrations,
	                                           .statements = tables,
	                                           .measured = measured });
}

const char *chat_rig_session(void)
{
	const char *id = store_rig_id();

	OK(store_create_session(&db, owner, id, bot, NULL, &err));
	return id;
}

struct store_new_turn chat_rig_turn(const char *session, const char *content)
{
	return (struct store_new_turn){ .owner = owner,
		                        .session = session,
		                        .question_id = store_rig_id(),
		                        .message_id = store_rig_id(),
		                        .stream = store_rig_id(),
		                        .content = content,
		                        .created_at = "2026-01-15T10:30:00.123Z",
		                        .title = "A title" };
}

/* Begins it; its writer's view of it. */
struct store_begun chat_rig_begin(const struct store_new_turn *turn)
{
	struct store_begun begun = { 0 };
	struct store_turn before;
	int result = store_begin_turn(&db, turn, &begun, &before, &arena, &err);

	if (result != 1)
		fail_msg("not begun: %d %s (%s)", result, err.message, err.detail);
	return begun;
}

int chat_rig_end(const char *session, const char *message_id, int attempt, const char *content,
                 struct store_ended *ret)
{
	static Chat__TokenUsage usage = CHAT__TOKEN_USAGE__INIT;
	static Documents__Source source = DOCUMENTS__SOURCE__INIT, *sources = &source;
	Chat__Message m = CHAT__MESSAGE__INIT;
	uint8_t events[] = "\0events";

	usage.has_prompt_tokens = usage.has_completion_tokens = true;
	usage.prompt_tokens = 3;
	usage.completion_tokens = 4;
	source.text = (char *)"a passage";
	source.has_score = true;
	source.score = 0.1;
	m.id = (char *)message_id;
	m.session_id = (char *)session;
	m.content = (char *)content;
	m.has_status = true;
	m.usage = &usage;
	m.sources = &sources;
	m.n_sources = 1;
	m.model = (char *)"test";
	return store_finish_turn(&db,
	                         &(struct store_end){ .owner = owner,
	                                              .message = &m,
	                                              .attempt = attempt,
	                                              .noted = true,
	                                              .events = { sizeof events, events },
	                                              .last = 7,
	                                              .told = "{message.created}" },
	                         ret, &arena, &err);
}

int chat_rig_finish(const char *session, const char *message_id, int attempt, const char *content,
                    const char **next)
{
	struct store_ended ended = { 0 };
	int result = chat_rig_end(session, message_id, attempt, content, &ended);

	*next = ended.next;
	return result;
}

/* A question and its whole answer. Returns the answer's id. */
const char *chat_rig_answered(const char *session, const char *question, const char *answer)
{
	struct store_new_turn turn = chat_rig_turn(session, question);
	const char *next;

	chat_rig_begin(&turn);
	assert_int_equal(chat_rig_finish(session, turn.message_id, 1, answer, &next), 1);
	assert_null(next);
	return turn.message_id;
}
