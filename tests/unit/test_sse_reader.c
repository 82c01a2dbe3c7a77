#include "common/egress/sse_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	struct text text;
	int stop_after;
};

/* "name|data|id;" for each event. */
static int record(void *arg, const struct sse_event *event)
{
	struct seen *seen = arg;

	text_addf(&seen->text, "%s|", event->name);
	text_add(&seen->text, event->data, event->size);
	text_addf(&seen->text, "|%s;", event->id);
	return seen->stop_after && --seen->stop_after == 0 ? 7 : 0;
}

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *name, *bytes;
	size_t size;
	const char *want;
} cases[] = {
	{ "nothing", BYTES(""), "" },
	{ "one", BYTES("data: a\n\n"), "message|a|;" },
	{ "no blank after the colon", BYTES("data:a\n\n"), "message|a|;" },
	{ "only one blank is dropped", BYTES("data:  a \n\n"), "message| a |;" },
	{ "several lines of data", BYTES("data: a\ndata:\ndata: b\n\n"), "message|a\n\nb|;" },
	{ "data without a colon", BYTES("data\n\n"), "message||;" },
	{ "named", BYTES("event: x\ndata: a\n\ndata: b\n\n"), "x|a|;message|b|;" },
	{ "ids stay", BYTES("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"),
	  "message|a|1;message|b|1;message|c|;" },
	{ "an id with NUL is none", BYTES("id: 1\0\ndata: a\n\n"), "message|a|;" },
	{ "comments and unknown fields", BYTES(": ping\n\nretry: 10\nfoo: bar\ndata: a\n\n"), "message|a|;" },
	{ "an event without data", BYTES("event: x\n\ndata: a\n\n"), "message|a|;" },
	{ "CRLF", BYTES("data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"), "message|a\nb|;message|c|;" },
	{ "CR", BYTES("data: a\r\rdata: b\r\r"), "message|a|;message|b|;" },
	{ "mixed", BYTES("data: a\r\n\ndata: b\n\r\n"), "message|a|;message|b|;" },
	{ "byte order mark",
	  BYTES("\xef\xbb\xbf"
	        "data: a\n\n"),
	  "message|a|;" },
	{ "cut off before the blank line", BYTES("data: a\n\ndata: b\n"), "message|a|;" },
	{ "cut off in a line", BYTES("data: a\n\ndata: b"), "message|a|;" },
	{ "not an event stream", BYTES("<html>\n<body>\n\n{\"a\": 1}\n\n"), "" },
};

static void run(const char *bytes, size_t size, size_t piece, struct seen *seen, struct arena *a)
{
	struct error err = { 0 };
	struct sse_reader r;

	text_init(&seen->text, a);
	sse_reader_init(&r, 1000, record, seen);
	for (size_t at = 0; at < size; at += piece) {
		/* A piece of its own, so that reading over its end is seen. */
		size_t n = size - at < piece ? size - at : piece;
		char *copy = test_malloc(n);

		memcpy(copy, bytes + at, n);
		assert_int_equal(sse_reader_feed(&r, copy, n, &err), 0);
		test_free(copy);
	}
	sse_reader_done(&r);
}

static void test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		for (size_t piece = 1; piece <= cases[i].size + 1; piece++) {
			struct seen seen = { 0 };
			struct arena a;

			arena_init(&a, 0);
			run(cases[i].bytes, cases[i].size, piece, &seen, &a);
			assert_string_equal(seen.text.at, cases[i].want);
			arena_done(&a);
		}
	}
}

static void test_stopping(void **state)
{
	struct seen seen = { .stop_after = 2 };
	struct error err = { 0 };
	struct sse_reader r;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&seen.text, &a);
	sse_reader_init(&r, 1000, record, &seen);
	assert_int_equal(sse_reader_feed(&r, BYTES("data: a\n\ndata: b\n\ndata: c\n\n"), &err), 7);
	assert_string_equal(seen.text.at, "message|a|;message|b|;");
	sse_reader_done(&r);
	arena_done(&a);
}

static void test_limits(void **state)
{
	static const struct {
		const char *name, *repeated;
		int times, want;
	} limits[] = {
		{ "a line of the limit", "x", 1000, 0 },
		{ "a longer line", "x", 1001, -1 },
		{ "much data in one event", "data: 0123456789\n", 101, -1 },
		{ "many small events", "data: 0123456789\n\n", 1000, 0 },
		{ "many comments", ": 0123456789\n", 1000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct seen seen = { 0 };
		struct error err = { 0 };
		struct sse_reader r;
		struct arena a;
		int got = 0;

		print_message("%s\n", limits[i].name);
		arena_init(&a, 0);
		text_init(&seen.text, &a);
		sse_reader_init(&r, 1000, record, &seen);
		for (int n = 0; n < limits[i].times && got == 0; n++)
			got = sse_reader_feed(&r, limits[i].repeated, strlen(limits[i].repeated), &err);
		assert_int_equal(got, limits[i].want);
		assert_int_equal(err.code, got ? ERROR_UPSTREAM : ERROR_NONE);
		sse_reader_done(&r);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
