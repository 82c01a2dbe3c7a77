#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/format.h"

typedef bool check(const char *text, size_t length);

struct one {
	const char *text;
	bool want;
};

static void run(check *fn, const struct one *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fn(cases[i].text, strlen(cases[i].text)) != cases[i].want)
			fail_msg("%s: want %d", cases[i].text, cases[i].want);
	}
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG A63 "." A63 "." A63

static void emails(void **state)
{
	static const struct one cases[] = {
		{ "ada@example.com", true },
		{ "Ada.Lovelace+tag@mail.example.co.uk", true },
		{ "o'brien@example.com", true },
		{ "1@2.com", true },
		{ "a@xn--mnchen-3ya.de", true },
		{ A64 "@example.com", true },
		{ "a@" LONG ".com", true },
		{ A64 "@" LONG ".com", false }, /* 64 + 1 + 191 + 4 */
		{ "a" A64 "@example.com", false },
		{ "a@a" A63 ".com", false },
		{ "", false },
		{ "@", false },
		{ "ada", false },
		{ "ada@", false },
		{ "@example.com", false },
		{ "ada@example", false },
		{ "ada@localhost", false },
		{ "ada@@example.com", false },
		{ "ada@example.com@example.org", false },
		{ "ada@.com", false },
		{ "ada@example..com", false },
		{ "ada@example.com.", false },
		{ "ada@-example.com", false },
		{ "ada@example-.com", false },
		{ ".ada@example.com", false },
		{ "ada.@example.com", false },
		{ "a..da@example.com", false },
		{ "a da@example.com", false },
		{ "ada@exa mple.com", false },
		{ "ada@example.com\n", false },
		{ "ada@example.com\r\nBcc: eve@example.com", false },
		{ "ada\t@example.com", false },
		{ "\"ada lovelace\"@example.com", false },
		{ "Ada <ada@example.com>", false },
		{ "ada@example.com,eve@example.com", false },
		{ "ada(comment)@example.com", false },
		{ "ada@[127.0.0.1]", false },
		{ "ada@127.0.0.1", false },
		{ "\xd0\xb0"
		  "da@example.com",
		  false }, /* a Cyrillic a */
		{ "ada@ex\xd0\xb0mple.com", false },
	};

	(void)state;
	run(format_email, cases, sizeof cases / sizeof *cases);
	assert_false(format_email("a\0b@example.com", 15));
}

static void urls(void **state)
{
	static const struct one cases[] = {
		{ "http://example.com", true },
		{ "https://example.com/a/b?c=d&e=%20#f", true },
		{ "HTTPS://EXAMPLE.COM/", true },
		{ "http://127.0.0.1:8080/", true }, /* whether it may be asked is egress' business */
		{ "http://[::1]:80/", true },
		{ "http://localhost", true },
		{ "http://m\xc3\xbcnchen.de/stra\xc3\x9f"
		  "e",
		  true },
		{ "https://example.com:/x", true },
		{ "https://example.com?x", true },
		{ "", false },
		{ "example.com", false },
		{ "ftp://example.com/", false },
		{ "file:///etc/passwd", false },
		{ "javascript:alert(1)", false },
		{ "http:/example.com", false },
		{ "http://", false },
		{ "http:///path", false },
		{ "http://?q", false },
		{ "http://user@example.com/", false },
		{ "http://user:pass@example.com/", false },
		{ "http://example.com:0/", false },
		{ "http://example.com:65536/", false },
		{ "http://example.com:x/", false },
		{ "http://exa mple.com/", false },
		{ "http://example.com/a b",
		  true }, /* as people paste it: whoever asks for it encodes the blank */
		{ "http://example.com/\r\nHost: x", false },
		{ "http://example.com\\@evil.com/", false },
		{ "http://[::1/", false },
		{ "http://[x]/", false },
		{ "http://[]/", false },
		{ "http://.com/", false },
		{ " http://example.com/", false },
	};

	(void)state;
	run(format_url, cases, sizeof cases / sizeof *cases);
}

