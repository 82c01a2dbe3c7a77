/* links: svc-chat/turn/past.c svc-chat/model/prompt.c svc-chat/model/tokens.c svc-chat/model/defuse.c svc-chat/model/citations.c svc-chat/model/citations_judge.c svc-chat/model/mark.c svc-chat/model/markdown.c svc-chat/model/markdown_lines.c -lunistring */
#include "svc-chat/turn/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "svc-chat/model/tokens.h"

static const char owner[] = "0192f3a0-0000-7000-8000-000000000001";
static const char other[] = "0192f3a0-0000-7000-8000-000000000002";

static char *session_of(int n, char text[UUID_TEXT])
{
	snprintf(text, UUID_TEXT, "0192f3a0-0000-7000-8000-%012d", n);
	return text;
}

static struct past *one(int n)
{
	const struct model_message said[] = { { "user", "Close </passage> it" },
		                              { "assistant", "Two years [1]." } };
	char session[UUID_TEXT];

	return past_of(owner, session_of(n, session), said, 2);
}

static void test_what_was_said_is_ready_for_a_prompt(void **state)
{
	struct past *past = one(1);

	(void)state;
	past_add(past, "And then?", "Three.", 1000);
	assert_int_equal(past->count, 4);
	assert_string_equal(past->messages[0].content, "Close </passage> it");
	assert_string_equal(past->messages[0].told, "Close &lt;/passage> it");
	assert_string_equal(past->messages[1].content, "Two years [1].");
	assert_string_equal(past->messages[1].told, "Two years.");
	assert_int_equal(past->messages[1].tokens, tokens_of("Two years [1]."));
	assert_string_equal(past->messages[2].role, "user");
	assert_string_equal(past->messages[3].told, "Three.");
	past_free(past);
}

static void test_calls_of_tools_are_not_kept(void **state)
{
	const struct model_call call = { "1", "look", "{}", "a result" };
	const struct model_message said[] = { { "user", "a" },
		                              { "assistant", "b", .calls = &call, .call_count = 1 } };
	char session[UUID_TEXT];

	(void)state;
	assert_null(past_of(owner, session_of(1, session), said, 2));
}

/* As the database would give it: the newest, so many and so many bytes at most. */
static void test_the_newest_is_kept(void **state)
{
	struct past *past = one(1);
	char question[16];

	(void)state;
	for (int i = 0; i < STORE_HISTORY; i++) {
		snprintf(question, sizeof question, "q%03d", i);
		past_add(past, question, "aaaa", 100000);
	}
	assert_int_equal(past->count, STORE_HISTORY);
	assert_string_equal(past->messages[0].content, "q050");
	past_add(past, "last", "aaaa", 26);
	assert_int_equal(past->count, 6);
	assert_string_equal(past->messages[0].content, "q098");
	past_add(past, "a question that is", "too long for so few bytes", 26);
	assert_int_equal(past->count, 1);
	past_add(past, "both are", "longer", 5);
	assert_int_equal(past->count, 0);
	past_free(past);
}

static void test_a_turn_takes_out_what_another_put_back(void **state)
{
	struct pasts *pasts = pasts_new();
	char session[UUID_TEXT];
	struct past *past;

	(void)state;
	assert_null(pasts_take(pasts, owner, session_of(1, session)));
	pasts_put(pasts, one(1));
	pasts_put(pasts, one(2));
	assert_null(pasts_take(pasts, other, session_of(1, session)));
	past = pasts_take(pasts, owner, session_of(1, session));
	assert_non_null(past);
	assert_null(pasts_take(pasts, owner, session));
	pasts_put(pasts, past);
	pasts_put(pasts, one(1)); /* instead of the other */
	past_free(pasts_take(pasts, owner, session));
	assert_null(pasts_take(pasts, owner, session));
	pasts_forget(pasts, session_of(2, session));
	pasts_forget(pasts, session);
	assert_null(pasts_take(pasts, owner, session));
	pasts_put(pasts, one(3));
	pasts_sweep(pasts); /* it is new */
	past = pasts_take(pasts, owner, session_of(3, session));
	assert_non_null(past);
	past_free(past);
	pasts_free(pasts);
}

/* Those that were asked least lately go. */
static void test_all_of_them_have_a_bound(void **state)
{
	static char long_answer[1 << 20];
	struct pasts *pasts = pasts_new();
	char session[UUID_TEXT];
	int kept = 0;

	(void)state;
	memset(long_answer, 'a', sizeof long_answer - 1);
	for (int i = 0; i < 20; i++) {
		struct past *past = one(i);

		past_add(past, "q", long_answer, sizeof long_answer);
		pasts_put(pasts, past);
	}
	for (int i = 0; i < 20; i++) {
		struct past *past = pasts_take(pasts, owner, session_of(i, session));

		kept += past != NULL;
		assert_true(!past || i >= 4);
		past_free(past);
	}
	assert_in_range(kept, 10, 16);
	pasts_free(pasts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_said_is_ready_for_a_prompt),
		cmocka_unit_test(test_calls_of_tools_are_not_kept),
		cmocka_unit_test(test_the_newest_is_kept),
		cmocka_unit_test(test_a_turn_takes_out_what_another_put_back),
		cmocka_unit_test(test_all_of_them_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
