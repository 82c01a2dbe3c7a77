/* links: svc-chat/store_messages.c svc-chat/store_sessions.c svc-chat/store_turns.c svc-chat/store_follow.c svc-chat/store_keep.c build/gen/chat.migrations.c tests/unit/chat_rig.c tests/unit/store_rig.c tests/unit/pg.c svc-chat/store_handover.c svc-chat/store_quirks.c svc-chat/store_servers.c svc-chat/store_tools.c svc-chat/store_steps.c svc-chat/store_decide.c svc-chat/store_oauth.c */
#include "tests/unit/chat_rig.h"

#include <string.h>

#include "common/base/text.h"
#include "documents.pb-c.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/store_oauth.h"
#include "svc-chat/store_quirks.h"
#include "svc-chat/store_servers.h"
#include "svc-chat/store_tools.h"

extern const struct db_migration chat_migrations[];

static void test_sessions(void **state)
{
	Chat__SessionDetails got = CHAT__SESSION_DETAILS__INIT;
	Chat__SessionList list = CHAT__SESSION_LIST__INIT;
	const char *first = chat_rig_session(), *second = chat_rig_session();

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
	assert_int_equal(store_create_session(&db, other, store_rig_id(), bot, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_a_turn(void **state)
{
	const char *session = chat_rig_session(),
	           *id = chat_rig_answered(session, "How long?", "Two years [1].");
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

/* One row that each turn of an owner counts in is a queue of all of them. */
static void test_turns_of_several_sessions_wait_for_no_row_of_all(void **state)
{
	enum { SESSIONS = 16 };
	int64_t messages;

	(void)state;
	for (int i = 0; i < SESSIONS; i++)
		chat_rig_answered(chat_rig_session(), "a", "b");
	assert_true(store_rig_number("t_parts") > SESSIONS / 4);
	OK(store_usage(&db, owner, &messages, &err));
	assert_int_equal(messages, SESSIONS);
	OK(store_usage(&db, other, &messages, &err));
	assert_int_equal(messages, 0);
}

/* Without a writer a question is only stored behind another; and no visitor's session is made for one that is not. */
static void test_without_a_writer_a_question_waits_or_is_refused(void **state)
{
	const char *session = chat_rig_session(), *next;
	struct store_new_turn first = chat_rig_turn(session, "a"), second = chat_rig_turn(session, "b"),
	                      visitor = chat_rig_turn("0192f3a0-0000-7000-8000-0000000000aa", "c");
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
	assert_false(chat_rig_begin(&first).queued);
	assert_true(chat_rig_begin(&second).queued);
	assert_int_equal(chat_rig_finish(session, first.message_id, 1, "a", &next), 1);
	assert_string_equal(next, second.message_id);
}

static void test_messages_at_once_are_answered_in_order(void **state)
{
	const char *session = chat_rig_session(), *next;
	struct store_new_turn turns[6], elsewhere = chat_rig_turn(chat_rig_session(), "c");
	struct store_begun begun;
	struct store_turn before;

	(void)state;
	for (int i = 0; i < 6; i++)
		turns[i] = chat_rig_turn(session, "q");
	for (int i = 0; i < STORE_UNDER_WAY; i++)
		assert_int_equal(chat_rig_begin(&turns[i]).queued, i > 0);
	assert_false(chat_rig_begin(&elsewhere).queued);
	assert_int_equal(store_begin_turn(&db, &turns[5], &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	error_clear(&err);
	OK(store_next_turn(&db, owner, session, &next, &arena, &err)); /* not while the first is written */
	assert_null(next);
	for (int i = 0; i < STORE_UNDER_WAY; i++) {
		assert_int_equal(chat_rig_finish(session, turns[i].message_id, 1, "a", &next), 1);
		if (i + 1 < STORE_UNDER_WAY)
			assert_string_equal(next, turns[i + 1].message_id);
		else
			assert_null(next);
	}
}

static void test_a_session_that_is_not_there(void **state)
{
	struct store_new_turn turn = chat_rig_turn(store_rig_id(), "a");
	struct store_begun begun;
	struct store_turn before;

	(void)state;
	assert_int_equal(store_begin_turn(&db, &turn, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	error_clear(&err);
	turn.session = chat_rig_session();
	turn.owner = other;
	assert_int_equal(store_begin_turn(&db, &turn, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_a_visitors_session_begins_with_the_first_message(void **state)
{
	struct store_new_turn turn = chat_rig_turn(store_rig_id(), "a");
	Chat__SessionList list = CHAT__SESSION_LIST__INIT;
	struct store_begun begun;

	(void)state;
	turn.chatbot = bot;
	turn.expires_at = "2026-01-16T10:30:00.123Z";
	begun = chat_rig_begin(&turn);
	assert_true(begun.visitor);
	assert_string_equal(begun.chatbot_id, bot);
	OK(store_list_sessions(&db, owner, NULL, 10, &list, &arena, &err));
	assert_int_equal(list.n_sessions, 0); /* not among the owner's own */
}

static void test_keys(void **state)
{
	const char *session = chat_rig_session();
	struct store_new_turn turn = chat_rig_turn(session, "a"), again;
	struct store_begun begun;
	struct store_turn before;
	int64_t none;

	(void)state;
	turn.key = "k1";
	turn.request_hash = "h1";
	chat_rig_begin(&turn);
	again = chat_rig_turn(session, "a");
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

/* An answer whose log is its message has none beside it, and can always be told again. */
static void test_an_answer_whose_log_is_its_message(void **state)
{
	const char *session = chat_rig_session(), *found;
	struct store_new_turn turn = chat_rig_turn(session, "a");
	Chat__TokenUsage usage = CHAT__TOKEN_USAGE__INIT;
	Chat__Message m = CHAT__MESSAGE__INIT;
	const struct store_end end = {
		.owner = owner, .message = &m, .attempt = 1, .cuts = { 1, (uint8_t *)"\2" }, .last = 5
	};
	struct store_ended ended;
	struct store_turn got;
	ProtobufCBinaryData read;

	(void)state;
	m.id = (char *)turn.message_id;
	m.session_id = (char *)session;
	m.content = (char *)"b";
	m.usage = &usage;
	chat_rig_begin(&turn);
	assert_int_equal(store_load_cuts(&db, owner, turn.message_id, &read, &found, &arena, &err), 0);
	assert_int_equal(store_finish_turn(&db, &end, &ended, &arena, &err), 1);
	assert_int_equal(store_load_events(&db, owner, turn.message_id, &read, &arena, &err), 0);
	OK(store_latest_turn(&db, owner, session, &got, &arena, &err));
	assert_int_equal(got.last, 5);
	assert_int_equal(store_load_cuts(&db, other, turn.message_id, &read, &found, &arena, &err), 0);
	assert_int_equal(store_load_cuts(&db, owner, turn.message_id, &read, &found, &arena, &err), 1);
	assert_string_equal(found, session);
	assert_int_equal(read.len, 1);
	assert_int_equal(read.data[0], 2);
	/* told anew under another id: that counts */
	OK(store_keep_events(&db, owner, turn.message_id, (ProtobufCBinaryData){ 1, (uint8_t *)"x" }, 9,
	                     &err));
	OK(store_latest_turn(&db, owner, session, &got, &arena, &err));
	assert_int_equal(got.last, 9);
}

static void test_streams(void **state)
{
	const char *session = chat_rig_session(), *id = chat_rig_answered(session, "a", "b"),
	           *again = store_rig_id();
	struct store_turn turn;
	ProtobufCBinaryData events;
	int64_t dropped;

	(void)state;
	OK(store_latest_turn(&db, owner, session, &turn, &arena, &err));
	assert_int_equal(turn.last, 7);
	assert_int_equal(store_turn_by_stream(&db, owner, NULL, turn.stream, &turn, &arena, &err), 1);
	assert_int_equal(store_turn_by_stream(&db, owner, session, turn.stream, &turn, &arena, &err), 1);
	assert_int_equal(
	    store_turn_by_stream(&db, owner, chat_rig_session(), turn.stream, &turn, &arena, &err), 0);
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
	const char *session = chat_rig_session();
	Chat__Message **got;
	int64_t first, last;
	char *large;
	size_t n;
	bool more;

	(void)state;
	for (int i = 0; i < 5; i++)
		chat_rig_answered(session, "q", "a");
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
		chat_rig_answered(session, "q", large);
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
	const char *session = chat_rig_session();
	struct store_new_turn now;
	struct store_begun got;

	(void)state;
	chat_rig_answered(session, "12345678", "12345678");
	chat_rig_answered(session, "87654321", "87654321");
	now = chat_rig_turn(session, "now");
	now.history_bytes = 24;
	got = chat_rig_begin(&now);
	assert_int_equal(got.history_count, 3);
	assert_string_equal(got.history[0].role, "assistant");
	assert_string_equal(got.history[1].content, "87654321");
	assert_string_equal(got.history[1].role, "user");
}

/* A server may say as much in each call as it likes. */
/* Who knows what was said is told nothing of it again, but whether it is still so. */
static void test_what_is_known_is_not_read_again(void **state)
{
	const char *session = chat_rig_session();
	struct store_new_turn first = chat_rig_turn(session, "a"), second = chat_rig_turn(session, "b"),
	                      third = chat_rig_turn(session, "c");
	struct store_ended ended;
	struct store_known known;
	struct store_begun begun;

	(void)state;
	chat_rig_begin(&first);
	assert_int_equal(chat_rig_end(session, first.message_id, 1, "A", &ended), 1);
	second.known = &ended.known;
	begun = chat_rig_begin(&second);
	assert_true(begun.as_known);
	assert_int_equal(begun.history_count, 0);
	assert_string_equal(begun.question, "b");
	assert_string_equal(begun.question_id, second.question_id);
	assert_string_equal(begun.created_at, second.created_at);
	assert_int_equal(begun.question_number, 3);
	assert_int_equal(begun.answer_number, 4);
	known = ended.known;
	assert_int_equal(chat_rig_end(session, second.message_id, 1, "B", &ended), 1);
	third.known = &known;
	assert_false(chat_rig_begin(&third).as_known); /* more was said meanwhile */
	assert_int_equal(chat_rig_end(session, third.message_id, 1, "C", &ended), 1);
	second = chat_rig_turn(session, "d");
	second.known = &ended.known;
	memcpy(ended.known.updated_at, "1999", 4);
	assert_false(chat_rig_begin(&second).as_known); /* or others were chosen to be shown */
}

/* Whatever whoever asks knew of who listens, and also while an answer is being written. */
static void test_who_has_just_begun_to_listen_hears_of_the_next_message(void **state)
{
	const char *session = chat_rig_session();
	struct store_new_turn turn = chat_rig_turn(session, "a");
	struct store_ended ended;

	(void)state;
	assert_false(chat_rig_begin(&turn).listened);
	assert_int_equal(store_rig_number("t_events"), 0);
	OK(db_exec(&db, "event_listen", DB_ARGS(owner, "{message.created}", "{}"), NULL, &err));
	assert_int_equal(chat_rig_end(session, turn.message_id, 1, "A", &ended), 1);
	assert_int_equal(store_rig_number("t_events"), 1);
	for (int i = 1; i <= 2; i++) {
		turn = chat_rig_turn(session, "b");
		turn.known = &ended.known;
		assert_true(chat_rig_begin(&turn).listened);
		assert_int_equal(store_rig_number("t_events"), 2 * i);
		assert_int_equal(chat_rig_end(session, turn.message_id, 1, "B", &ended), 1);
		assert_int_equal(store_rig_number("t_events"), 2 * i + 1);
		ended.known.listened = true;
	}
}

static void test_calls_in_the_history_have_a_bound(void **state)
{
	const char *session = chat_rig_session(), *id = chat_rig_answered(session, "a", "b");
	Chat__ToolCall call = CHAT__TOOL_CALL__INIT, *calls[] = { &call };
	Chat__ToolCallList list = CHAT__TOOL_CALL_LIST__INIT;
	struct store_new_turn now = chat_rig_turn(session, "now");
	struct store_begun got;
	ProtobufCBinaryData packed;

	(void)state;
	call.id = call.name = call.arguments = (char *)"{}";
	call.content = arena_alloc(&arena, 60001);
	memset(call.content, 'x', 60000);
	call.content[60000] = '\0';
	list.calls = calls;
	list.n_calls = 1;
	packed.data = arena_alloc(&arena, chat__tool_call_list__get_packed_size(&list));
	packed.len = chat__tool_call_list__pack(&list, packed.data);
	OK(db_exec(&db, "t_calls", DB_ARGS(owner, id, packed), NULL, &err));
	now.history_bytes = 1000;
	got = chat_rig_begin(&now);
	assert_int_equal(got.history_count, 2);
	assert_int_equal(got.history[1].call_count, 2);
}

/* 5,000 of one chatbot, 300 older ones of another, three sessions of its owner's own: who asks for a page reads that page. */
static void test_visitors_cost_their_owner_nothing(void **state)
{
	static const char other_bot[] = "00000000-0000-7000-8000-0000000000b2";
	const char *const from_the_newest = NULL;
	static const char older[] = "00000000-0000-7000-8000-1", newer[] = "00000000-0000-7000-8000-2";

	(void)state;
	for (int i = 0; i < 3; i++)
		chat_rig_session();
	OK(db_exec(&db, "t_crowd", DB_ARGS(owner, other_bot, older, 300), NULL, &err));
	OK(db_exec(&db, "t_crowd", DB_ARGS(owner, bot, newer, 5000), NULL, &err));
	OK(db_exec(&db, "t_analyze", DB_ARGS(), NULL, &err));
	assert_int_equal(store_rig_read("list_sessions", DB_ARGS(owner, from_the_newest, 51)), 3);
	assert_int_equal(store_rig_read("list_chats", DB_ARGS(owner, "workspace", INT64_MAX, 51)), 0);
	assert_in_range(store_rig_read("list_conversations", DB_ARGS(owner, bot, from_the_newest, 51)), 51,
	                60);
	assert_in_range(store_rig_read("list_conversations", DB_ARGS(owner, other_bot, from_the_newest, 51)),
	                51, 60);
}

/* Each message is looked for by more than its owner. */
static void assert_reads_few(const char *plan, struct db_args args)
{
	PGresult *lines;
	bool message = false;

	print_message("  %s\n", plan);
	OK(db_exec(&db, plan, args, &lines, &err));
	for (int i = 0; i < PQntuples(lines); i++) {
		const char *line = PQgetvalue(lines, i, 0);

		if (strstr(line, "->"))
			message = strstr(line, " on message") != NULL;
		if (message && strstr(line, "Index Cond: "))
			assert_non_null(strstr(line, " AND "));
		assert_false(message && strstr(line, "Seq Scan"));
	}
	PQclear(lines);
}

/* PostgreSQL knows nothing of the tables yet, and keeps such a plan until it does. */
static void test_a_turn_of_a_new_database_reads_no_other(void **state)
{
	static const char id[] = "00000000-0000-7000-8000-000000000001", now[] = "2026-01-01T00:00:00Z";
	const char *const none = NULL;

	(void)state;
	assert_reads_few("t_plan_begin_turn",
	                 DB_ARGS(owner, id, id, "Q", now, id, "s", none, none, "Q", 5, 0, 1));
	assert_reads_few("t_plan_finish_turn", DB_ARGS(owner, id, 1, "complete", id, "A", none, none, none,
	                                               none, 1, 1, none, none, none, 1));
	assert_reads_few("t_plan_touch_session", DB_ARGS(owner, id, id, 1));
	assert_reads_few("t_plan_renew", DB_ARGS(owner, id, 1, "A", none, none));
}

static void test_deleting_the_chatbot(void **state)
{
	const char *session = chat_rig_session(), *id = chat_rig_answered(session, "a", "b");
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
		STORE_TEST(
		    test_a_turn_of_a_new_database_reads_no_other), /* before another has filled the tables */
		STORE_TEST(test_sessions),
		STORE_TEST(test_a_chatbot_of_somebody_else),
		STORE_TEST(test_a_turn),
		STORE_TEST(test_turns_of_several_sessions_wait_for_no_row_of_all),
		STORE_TEST(test_without_a_writer_a_question_waits_or_is_refused),
		STORE_TEST(test_messages_at_once_are_answered_in_order),
		STORE_TEST(test_a_session_that_is_not_there),
		STORE_TEST(test_a_visitors_session_begins_with_the_first_message),
		STORE_TEST(test_keys),
		STORE_TEST(test_an_answer_whose_log_is_its_message),
		STORE_TEST(test_streams),
		STORE_TEST(test_windows),
		STORE_TEST(test_history),
		STORE_TEST(test_what_is_known_is_not_read_again),
		STORE_TEST(test_who_has_just_begun_to_listen_hears_of_the_next_message),
		STORE_TEST(test_calls_in_the_history_have_a_bound),
		STORE_TEST(test_visitors_cost_their_owner_nothing),
		STORE_TEST(test_deleting_the_chatbot),
	};

	return cmocka_run_group_tests_name("chat store", tests, chat_rig_open, store_rig_close);
}
