/* Settings from the environment: what is taken, what stops the start, and with which sentence. */
#include "common/base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct settings {
	const char *url, *name, *site, *mail, *level, *listen, *endpoint, *key;
	int64_t most;
	bool loud;
};

static const struct config_key keys[] = {
	CONFIG_TEXT(struct settings, url, "T_URL", NULL, "where it is"),
	CONFIG_TEXT(struct settings, name, "T_NAME", "", "what it is called"),
	CONFIG_BETWEEN(struct settings, most, "T_MOST", "52428800", 0, 1000000000000, "how much"),
	CONFIG_BOOL(struct settings, loud, "T_LOUD", "false", "say more"),
};
enum { COUNT = sizeof keys / sizeof *keys };

static const struct {
	const char *what, *url, *most, *loud;
	const char *want_error; /* NULL: taken */
	int64_t want_most;
	bool want_loud;
} cases[] = {
	{ "defaults", "x", NULL, NULL, NULL, 52428800, false },
	{ "given", "x", "12", "true", NULL, 12, true },
	{ "the other words", "x", "0", "1", NULL, 0, true },
	{ "empty is not given", "x", "", "", NULL, 52428800, false },
	{ "missing", NULL, NULL, NULL, "T_URL must be set: where it is", 0, false },
	{ "empty and required", "", NULL, NULL, "T_URL must be set: where it is", 0, false },
	{ "not a number", "x", "many", NULL, "T_MOST must be a whole number, not \"many\"", 0, false },
	{ "a unit", "x", "5MB", NULL, "T_MOST must be a whole number, not \"5MB\"", 0, false },
	{ "white space round it", " x\n", " 5\t", " true ", NULL, 5, true },
	{ "nothing but white space", "  ", NULL, NULL, "T_URL must be set: where it is", 0, false },
	{ "too much", "x", "1000000000001", NULL, "T_MOST must be 0 to 1000000000000, not 1000000000001", 0,
	  false },
	{ "a fraction", "x", "1.5", NULL, "T_MOST must be a whole number, not \"1.5\"", 0, false },
	{ "negative", "x", "-1", NULL, "T_MOST must be a whole number, not \"-1\"", 0, false },
	{ "beyond 64 bits", "x", "99999999999999999999", NULL,
	  "T_MOST must be a whole number, not \"99999999999999999999\"", 0, false },
	{ "not a truth", "x", NULL, "maybe", "T_LOUD must be true or false, not \"maybe\"", 0, false },
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_load(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings got = { 0 };
		struct error err = { 0 };
		struct arena a;

		print_message("  %s\n", cases[i].what);
		arena_init(&a, 0);
		set("T_URL", cases[i].url);
		set("T_MOST", cases[i].most);
		set("T_LOUD", cases[i].loud);
		if (cases[i].want_error) {
			assert_int_equal(config_load(keys, COUNT, &got, &a, &err), -1);
			assert_string_equal(err.message, cases[i].want_error);
		} else {
			assert_int_equal(config_load(keys, COUNT, &got, &a, &err), 0);
			assert_string_equal(got.url, "x");
			assert_string_equal(got.name, "");
			assert_int_equal(got.most, cases[i].want_most);
			assert_int_equal(got.loud, cases[i].want_loud);
		}
		arena_done(&a);
	}
}

/* --- Kinds ---------------------------------------------------------------------------------------------------------- */

