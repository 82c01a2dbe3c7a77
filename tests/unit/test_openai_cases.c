/* links: tests/unit/provider_cases.c tests/unit/provider_cases_alike.c tests/unit/provider_cases_shapes.c tests/unit/provider_cases_thoughts.c tests/unit/provider_cases_calls.c tests/unit/provider_cases_words.c tests/unit/model_rig.c svc-chat/model/openai.c svc-chat/model/asking.c svc-chat/model/attempt.c svc-chat/model/openai_list.c svc-chat/model/verdict.c svc-chat/model/endpoint.c svc-chat/model/quirks.c svc-chat/model/hearing.c svc-chat/model/news.c svc-chat/model/prompted.c svc-chat/model/markup.c svc-chat/model/markup_tags.c svc-chat/model/prompted_forms.c svc-chat/model/loose.c svc-chat/model/prompted_messages.c svc-chat/model/defuse.c svc-chat/model/think.c svc-chat/model/completion.c svc-chat/model/pattern.c svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c -lunistring */
/*
 * What providers have really sent (provider_cases.h), each played whole and cut into pieces of three bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"
#include "tests/unit/provider_cases.h"

static char *read_case(const char *name, size_t *size, struct arena *a)
{
	FILE *f = fopen(arena_printf(a, "tests/data/chat/%s%s", name, strchr(name, '.') ? "" : ".txt"), "rb");
	char *bytes = arena_alloc(a, 1 << 20);

	assert_non_null(f);
	*size = fread(bytes, 1, 1 << 20, f);
	assert_true(*size > 0);
	fclose(f);
	return bytes;
}

static bool shorten(void *arg, const struct model_message **messages, size_t *count)
{
	int *times = arg;

	(void)messages;
	(void)count;
	return (*times)++ == 0;
}

/* "name {...}; name {...}", however their blanks stand. */
static const char *calls_of(const struct model_result *result, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < result->call_count; i++) {
		OWN(json) json_object *arguments = NULL;
		const char *text = result->calls[i].arguments;
		struct error err = { 0 };

		assert_int_equal(json_parse(text, strlen(text), &arguments, &err), 0);
		text_addf(&t, "%s%s %s", i ? "; " : "", result->calls[i].name, json_print(arguments, a));
	}
	return t.at;
}

static void play(const struct provider_case *c, int split)
{
	struct canned steps[STEPS + 1] = { { 0 } };
	const struct canned *given = c->steps[0].bytes ? c->steps : (struct canned[]){ { c->name }, { 0 } };
	int shortened = 0;
	struct asked asked = { .shorten = shorten,
		               .shorten_arg = &shortened,
		               .tools = c->tools,
		               .for_visitor = strcmp(c->name, "err-echo-prompt") == 0 };
	struct model_rig m;
	struct arena a;
	int got;

	print_message("%s, %d\n", c->name, split);
	arena_init(&a, 0);
	for (size_t k = 0; given[k].bytes; k++) {
		steps[k] = given[k];
		steps[k].bytes = read_case(given[k].bytes, &steps[k].size, &a);
		steps[k].split = split;
	}
	model_rig_start(&m, steps);
	got = model_rig_ask_once(&m, &asked, &a);
	model_rig_stop(&m);
	if (c->error)
		assert_non_null(strstr(asked.err.message, c->error));
	else
		assert_string_equal(asked.err.message, "");
	assert_int_equal(got, c->error ? -1 : 0);
	assert_null(strstr(asked.err.message, "9xYz"));
	assert_null(strstr(asked.err.message, "SECRET"));
	assert_string_equal(asked.text.at, c->text);
	if (c->reasoning)
		assert_true(asked.taken_back || strstr(asked.reasoning.at, c->reasoning));
	else
		assert_string_equal(asked.reasoning.at, "");
	if (c->finish)
		assert_string_equal(asked.result.finish, c->finish);
	assert_string_equal(calls_of(&asked.result, &a), c->calls ? c->calls : "");
	if (c->asked)
		assert_int_equal(m.asked, c->asked);
	assert_true(!c->shortened || shortened == 1);
	assert_true(asked.took_ms >= c->least_ms);
	assert_true(!c->most_ms || asked.took_ms <= c->most_ms);
	arena_done(&a);
}

/* Those that a clock is part of are played whole; also those that are asked for again, after a pause. */
static void play_list(const struct provider_case *c, int split)
{
	for (; c->name; c++)
		if (!split || (!c->least_ms && !c->most_ms && !c->asked))
			play(c, split);
}

static void play_all(int split)
{
	play_list(provider_cases, split);
	play_list(provider_shapes, split);
	play_list(provider_thoughts, split);
	play_list(provider_calls, split);
	for (const char *const *name = provider_alike; *name; name++)
		play(&(struct provider_case){ .name = *name,
		                              .text = "The warranty lasts two years [1].",
		                              .finish = "stop" },
		     split);
}

/* Of what is asked again, the second answer is a good one. */
static void test_words(void **state)
{
	(void)state;
	for (const struct provider_kind *kind = provider_kinds; *kind->names; kind++)
		for (const char *const *name = kind->names; *name; name++)
			play(&(struct provider_case){ .name = *name,
			                              .steps = { { *name, .when = kind->without },
			                                         { "good.txt", .unless = kind->without } },
			                              .text = kind->error
			                                          ? ""
			                                          : "The warranty lasts two years [1].",
			                              .error = kind->error,
			                              .finish = kind->error ? NULL : "stop",
			                              .asked = kind->error ? 1 : 2,
			                              .tools = kind->tools,
			                              .shortened = kind->shortened },
			     0);
}

static void test_whole(void **state)
{
	(void)state;
	play_all(0);
}

static void test_in_pieces(void **state)
{
	(void)state;
	play_all(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_in_pieces),
		                            cmocka_unit_test(test_words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
