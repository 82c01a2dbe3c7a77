/* links: svc-chat/store_messages.c svc-chat/store_sessions.c svc-chat/store_turns.c svc-chat/store_keep.c build/gen/chat.migrations.c svc-chat/store_handover.c svc-chat/store_quirks.c svc-chat/store_servers.c svc-chat/store_tools.c svc-chat/store_oauth.c tests/unit/sharded.c tests/unit/pg.c */
#include "common/db/throttle.h"
#include "svc-chat/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/job/event.h"
#include "documents.pb-c.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/store_oauth.h"
#include "svc-chat/store_quirks.h"
#include "svc-chat/store_servers.h"
#include "svc-chat/store_tools.h"
#include "tests/unit/pg.h"
#include "tests/unit/sharded.h"

extern const struct db_migration chat_migrations[];

static const char owner[] = "00000000-0000-7000-8000-000000000001";
static const char other[] = "00000000-0000-7000-8000-000000000002";
static const char bot[] = "00000000-0000-7000-8000-0000000000b1";

/* The tables of others that ours refer to, and statements that only tests need. */
static const char neighbours[] =
    "DROP SCHEMA IF EXISTS auth CASCADE; DROP SCHEMA IF EXISTS chatbots CASCADE; CREATE SCHEMA auth; CREATE SCHEMA chatbots;"
    "CREATE TABLE auth.users (uid uuid PRIMARY KEY);"
    "CREATE TABLE chatbots.chatbot (owner_id uuid, id uuid, PRIMARY KEY (owner_id, id));"
    "INSERT INTO auth.users VALUES ('00000000-0000-7000-8000-000000000001'), ('00000000-0000-7000-8000-000000000002');"
    "INSERT INTO chatbots.chatbot VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-0000000000b1')";
static const struct db_stmt test_statements[] = {
	{ "t_expire", "UPDATE message SET lease_until = now() - interval '1 second' WHERE id = $1" },
	{ "t_age", "UPDATE message SET created_at = now() - interval '2 days' WHERE id = $1" },
	{ "t_old_log",
	  "UPDATE stream_log SET expires_at = now() - interval '1 second' WHERE message_id = $1" },
	{ "t_logs", "SELECT count(*) AS n FROM stream_log WHERE message_id = $1" },
	{ "t_owner", "WITH person AS (INSERT INTO auth.users VALUES ($1))"
	             " INSERT INTO session (owner_id, id) VALUES ($1, $2)" },
	{ "t_drop_bot", "DELETE FROM chatbots.chatbot" },
	{ NULL, NULL },
};

static struct db_pool *pool;
static struct arena arena;
static struct error err;
static struct db db;

