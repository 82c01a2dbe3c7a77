/* links: svc-chat/model/completion.c */
#include "svc-chat/model/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *name, *bytes;
	size_t size;
	const char *want; /* "text|reasoning|finish|prompt+completion tokens", or the error's message */
} cases[] = {
	{ "OpenAI, first chunk",
	  BYTES(
	      "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt\",\"choices\":[{\"index\":0,\"delta\":"
	      "{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}"),
	  "-|-|-|" },
	{ "OpenAI, text",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\" Hi\\n\"},\"finish_reason\":null}]}"),
	  " Hi\n|-|-|" },
	{ "OpenAI, the end",
	  BYTES("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}"), "-|-|stop|" },
	{ "OpenAI, usage without choices",
	  BYTES(
	      "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7,\"total_tokens\":12}}"),
	  "-|-|-|5+7" },
	{ "DeepSeek, reasoning",
	  BYTES(
	      "{\"choices\":[{\"delta\":{\"content\":null,\"reasoning_content\":\"Hm\"},\"finish_reason\":null}]}"),
	  "-|Hm|-|" },
	{ "vLLM, reasoning", BYTES("{\"choices\":[{\"delta\":{\"reasoning\":\"Hm\"}}]}"), "-|Hm|-|" },
	{ "a whole answer",
	  BYTES(
	      "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
	      "\"Yes.\",\"reasoning_content\":\"Hm\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
	      "\"completion_tokens\":2}}"),
	  "Yes.|Hm|stop|1+2" },
	{ "tool calls are passed over",
	  BYTES(
	      "{\"choices\":[{\"delta\":{\"content\":null,\"tool_calls\":[{\"index\":0}]},\"finish_reason\":\"tool_calls\"}]}"),
	  "-|-|tool_calls|" },
	{ "only the first choice",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}"),
	  "a|-|-|" },
	{ "UTF-8 and escapes",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\"h\xc3\xa9\\u00e9\\ud83d\\ude00\"}}]}"),
	  "h\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80|-|-|" },
	{ "odd types",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":5},\"finish_reason\":{}}],\"usage\":[],\"model\":1}"),
	  "-|-|-|" },
	{ "odd usage", BYTES("{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":\"7\"}}"), "-|-|-|0+0" },
	{ "choices that are none", BYTES("{\"choices\":{\"0\":1}}"), "-|-|-|" },
	{ "an empty object", BYTES("{}"), "-|-|-|" },
	{ "done", BYTES("[DONE]"), "done" },
	{ "nearly done", BYTES("[DONE] "), "the model's answer could not be read" },
	{ "an error", BYTES("{\"error\":{\"message\":\"Overloaded\\nnow\",\"type\":\"server_error\"}}"),
	  "the model refused: Overloaded now" },
	{ "an error that is a string", BYTES("{\"error\":\"no such model\"}"),
	  "the model refused: no such model" },
	{ "an error without words", BYTES("{\"error\":{\"code\":5}}"), "the model refused: no reason given" },
	{ "null", BYTES("null"), "the model's answer could not be read" },
	{ "a list", BYTES("[1]"), "the model's answer could not be read" },
	{ "nothing", BYTES(""), "the model's answer could not be read" },
	{ "cut off", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a"),
	  "the model's answer could not be read" },
	{ "trailing garbage", BYTES("{} x"), "the model's answer could not be read" },
	{ "not UTF-8", BYTES("{\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}"),
	  "the model's answer could not be read" },
	{ "NUL", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\0b\"}}]}"),
	  "the model's answer could not be read" },
	{ "NUL, escaped", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\\u0000b\"}}]}"),
	  "the model's answer could not be read" },
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct completion c;
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		if (completion_read(cases[i].bytes, cases[i].size, &c, &a, &err) < 0) {
			assert_int_equal(err.code, ERROR_UPSTREAM);
			text_adds(&got, err.message);
		} else if (c.done) {
			text_adds(&got, "done");
		} else {
			text_addf(&got, "%s|%s|%s|", c.text ? c.text : "-", c.reasoning ? c.reasoning : "-",
			          c.finish ? c.finish : "-");
			if (c.has_usage)
				text_addf(&got, "%d+%d", (int)c.prompt_tokens, (int)c.completion_tokens);
		}
		assert_string_equal(got.at, cases[i].want);
		arena_done(&a);
	}
}

static void test_complaints(void **state)
{
	static const struct {
		const char *name, *body, *want;
	} bodies[] = {
		{ "OpenAI", "{\"error\":{\"message\":\"Incorrect API key\",\"code\":\"x\"}}",
		  "Incorrect API key" },
		{ "Ollama", "{\"error\":\"model not found\"}", "model not found" },
		{ "vLLM", "{\"object\":\"error\",\"message\":\"too long\",\"code\":400}", "too long" },
		{ "FastAPI", "{\"detail\":\"Not Found\"}", "Not Found" },
		{ "a page", "<html>502</html>", "" },
		{ "nothing", "", "" },
		{ "a list", "[]", "" },
		{ "detail that is a list", "{\"detail\":[{\"msg\":\"x\"}]}", "" },
	};
	struct text body;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		print_message("%s\n", bodies[i].name);
		assert_string_equal(completion_complaint(bodies[i].body, strlen(bodies[i].body), &a),
		                    bodies[i].want);
	}
	/* A long one is cut between characters. */
	text_init(&body, &a);
	text_adds(&body, "{\"error\":\"x");
	for (int i = 0; i < 300; i++)
		text_adds(&body, "\xe2\x82\xac");
	text_adds(&body, "\"}");
	assert_int_equal(strlen(completion_complaint(body.at, body.length, &a)), 199);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
