/* What a log line looks like, and that nothing from outside can break it. */
#include "common/base/log.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/json/json.h"

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
	static char text[20000], all[7000], plain[1002];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\u20ac", 3);
	memset(all, 1, sizeof all - 1); /* each is six bytes in the line */
	memset(plain, 'x', sizeof plain - 1);
	CAPTURE(LOG_INFO, "m", LOG_TEXT("long", text), LOG_TEXT("plain", plain), LOG_TEXT("most", plain + 1),
	        LOG_TEXT("all", all), LOG_TEXT("last", "still here"));
	OWN(json) json_object *line = parsed();
	assert_int_equal(strlen(json_string(line, "long")), 999);
	assert_int_equal(strlen(json_string(line, "plain")), 1000);
	assert_int_equal(strlen(json_string(line, "most")), 1000);
	assert_null(json_string(line, "all"));
	assert_string_equal(json_string(line, "last"), "still here");
}

/* --- In the background ---------------------------------------------------------------------------------------------- */

enum { WRITERS = 4, LINES = 3000 }; /* more than the queue holds */

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_line(
		    LOG_INFO, "line", LOG_INT("writer", *(int *)arg), LOG_INT("number", i),
		    LOG_TEXT("text", "as long as lines of an access log are, or so, give or take a few"));
	return NULL;
}

/* Whole lines, and each writer's in its order; how many. */
static int check_lines(FILE *file)
{
	int next[WRITERS] = { 0 }, lines = 0;
	char text[1024];

	while (fgets(text, sizeof text, file)) {
		OWN(json) json_object *line = NULL;
		struct error err = { 0 };
		int64_t writer;

		assert_int_equal(json_parse(text, strlen(text), &line, &err), 0);
		writer = json_int(line, "writer", -1);
		if (writer < 0)
			continue;
		assert_int_equal(json_int(line, "number", -1), next[writer]++);
		lines++;
	}
	return lines;
}

static int wait_for_bytes(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

/* Last of all: this process writes its lines in the background from then on. */
static void test_background(void **state)
{
	int numbers[WRITERS] = { 0, 1, 2, 3 }, saved = dup(STDERR_FILENO), ends[2];
	FILE *file = tmpfile();
	pthread_t threads[WRITERS];
	char text[4096];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_background();
	log_line(LOG_WARN, "at once");
	assert_int_equal(wait_for_bytes(ends[0], 0), 1);
	assert_true(read(ends[0], text, sizeof text) > 0);
	log_line(LOG_INFO, "soon");
	assert_int_equal(wait_for_bytes(ends[0], 5000), 1);
	assert_true(read(ends[0], text, sizeof text) > 0);
	assert_non_null(strstr(text, "soon"));

	dup2(fileno(file), STDERR_FILENO);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_lines, &numbers[i]);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	log_flush();
	dup2(saved, STDERR_FILENO);
	rewind(file);
	assert_int_equal(check_lines(file), WRITERS * LINES);
	fclose(file);
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_numbers_at_the_ends),
		cmocka_unit_test(test_below_the_level_is_silent),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_too_long_is_cut_between_characters),
		cmocka_unit_test(test_background),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