static void times(void **state)
{
	static const struct one cases[] = {
		{ "2025-01-15T10:30:00Z", true },
		{ "2025-01-15T10:30:00.123Z", true },
		{ "2025-01-15t10:30:00z", true },
		{ "2025-01-15 10:30:00+02:00", true },
		{ "2024-02-29T23:59:60-00:00", true },
		{ "2000-02-29T00:00:00Z", true },
		{ "1900-02-29T00:00:00Z", false },
		{ "2025-02-29T00:00:00Z", false },
		{ "2025-04-31T00:00:00Z", false },
		{ "2025-00-10T00:00:00Z", false },
		{ "2025-13-10T00:00:00Z", false },
		{ "2025-01-00T00:00:00Z", false },
		{ "0000-01-01T00:00:00Z", false },
		{ "2025-01-15T24:00:00Z", false },
		{ "2025-01-15T10:60:00Z", false },
		{ "2025-01-15T10:30:61Z", false },
		{ "2025-01-15T10:30:00", false },
		{ "2025-01-15T10:30Z", false },
		{ "2025-01-15", false },
		{ "2025-01-15T10:30:00.Z", false },
		{ "2025-01-15T10:30:00+0200", false },
		{ "2025-01-15T10:30:00+16:00", false },
		{ "2025-01-15T10:30:00+02:60", false },
		{ "2025-01-15T10:30:00Zx", false },
		{ "2025/01/15T10:30:00Z", false },
		{ "now", false },
		{ "", false },
		{ "2025-01-15T10:30:00.1234567890123456789012345Z", false },
	};

	(void)state;
	run(format_time, cases, sizeof cases / sizeof *cases);
}

static void words(void **state)
{
	(void)state;
	assert_true(format_cursor("0192f3a0-0000-7000-8000-000000000001", 36));
	assert_true(format_cursor("1700000000.20.7", 15));
	assert_false(format_cursor("", 0));
	assert_false(format_cursor("x'; --", 6));
	assert_false(format_cursor("a\0b", 3));
	assert_true(format_word("slack|website", "slack", 5));
	assert_true(format_word("slack|website", "website", 7));
	assert_false(format_word("slack|website", "web", 3));
	assert_false(format_word("slack|website", "slack|website", 13));
	assert_false(format_word("slack|website", "", 0));
	assert_false(format_word("slack|website", "Slack", 5));
}

static void trimming(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "a", "a" },
		{ " \t\r\n a b \v\f ", "a b" },
		{ "   ", "" },
		{ "\xc2\xa0 a\xe3\x80\x80", "a" },
		{ "\xef\xbb\xbf"
		  "a\xe2\x80\x8b",
		  "a" },
		{ "\xe2\x80\x8d"
		  "a",
		  "\xe2\x80\x8d"
		  "a" }, /* a joiner belongs to the letters */
		{ "\xc3\xa9", "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = cases[i].text;
		size_t length = strlen(got);

		format_trim(&got, &length);
		if (length != strlen(cases[i].want) || memcmp(got, cases[i].want, length) != 0)
			fail_msg("%s: got %.*s", cases[i].text, (int)length, got);
	}
}

static void test_blank(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "", true },
		{ " \t\r\n", true },
		{ "\u200b\u00a0\u2060\ufeff", true },
		{ "\u200d\u200e\u202e\u00ad\u3164\u2800", true },
		{ "x", false },
		{ " \u200b.\u200b ", false },
		{ "\u4fdd", false },
		{ "\U0001f600", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (format_blank(cases[i].text, strlen(cases[i].text)) != cases[i].want)
			fail_msg("case %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blank), cmocka_unit_test(emails), cmocka_unit_test(urls),
		cmocka_unit_test(times),      cmocka_unit_test(words),  cmocka_unit_test(trimming),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
