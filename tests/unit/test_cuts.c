/* links: svc-chat/turn/cuts.c svc-chat/turn/events.c build/gen/chat.pb-c.c build/gen/documents.pb-c.c */
#include "svc-chat/turn/cuts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "svc-chat/turn/events.h"

static struct arena arena;

static struct store_begun begun = { .kind = "session", .question_id = "a question", .question_number = 5 };

static Chat__Message message(const char *content, const char *reasoning)
{
	Chat__Message m = CHAT__MESSAGE__INIT;

	m.id = (char *)"an answer";
	m.role = (char *)"assistant";
	m.content = (char *)content;
	m.reasoning = (char *)reasoning;
	m.has_status = true;
	m.status = CHAT__MESSAGE_STATUS__COMPLETE;
	return m;
}

/* What a reader is told of it after `after`, one event a line; NULL: nothing fits. */
static const char *told(const struct cuts *p, const Chat__Message *m, int64_t after)
{
	Rpc__NextReply reply = RPC__NEXT_REPLY__INIT;
	ProtobufCBinaryData log;
	struct error err = { 0 };
	struct text t;

	cuts_log((ProtobufCBinaryData){ p->packed.length, (uint8_t *)p->packed.at }, &begun, m, &log, &arena);
	if (!log.data)
		return NULL;
	assert_int_equal(events_after(log, after, &reply, &arena, &err), 0);
	assert_true(reply.end);
	text_init(&t, &arena);
	for (size_t i = 0; i < reply.n_events; i++)
		text_addf(&t, "%d %s %.24s\n", (int)reply.events[i]->sequence, reply.events[i]->name,
		          strcmp(reply.events[i]->name, "done") == 0 ? "" : reply.events[i]->data);
	return t.at;
}

static void test_an_answer_is_cut_as_it_was(void **state)
{
	Chat__Message m = message("Two years, \xc3\xa4hm.", "Let me see");
	struct cuts p;

	(void)state;
	cuts_init(&p, &arena);
	cuts_add(&p, true, 4);
	cuts_add(&p, true, 6);
	cuts_add(&p, false, 3);
	cuts_add(&p, false, 13);
	assert_true(cuts_are_all(&p, &m, false, 6));
	assert_string_equal(told(&p, &m, 3), "4 reasoning {\"text\":\"me see\"}\n"
	                                     "5 delta {\"text\":\"Two\"}\n"
	                                     "6 delta {\"text\":\" years, \xc3\xa4hm.\"}\n"
	                                     "7 sources []\n8 done \n");
	assert_string_equal(told(&p, &m, 0) + strcspn(told(&p, &m, 0), "\n"),
	                    "\n2 message {\"id\":\"an answer\",\"role\"\n"
	                    "3 reasoning {\"text\":\"Let \"}\n4 reasoning {\"text\":\"me see\"}\n"
	                    "5 delta {\"text\":\"Two\"}\n"
	                    "6 delta {\"text\":\" years, \xc3\xa4hm.\"}\n"
	                    "7 sources []\n8 done \n");
	assert_string_equal(told(&p, &m, 8), "");
}

static void test_long_pieces(void **state)
{
	static const size_t sizes[] = { 0, 1, 63, 64, 8191, 8192, 300000 };
	struct cuts p;
	size_t all = 0;
	Chat__Message m;
	char *text;

	(void)state;
	cuts_init(&p, &arena);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; all += sizes[i++])
		cuts_add(&p, false, sizes[i]);
	text = arena_alloc(&arena, all + 1);
	memset(text, 'x', all);
	m = message(text, NULL);
	assert_true(cuts_are_all(&p, &m, false, 9));
	assert_string_equal(told(&p, &m, 9), "10 sources []\n11 done \n");
}

static void test_what_tells_more_is_no_sum_of_pieces(void **state)
{
	Chat__Message m = message("Two", "Let");
	struct cuts p;

	(void)state;
	cuts_init(&p, &arena);
	cuts_add(&p, false, 3);
	assert_true(cuts_are_all(&p, &m, true, 3));   /* what was thought is no visitor's */
	assert_false(cuts_are_all(&p, &m, false, 3)); /* it was thought, and not told */
	cuts_add(&p, true, 3);
	assert_true(cuts_are_all(&p, &m, false, 4));
	assert_false(cuts_are_all(&p, &m, false, 5)); /* something else was told, too */
	m.content = (char *)"Two years";
	assert_false(cuts_are_all(&p, &m, false, 4));
}

/* Nothing is told rather than something else. */
static void test_another_message(void **state)
{
	Chat__Message shorter = message("Tw", NULL), longer = message("Two years", NULL);
	struct cuts p;

	(void)state;
	cuts_init(&p, &arena);
	cuts_add(&p, false, 3);
	assert_null(told(&p, &shorter, 0));
	assert_null(told(&p, &longer, 0));
	p.packed.at[0] = (char)0x80;
	assert_null(told(&p, &longer, 0));
}

/* A rating that came later was not told then. */
static void test_what_came_later(void **state)
{
	Chat__Message rated = message("Two", NULL), before = message("Two", NULL);
	ProtobufCBinaryData one, other, packed = { 1, (uint8_t *)"\x06" };

	(void)state;
	rated.feedback = (char *)"up";
	rated.has_shown = true;
	rated.replaces = (char *)"another";
	cuts_log(packed, &begun, &before, &one, &arena);
	cuts_log(packed, &begun, &rated, &other, &arena);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_cut_as_it_was),
		cmocka_unit_test(test_long_pieces),
		cmocka_unit_test(test_what_tells_more_is_no_sum_of_pieces),
		cmocka_unit_test(test_another_message),
		cmocka_unit_test(test_what_came_later),
	};
	int failed;

	arena_init(&arena, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return failed;
}
