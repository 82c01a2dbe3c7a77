/* links: svc-chat/model/provider_builtin.c svc-chat/model/sentences.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "svc-chat/model/provider.h"

struct written {
	struct text text;
	int pieces, stop_after;
};

static int take(void *arg, const char *bytes, size_t size)
{
	struct written *w = arg;

	assert_true(size > 0);
	text_add(&w->text, bytes, size);
	return ++w->pieces == w->stop_after;
}

static const struct passage passages[] = {
	{ "Manual", 3,
	  "Warranty\n\nThe kettle has a warranty of two years.[12] It begins on the day of purchase.\n"
	  "Send it back in its box." },
	{ "Shipping", 0,
	  "We ship to Norway within 5 days. Express parcels\narrive the next day. Parcels are insured." },
	{ "Manual again", 3, "The kettle has a warranty of two years.[12] Clean it with vinegar." },
};

static int ask(const char *question, size_t count, struct written *w, bool cancel, struct arena *a,
               struct error *err)
{
	atomic_bool cancelled = cancel;
	struct chat_provider *p = provider_builtin();
	struct chat_request request = { .question = question,
		                        .welcome = "",
		                        .passages = passages,
		                        .passage_count = count,
		                        .has_documents = true,
		                        .cancelled = &cancelled };
	struct chat_result result = { 0 };

	text_init(&w->text, a);
	return p->answer(p, &request, &(struct chat_sink){ take, take, w }, &result, a, err);
}

static void test_answers(void **state)
{
	static const struct {
		const char *name, *question;
		size_t passages;
		const char *want, *not_wanted;
	} cases[] = {
		{ "the sentence that fits, quoted once", "How long is the warranty of the kettle?", 3,
		  "> The kettle has a warranty of two years. [1]", "[3]" },
		{ "says that it quotes", "How long is the warranty of the kettle?", 3, "word for word",
		  "vinegar" },
		{ "other words of the stem", "Which countries are shipped to? Is Norway?", 3,
		  "> We ship to Norway within 5 days. [2]", "kettle" },
		{ "on one line", "When do express parcels arrive?", 3,
		  "> Express parcels arrive the next day. [2]", "\narrive" },
		{ "nothing that fits", "Who was the first president of Brazil?", 3,
		  "I found nothing in the documents about that.", ">" },
		{ "no passages", "How long is the warranty?", 0,
		  "I found nothing in the documents about that.", ">" },
		{ "only stop words", "What is it?", 3, "I found nothing", ">" },
		{ "no words at all", "???", 3, "I found nothing", ">" },
		{ "a greeting", "Hello!", 3, "Hello!", ">" },
		{ "a greeting is not all", "Hello, how long is the warranty of the kettle?", 3,
		  "two years. [1]", "Ask me" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct written w = { 0 };
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		assert_int_equal(ask(cases[i].question, cases[i].passages, &w, false, &a, &err), 0);
		if (!strstr(w.text.at, cases[i].want) || strstr(w.text.at, cases[i].not_wanted))
			fail_msg("%s", w.text.at);
		arena_done(&a);
	}
}

static void test_without_documents(void **state)
{
	atomic_bool no = false;
	struct chat_request request = { .question = "How long?", .welcome = "Welcome!", .cancelled = &no };
	struct chat_provider *p = provider_builtin();
	struct written w = { 0 };
	struct chat_result result;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&w.text, &a);
	assert_int_equal(p->answer(p, &request, &(struct chat_sink){ take, take, &w }, &result, &a, &err), 0);
	assert_non_null(strstr(w.text.at, "no documents"));
	text_init(&w.text, &a);
	request.question = "hi";
	assert_int_equal(p->answer(p, &request, &(struct chat_sink){ take, take, &w }, &result, &a, &err), 0);
	assert_string_equal(w.text.at, "Welcome!");
	arena_done(&a);
}

static void test_pieces_and_stopping(void **state)
{
	struct written w = { .stop_after = 2 };
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(ask("How long is the warranty of the kettle?", 3, &w, false, &a, &err), 0);
	assert_int_equal(w.pieces, 2);
	w = (struct written){ 0 };
	assert_int_equal(ask("How long is the warranty of the kettle?", 3, &w, true, &a, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_without_documents),
		cmocka_unit_test(test_pieces_and_stopping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