/* Fails with the words of the error. */
#define OK(expression)                                                                 \
	do {                                                                           \
		if ((expression) < 0)                                                  \
			fail_msg("%s: %s (%s)", #expression, err.message, err.detail); \
	} while (0)

static int open_pool(void **state)
{
	static const struct db_stmt *const tables[] = { store_sessions_statements,
		                                        store_messages_statements,
		                                        store_turns_statements,
		                                        store_keep_statements,
		                                        event_statements,
		                                        test_statements,
		                                        NULL };
	struct db_config config = {
		.url = pg_url(), .schema = "chat", .connections = 2, .statements = tables
	};

	(void)state;
	log_open("test", LOG_ERROR);
	pg_schema("chat");
	pg_sql(neighbours);
	if (db_migrate(pg_url(), "chat", chat_migrations, 0, &err) == 0 &&
	    db_pool_open(&config, 0, &pool, &err) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", err.message, err.detail);
	return -1;
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

/* Each test in a transaction that is rolled back. */
static int begin(void **state)
{
	(void)state;
	error_clear(&err);
	arena_init(&arena, 0);
	db_init(&db, pool);
	return db_begin(&db, &err);
}

static int end(void **state)
{
	(void)state;
	db_rollback(&db);
	db_done(&db);
	arena_done(&arena);
	return 0;
}

static void statements_fit_a_sharded_cluster(void **state)
{
	static const struct db_stmt *const tables[] = { store_sessions_statements, store_messages_statements,
		                                        store_turns_statements,    store_keep_statements,
		                                        throttle_statements,       store_handover_statements,
		                                        store_quirks_statements,   store_servers_statements,
		                                        store_oauth_statements,    store_tools_statements,
		                                        event_statements,          NULL };
	static const char *const allowed[] = {
		/* Of many owners at once, since it is for the replica: who has turns whose writers died, and what has
		 * expired. The rest goes owner by owner. */
		"lapsed_owners", "sweep_events", "sweep_keys", NULL
	};

	(void)state;
	assert_int_equal(sharded_check(&(struct sharded){ chat_migrations, tables, allowed }), 0);
}

static const char *new_id(void)
{
	char *id = arena_alloc(&arena, UUID_TEXT);

	uuid_make(id);
	return id;
}

static const char *new_session(void)
{
	const char *id = new_id();

	OK(store_create_session(&db, owner, id, bot, NULL, &err));
	return id;
}

static struct store_new_turn new_turn(const char *session, const char *content)
{
	return (struct store_new_turn){ .owner = owner,
		                        .session = session,
		                        .question_id = new_id(),
		                        .message_id = new_id(),
		                        .stream = new_id(),
		                        .content = content,
		                        .created_at = "2026-01-15T10:30:00.123Z",
		                        .title = "A title" };
}

/* Begins it; its writer's view of it. */
static struct store_begun begin_turn(const struct store_new_turn *turn)
{
	struct store_begun begun = { 0 };
	struct store_turn before;
	int result = store_begin_turn(&db, turn, &begun, &before, &arena, &err);

	if (result != 1)
		fail_msg("not begun: %d %s (%s)", result, err.message, err.detail);
	return begun;
}

static int finish(const char *session, const char *message_id, int attempt, const char *content,
                  const char **next)
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
	return store_finish_turn(&db, owner, &m, attempt, (ProtobufCBinaryData){ sizeof events, events }, 7,
	                         "{message.created}", next, &arena, &err);
}

/* A question and its whole answer. Returns the answer's id. */
static const char *add_turn(const char *session, const char *question, const char *answer)
{
	struct store_new_turn turn = new_turn(session, question);
	const char *next;

	begin_turn(&turn);
	assert_int_equal(finish(session, turn.message_id, 1, answer, &next), 1);
	assert_null(next);
	return turn.message_id;
}

/* --- Tests ---------------------------------------------------------------------------------------------------------- */

static void test_sessions(void **state)
{
	Chat__SessionDetails got = CHAT__SESSION_DETAILS__INIT;
	Chat__SessionList list = CHAT__SESSION_LIST__INIT;
	const char *first = new_session(), *second = new_session();

	(void)state;
	assert_int_equal(store_get_session(&db, owner, first, &got, &arena, &err), 1);
	assert_string_equal(got.chatbot_id, bot);
	assert_string_equal(got.user_id, owner);
	assert_null(got.title);
	assert_int_equal(store_get_session(&db, other, first, &got, &arena, &err), 0);
	OK(store_list_sessions(&db, owner, NULL, 1, &list, &arena, &err));
	assert_int_equal(list.n_sessions, 1);
	assert_string_equal(list.sessions[0]->id, second);
	OK(store_list_sessions(&db, owner, list.next, 1, &list, &arena, &err));
	assert_string_equal(list.sessions[0]->id, first);
	list = (Chat__SessionList)CHAT__SESSION_LIST__INIT;
	OK(store_list_sessions(&db, other, NULL, 10, &list, &arena, &err));
	assert_int_equal(list.n_sessions, 0);
	assert_int_equal(store_delete_session(&db, other, first, &err), 0);
	assert_int_equal(store_delete_session(&db, owner, first, &err), 1);
	assert_int_equal(store_get_session(&db, owner, first, &got, &arena, &err), 0);
}

static void test_a_chatbot_of_somebody_else(void **state)
{
	(void)state;
	assert_int_equal(store_create_session(&db, other, new_id(), bot, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_a_turn(void **state)
{
	const char *session = new_session(), *id = add_turn(session, "How long?", "Two years [1].");
	Chat__SessionDetails named = CHAT__SESSION_DETAILS__INIT;
	Chat__Message m = CHAT__MESSAGE__INIT;
	ProtobufCBinaryData events;
	int64_t messages;

	(void)state;
	assert_int_equal(store_get_message(&db, owner, session, id, &m, &arena, &err), 1);
	assert_string_equal(m.content, "Two years [1].");
	assert_string_equal(m.role, "assistant");
	assert_string_equal(m.created_at, "2026-01-15T10:30:00.123Z");
	assert_int_equal(m.status, CHAT__MESSAGE_STATUS__COMPLETE);
	assert_int_equal(m.n_sources, 1);
	assert_string_equal(m.sources[0]->text, "a passage");
	assert_true(m.sources[0]->score == 0.1);
	assert_int_equal(m.usage->completion_tokens, 4);
	assert_int_equal(store_get_message(&db, other, session, id, &m, &arena, &err), 0);
	assert_int_equal(store_load_events(&db, owner, id, &events, &arena, &err), 1);
	assert_int_equal(events.len, 8);
	assert_memory_equal(events.data, "\0events", 8);
	OK(store_get_session(&db, owner, session, &named, &arena, &err));
	assert_string_equal(named.title, "A title");
	OK(store_usage(&db, owner, &messages, &err));
	assert_int_equal(messages, 1);
}

/* Without a writer a question is only stored behind another; and no visitor's session is made for one that is not. */
static void test_without_a_writer_a_question_waits_or_is_refused(void **state)
{
	const char *session = new_session(), *next;
	struct store_new_turn first = new_turn(session, "a"), second = new_turn(session, "b"),
	                      visitor = new_turn("0192f3a0-0000-7000-8000-0000000000aa", "c");
	struct store_begun begun;
	struct store_turn before;

	(void)state;
	second.waits = visitor.waits = true;
	visitor.chatbot = "0192f3a0-0000-7000-8000-0000000000bb";
	assert_int_equal(store_begin_turn(&db, &second, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	error_clear(&err);
	assert_int_equal(store_begin_turn(&db, &visitor, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	error_clear(&err);
	assert_false(begin_turn(&first).queued);
	assert_true(begin_turn(&second).queued);
	assert_int_equal(finish(session, first.message_id, 1, "a", &next), 1);
	assert_string_equal(next, second.message_id);
}

static void test_messages_at_once_are_answered_in_order(void **state)
{
	const char *session = new_session(), *next;
	struct store_new_turn turns[6], elsewhere = new_turn(new_session(), "c");
	struct store_begun begun;
	struct store_turn before;

	(void)state;
	for (int i = 0; i < 6; i++)
		turns[i] = new_turn(session, "q");
	for (int i = 0; i < STORE_UNDER_WAY; i++)
		assert_int_equal(begin_turn(&turns[i]).queued, i > 0);
	assert_false(begin_turn(&elsewhere).queued);
	assert_int_equal(store_begin_turn(&db, &turns[5], &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	error_clear(&err);
	OK(store_next_turn(&db, owner, session, &next, &arena, &err)); /* not while the first is written */
	assert_null(next);
	for (int i = 0; i < STORE_UNDER_WAY; i++) {
		assert_int_equal(finish(session, turns[i].message_id, 1, "a", &next), 1);
		if (i + 1 < STORE_UNDER_WAY)
			assert_string_equal(next, turns[i + 1].message_id);
		else
			assert_null(next);
	}
}

static void test_a_session_that_is_not_there(void **state)
{
	struct store_new_turn turn = new_turn(new_id(), "a");
	struct store_begun begun;
	struct store_turn before;

	(void)state;
	assert_int_equal(store_begin_turn(&db, &turn, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	error_clear(&err);
	turn.session = new_session();
	turn.owner = other;
	assert_int_equal(store_begin_turn(&db, &turn, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_a_visitors_session_begins_with_the_first_message(void **state)
{
	struct store_new_turn turn = new_turn(new_id(), "a");
	Chat__SessionList list = CHAT__SESSION_LIST__INIT;
	struct store_begun begun;

	(void)state;
	turn.chatbot = bot;
	turn.expires_at = "2026-01-16T10:30:00.123Z";
	begun = begin_turn(&turn);
	assert_true(begun.visitor);
	assert_string_equal(begun.chatbot_id, bot);
	OK(store_list_sessions(&db, owner, NULL, 10, &list, &arena, &err));
	assert_int_equal(list.n_sessions, 0); /* not among the owner's own */
}

static void test_keys(void **state)
{
	const char *session = new_session();
	struct store_new_turn turn = new_turn(session, "a"), again;
	struct store_begun begun;
	struct store_turn before;
	int64_t none;

	(void)state;
	turn.key = "k1";
	turn.request_hash = "h1";
	begin_turn(&turn);
	again = new_turn(session, "a");
	again.key = "k1";
	again.request_hash = "h1";
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), 0);
	assert_string_equal(before.message_id, turn.message_id);
	assert_string_equal(before.question_id, turn.question_id);
	assert_string_equal(before.status, "generating");
	assert_int_equal(before.last, 0);
	again.request_hash = "h2";
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_INVALID);
	error_clear(&err);
	OK(db_exec(&db, "t_age", DB_ARGS(turn.message_id), NULL, &err));
	OK(store_sweep(&db, &none, &err));
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), 1);
}

/* --- Held, stopped, lost --- */

static struct store_held held_turn(const struct store_new_turn *turn)
{
	return (struct store_held){ .owner = owner, .message_id = turn->message_id, .attempt = 1, .step = 1 };
}

static void test_renewing_and_stopping(void **state)
{
	const char *session = new_session();
	struct store_new_turn turn = new_turn(session, "a"), second = new_turn(new_session(), "b");
	Documents__Source source = DOCUMENTS__SOURCE__INIT, *sources = &source;
	Chat__Message m = CHAT__MESSAGE__INIT;
	struct store_held held[2];
	bool gone;

	(void)state;
	source.text = (char *)"p";
	begin_turn(&turn);
	begin_turn(&second);
	held[0] = held_turn(&turn);
	held[1] = held_turn(&second);
	held[0].content = "Two, \"or\" {3} [1]";
	held[0].reasoning = "Hm";
	held[0].sources = store_pack_sources(&sources, 1, &arena);
	held[0].passages = held[0].sources;
	held[0].speaks = true;
	OK(store_renew(&db, held, 2, &arena, &err));
	assert_true(held[0].renewed && held[1].renewed);
	assert_false(held[0].stop);
	assert_int_equal(store_stop(&db, other, session, turn.message_id, &err), 0);
	assert_int_equal(store_stop(&db, owner, session, turn.question_id, &err), 0);
	assert_int_equal(store_stop(&db, owner, session, turn.message_id, &err), 1);
	held[0] = held_turn(&turn);
	OK(store_renew(&db, held, 1, &arena, &err));
	assert_true(held[0].renewed && held[0].stop);
	OK(store_get_message(&db, owner, session, turn.message_id, &m, &arena, &err));
	assert_string_equal(m.content, "Two, \"or\" {3} [1]");
	assert_string_equal(m.reasoning, "Hm");
	assert_int_equal(m.n_sources, 1);
	assert_int_equal(m.status, CHAT__MESSAGE_STATUS__GENERATING);
	assert_int_equal(store_still_held(&db, &held[0], &gone, &err), 1);
	held[0].attempt = 2; /* somebody else's */
	held[0].renewed = false;
	OK(store_renew(&db, held, 1, &arena, &err));
	assert_false(held[0].renewed);
	assert_int_equal(store_still_held(&db, &held[0], &gone, &err), 0);
	assert_false(gone);
	OK(store_delete_session(&db, owner, session, &err));
	assert_int_equal(store_still_held(&db, &held[0], &gone, &err), 0);
	assert_true(gone);
}

static Chat__MessageStatus status_of(const char *session, const char *message_id)
{
	Chat__Message m = CHAT__MESSAGE__INIT;

	assert_int_equal(store_get_message(&db, owner, session, message_id, &m, &arena, &err), 1);
	return m.status;
}

static void lapse(const struct store_new_turn *turn)
{
	OK(db_exec(&db, "t_expire", DB_ARGS(turn->message_id), NULL, &err));
}

/* Owner by owner, and some at a time. */
static void test_renewing_for_many_owners(void **state)
{
	enum { TURNS = 2 * DB_TOGETHER_MAX + 3 };
	struct store_held held[TURNS];
	struct store_new_turn turns[TURNS];

	(void)state;
	for (int i = 0; i < TURNS; i++) {
		const char *session = new_id(), *who = i % 4 ? new_id() : owner;

		if (who != owner)
			OK(db_exec(&db, "t_owner", DB_ARGS(who, session), NULL, &err));
		else
			OK(store_create_session(&db, owner, session, bot, NULL, &err));
		turns[i] = new_turn(session, "a");
		turns[i].owner = who;
		begin_turn(&turns[i]);
		held[i] = held_turn(&turns[i]);
		held[i].owner = who;
		held[i].content = turns[i].message_id;
	}
	OK(store_renew(&db, held, TURNS, &arena, &err));
	for (int i = 0; i < TURNS; i++) {
		Chat__Message m = CHAT__MESSAGE__INIT;

		assert_true(held[i].renewed);
		assert_int_equal(store_get_message(&db, turns[i].owner, turns[i].session, turns[i].message_id,
		                                   &m, &arena, &err),
		                 1);
		assert_string_equal(m.content, turns[i].message_id);
	}
}

/* What was not heard of is gone on with; what spoke is interrupted; what was to stop is stopped. */
static void test_turns_of_the_dead(void **state)
{
	struct store_new_turn silent = new_turn(new_session(), "a"), spoke = new_turn(new_session(), "b");
	struct store_new_turn stopped = new_turn(new_session(), "c"), alive = new_turn(new_session(), "d");
	struct store_held held;
	struct store_orphan *orphans;
	const char *next, **owners, **sessions;
	size_t n;

	(void)state;
	begin_turn(&silent);
	begin_turn(&spoke);
	begin_turn(&stopped);
	begin_turn(&alive);
	held = held_turn(&spoke);
	held.content = "half";
	held.speaks = true;
	OK(store_renew(&db, &held, 1, &arena, &err));
	OK(store_stop(&db, owner, stopped.session, stopped.message_id, &err));
	lapse(&silent);
	lapse(&spoke);
	lapse(&stopped);
	/* The database has just begun. */
	OK(store_lapsed_owners(&db, 1000 * 1000 * 1000, &owners, &n, &arena, &err));
	assert_int_equal(n, 0);
	OK(store_end_orphans(&db, owner, 1000 * 1000 * 1000, &sessions, &n, &arena, &err));
	assert_int_equal(n, 0);
	OK(store_lapsed_owners(&db, 0, &owners, &n, &arena, &err));
	assert_int_equal(n, 1);
	assert_string_equal(owners[0], owner);
	OK(store_end_orphans(&db, other, 0, &sessions, &n, &arena, &err));
	assert_int_equal(n, 0);
	OK(store_end_orphans(&db, owner, 0, &sessions, &n, &arena, &err));
	assert_int_equal(n, 2);
	assert_int_equal(status_of(spoke.session, spoke.message_id), CHAT__MESSAGE_STATUS__INTERRUPTED);
	assert_int_equal(status_of(stopped.session, stopped.message_id), CHAT__MESSAGE_STATUS__STOPPED);
	OK(store_take_over(&db, owner, 0, 8, &orphans, &n, &arena, &err));
	assert_int_equal(n, 1);
	assert_string_equal(orphans[0].message_id, silent.message_id);
	assert_string_equal(orphans[0].stream, silent.stream);
	assert_int_equal(orphans[0].attempt, 2);
	assert_int_equal(status_of(alive.session, alive.message_id), CHAT__MESSAGE_STATUS__GENERATING);
	/* Late, the first writers come back: theirs no more. */
	assert_int_equal(finish(spoke.session, spoke.message_id, 1, "late", &next), 0);
	assert_int_equal(finish(silent.session, silent.message_id, 1, "late", &next), 0);
	assert_int_equal(finish(silent.session, silent.message_id, 2, "now", &next), 1);
	spoke = new_turn(spoke.session, "again");
	assert_false(begin_turn(&spoke).queued);
}

/* A turn that kills whoever writes it is not tried for ever. */
static void test_a_turn_that_kills_its_writers_ends(void **state)
{
	struct store_new_turn turn = new_turn(new_session(), "a");
	struct store_orphan *orphans;
	const char **sessions;
	size_t n;

	(void)state;
	begin_turn(&turn);
	for (int attempt = 2; attempt <= STORE_ATTEMPTS; attempt++) {
		lapse(&turn);
		OK(store_take_over(&db, owner, 0, 8, &orphans, &n, &arena, &err));
		assert_int_equal(n, 1);
	}
	lapse(&turn);
	OK(store_take_over(&db, owner, 0, 8, &orphans, &n, &arena, &err));
	assert_int_equal(n, 0);
	OK(store_end_orphans(&db, owner, 0, &sessions, &n, &arena, &err));
	assert_int_equal(n, 1);
	assert_string_equal(sessions[0], turn.session);
	assert_int_equal(status_of(turn.session, turn.message_id), CHAT__MESSAGE_STATUS__INTERRUPTED);
}

static void test_answers_and_questions_anew(void **state)
{
	const char *session = new_session(), *next, *first = add_turn(session, "one", "1");
	const char *second = add_turn(session, "two", "2");
	struct store_new_turn again = new_turn(session, NULL);
	struct store_begun begun;
	struct store_turn before;
	Chat__Message **got, m = CHAT__MESSAGE__INIT;
	int64_t last;
	size_t n;
	bool more;

	(void)state;
	again.again = first;
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT); /* not the last */
	error_clear(&err);
	again.again = new_id();
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	error_clear(&err);
	again.again = second;
	again.history_characters = 100;
	begun = begin_turn(&again);
	assert_string_equal(begun.question, "two");
	assert_int_equal(begun.history_count, 2);
	assert_int_equal(finish(session, again.message_id, 1, "2b", &next), 1);
	OK(store_messages(&db, owner, session, false, 0, INT64_MAX, 100, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 4);
	assert_string_equal(got[3]->content, "2b");
	assert_string_equal(got[3]->replaces, second);
	OK(store_messages(&db, owner, session, true, 0, INT64_MAX, 100, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 5);
	/* And the question: both answers of the old one go with it. */
	assert_int_equal(store_get_message(&db, owner, session, again.message_id, &m, &arena, &err), 1);
	next = m.question_id;
	again = new_turn(session, "two, please");
	again.edits = next;
	begun = begin_turn(&again);
	assert_string_equal(begun.question, "two, please");
	OK(store_messages(&db, owner, session, false, 0, INT64_MAX, 100, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 4);
	assert_string_equal(got[2]->content, "two, please");
}

static void test_gone_on_with(void **state)
{
	const char *session = new_session(), *next;
	struct store_new_turn first = new_turn(session, "first"), second = new_turn(session, "second");
	struct store_begun got;

	(void)state;
	begin_turn(&first);
	begin_turn(&second);
	assert_int_equal(finish(session, first.message_id, 1, "one", &next), 1);
	assert_int_equal(store_load_turn(&db, owner, session, second.message_id, 1000, &got, &arena, &err),
	                 1);
	assert_string_equal(got.question, "second");
	assert_string_equal(got.chatbot_id, bot);
	assert_string_equal(got.created_at, "2026-01-15T10:30:00.123Z");
	assert_int_equal(got.history_count, 2);
	assert_string_equal(got.history[1].content, "one");
	OK(store_delete_session(&db, owner, session, &err));
	assert_int_equal(store_load_turn(&db, owner, session, second.message_id, 1000, &got, &arena, &err),
	                 0);
}

static void test_streams(void **state)
{
	const char *session = new_session(), *id = add_turn(session, "a", "b"), *again = new_id();
	struct store_turn turn;
	ProtobufCBinaryData events;
	int64_t dropped;

	(void)state;
	OK(store_latest_turn(&db, owner, session, &turn, &arena, &err));
	assert_int_equal(turn.last, 7);
	assert_int_equal(store_turn_by_stream(&db, owner, NULL, turn.stream, &turn, &arena, &err), 1);
	assert_int_equal(store_turn_by_stream(&db, owner, session, turn.stream, &turn, &arena, &err), 1);
	assert_int_equal(store_turn_by_stream(&db, owner, new_session(), turn.stream, &turn, &arena, &err),
	                 0);
	assert_int_equal(store_turn_by_stream(&db, other, NULL, turn.stream, &turn, &arena, &err), 0);
	OK(db_exec(&db, "t_old_log", DB_ARGS(id), NULL, &err));
	assert_int_equal(store_load_events(&db, owner, id, &events, &arena, &err), 0);
	OK(store_retell(&db, owner, id, again, (ProtobufCBinaryData){ 1, (uint8_t *)"x" }, 3, &err));
	assert_int_equal(store_turn_by_stream(&db, owner, NULL, again, &turn, &arena, &err), 1);
	assert_int_equal(turn.last, 3);
	assert_int_equal(store_load_events(&db, owner, id, &events, &arena, &err), 1);
	assert_int_equal(events.len, 1);
	OK(db_exec(&db, "t_old_log", DB_ARGS(id), NULL, &err));
	OK(store_sweep(&db, &dropped, &err));
	assert_int_equal(dropped, 1);
}

/* All messages by way of windows, however many fit one. */
static void test_windows(void **state)
{
	const char *session = new_session();
	Chat__Message **got;
	int64_t first, last;
	char *large;
	size_t n;
	bool more;

	(void)state;
	for (int i = 0; i < 5; i++)
		add_turn(session, "q", "a");
	OK(store_page_start(&db, owner, session, false, INT64_MAX, 3, 0, &first, &more, &err));
	assert_true(more);
	OK(store_messages(&db, owner, session, false, first - 1, INT64_MAX, 100, &n, &got, &last, &more,
	                  &arena, &err));
	assert_int_equal(n, 3);
	assert_false(more);
	assert_string_equal(got[0]->role, "assistant");
	assert_string_equal(got[1]->role, "user");
	OK(store_messages(&db, owner, session, false, first - 1, INT64_MAX, 2, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 2);
	assert_true(more);
	OK(store_page_start(&db, owner, session, false, first, 100, 0, &first, &more, &err));
	assert_false(more);
	OK(store_messages(&db, owner, session, false, 0, INT64_MAX, 100, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 10);
	/* Large ones: no reply may burst. */
	large = arena_alloc(&arena, (1 << 20) + 1);
	memset(large, 'x', 1 << 20);
	for (int i = 0; i < 4; i++)
		add_turn(session, "q", large);
	n = 0;
	for (int64_t after = 0, replies = 0;; replies++) {
		size_t part, bytes = 0;

		OK(store_messages(&db, owner, session, false, after, INT64_MAX, 100, &part, &got, &after,
		                  &more, &arena, &err));
		for (size_t i = 0; i < part; i++)
			bytes += strlen(got[i]->content);
		assert_true(bytes < 3500 * 1000);
		n += part;
		if (!more)
			break;
		assert_true(replies < 5);
	}
	assert_int_equal(n, 18);
	OK(store_page_start(&db, owner, session, false, INT64_MAX, 100, STORE_BYTES, &first, &more, &err));
	assert_true(more);
	OK(store_messages(&db, owner, session, false, first - 1, INT64_MAX, 100, &n, &got, &last, &more,
	                  &arena, &err));
	assert_false(more);
	assert_true(n >= 2 && n <= 5);
}

static void test_history(void **state)
{
	const char *session = new_session();
	struct store_new_turn now;
	struct store_begun got;

	(void)state;
	add_turn(session, "12345678", "12345678");
	add_turn(session, "87654321", "87654321");
	now = new_turn(session, "now");
	now.history_characters = 24;
	got = begin_turn(&now);
	assert_int_equal(got.history_count, 3);
	assert_string_equal(got.history[0].role, "assistant");
	assert_string_equal(got.history[1].content, "87654321");
	assert_string_equal(got.history[1].role, "user");
}

static void test_deleting_the_chatbot(void **state)
{
	const char *session = new_session(), *id = add_turn(session, "a", "b");
	Chat__SessionDetails got = CHAT__SESSION_DETAILS__INIT;
	OWN(pgresult) PGresult *res = NULL;

	(void)state;
	OK(db_exec(&db, "t_drop_bot", DB_ARGS(), NULL, &err));
	assert_int_equal(store_get_session(&db, owner, session, &got, &arena, &err), 0);
	OK(db_exec(&db, "t_logs", DB_ARGS(id), &res, &err));
	assert_int_equal(db_int(res, 0, "n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_fit_a_sharded_cluster),
		cmocka_unit_test_setup_teardown(test_sessions, begin, end),
		cmocka_unit_test_setup_teardown(test_a_chatbot_of_somebody_else, begin, end),
		cmocka_unit_test_setup_teardown(test_a_turn, begin, end),
		cmocka_unit_test_setup_teardown(test_without_a_writer_a_question_waits_or_is_refused, begin,
		                                end),
		cmocka_unit_test_setup_teardown(test_messages_at_once_are_answered_in_order, begin, end),
		cmocka_unit_test_setup_teardown(test_a_session_that_is_not_there, begin, end),
		cmocka_unit_test_setup_teardown(test_a_visitors_session_begins_with_the_first_message, begin,
		                                end),
		cmocka_unit_test_setup_teardown(test_keys, begin, end),
		cmocka_unit_test_setup_teardown(test_renewing_and_stopping, begin, end),
		cmocka_unit_test_setup_teardown(test_renewing_for_many_owners, begin, end),
		cmocka_unit_test_setup_teardown(test_turns_of_the_dead, begin, end),
		cmocka_unit_test_setup_teardown(test_a_turn_that_kills_its_writers_ends, begin, end),
		cmocka_unit_test_setup_teardown(test_answers_and_questions_anew, begin, end),
		cmocka_unit_test_setup_teardown(test_gone_on_with, begin, end),
		cmocka_unit_test_setup_teardown(test_streams, begin, end),
		cmocka_unit_test_setup_teardown(test_windows, begin, end),
		cmocka_unit_test_setup_teardown(test_history, begin, end),
		cmocka_unit_test_setup_teardown(test_deleting_the_chatbot, begin, end),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
