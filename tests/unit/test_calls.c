/* links: svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/prompted.c svc-chat/model/markup.c svc-chat/model/markup_tags.c svc-chat/model/prompted_forms.c svc-chat/model/loose.c svc-chat/model/prompted_messages.c svc-chat/model/completion.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c svc-chat/model/defuse.c -lunistring */
/* Calls of tools as they come: in pieces of a stream, and in the text of models that have no such thing. */
#include "svc-chat/model/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "svc-chat/model/completion.h"
#include "svc-chat/model/prompted.h"

static char *print(struct calls *calls, struct arena *a)
{
	struct text t;
	size_t n;
	const struct model_call *list = calls_made(calls, &n);

	text_init(&t, a);
	for (size_t i = 0; i < n; i++)
		text_addf(&t, "%s%s %s %s", i ? "; " : "", list[i].id, list[i].name, list[i].arguments);
	return t.at;
}

/* --- Pieces of a stream ------------------------------------------------------------------------------------------------ */

#define DELTA(calls) "{\"choices\":[{\"delta\":{\"tool_calls\":[" calls "]}}]}"
#define WHOLE(calls) "{\"choices\":[{\"message\":{\"tool_calls\":[" calls "]}}]}"

static const struct {
	const char *name;
	const char *chunks[8];
	const char *want;
} streams[] = {
	{ "OpenAI: the name first, then the arguments",
	  { DELTA(
	        "{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"arguments\":\"2}\"}}") },
	  "c1 add {\"a\":2}" },
	{ "two, taking turns",
	  { DELTA(
	        "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\"}},{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"sub\"}}"),
	    DELTA("{\"index\":1,\"function\":{\"arguments\":\"{\\\"b\\\"\"}}"),
	    DELTA(
	        "{\"index\":0,\"function\":{\"arguments\":\"{}\"}},{\"index\":1,\"function\":{\"arguments\":\":1}\"}}") },
	  "c1 add {}; c2 sub {\"b\":1}" },
	{ "id and name with every piece",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{\"}}"),
	    DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"}\"}}") },
	  "c1 add {}" },
	{ "an empty id with later pieces",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{\"}}"),
	    DELTA("{\"index\":0,\"id\":\"\",\"function\":{\"name\":\"\",\"arguments\":\"}\"}}") },
	  "c1 add {}" },
	{ "Gemini: all have index 0",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}"),
	    DELTA("{\"index\":0,\"id\":\"c2\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}") },
	  "c1 add {}; c2 add {}" },
	{ "Gemini through a proxy: all have index 0 and an empty id",
	  { DELTA(
	        "{\"index\":0,\"id\":\"\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"index\":0,\"id\":\"\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":2}\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"name\":\"sub\",\"arguments\":{}}}") },
	  "call_0 add {\"a\":1}; call_1 add {\"a\":2}; call_2 sub {}" },
	{ "the same id with all",
	  { DELTA(
	      "{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}},{\"index\":1,\"id\":\"c\",\"function\":{\"name\":\"sub\",\"arguments\":\"{}\"}}") },
	  "c add {}; call_1 sub {}" },
	{ "all of it once more at the end",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\"\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"arguments\":\":1}\"}}"),
	    DELTA(
	        "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}") },
	  "c1 add {\"a\":1}" },
	{ "no arguments at first, then some",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"arguments\":\":1}\"}}") },
	  "c1 add {\"a\":1}" },
	{ "arguments of a second one under the first's index, without its name",
	  { DELTA("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"name\":\"\",\"arguments\":\"{\\\"a\\\":1}\"}}"),
	    DELTA("{\"index\":0,\"function\":{\"name\":\"\",\"arguments\":\"{\\\"a\\\":2}\"}}") },
	  "c1 add {\"a\":1}" },
	{ "neither index, id nor arguments",
	  { DELTA("{\"function\":{\"name\":\"now\"}},{\"function\":{\"name\":\"add\"}}") },
	  "call_0 now {}; call_1 add {}" },
	{ "gpt-oss: the channel in the name",
	  { DELTA(
	      "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add<|channel|>commentary\",\"arguments\":\"{}\"}}") },
	  "c1 add {}" },
	{ "Kimi: as it sees the name",
	  { DELTA(
	      "{\"index\":0,\"id\":\"functions.add:0\",\"function\":{\"name\":\"functions.add:0\",\"arguments\":\"{}\"}}") },
	  "functions.add:0 add {}" },
	{ "arguments that are a text of a text",
	  { DELTA(
	      "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"\\\"{\\\\\\\"a\\\\\\\":1}\\\"\"}}") },
	  "c1 add {\"a\":1}" },
	{ "an id that is a number",
	  { DELTA("{\"index\":0,\"id\":7,\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}") },
	  "call_0 add {}" },
	{ "no index",
	  { DELTA(
	      "{\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}},{\"id\":\"c2\",\"function\":{\"name\":\"sub\",\"arguments\":\"{}\"}}") },
	  "c1 add {}; c2 sub {}" },
	{ "neither index nor id",
	  { DELTA(
	      "{\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}},{\"function\":{\"name\":\"sub\",\"arguments\":\"{}\"}}") },
	  "call_0 add {}; call_1 sub {}" },
	{ "neither, in pieces",
	  { DELTA("{\"function\":{\"name\":\"add\"}}"), DELTA("{\"function\":{\"arguments\":\"{\"}}"),
	    DELTA("{\"function\":{\"arguments\":\"}\"}}") },
	  "call_0 add {}" },
	{ "Ollama: arguments are an object",
	  { DELTA("{\"function\":{\"name\":\"add\",\"arguments\":{\"a\":1}}}") },
	  "call_0 add {\"a\":1}" },
	{ "arguments that are null, or empty",
	  { DELTA(
	      "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"now\",\"arguments\":null}},{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"now\",\"arguments\":\"\"}}") },
	  "c1 now {}; c2 now {}" },
	{ "a whole message",
	  { WHOLE("{\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}") },
	  "c1 add {}" },
	{ "the old function_call",
	  { "{\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"add\",\"arguments\":\"{\"}}}]}",
	    "{\"choices\":[{\"delta\":{\"function_call\":{\"arguments\":\"}\"}}}]}" },
	  "call_0 add {}" },
	{ "no name at all", { DELTA("{\"index\":0,\"function\":{\"arguments\":\"{}\"}}") }, "" },
	{ "odd types",
	  { DELTA("1,null,[],{\"index\":\"x\",\"function\":3},{\"function\":{\"name\":5,\"arguments\":7}}") },
	  "" },
};

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		struct calls calls;
		struct arena a;

		print_message("%s\n", streams[i].name);
		arena_init(&a, 0);
		calls_init(&calls, &a);
		for (const char *const *chunk = streams[i].chunks; *chunk; chunk++) {
			struct completion c;

			assert_true(completion_read(*chunk, strlen(*chunk), &c, &a));
			for (size_t k = 0; k < c.call_count; k++)
				calls_take(&calls, &c.calls[k]);
		}
		assert_string_equal(print(&calls, &a), streams[i].want);
		arena_done(&a);
	}
}

