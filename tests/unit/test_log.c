/* What a log line looks like, and that nothing from outside can break it. */
#include "common/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/json.h"

static char got[16 * 1024];

/* Run one log_line() with stderr going into `got`. */
#define CAPTURE(...)                                       \
	do {                                               \
		int pipe_[2], saved_ = dup(STDERR_FILENO); \
		ssize_t n_;                                \
		assert_int_equal(pipe(pipe_), 0);          \
		dup2(pipe_[1], STDERR_FILENO);             \
		log_line(__VA_ARGS__);                     \
		dup2(saved_, STDERR_FILENO);               \
		close(pipe_[1]);                           \
		close(saved_);                             \
		n_ = read(pipe_[0], got, sizeof got - 1);  \
		close(pipe_[0]);                           \
		got[n_ > 0 ? n_ : 0] = '\0';               \
	} while (0)

static json_object *parsed(void)
{
	struct error err = { 0 };
	json_object *line;

	assert_true(strlen(got) > 1 && got[strlen(got) - 1] == '\n');
	assert_null(memchr(got, '\n', strlen(got) - 1));
	assert_int_equal(json_parse(got, strlen(got), &line, &err), 0);
	return line;
}

static void test_members(void **state)
{
	(void)state;
	log_open("svc-documents", LOG_INFO);
	CAPTURE(LOG_WARN, "mail not sent", LOG_TEXT("to", "a@b.example"), LOG_INT("attempt", -3),
	        LOG_TEXT("why", NULL));
	OWN(json) json_object *line = parsed();
	assert_string_equal(json_string(line, "level"), "warn");
	assert_string_equal(json_string(line, "program"), "svc-documents");
	assert_string_equal(json_string(line, "message"), "mail not sent");
	assert_string_equal(json_string(line, "to"), "a@b.example");
	assert_string_equal(json_string(line, "why"), "");
	assert_int_equal(json_int(line, "attempt", 0), -3);
	assert_non_null(json_string(line, "time"));
}

static void test_numbers_at_the_ends(void **state)
{
	(void)state;
	CAPTURE(LOG_INFO, NULL, LOG_INT("least", INT64_MIN), LOG_INT("most", INT64_MAX), LOG_INT("zero", 0));
	assert_non_null(
	    strstr(got, "\"least\":-9223372036854775808,\"most\":9223372036854775807,\"zero\":0"));
}

static void test_below_the_level_is_silent(void **state)
{
	(void)state;
	log_open("x", LOG_WARN);
	CAPTURE(LOG_INFO, "unheard");
	assert_string_equal(got, "");
	log_open("x", LOG_DEBUG);
}

static void test_hostile_text(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "quotes and newlines", "a\"b\\c\n{\"level\":\"error\"}", "a\"b\\c\n{\"level\":\"error\"}" },
		{ "control characters", "\x01\x1f\x7f", "\x01\x1f\x7f" },
		{ "UTF-8 stays", "h\u00e9 \U0001F600", "h\u00e9 \U0001F600" },
		{ "bytes that are not UTF-8", "\xff\xfe", "\u00ff\u00fe" },
		{ "half a character", "ab\xe2\x82", "ab\u00e2\xc2\x82" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("  %s\n", cases[i].name);
		CAPTURE(LOG_INFO, "m", LOG_TEXT("text", cases[i].text));
		OWN(json) json_object *line = parsed();
		assert_string_equal(json_string(line, "text"), cases[i].want);
	}
}

static void test_too_long_is_cut_between_characters(void **state)
{
	static char text[20000], all[7000];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\u20ac", 3);
	memset(all, 1, sizeof all - 1); /* each is six bytes in the line */
	CAPTURE(LOG_INFO, "m", LOG_TEXT("long", text), LOG_TEXT("all", all), LOG_TEXT("last", "still here"));
	OWN(json) json_object *line = parsed();
	assert_int_equal(strlen(json_string(line, "long")), 999);
	assert_null(json_string(line, "all"));
	assert_string_equal(json_string(line, "last"), "still here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_numbers_at_the_ends),
		cmocka_unit_test(test_below_the_level_is_silent),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_too_long_is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
