/* links: svc-auth/mail.c svc-auth/letters.c */
#include "svc-auth/mail.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "svc-auth/letters.h"

static char *build(struct mail m, size_t *size, struct arena *a)
{
	m.from = m.from ? m.from : "Parley <parley@example.com>";
	m.to = m.to ? m.to : "ada@example.com";
	m.subject = m.subject ? m.subject : "Hello";
	m.id = m.id ? m.id : "0190-id";
	m.text = m.text ? m.text : "text\n";
	m.html = m.html ? m.html : "<p>html</p>\n";
	return mail_build(&m, size, a);
}

static const struct {
	const char *name, *from, *want;
} addresses[] = {
	{ "alone", "parley@example.com", "parley@example.com" },
	{ "with a name", "Parley <parley@example.com>", "parley@example.com" },
	{ "with a quoted name", "\"Parley, Inc.\" <p@example.com>", "p@example.com" },
	{ "no address", "Parley", NULL },
	{ "no domain", "parley@", NULL },
	{ "no name before the @", "@example.com", NULL },
	{ "a second line", "a@example.com\r\nBcc: b@example.com", NULL },
	{ "two of them", "a@example.com, b@example.com", NULL },
	{ "empty", "", NULL },
};

static void test_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct arena a;
		char *got;

		arena_init(&a, 0);
		print_message("%s\n", addresses[i].name);
		got = mail_address(addresses[i].from, &a);
		if (addresses[i].want)
			assert_string_equal(got, addresses[i].want);
		else
			assert_null(got);
		arena_done(&a);
	}
}

/* Lines end with CRLF and nothing else, and have at most 998 characters of ASCII. */
static void check_lines(const char *mail, size_t size)
{
	size_t column = 0;

	for (size_t i = 0; i < size; i++) {
		if (mail[i] == '\r') {
			assert_int_equal(mail[i + 1], '\n');
			i++;
			column = 0;
			continue;
		}
		assert_true(mail[i] != '\n' && mail[i] != '\0' && (unsigned char)mail[i] < 0x7f);
		assert_true(++column <= 998);
	}
	assert_int_equal(column, 0);
}

static char *unquote(const char *body, const char *end, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (const char *c = body; c < end; c++) {
		char hex[3] = { 0 };

		if (*c == '\r')
			continue;
		if (*c != '=') {
			text_addc(&t, *c);
		} else if (c[1] == '\r') {
			c += 2;
		} else {
			memcpy(hex, c + 1, 2);
			text_addc(&t, (char)strtol(hex, NULL, 16));
			c += 2;
		}
	}
	return t.at;
}

static char *unfold(const char *body, const char *end, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (const char *c = body; c < end; c++)
		if (*c != '\r')
			text_addc(&t, *c);
	return t.at;
}

/* The n-th part as its reader sees it. */
static char *part(const char *mail, const char *type, struct arena *a)
{
	char *line = arena_printf(a, "Content-Type: %s; charset=utf-8\r\n", type);
	const char *start = strstr(mail, line), *end;
	bool quoted = true;

	assert_non_null(start);
	start = strstr(start, "\r\n\r\n") + 4;
	end = strstr(start, "--parley-");
	assert_non_null(end);
	if (!strncmp(strstr(strstr(mail, line), "Content-Transfer-Encoding: "),
	             "Content-Transfer-Encoding: 7bit", 31))
		quoted = false;
	return quoted ? unquote(start, end, a) : unfold(start, end, a);
}

static const struct {
	const char *name, *body;
} bodies[] = {
	{ "plain", "Hello,\nthis is it.\n" },
	{ "UTF-8", "Grüße aus 東京 · 🎉\n" },
	{ "equals signs", "a=b==c=\n" },
	{ "blanks at the end of a line", "one \ntwo\t\n" },
	{ "dots that SMTP would read", ".\n..\n.hidden\n" },
	{ "a long line",
	  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\n" },
	{ "exactly 76", "0123456789012345678901234567890123456789012345678901234567890123456789012345\n" },
	{ "control characters", "a\x01\x7f\n" },
	{ "what looks like a boundary", "--parley\n--\n" },
	{ "empty lines", "\n\na\n\n" },
};

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct arena a;
		size_t size;
		char *mail;

		arena_init(&a, 0);
		print_message("%s\n", bodies[i].name);
		mail = build((struct mail){ .text = bodies[i].body, .html = bodies[i].body }, &size, &a);
		check_lines(mail, size);
		assert_string_equal(part(mail, "text/plain", &a), bodies[i].body);
		assert_string_equal(part(mail, "text/html", &a), bodies[i].body);
		arena_done(&a);
	}
}