static void test_bounds(void **state)
{
	struct call_piece piece = { .index = 0, .id = "c", .name = "add", .arguments = "0123456789" };
	struct calls calls;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	calls_init(&calls, &a);
	for (int i = 0; i < 100; i++) {
		piece.index = i;
		calls_take(&calls, &piece);
	}
	assert_int_equal(calls.count, CALLS_MAX);
	assert_true(calls.cut);
	piece.index = 0;
	for (int i = 0; i < 100000; i++)
		calls_take(&calls, &piece);
	assert_int_equal(calls.bytes, CALLS_BYTES);
	arena_done(&a);
}

/* --- Text --------------------------------------------------------------------------------------------------------------- */

static const struct model_tool tools[] = {
	{ "add", "adds", "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}}}" },
	{ "now", "", "{}" }
};

static const struct {
	const char *name;
	bool eager;
	const char *text, *want; /* "what passes|the calls" */
} texts[] = {
	{ "no call", true, "Two < three, and `x` is *it*.\n- a\n", "Two < three, and `x` is *it*.\n- a\n|" },
	{ "a tag", true, "I add.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>",
	  "I add.\n|call_0 add {\"a\":1}" },
	{ "two tags, text around", true,
	  "A<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>B<tool_call>{\"name\":\"now\"}</tool_call>C",
	  "ABC|call_0 add {}; call_1 now {}" },
	{ "a tag that does not end", true, "<tool_call>{\"name\":\"now\",\"arguments\":{}}",
	  "|call_0 now {}" },
	{ "two in one tag", true,
	  "<tool_call>\n{\"name\":\"now\"}\n{\"name\":\"add\",\"arguments\":{}}\n</tool_call>",
	  "|call_0 now {}; call_1 add {}" },
	{ "arguments as text", true,
	  "<tool_call>{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>",
	  "|call_0 add {\"a\":1}" },
	{ "a list", true, "<tool_call>[{\"name\":\"now\"},{\"name\":\"now\"}]</tool_call>",
	  "|call_0 now {}; call_1 now {}" },
	{ "a fence in a tag", true, "<tool_call>\n```json\n{\"name\":\"now\"}\n```\n</tool_call>",
	  "|call_0 now {}" },
	{ "another tag", true, "<function_call>{\"name\":\"now\",\"arguments\":{}}</function_call>",
	  "|call_0 now {}" },
	{ "what cannot be read", true, "<tool_call>add 1 and 2</tool_call>",
	  "|call_0 unreadable_call <tool_call>add 1 and 2" },
	{ "a tag that is spoken of", false, "Write <tool_call>x</tool_call> then.",
	  "Write <tool_call>x</tool_call> then.|" },
	{ "a tag with a stranger's tool", false, "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>",
	  "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>|" },
	{ "a tag where calls come otherwise", false,
	  "<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>", "|call_0 add {}" },
	{ "fenced JSON", true, "So:\n```json\n{\"tool\": \"add\", \"parameters\": {\"a\": 1}}\n```\n",
	  "So:\n|call_0 add {\"a\":1}" },
	{ "fenced, bare", true, "```\n{\"name\": \"now\", \"arguments\": {}}\n```", "|call_0 now {}" },
	{ "fenced, OpenAI's form", true,
	  "```json\n{\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":{\"a\":1}}}\n```",
	  "|call_0 add {\"a\":1}" },
	{ "fenced JSON that is no call", true, "```json\n{\"a\": 1}\n```\nSee?",
	  "```json\n{\"a\": 1}\n```\nSee?|" },
	{ "fenced JSON with a name", false, "```json\n{\"name\": \"Ada\", \"arguments\": {}}\n```",
	  "```json\n{\"name\": \"Ada\", \"arguments\": {}}\n```|" },
	{ "code", true,
	  "```c\n<tool_call>{\"name\":\"now\"}</tool_call>\nFunction call: x\n```\n<tool_call>{\"name\":\"now\"}</tool_call>",
	  "```c\n<tool_call>{\"name\":\"now\"}</tool_call>\nFunction call: x\n```\n|call_0 now {}" },
	{ "a line", true, "Function call: {\"name\": \"add\", \"arguments\": {\"a\": \"}\"}}\nDone",
	  "\nDone|call_0 add {\"a\":\"}\"}" },
	{ "a line with the name before", true, "Function call: add({\"a\": 1})", "|call_0 add {\"a\":1}" },
	{ "a line, bold", true, "**Function call:** `add` {\"a\": 1}\n", "**|call_0 add {\"a\":1}" },
	{ "a line over lines", true, "Function call:\n{\n \"name\": \"now\",\n \"arguments\": {}\n}",
	  "|call_0 now {}" },
	{ "Mistral's own", true,
	  "[TOOL_CALLS][{\"name\": \"add\", \"arguments\": {\"a\": 1}}, {\"name\": \"now\"}]",
	  "|call_0 add {\"a\":1}; call_1 now {}" },
	{ "Mistral's newer own", false, "I add [1].[TOOL_CALLS]add[ARGS]{\"a\": [1]}",
	  "I add [1].|call_0 add {\"a\":[1]}" },
	{ "Llama's own", false, "<|python_tag|>{\"name\": \"add\", \"parameters\": {\"a\": 1}}",
	  "|call_0 add {\"a\":1}" },
	{ "Llama's other", false, "So:<function=add>\n{\"a\": 1}\n</function>\nDone",
	  "So:\nDone|call_0 add {\"a\":1}" },
	{ "their marks are spoken of", false, "It is [TOOL_CALLS] there, <function=x> here, [2] and [TO",
	  "It is [TOOL_CALLS] there, <function=x> here, [2] and [TO|" },
	{ "words that begin so", true, "Function call: that is what it is called.\nYes.",
	  "Function call: that is what it is called.\nYes.|" },
	{ "in the midst of a line", true, "A function call: {\"name\":\"now\"} is it.",
	  "A function call: {\"name\":\"now\"} is it.|" },
};

static char *filtered(const char *text, size_t piece, bool eager, struct arena *a)
{
	const struct model_request request = { .tools = tools, .tool_count = 2 };
	struct prompted p;
	struct calls calls;
	struct text out;

	calls_init(&calls, a);
	text_init(&out, a);
	prompted_init(&p, &calls, &request, eager, a);
	for (size_t at = 0, size = strlen(text); at < size; at += piece)
		prompted_feed(&p, text + at, size - at < piece ? size - at : piece, &out);
	prompted_end(&p, &out);
	return arena_printf(a, "%s|%s", out.at, print(&calls, a));
}

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena a;

		print_message("%s\n", texts[i].name);
		arena_init(&a, 0);
		for (size_t piece = 1; piece <= strlen(texts[i].text); piece++)
			assert_string_equal(filtered(texts[i].text, piece, texts[i].eager, &a),
			                    texts[i].want);
		arena_done(&a);
	}
}

