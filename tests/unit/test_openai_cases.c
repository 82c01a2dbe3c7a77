/* links: tests/unit/model_rig.c svc-chat/model/openai.c svc-chat/model/asking.c svc-chat/model/attempt.c svc-chat/model/openai_list.c svc-chat/model/verdict.c svc-chat/model/endpoint.c svc-chat/model/quirks.c svc-chat/model/hearing.c svc-chat/model/prompted.c svc-chat/model/defuse.c svc-chat/model/think.c svc-chat/model/completion.c svc-chat/model/pattern.c svc-chat/model/calls.c svc-chat/model/complaint.c svc-chat/model/repair.c -lunistring */
/*
 * What providers have really sent, byte for byte (tests/data/chat, each as it was reported somewhere), and what must come
 * of it. Each is played whole and cut into pieces of three bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model_rig.h"

enum { STEPS = 2 };

struct provider_case {
	const char *name;
	struct canned steps[STEPS + 1]; /* bytes: the file's name */
	const char *text, *reasoning;   /* reasoning: part of it; NULL: none */
	const char *error, *finish;     /* error: part of the sentence */
	int asked, least_ms, most_ms;   /* 0: any */
};

static const struct provider_case cases[] = {
	{ .name = "data-keepalive",
	  .steps = { { "data-keepalive.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "single-newline",
	  .steps = { { "single-newline.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "done-spaces",
	  .steps = { { "done-spaces.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "garbage-after-finish",
	  .steps = { { "garbage-after-finish.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "finish-event-cut",
	  .steps = { { "finish-event-cut.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "gzip",
	  .steps = { { "gzip.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "hold-after-finish",
	  .steps = { { "hold-after-finish.txt", .end = END_HANG } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .most_ms = 8000 },
	{ .name = "parts",
	  .steps = { { "parts.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "parts-thinking",
	  .steps = { { "parts-thinking.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Let me see. ",
	  .finish = "stop" },
	{ .name = "reasoning-details",
	  .steps = { { "reasoning-details.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Hm. ",
	  .finish = "stop" },
	{ .name = "think",
	  .steps = { { "think.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "says no",
	  .finish = "stop" },
	{ .name = "think-close-only",
	  .steps = { { "think-close-only.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Let me look at [2]",
	  .finish = "stop" },
	{ .name = "think-unclosed",
	  .steps = { { "think-unclosed.txt" } },
	  .text = "",
	  .reasoning = "Let me look and look",
	  .error = "raise maxTokens" },
	{ .name = "thinking-tag",
	  .steps = { { "thinking-tag.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Hm.",
	  .finish = "stop" },
	{ .name = "gpt-oss-channels",
	  .steps = { { "gpt-oss-channels.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Hm.",
	  .finish = "stop" },
	{ .name = "refusal",
	  .steps = { { "refusal.txt" } },
	  .text = "I can't help with that.",
	  .finish = "stop" },
	{ .name = "content-filter-empty",
	  .steps = { { "content-filter-empty.txt" } },
	  .text = "",
	  .error = "content filter" },
	{ .name = "length", .steps = { { "length.txt" } }, .text = "The warranty lasts", .finish = "length" },
	{ .name = "length-all-reasoning",
	  .steps = { { "length-all-reasoning.txt" } },
	  .text = "",
	  .reasoning = "Hm. Hm.",
	  .error = "raise maxTokens" },
	{ .name = "finish-error",
	  .steps = { { "finish-error.txt" } },
	  .text = "The warranty",
	  .error = "broke off its answer" },
	{ .name = "delta-null-message",
	  .steps = { { "delta-null-message.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "legacy-text",
	  .steps = { { "legacy-text.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "nul",
	  .steps = { { "nul.txt" } },
	  .text = "The warranty lasts� two years [1].",
	  .finish = "stop" },
	{ .name = "surrogates", .steps = { { "surrogates.txt" } }, .text = "Yes �� [1].", .finish = "stop" },
	{ .name = "err-object-error",
	  .steps = { { "err-object-error.txt" } },
	  .text = "The warranty",
	  .error = "EngineDeadError" },
	{ .name = "err-base-resp",
	  .steps = { { "err-base-resp.txt" } },
	  .text = "",
	  .error = "insufficient balance" },
	{ .name = "html-200", .steps = { { "html-200.txt" } }, .text = "", .error = "CHAT_BASE_URL" },
	{ .name = "reset-first-then-ok",
	  .steps = { { "reset-first-then-ok.txt", .end = END_RESET }, { "reset-first-then-ok.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "e402", .steps = { { "e402.txt" } }, .text = "", .error = "balance" },
	{ .name = "e404-html", .steps = { { "e404-html.txt" } }, .text = "", .error = "CHAT_BASE_URL" },
	{ .name = "e429-float",
	  .steps = { { "e429-float.txt" }, { "e429-float.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2,
	  .least_ms = 2400 },
	{ .name = "e500-then-ok",
	  .steps = { { "e500-then-ok.txt" }, { "e500-then-ok.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "e502-then-ok",
	  .steps = { { "e502-then-ok.txt" }, { "e502-then-ok.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "e408-then-ok",
	  .steps = { { "e408-then-ok.txt" }, { "e408-then-ok.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "redirect-308", .steps = { { "redirect-308.txt" } }, .text = "", .error = "CHAT_BASE_URL" },
	{ .name = "err-detail-list",
	  .steps = { { "err-detail-list.txt" } },
	  .text = "",
	  .error = "Field required" },
	{ .name = "err-text", .steps = { { "err-text.txt" } }, .text = "", .error = "too long" },
	{ .name = "no-stream-options-422",
	  .steps = { { "no-stream-options-422.txt", .when = "\"stream_options\"" },
	             { "no-stream-options-422.2.txt", .unless = "\"stream_options\"" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "no-temperature-500",
	  .steps = { { "no-temperature-500.txt", .when = "\"temperature\"" },
	             { "no-temperature-500.2.txt", .unless = "\"temperature\"" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "no-system",
	  .steps = { { "no-system.txt", .when = "\"role\":\"system\"" },
	             { "no-system.2.txt", .unless = "\"role\":\"system\"" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "context-length",
	  .steps = { { "context-length.txt" }, { "context-length.2.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "strict-max-tokens",
	  .steps = { { "strict-max-tokens.txt", .when = "\"max_completion_tokens\"" },
	             { "strict-max-tokens.2.txt", .unless = "\"max_completion_tokens\"" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop" },
	{ .name = "err-key-in-stream",
	  .steps = { { "err-key-in-stream.txt" } },
	  .text = "",
	  .error = "does not accept our key" },
	{ .name = "err-key-400",
	  .steps = { { "err-key-400.txt" } },
	  .text = "",
	  .error = "does not accept our key" },
	{ .name = "err-echo-prompt",
	  .steps = { { "err-echo-prompt.txt" } },
	  .text = "",
	  .error = "try again later" },
	{ .name = "max-completion-tokens",
	  .steps = { { "max-completion-tokens.txt", .when = "\"max_tokens\"" },
	             { "max-completion-tokens.2.txt", .unless = "\"max_tokens\"" } },
	  .text = "The warranty lasts two years [1].",
	  .finish = "stop",
	  .asked = 2 },
	{ .name = "cohere-max-tokens",
	  .steps = { { "cohere-max-tokens.txt" } },
	  .text = "The warranty lasts",
	  .finish = "length" },
	{ .name = "deepseek-keepalive",
	  .steps = { { "deepseek-keepalive.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .reasoning = "Hm. ",
	  .finish = "stop" },
	{ .name = "error-event-of-words",
	  .steps = { { "error-event-of-words.txt" } },
	  .text = "The warranty lasts",
	  .error = "broke off" },
	{ .name = "gemini-error-list",
	  .steps = { { "gemini-error-list.txt" } },
	  .text = "",
	  .error = "does not accept our key" },
	{ .name = "groq-error",
	  .steps = { { "groq-error.txt" } },
	  .text = "The warranty lasts",
	  .error = "broke off" },
	{ .name = "latin1",
	  .steps = { { "latin1.txt" } },
	  .text = "The warranty lasts two years � [1].",
	  .finish = "stop" },
	{ .name = "litellm-error",
	  .steps = { { "litellm-error.txt" } },
	  .text = "The warranty lasts",
	  .error = "upstream closed" },
	{ .name = "lmstudio-error-event",
	  .steps = { { "lmstudio-error-event.txt" } },
	  .text = "The warranty lasts",
	  .error = "has crashed" },
	{ .name = "mistral-model-length",
	  .steps = { { "mistral-model-length.txt" } },
	  .text = "The warranty lasts",
	  .finish = "length" },
	{ .name = "no-finish-no-done",
	  .steps = { { "no-finish-no-done.txt" } },
	  .text = "The warranty lasts two years [1].",
	  .error = "broke off" },
	{ .name = "openrouter-error-late",
	  .steps = { { "openrouter-error-late.txt" } },
	  .text = "The warranty lasts",
	  .error = "broke off" },
	{ .name = "tgi-error",
	  .steps = { { "tgi-error.txt" } },
	  .text = "The warranty lasts",
	  .error = "out of memory" },
	{ .name = "zhipu-sensitive",
	  .steps = { { "zhipu-sensitive.txt" } },
	  .text = "The warranty lasts",
	  .finish = "filtered" },
};

/* As servers and gateways of many kinds tell it; the same of all: "The warranty lasts two years [1].", and "stop". */
static const char *const alike[] = { "azure-filters",
	                             "bedrock-end-turn",
	                             "big-numbers",
	                             "bom",
	                             "choices-null",
	                             "cohere-upper",
	                             "content-object",
	                             "cr-only",
	                             "crlf",
	                             "delta-null",
	                             "done-without-finish",
	                             "events-in-lists",
	                             "finish-empty-word",
	                             "finish-eos",
	                             "finish-null-word",
	                             "finish-without-done",
	                             "gemini-finish-with-text",
	                             "groq",
	                             "id-retry-fields",
	                             "kimi-usage-in-choice",
	                             "llamacpp",
	                             "minimax-base-resp",
	                             "mistral-reference",
	                             "multi-line-data",
	                             "nan",
	                             "ndjson",
	                             "no-space-after-colon",
	                             "openrouter-comments",
	                             "perplexity-cumulative",
	                             "refusal-null",
	                             "role-again",
	                             "spaces-before-json",
	                             "together-text-beside",
	                             "two-choices",
	                             "usage-strings",
	                             "vllm-usage-in-each",
	                             "whole-after-blanks" };

static char *read_case(const char *name, size_t *size, struct arena *a)
{
	FILE *f = fopen(arena_printf(a, "tests/data/chat/%s", name), "rb");
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

static void play(const struct provider_case *c, int split)
{
	struct canned steps[STEPS + 1] = { { 0 } };
	int shortened = 0;
	struct asked asked = { .shorten = shorten,
		               .shorten_arg = &shortened,
		               .for_visitor = strcmp(c->name, "err-echo-prompt") == 0 };
	struct model_rig m;
	struct arena a;
	int got;

	print_message("%s, %d\n", c->name, split);
	arena_init(&a, 0);
	for (size_t k = 0; c->steps[k].bytes; k++) {
		steps[k] = c->steps[k];
		steps[k].bytes = read_case(c->steps[k].bytes, &steps[k].size, &a);
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
	if (c->asked)
		assert_int_equal(m.asked, c->asked);
	assert_true(asked.took_ms >= c->least_ms);
	assert_true(!c->most_ms || asked.took_ms <= c->most_ms);
	arena_done(&a);
}

/* Those that a clock is part of are played whole. */
static void play_all(int split)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (!split || (!cases[i].least_ms && !cases[i].most_ms))
			play(&cases[i], split);
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
		char file[64];
		struct provider_case c = { .name = alike[i],
			                   .steps = { { file } },
			                   .text = "The warranty lasts two years [1].",
			                   .finish = "stop" };

		snprintf(file, sizeof file, "%s.txt", alike[i]);
		play(&c, split);
	}
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole), cmocka_unit_test(test_in_pieces) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
