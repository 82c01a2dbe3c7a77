#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void uuids_are_valid_version_7_and_sorted(void **state)
{
	char before[UUID_TEXT] = "", now[UUID_TEXT];
	int sorted = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uuid_make(now);
		assert_true(uuid_valid(now));
		assert_int_equal(now[14], '7');
		assert_non_null(strchr("89ab", now[19]));
		assert_string_not_equal(before, now);
		sorted += strcmp(before, now) < 0;
		memcpy(before, now, sizeof now);
	}
	assert_int_equal(sorted, 1000);
}

static void uuid_forms(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "01890a5d-ac96-774b-bcce-b302099a8057", 1 },
		{ "01890A5D-AC96-774B-BCCE-B302099A8057", 1 },
		{ "00000000-0000-0000-0000-000000000000", 1 },
		{ "01890a5d-ac96-774b-bcce-b302099a805", 0 },
		{ "01890a5d-ac96-774b-bcce-b302099a80577", 0 },
		{ "01890a5dac96-774b-bcce-b302099a80577", 0 },
		{ "01890a5d-ac96-774b-bcce-b302099a805g", 0 },
		{ "{1890a5d-ac96-774b-bcce-b302099a805}", 0 },
		{ "", 0 },
		{ NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (uuid_valid(cases[i].text) != cases[i].want)
			fail_msg("uuid_valid(%s)", cases[i].text);
	}
}

static void base64url_is_as_in_rfc_4648(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" },
	};
	char text[32], bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t size = strlen(cases[i].bytes);
		assert_int_equal(base64url_encode(text, cases[i].bytes, size), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(base64url_decode(bytes, sizeof bytes, text, strlen(text)), size);
		assert_memory_equal(bytes, cases[i].bytes, size);
		if (size)
			assert_int_equal(base64url_decode(bytes, size - 1, text, strlen(text)), -1);
	}
}

static void base64url_refuses_other_spellings(void **state)
{
	static const char *const bad[] = { "Z", "Zg==", "Zh", "Zm9", "+/+/", "Zm 8", "Zm8\n", "Zm9vY" };
	char bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (base64url_decode(bytes, sizeof bytes, bad[i], strlen(bad[i])) != -1)
			fail_msg("took '%s'", bad[i]);
	}
}

static void known_hashes(void **state)
{
	char hex[65];

	(void)state;
	sha256_hex(hex, "abc", 3);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(fnv1a(""), 0x811c9dc5);
	assert_int_equal(fnv1a("foobar"), 0xbf9cf968);
}

static void times_as_text(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1736937000123, "2025-01-15T10:30:00.123Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		clock_rfc3339(text, cases[i].ms);
		assert_string_equal(text, cases[i].want);
	}
	assert_true(clock_unix_ms() > 1700000000000);
	assert_true(clock_mono_us() / 1000 <= clock_mono_ms());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids_are_valid_version_7_and_sorted),
		cmocka_unit_test(uuid_forms),
		cmocka_unit_test(base64url_is_as_in_rfc_4648),
		cmocka_unit_test(base64url_refuses_other_spellings),
		cmocka_unit_test(known_hashes),
		cmocka_unit_test(times_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