static char *long_call(size_t size, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "```json\n{\"name\": \"add\", \"arguments\": {\"a\": \"");
	while (t.length < size)
		text_adds(&t, "[<\\n");
	text_adds(&t, "\"}}\n```\nDone");
	return t.at;
}

static void test_what_is_longer_than_is_held_is_the_same_in_any_pieces(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t size = PROMPTED_HELD - 100; size < PROMPTED_HELD + 1000; size += 50) {
		const char *text = long_call(size, &a);

		assert_string_equal(filtered(text, strlen(text), true, &a), filtered(text, 1000, true, &a));
	}
	arena_done(&a);
}

static void test_what_was_thought_is_no_beginning_of_a_call(void **state)
{
	const struct model_request request = { .tools = tools, .tool_count = 2 };
	static const char thought[] = "I call: ```json\n```c\nx",
	                  call[] = "```json\n{\"name\": \"now\", \"arguments\": {}}\n```";
	struct prompted p;
	struct calls calls;
	struct text out;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	calls_init(&calls, &a);
	text_init(&out, &a);
	prompted_init(&p, &calls, &request, true, &a);
	prompted_feed(&p, thought, strlen(thought), &out);
	prompted_restart(&p);
	prompted_feed(&p, call, strlen(call), &out);
	prompted_end(&p, &out);
	assert_string_equal(print(&calls, &a), "call_0 now {}");
	arena_done(&a);
}