static const struct config_key kinds[] = {
	CONFIG_URL(struct settings, site, "T_SITE", "", "http|https", "a site"),
	CONFIG_EMAIL(struct settings, mail, "T_MAIL", "", "an address"),
	CONFIG_ONE_OF(struct settings, level, "T_LEVEL", "info", CONFIG_LEVELS, "how loud"),
	CONFIG_LISTEN(struct settings, listen, "T_LISTEN", "127.0.0.1:8001", "where"),
	CONFIG_ENDPOINT(struct settings, endpoint, "T_ENDPOINT", "tcp://127.0.0.1:8001", "where"),
	CONFIG_PATH(struct settings, name, "T_PATH", "", "a file"),
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct {
	const char *name, *value, *want; /* want NULL: taken */
} of_kind[] = {
	{ "T_SITE", "https://example.com:8443/v1", NULL },
	{ "T_SITE", "http://[::1]:8000", NULL },
	{ "T_SITE", "banana", "T_SITE must be a URL that begins with http:// or https://, not \"banana\"" },
	{ "T_SITE", "ftp://x", "T_SITE must be a URL that begins with http:// or https://, not \"ftp://x\"" },
	{ "T_SITE", "https://",
	  "T_SITE must be a URL that begins with http:// or https://, not \"https://\"" },
	{ "T_SITE", "https:///x",
	  "T_SITE must be a URL that begins with http:// or https://, not \"https:///x\"" },
	{ "T_MAIL", "ada@example.com", NULL },
	{ "T_MAIL", "nope", "T_MAIL must be an e-mail address, not \"nope\"" },
	{ "T_MAIL", "a@b@c", "T_MAIL must be an e-mail address, not \"a@b@c\"" },
	{ "T_LEVEL", "warn", NULL },
	{ "T_LEVEL", "shouting", "T_LEVEL must be debug, info, warn or error, not \"shouting\"" },
	{ "T_LEVEL", "inf", "T_LEVEL must be debug, info, warn or error, not \"inf\"" },
	{ "T_LISTEN", "0.0.0.0:65535", NULL },
	{ "T_LISTEN", "[::]:1", NULL },
	{ "T_LISTEN", "127.0.0.1:80000",
	  "T_LISTEN must be an address and a port from 0 to 65535, like 127.0.0.1:8000, not \"127.0.0.1:80000\"" },
	{ "T_LISTEN", "8000",
	  "T_LISTEN must be an address and a port from 0 to 65535, like 127.0.0.1:8000, not \"8000\"" },
	{ "T_ENDPOINT", "tcp://[::]:1", NULL },
	{ "T_ENDPOINT", "abstract://parley-8001", NULL },
	{ "T_ENDPOINT", "127.0.0.1:1",
	  "T_ENDPOINT must be an address like tcp://0.0.0.0:8001 or abstract://name, not \"127.0.0.1:1\"" },
	{ "T_ENDPOINT", "abstract://",
	  "T_ENDPOINT must be an address like tcp://0.0.0.0:8001 or abstract://name, not \"abstract://\"" },
	{ "T_ENDPOINT", "abstract://a/b",
	  "T_ENDPOINT must be an address like tcp://0.0.0.0:8001 or abstract://name, not \"abstract://a/b\"" },
	{ "T_PATH", "/dev/null", NULL },
	{ "T_PATH", "/nowhere", "T_PATH must be a file that can be read, not \"/nowhere\"" },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof of_kind / sizeof *of_kind; i++) {
		struct settings got = { 0 };
		struct error err = { 0 };
		struct arena a;

		arena_init(&a, 0);
		set(of_kind[i].name, of_kind[i].value);
		assert_int_equal(config_load(kinds, KINDS, &got, &a, &err), of_kind[i].want ? -1 : 0);
		assert_string_equal(err.message, of_kind[i].want ? of_kind[i].want : "");
		set(of_kind[i].name, NULL);
		arena_done(&a);
	}
}

/* What is behind it begins with a slash of ours. */
static void test_a_url_loses_its_last_slashes(void **state)
{
	struct settings got = { 0 };
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	set("T_SITE", " https://example.com/v1// ");
	set("T_MAIL", NULL);
	assert_int_equal(config_load(kinds, KINDS, &got, &a, &err), 0);
	assert_string_equal(got.site, "https://example.com/v1");
	set("T_SITE", NULL);
	arena_done(&a);
}

static void test_every_bad_value_has_its_sentence(void **state)
{
	struct settings got = { 0 };
	struct error err = { 0 };
	struct arena a;
	int sentences = 0;

	(void)state;
	arena_init(&a, 0);
	set("T_URL", NULL);
	set("T_MOST", "x");
	set("T_LOUD", NULL);
	set("T_SITE", "x");
	set("T_MAIL", "x");
	assert_int_equal(config_load(keys, COUNT, &got, &a, &err), -1);
	assert_int_equal(config_load(kinds, KINDS, &got, &a, &err), -1);
	for (const struct field_error *f = err.fields; f; f = f->next)
		sentences++;
	assert_int_equal(sentences, 4);
	assert_string_equal(err.fields ? err.fields->msg : "", "T_URL must be set: where it is");
	arena_done(&a);
}

static void test_a_secret_may_be_in_a_file(void **state)
{
	static const struct config_key secrets[] = { CONFIG_SECRET(struct settings, key, "T_KEY", NULL,
		                                                   "a key") };
	char path[] = "/tmp/test_config.XXXXXX";
	int file = mkstemp(path);
	struct settings got = { 0 };
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(write(file, "  sk-1 \n", 8), 8);
	close(file);
	set("T_KEY_FILE", path);
	assert_int_equal(config_load(secrets, 1, &got, &a, &err), 0);
	assert_string_equal(got.key, "sk-1");
	set("T_KEY", "sk-2");
	assert_int_equal(config_load(secrets, 1, &got, &a, &err), -1);
	assert_string_equal(err.message, "T_KEY and T_KEY_FILE are both set: one is enough");
	set("T_KEY", NULL);
	unlink(path);
	err = (struct error){ 0 };
	assert_int_equal(config_load(secrets, 1, &got, &a, &err), -1);
	assert_non_null(strstr(err.message, "cannot be read"));
	set("T_KEY_FILE", NULL);
	arena_done(&a);
}

static void test_a_slip_is_told_from_a_stranger(void **state)
{
	(void)state;
	assert_string_equal(config_nearest("CHAT_MODLE"), "CHAT_MODEL");
	assert_string_equal(config_nearest("CHAT_PROVDER"), "CHAT_PROVIDER");
	assert_string_equal(config_nearest("PARLEY_ADMIN_MAIL"), "PARLEY_ADMIN_EMAIL");
	assert_string_equal(config_nearest("SMTP_PASWORD"), "SMTP_PASSWORD");
	assert_null(config_nearest("CHAT_SOMETHING_ELSE_ALTOGETHER"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_a_url_loses_its_last_slashes),
		cmocka_unit_test(test_every_bad_value_has_its_sentence),
		cmocka_unit_test(test_a_secret_may_be_in_a_file),
		cmocka_unit_test(test_a_slip_is_told_from_a_stranger),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
