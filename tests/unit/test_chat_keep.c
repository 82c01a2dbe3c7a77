/* links: svc-chat/store_messages.c svc-chat/store_sessions.c svc-chat/store_turns.c svc-chat/store_follow.c svc-chat/store_keep.c build/gen/chat.migrations.c tests/unit/chat_rig.c tests/unit/store_rig.c tests/unit/pg.c */
#include "tests/unit/chat_rig.h"

#include <string.h>

#include "documents.pb-c.h"

/* --- Held, stopped, lost --- */

static struct store_held held_turn(const struct store_new_turn *turn)
{
	return (struct store_held){ .owner = owner, .message_id = turn->message_id, .attempt = 1, .step = 1 };
}

static void test_renewing_and_stopping(void **state)
{
	const char *session = chat_rig_session();
	struct store_new_turn turn = chat_rig_turn(session, "a"),
	                      second = chat_rig_turn(chat_rig_session(), "b");
	Documents__Source source = DOCUMENTS__SOURCE__INIT, *sources = &source;
	Chat__Message m = CHAT__MESSAGE__INIT;
	struct store_held held[2];
	bool gone;

	(void)state;
	source.text = (char *)"p";
	chat_rig_begin(&turn);
	chat_rig_begin(&second);
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
		const char *session = store_rig_id(), *who = i % 4 ? store_rig_id() : owner;

		if (who != owner)
			OK(db_exec(&db, "t_owner", DB_ARGS(who, session), NULL, &err));
		else
			OK(store_create_session(&db, owner, session, bot, NULL, &err));
		turns[i] = chat_rig_turn(session, "a");
		turns[i].owner = who;
		chat_rig_begin(&turns[i]);
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
	struct store_new_turn silent = chat_rig_turn(chat_rig_session(), "a"),
	                      spoke = chat_rig_turn(chat_rig_session(), "b");
	struct store_new_turn stopped = chat_rig_turn(chat_rig_session(), "c"),
	                      alive = chat_rig_turn(chat_rig_session(), "d");
	struct store_held held;
	struct store_orphan *orphans;
	const char *next, **owners, **sessions;
	size_t n;

	(void)state;
	chat_rig_begin(&silent);
	chat_rig_begin(&spoke);
	chat_rig_begin(&stopped);
	chat_rig_begin(&alive);
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
	assert_int_equal(chat_rig_finish(spoke.session, spoke.message_id, 1, "late", &next), 0);
	assert_int_equal(chat_rig_finish(silent.session, silent.message_id, 1, "late", &next), 0);
	assert_int_equal(chat_rig_finish(silent.session, silent.message_id, 2, "now", &next), 1);
	spoke = chat_rig_turn(spoke.session, "again");
	assert_false(chat_rig_begin(&spoke).queued);
}

/* A turn that kills whoever writes it is not tried for ever. */
static void test_a_turn_that_kills_its_writers_ends(void **state)
{
	struct store_new_turn turn = chat_rig_turn(chat_rig_session(), "a");
	struct store_orphan *orphans;
	const char **sessions;
	size_t n;

	(void)state;
	chat_rig_begin(&turn);
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

/* Nobody takes it over while it waits; then whoever looks first, at once, and none of its attempts is lost. */
static void test_one_that_was_let_go(void **state)
{
	struct store_new_turn turn = chat_rig_turn(chat_rig_session(), "a");
	struct store_held held = held_turn(&turn);
	struct store_orphan *orphans;
	const char **owners, **sessions, *next;
	size_t n;

	(void)state;
	chat_rig_begin(&turn);
	OK(db_exec(&db, "t_ask", DB_ARGS(turn.message_id), NULL, &err));
	OK(store_let_go(&db, &held, &err));
	OK(store_lapsed_owners(&db, 0, &owners, &n, &arena, &err));
	assert_int_equal(n, 0);
	assert_int_equal(store_stop(&db, owner, turn.session, turn.message_id, &err), 1);
	OK(store_lapsed_owners(&db, 0, &owners, &n, &arena, &err));
	assert_int_equal(n, 1);
	OK(store_end_orphans(&db, owner, 0, &sessions, &n, &arena, &err));
	assert_int_equal(n, 0); /* its writer ends it, and tells its reader */
	OK(store_take_over(&db, owner, 0, 8, &orphans, &n, &arena, &err));
	assert_int_equal(n, 1);
	assert_true(orphans[0].stop && orphans[0].rests);
	assert_int_equal(orphans[0].attempt, 1);
	OK(store_lapsed_owners(&db, 0, &owners, &n, &arena, &err));
	assert_int_equal(n, 0);
	assert_int_equal(chat_rig_finish(turn.session, turn.message_id, 1, "now", &next), 1);
}

/* Its user decides in the very moment. */
static void test_one_that_is_let_go_as_it_goes_on(void **state)
{
	struct store_new_turn turn = chat_rig_turn(chat_rig_session(), "a");
	struct store_held held = held_turn(&turn);
	struct store_orphan *orphans;
	size_t n;

	(void)state;
	chat_rig_begin(&turn); /* it does not wait */
	OK(store_let_go(&db, &held, &err));
	OK(store_take_over(&db, owner, 0, 8, &orphans, &n, &arena, &err));
	assert_int_equal(n, 1);
	assert_int_equal(orphans[0].attempt, 1);
}

static void test_answers_and_questions_anew(void **state)
{
	const char *session = chat_rig_session(), *next, *first = chat_rig_answered(session, "one", "1");
	const char *second = chat_rig_answered(session, "two", "2");
	struct store_new_turn again = chat_rig_turn(session, NULL);
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
	again.again = store_rig_id();
	assert_int_equal(store_begin_turn(&db, &again, &begun, &before, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	error_clear(&err);
	again.again = second;
	again.history_bytes = 100;
	begun = chat_rig_begin(&again);
	assert_string_equal(begun.question, "two");
	assert_int_equal(begun.history_count, 2);
	assert_int_equal(chat_rig_finish(session, again.message_id, 1, "2b", &next), 1);
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
	again = chat_rig_turn(session, "two, please");
	again.edits = next;
	begun = chat_rig_begin(&again);
	assert_string_equal(begun.question, "two, please");
	OK(store_messages(&db, owner, session, false, 0, INT64_MAX, 100, &n, &got, &last, &more, &arena,
	                  &err));
	assert_int_equal(n, 4);
	assert_string_equal(got[2]->content, "two, please");
}

static void test_gone_on_with(void **state)
{
	const char *session = chat_rig_session(), *next;
	struct store_new_turn first = chat_rig_turn(session, "first"),
	                      second = chat_rig_turn(session, "second");
	struct store_begun got;

	(void)state;
	chat_rig_begin(&first);
	chat_rig_begin(&second);
	assert_int_equal(chat_rig_finish(session, first.message_id, 1, "one", &next), 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_renewing_and_stopping),
		STORE_TEST(test_renewing_for_many_owners),
		STORE_TEST(test_turns_of_the_dead),
		STORE_TEST(test_a_turn_that_kills_its_writers_ends),
		STORE_TEST(test_one_that_was_let_go),
		STORE_TEST(test_one_that_is_let_go_as_it_goes_on),
		STORE_TEST(test_answers_and_questions_anew),
		STORE_TEST(test_gone_on_with),
	};

	return cmocka_run_group_tests_name("chat keep", tests, chat_rig_open, store_rig_close);
}