/* --- As models were trained to -------------------------------------------------------------------------------------------- */

static const struct {
	const char *text, *want;
} trained[] = {
	{ "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx < y\n</parameter>\n</function>\n</tool_call>",
	  "|call_0 add {\"a\":1,\"b\":\"x < y\"}" },
	{ "So.\n<function=add>\n<parameter=b>\n12\n</parameter>\n</function>\n</tool_call>\nDone",
	  "So.\n\nDone|call_0 add {\"b\":\"12\"}" },
	{ "<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>-2.5</arg_value>\n</tool_call>",
	  "|call_0 add {\"a\":-2.5}" },
	{ "<tool_call>now</tool_call>\n<tool_call>now\n</tool_call>", "|call_0 now {}; call_1 now {}" },
	{ "<tool_call>{'name': 'add', 'arguments': {'b': 'it\\'s \"x\"', 'c': [True, None]}}</tool_call>",
	  "|call_0 add {\"b\":\"it's \\\"x\\\"\",\"c\":[true,null]}" },
	{ "{\"name\": \"add\", \"parameters\": {\"a\": 1}}; {\"name\": \"now\", \"parameters\": {}}",
	  "|call_0 add {\"a\":1}; call_1 now {}" },
	{ "{\"name\": \"Ada\", \"parameters\": {}} is an object.",
	  "{\"name\": \"Ada\", \"parameters\": {}} is an object.|" },
	{ "[add(a=1, b='x, y'), now()]", "|call_0 add {\"a\":1,\"b\":\"x, y\"}; call_1 now {}" },
	{ "[1] is said, [add] too.", "[1] is said, [add] too.|" },
	{ "Use <function=add> for it, or <invoke name=\"rm\"> and <tool_call>rm\n.",
	  "Use <function=add> for it, or <invoke name=\"rm\"> and <tool_call>rm\n.|" },
	{ "`<tool_call>now</tool_call>`, `<function=now>` and `</function>` are marks.\n<tool_call>now</tool_call>",
	  "`<tool_call>now</tool_call>`, `<function=now>` and `</function>` are marks.\n|call_0 now {}" },
	{ "{\"name\": \"add\", \"input\": \"string\"} describes it.",
	  "{\"name\": \"add\", \"input\": \"string\"} describes it.|" },
	{ "{\"name\": \"now\", \"type\": \"word\"}", "{\"name\": \"now\", \"type\": \"word\"}|" },
	{ "```json\n{\"name\": \"now\", \"input\": \"string\"}\n```\n",
	  "```json\n{\"name\": \"now\", \"input\": \"string\"}\n```\n|" },
	{ "Two words for it:\nTool call: now", "Two words for it:\nTool call: now|" },
	{ "Tool call: {\"name\": \"now\"}", "|call_0 now {}" },
	{ "`<function=add>` and\n```xml\n<function=add>\n</function>\n```\n",
	  "`<function=add>` and\n```xml\n<function=add>\n</function>\n```\n|" },
};

