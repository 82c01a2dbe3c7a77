/* links: svc-chat/model/completion.c svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c */
#include "svc-chat/model/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/base/utf8.h"

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
	{ "only the first choice, wherever it stands",
	  BYTES(
	      "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}},{\"index\":0,\"delta\":{\"content\":\"a\"}}]}"),
	  "a|-|-|" },
	{ "a choice that counts from one",
	  BYTES("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"a\"}}]}"), "a|-|-|" },
	{ "DashScope, no end yet",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"null\"}]}"), "a|-|-|" },
	{ "no end yet, in Python",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"None\"}]}"), "a|-|-|" },
	{ "Groq, usage",
	  BYTES("{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}}"),
	  "-|-|-|5+7" },
	{ "Moonshot, usage",
	  BYTES(
	      "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}]}"),
	  "-|-|stop|5+7" },
	{ "a list of one", BYTES("[{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}]"), "a|-|-|" },
	{ "a number beyond all bounds",
	  BYTES(
	      "{\"x\":-123456789012345678901234567890,\"choices\":[{\"delta\":{\"content\":\"12345678901234567890123\"}}]}"),
	  "12345678901234567890123|-|-|" },
	{ "UTF-8 and escapes",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":\"h\xc3\xa9\\u00e9\\ud83d\\ude00\"}}]}"),
	  "h\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80|-|-|" },
	{ "odd types",
	  BYTES("{\"choices\":[{\"delta\":{\"content\":5},\"finish_reason\":{}}],\"usage\":[],\"model\":1}"),
	  "5|-|-|" },
	{ "odd usage", BYTES("{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":\"7\"}}"), "-|-|-|0+0" },
	{ "choices that are none", BYTES("{\"choices\":{\"0\":1}}"), "-|-|-|" },
	{ "an empty object", BYTES("{}"), "-|-|-|" },
	{ "done", BYTES("[DONE]"), "done" },
	{ "done, with blanks round it", BYTES(" [DONE] \r"), "done" },
	{ "an error", BYTES("{\"error\":{\"message\":\"Overloaded\\nnow\",\"type\":\"server_error\"}}"),
	  "error: Overloaded now" },
	{ "an error that is a string", BYTES("{\"error\":\"no such model\"}"), "error: no such model" },
	{ "an error without words", BYTES("{\"error\":{\"code\":5}}"), "error: " },
	{ "null", BYTES("null"), "unread" },
	{ "a list", BYTES("[1]"), "unread" },
	{ "nothing", BYTES(""), "unread" },
	{ "cut off", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a"), "unread" },
	{ "trailing garbage", BYTES("{} x"), "unread" },
	{ "not UTF-8", BYTES("{\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}"),
	  "\xef\xbf\xbd\xef\xbf\xbd|-|-|" },
	{ "NUL", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\0b\"}}]}"),
	  "a\xef\xbf\xbd"
	  "b|-|-|" },
	{ "NUL, escaped", BYTES("{\"choices\":[{\"delta\":{\"content\":\"a\\u0000b\"}}]}"),
	  "a\xef\xbf\xbd"
	  "b|-|-|" },
	{ "parts",
	  BYTES(
	      "{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"h\"}]},{\"type\":\"text\",\"text\":{\"value\":\"a\"}},\"b\"]}}]}"),
	  "ab|h|-|" },
	{ "a refusal", BYTES("{\"choices\":[{\"delta\":{\"refusal\":\"No.\"}}]}"), "No.|-|-|" },
	{ "text_completion", BYTES("{\"choices\":[{\"text\":\"a\",\"finish_reason\":null}]}"), "a|-|-|" },
	{ "error that is null", BYTES("{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"),
	  "a|-|-|" },
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct completion c;
		struct text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&got, &a);
		if (!completion_read(cases[i].bytes, cases[i].size, &c, &a)) {
			text_adds(&got, "unread");
		} else if (c.failed) {
			text_addf(&got, "error: %s", c.complaint.words);
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

static const char *const kinds[] = { "request", "key",    "payment", "address", "redirect",
	                             "busy",    "failed", "context", "filter" };

static void test_complaints(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *body, *kind, *words;
	} bodies[] = {
		{ "OpenAI's key", 401, "{\"error\":{\"message\":\"Incorrect API key provided: sk-p**9x\"}}",
		  "key", "" },
		{ "a key in a 400", 400, "{\"error\":{\"message\":\"Your api key: ****9x is invalid\"}}",
		  "key", "" },
		{ "forbidden", 403, "{}", "key", "" },
		{ "no quota", 429, "{\"error\":{\"message\":\"Pay\",\"code\":\"insufficient_quota\"}}",
		  "payment", "Pay" },
		{ "a rate", 429, "{\"error\":{\"message\":\"slow\"}}", "busy", "slow" },
		{ "Ollama", 404, "{\"error\":\"model not found\"}", "address", "model not found" },
		{ "vLLM", 400, "{\"object\":\"error\",\"message\":\"too odd\",\"code\":400}", "request",
		  "too odd" },
		{ "vLLM's context", 400, "{\"error\":\"This model's maximum context length is 4096 tokens\"}",
		  "context", "This model's maximum context length is 4096 tokens" },
		{ "llama.cpp's context", 500,
		  "{\"error\":{\"message\":\"the request exceeds the available context size\"}}", "context",
		  "the request exceeds the available context size" },
		{ "FastAPI", 422, "{\"detail\":\"Not so\"}", "request", "Not so" },
		{ "FastAPI's list", 422,
		  "{\"detail\":[{\"loc\":[\"body\",\"x\"],\"msg\":\"Field required\"},{\"msg\":\"y\"}]}",
		  "request", "body.x: Field required; y" },
		{ "Google's list", 400,
		  "[{\"error\":{\"code\":400,\"message\":\"odd\",\"status\":\"INVALID_ARGUMENT\"}}]",
		  "request", "odd" },
		{ "MiniMax", 400,
		  "{\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}", "payment",
		  "insufficient balance" },
		{ "text", 400, "no\nso", "request", "no so" },
		{ "a page", 502, "<html>502</html>", "failed", "" },
		{ "nothing", 500, "", "failed", "" },
		{ "a list", 418, "[]", "request", "" },
		{ "a filter", 400, "{\"error\":{\"message\":\"x\",\"code\":\"content_filter\"}}", "filter",
		  "x" },
		{ "what repeats our prompt", 422,
		  "{\"detail\":\"Should be a list: input={'role': 'system', 'content': 'You are x'}\"}",
		  "request", "Should be a list: " },
		{ "what is secret", 400,
		  "see https://a.b/c?k=1 at 10.0.0.7:80, mail a@b.de, our-key, sk-abc 12 of 4096 tokens",
		  "request", "see … at …, mail …, …, … 12 of 4096 tokens" },
	};
	struct complaint c;
	struct text body;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		print_message("%s\n", bodies[i].name);
		complaint_read(bodies[i].status, bodies[i].body, strlen(bodies[i].body), &c, &a);
		assert_string_equal(kinds[complaint_kind(&c)], bodies[i].kind);
		assert_string_equal(complaint_words(&c, "our-key", &a), bodies[i].words);
	}
	/* A long one is cut between characters. */
	text_init(&body, &a);
	for (int i = 0; i < 300; i++)
		text_adds(&body, i % 50 == 49 ? " " : "\xe2\x82\xac");
	complaint_read(400, body.at, body.length, &c, &a);
	assert_true(utf8_valid(complaint_words(&c, "", &a), strlen(complaint_words(&c, "", &a))));
	assert_in_range(strlen(complaint_words(&c, "", &a)), 197, 200);
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
