/* links: svc-chat/model/endpoint.c svc-chat/model/quirks.c svc-chat/model/prompted.c svc-chat/model/markup.c svc-chat/model/markup_tags.c svc-chat/model/prompted_forms.c svc-chat/model/loose.c svc-chat/model/prompted_messages.c svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/defuse.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c */
#include "svc-chat/model/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_urls(void **state)
{
	static const struct {
		const char *url, *chat, *models, *header; /* chat NULL: refused */
	} cases[] = {
		{ "https://api.x.com/v1", "https://api.x.com/v1/chat/completions",
		  "https://api.x.com/v1/models", "Authorization: Bearer k" },
		{ " http://x/v1/\n", "http://x/v1/chat/completions", "http://x/v1/models",
		  "Authorization: Bearer k" },
		{ "http://x/v1/chat/completions", "http://x/v1/chat/completions", "http://x/v1/models",
		  "Authorization: Bearer k" },
		{ "http://x/v1/chat/completions/", "http://x/v1/chat/completions", "http://x/v1/models",
		  "Authorization: Bearer k" },
		{ "HTTPS://x.azure.com/openai/deployments/d?api-version=2024-06-01",
		  "HTTPS://x.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01",
		  "HTTPS://x.azure.com/openai/deployments/d/models?api-version=2024-06-01", "api-key: k" },
		{ "http://x/v1/chat/completions?a=b#c", "http://x/v1/chat/completions?a=b",
		  "http://x/v1/models?a=b", "Authorization: Bearer k" },
		{ "http://127.0.0.1:9", "http://127.0.0.1:9/chat/completions", "http://127.0.0.1:9/models",
		  "Authorization: Bearer k" },
		{ "127.0.0.1:9/v1", NULL, NULL, NULL },
		{ "hello", NULL, NULL, NULL },
		{ "ftp://x/v1", NULL, NULL, NULL },
		{ "http://", NULL, NULL, NULL },
		{ "http://x/a b", NULL, NULL, NULL },
		{ "http://x/a\r\nb", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct endpoint e;
		struct arena a;

		print_message("%s\n", cases[i].url);
		arena_init(&a, 0);
		assert_int_equal(endpoint_init(&e, "CHAT_BASE_URL", cases[i].url, " k\n", " m ", &a, &err),
		                 cases[i].chat ? 0 : -1);
		if (cases[i].chat) {
			assert_string_equal(e.chat_url, cases[i].chat);
			assert_string_equal(e.models_url, cases[i].models);
			assert_string_equal(e.headers[2], cases[i].header);
			assert_string_equal(e.model, "m");
		} else {
			assert_non_null(strstr(err.message, "CHAT_BASE_URL"));
		}
		arena_done(&a);
	}
}

static void test_a_key_that_no_header_can_hold(void **state)
{
	struct error err = { 0 };
	struct endpoint e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(endpoint_init(&e, "CHAT_BASE_URL", "http://x/v1", "sk\r\nX: y", "m", &a, &err), -1);
	assert_int_equal(err.code, ERROR_INVALID);
	arena_done(&a);
}

/* What a model refuses is left out of the next request. */
static void test_bodies(void **state)
{
	static const struct model_message messages[] = {
		{ "system", "Be kind." }, { "user", "Hi" }, { "assistant", "Yes?" }, { "user", "\"Who?\"" }
	};
	static const struct {
		struct quirks quirks;
		const char *want;
	} cases[] = {
		{ { 0 },
		  "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\",\"content\":"
		  "\"Hi\"},{\"role\":\"assistant\",\"content\":\"Yes?\"},{\"role\":\"user\",\"content\":\"\\\"Who?\\\"\"}],"
		  "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"max_tokens\":500,\"temperature\":0.5}" },
		{ { QUIRK_NO_SYSTEM | QUIRK_NO_STREAM | QUIRK_NO_TEMPERATURE | QUIRK_NO_MAX_TOKENS, 0 },
		  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Be kind.\\n\\nHi\"},{\"role\":\"assistant\","
		  "\"content\":\"Yes?\"},{\"role\":\"user\",\"content\":\"\\\"Who?\\\"\"}]}" },
		{ { QUIRK_NO_STREAM_OPTIONS | QUIRK_COMPLETION_TOKENS | QUIRK_NO_SYSTEM, 100 },
		  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Be kind.\\n\\nHi\"},{\"role\":\"assistant\","
		  "\"content\":\"Yes?\"},{\"role\":\"user\",\"content\":\"\\\"Who?\\\"\"}],\"stream\":true,"
		  "\"max_completion_tokens\":100,\"temperature\":0.5}" },
	};
	struct model_request request = { .temperature = 0.5, .max_tokens = 500 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(endpoint_body(&request, messages, 4, "m", &cases[i].quirks, false, &a),
		                    cases[i].want);
	arena_done(&a);
}

static void test_lessons(void **state)
{
	static const struct {
		const char *name;
		struct quirks before;
		int status;
		const char *words;
		struct quirks after; /* the same: nothing is learned */
	} cases[] = {
		{ "stream_options",
		  { 0 },
		  400,
		  "Unrecognized request argument supplied: stream_options",
		  { 1, 0 } },
		{ "the same again",
		  { 1, 0 },
		  400,
		  "Unrecognized request argument supplied: stream_options",
		  { 1, 0 } },
		{ "temperature as 500", { 0 }, 500, "'temperature' does not support 0.7", { 2, 0 } },
		{ "the system role", { 0 }, 400, "System role not supported", { 4, 0 } },
		{ "alternation", { 0 }, 400, "Conversation roles must alternate user/assistant", { 4, 0 } },
		{ "streams", { 0 }, 400, "Unsupported value: 'stream' does not support true", { 8, 0 } },
		{ "max_tokens",
		  { 0 },
		  400,
		  "'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
		  { 16, 0 } },
		{ "max_completion_tokens", { 16, 0 }, 422, "max_completion_tokens: extra", { 0, 0 } },
		{ "no bound at all", { 0 }, 422, "max_tokens: extra inputs are not permitted", { 32, 0 } },
		{ "too many",
		  { 0 },
		  400,
		  "max_tokens is too large: 1000. It supports at most 256 completion tokens",
		  { 0, 256 } },
		{ "a range", { 0 }, 400, "the valid range of max_tokens is [1, 512]", { 0, 512 } },
		{ "a key", { 0 }, 401, "temperature", { 0 } },
		{ "a rate", { 0 }, 429, "max_tokens a minute are used up", { 0 } },
		{ "a context", { 0 }, 400, "maximum context length is 4096; reduce max_tokens", { 0 } },
		{ "something else", { 0 }, 400, "no", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct quirks got = cases[i].before;
		struct complaint c = { cases[i].words, "", cases[i].status };
		bool learned = quirks_learn(&got, &c, 1000);

		print_message("%s\n", cases[i].name);
		assert_int_equal(got.bits, cases[i].after.bits);
		assert_int_equal(got.most_tokens, cases[i].after.most_tokens);
		assert_int_equal(learned, got.bits != cases[i].before.bits ||
		                              got.most_tokens != cases[i].before.most_tokens);
	}
}

static int loads, saves;

static int load(void *db, const char *endpoint, const char *model, struct quirks *ret)
{
	(void)db;
	loads++;
	*ret = (struct quirks){ strcmp(model, "known") == 0 ? QUIRK_NO_SYSTEM : 0, 0 };
	return strcmp(endpoint, "http://x/v1") == 0;
}

static void save(void *db, const char *endpoint, const char *model, const struct quirks *quirks)
{
	(void)db;
	(void)endpoint;
	(void)model;
	saves += (int)quirks->bits;
}

/* Learned for one model, not for the endpoint; asked of the database once a minute at most. */
static void test_what_is_kept(void **state)
{
	struct quirks_cache *cache = quirks_open(&(struct quirks_store){ load, save });
	int db;

	(void)state;
	assert_int_equal(quirks_of(cache, &db, "http://x/v1", "known").bits, QUIRK_NO_SYSTEM);
	assert_int_equal(quirks_of(cache, &db, "http://x/v1", "known").bits, QUIRK_NO_SYSTEM);
	assert_int_equal(loads, 1);
	quirks_keep(cache, &db, "http://x/v1", "a", &(struct quirks){ QUIRK_NO_STREAM, 0 });
	assert_int_equal(saves, QUIRK_NO_STREAM);
	assert_int_equal(quirks_of(cache, &db, "http://x/v1", "a").bits, QUIRK_NO_STREAM);
	assert_int_equal(quirks_of(cache, &db, "http://x/v1", "b").bits, 0);
	assert_int_equal(quirks_of(cache, &db, "http://y/v1", "a").bits, 0);
	quirks_close(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),         cmocka_unit_test(test_a_key_that_no_header_can_hold),
		cmocka_unit_test(test_bodies),       cmocka_unit_test(test_lessons),
		cmocka_unit_test(test_what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