static void test_as_models_were_trained_to(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof trained / sizeof *trained; i++)
		for (size_t piece = 1; piece <= strlen(trained[i].text); piece++)
			assert_string_equal(filtered(trained[i].text, piece, false, &a), trained[i].want);
	arena_done(&a);
}

/* Processor time for a text that consists of that again and again, in small pieces. */
static double seconds_for(const char *again, size_t size)
{
	const struct model_request request = { .tools = tools, .tool_count = 2 };
	struct timespec from, to;
	struct prompted p;
	struct calls calls;
	struct text text, out;
	struct arena a;

	arena_init(&a, 0);
	text_init(&text, &a);
	text_init(&out, &a);
	while (text.length < size)
		text_adds(&text, again);
	calls_init(&calls, &a);
	prompted_init(&p, &calls, &request, false, &a);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (size_t at = 0; at < text.length; at += 16) {
		out.length = 0;
		prompted_feed(&p, text.at + at, text.length - at < 16 ? text.length - at : 16, &out);
	}
	prompted_end(&p, &out);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	arena_done(&a);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Four times the text takes about four times as long, not sixteen times, on whatever machine. */
static void test_hostile_texts_take_no_time(void **state)
{
	static const char *const hostile[] = { "<tool_call>",
		                               "<tool_call>{",
		                               "<tool_call>[\"\",",
		                               "<tool_call>{'a':'",
		                               "<function=add>",
		                               "[TOOL_CALLS]{",
		                               "<function=add><parameter=a>",
		                               "<tool_call>add<arg_key>",
		                               "<|python_tag|>[{\"",
		                               "[add(",
		                               "{\"name\":[",
		                               "</tool_call><tool_call>{}",
		                               "```json\n{",
		                               "<invoke name=\"add\"><",
		                               "<｜DSML｜invoke name=\"add\">",
		                               "[",
		                               "<" };

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		double brief = seconds_for(hostile[i], 512 << 10), took = seconds_for(hostile[i], 2 << 20);

		print_message("%s: %.2f s, of a quarter of it %.2f s\n", hostile[i], took, brief);
		assert_true(took < 10 * (brief > 0.02 ? brief : 0.02));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_is_longer_than_is_held_is_the_same_in_any_pieces),
		cmocka_unit_test(test_what_was_thought_is_no_beginning_of_a_call),
		cmocka_unit_test(test_as_models_were_trained_to),
		cmocka_unit_test(test_hostile_texts_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