static const struct {
	const char *name;
	struct mail mail;
	const char *want;
} headers[] = {
	{ "the date", { .date = 1736937000 }, "Date: Wed, 15 Jan 2025 10:30:00 +0000\r\n" },
	{ "the sender", { .from = "p@example.com" }, "From: p@example.com\r\n" },
	{ "a sender's name",
	  { .from = "\"My Parley\" <p@example.com>" },
	  "From: My Parley <p@example.com>\r\n" },
	{ "a sender's name in UTF-8",
	  { .from = "Café <p@example.com>" },
	  "From: =?UTF-8?B?Q2Fmw6k=?= <p@example.com>\r\n" },
	{ "a plain subject", { .subject = "Hello" }, "Subject: Hello\r\n" },
	{ "a subject in UTF-8", { .subject = "Grüße" }, "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n" },
	{ "a subject with a line feed",
	  { .subject = "a\r\nBcc: b@c" },
	  "Subject: =?UTF-8?B?YQ0KQmNjOiBiQGM=?=\r\n" },
	{ "a long subject is folded",
	  { .subject = "ääääääääääääääääääääääääääääää" },
	  "Subject: =?UTF-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOk?=\r\n =?UTF-8?B?" },
	{ "the id", { .id = "0190" }, "Message-ID: <0190@example.com>\r\n" },
	{ "not to be answered by machines", { 0 }, "Auto-Submitted: auto-generated\r\n" },
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct arena a;
		size_t size;
		char *mail, *end;

		arena_init(&a, 0);
		print_message("%s\n", headers[i].name);
		mail = build(headers[i].mail, &size, &a);
		check_lines(mail, size);
		end = strstr(mail, "\r\n\r\n");
		assert_non_null(end);
		end[2] = '\0';
		assert_non_null(strstr(mail, headers[i].want));
		assert_null(strstr(mail, "\nBcc"));
		arena_done(&a);
	}
}

static void test_same_mail_same_bytes(void **state)
{
	size_t one, two;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(build((struct mail){ 0 }, &one, &a), build((struct mail){ 0 }, &two, &a));
	arena_done(&a);
}

static void test_letters(void **state)
{
	struct letter letter;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	letter_code("012345", "https://chat.example.com", &letter, &a);
	assert_non_null(strstr(letter.subject, "012345"));
	assert_non_null(strstr(letter.text, "\n    012345\n"));
	assert_non_null(strstr(letter.html, ">012345<"));
	letter_link("https://x.example/?a=1&b=\"<script>", "https://x.example/<b>", &letter, &a);
	assert_non_null(strstr(letter.text, "\nhttps://x.example/?a=1&b=\"<script>\n"));
	assert_non_null(strstr(letter.html, "href=\"https://x.example/?a=1&amp;b=&quot;&lt;script&gt;\""));
	assert_null(strstr(letter.html, "<script>"));
	assert_string_equal(letter_escape("'", &a), "&#39;");
	arena_done(&a);
}

/* A mail that was written to a file is read in a terminal, and its link copied from there. */
static void test_link_stays_whole(void **state)
{
	const char *link =
	    "https://chat.example.com/reset-password?token=0123456789012345678901234567890123456789012";
	struct arena a;
	size_t size;

	(void)state;
	arena_init(&a, 0);
	assert_non_null(strstr(mail_build(&(struct mail){ .from = "p@example.com",
	                                                  .to = "a@example.com",
	                                                  .subject = "A link",
	                                                  .id = "1",
	                                                  .text = arena_printf(&a, "Here:\n\n%s\n", link),
	                                                  .html = "<p>Grüße</p>\n" },
	                                  &size, &a),
	                       link));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_link_stays_whole),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_same_mail_same_bytes),
		cmocka_unit_test(test_letters),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
