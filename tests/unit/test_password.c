/* links: svc-auth/password.c -largon2 */
#include "svc-auth/password.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/clock.h"

static const struct {
	const char *name, *password;
	int want;
} common[] = {
	{ "one of the most common", "password", 1 },
	{ "in other case", "PassWord1", 1 },
	{ "the first line of the file", "!qaz2wsx", 1 },
	{ "the last line of the file", "zzzzzzz1", 1 },
	{ "digits", "12345678", 1 },
	{ "the start of a common one", "qwertyui", 1 },
	{ "longer than a common one", "password1 and more", 0 },
	{ "shorter than all of them", "passwor", 0 },
	{ "before the first", "!", 0 },
	{ "after the last", "~~~~~~~~", 0 },
	{ "empty", "", 0 },
	{ "a phrase", "correct horse 9 battery", 0 },
	{ "not ASCII", "pässwörter", 0 },
	{ "a line feed inside", "password\npassword", 0 },
};

static void test_common(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
		print_message("%s\n", common[i].name);
		assert_int_equal(password_common(common[i].password), common[i].want);
	}
}

/* Each line of the file is found: the search has no blind spot. */
static void test_every_common_one(void **state)
{
	FILE *file = fopen("svc-auth/data/common-passwords.txt", "r");
	char line[256];
	int count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		assert_true(password_common(line));
		count++;
	}
	fclose(file);
	assert_int_equal(count, 10000);
}

static int64_t soon(void)
{
	return clock_unix_ms() + 60000;
}

static void test_hash_and_check(void **state)
{
	struct error err = { 0 };
	struct hasher *h;
	struct arena a;
	char *one, *two;

	(void)state;
	arena_init(&a, 0);
	h = hasher_start(8);
	assert_int_equal(password_hash(h, "correct horse 9 battery", soon(), &one, &a, &err), 0);
	assert_int_equal(password_hash(h, "correct horse 9 battery", soon(), &two, &a, &err), 0);
	assert_int_equal(strncmp(one, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_string_not_equal(one, two);
	assert_int_equal(password_check(h, one, "correct horse 9 battery", soon(), &err), 1);
	assert_int_equal(password_check(h, one, "correct horse 9 batterY", soon(), &err), 0);
	assert_int_equal(password_check(h, one, "", soon(), &err), 0);
	assert_int_equal(password_check(h, NULL, "correct horse 9 battery", soon(), &err), 0);
	assert_int_equal(err.code, ERROR_NONE);
	assert_int_equal(password_check(h, "not a hash", "x", soon(), &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
	hasher_stop(h);
	arena_done(&a);
}

/* Who has no password is told so as slowly as who has a wrong one. In processor time: the machine may be busy. */
static void test_no_password_takes_as_long(void **state)
{
	clock_t best[2] = { INT32_MAX, INT32_MAX };
	struct error err = { 0 };
	struct hasher *h;
	struct arena a;
	char *phc;

	(void)state;
	arena_init(&a, 0);
	h = hasher_start(8);
	assert_int_equal(password_hash(h, "correct horse 9 battery", soon(), &phc, &a, &err), 0);
	for (int i = 0; i < 10; i++) {
		clock_t start = clock(), took;

		assert_int_equal(password_check(h, i % 2 ? NULL : phc, "wrong", soon(), &err), 0);
		took = clock() - start;
		if (took < best[i % 2])
			best[i % 2] = took;
	}
	assert_true(best[0] < 2 * best[1] && best[1] < 2 * best[0]);
	hasher_stop(h);
	arena_done(&a);
}

struct crowd {
	struct hasher *h;
	int64_t deadline;
	int done, refused;
	pthread_mutex_t lock;
};

static void *ask(void *arg)
{
	struct crowd *c = arg;
	struct error err = { 0 };
	int right = password_check(c->h, NULL, "x", c->deadline, &err);

	pthread_mutex_lock(&c->lock);
	if (right == 0)
		c->done++;
	else if (err.code == ERROR_UNAVAILABLE && err.retry_after > 0)
		c->refused++;
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void run_crowd(struct crowd *c, int queue, int people)
{
	pthread_t threads[64];

	pthread_mutex_init(&c->lock, NULL);
	c->h = hasher_start(queue);
	for (int i = 0; i < people; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, c), 0);
	for (int i = 0; i < people; i++)
		pthread_join(threads[i], NULL);
	hasher_stop(c->h);
}

static void test_a_full_queue_refuses(void **state)
{
	struct crowd c = { .deadline = soon() };

	(void)state;
	run_crowd(&c, 4, 64);
	assert_int_equal(c.done + c.refused, 64);
	assert_true(c.refused > 0);
	assert_true(c.done >= 4);
}

static void test_who_waits_too_long_is_told(void **state)
{
	struct crowd c = { .deadline = clock_unix_ms() + 150 };

	(void)state;
	run_crowd(&c, 64, 64);
	assert_int_equal(c.done + c.refused, 64);
	assert_true(c.refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_every_common_one),
		cmocka_unit_test(test_hash_and_check),
		cmocka_unit_test(test_no_password_takes_as_long),
		cmocka_unit_test(test_a_full_queue_refuses),
		cmocka_unit_test(test_who_waits_too_long_is_told),
	};

	return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
