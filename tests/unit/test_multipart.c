/* links: gateway/multipart.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/multipart.h"

#include "common/base/text.h"

/* A body that comes in pieces of a given size. */
struct source {
	const char *bytes;
	size_t left, piece;
};

static int read_source(void *arg, void *bytes, size_t room, size_t *got, struct error *err)
{
	struct source *s = arg;

	(void)err;
	*got = s->left < s->piece ? s->left : s->piece;
	if (*got > room)
		*got = room;
	memcpy(bytes, s->bytes, *got);
	s->bytes += *got;
	s->left -= *got;
	return 0;
}

#define B "--b\r\n"
#define END "\r\n--b--\r\n"
#define NAME "Content-Disposition: form-data; name="

static const struct {
	const char *name, *type, *body;
	const char *want; /* "name|file name|type=content;" for each part, or the refusal */
} cases[] = {
	{ "one field", "multipart/form-data; boundary=b", B NAME "\"a\"\r\n\r\nx" END, "a||=x;" },
	{ "boundary in quotes", "multipart/form-data; charset=utf-8; boundary=\"b\"", B NAME "a\r\n\r\nx" END,
	  "a||=x;" },
	{ "type in capitals", "Multipart/Form-Data; Boundary=b", B NAME "\"a\"\r\n\r\nx" END, "a||=x;" },
	{ "a field and a file", "multipart/form-data; boundary=b",
	  B NAME "\"name\"\r\n\r\nN\xc3\xa4me\r\n" B NAME
	         "\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF" END,
	  "name||=N\xc3\xa4me;file|a.pdf|application/pdf=%PDF;" },
	{ "empty content", "multipart/form-data; boundary=b", B NAME "\"a\"\r\n\r\n" END, "a||=;" },
	{ "content that looks like a boundary", "multipart/form-data; boundary=b",
	  B NAME "\"a\"\r\n\r\n\r\n--\r\n-b\r\r\n--\r\n--a" END, "a||=\r\n--\r\n-b\r\r\n--\r\n--a;" },
	{ "preamble and epilogue", "multipart/form-data; boundary=b",
	  "hello\r\n" B NAME "\"a\"\r\n\r\nx" END "good bye", "a||=x;" },
	{ "no line end at the end", "multipart/form-data; boundary=b", B NAME "\"a\"\r\n\r\nx\r\n--b--",
	  "a||=x;" },
	{ "white space after the boundary", "multipart/form-data; boundary=b",
	  "--b  \r\n" NAME "\"a\"\r\n\r\nx" END, "a||=x;" },
	{ "no parts", "multipart/form-data; boundary=b", "--b--\r\n", "" },
	{ "quote in a name, curl's way", "multipart/form-data; boundary=b",
	  B NAME "\"f\"; filename=\"a\\\"b.txt\"\r\n\r\nx" END, "f|a\"b.txt|=x;" },
	{ "quote in a name, a browser's way", "multipart/form-data; boundary=b",
	  B NAME "\"f\"; filename=\"a%22b%41.txt\"\r\n\r\nx" END, "f|a\"b%41.txt|=x;" },
	{ "semicolon in a name", "multipart/form-data; boundary=b",
	  B NAME "\"f\"; filename=\"a; name=b.txt\"\r\n\r\nx" END, "f|a; name=b.txt|=x;" },
	{ "a path for a name", "multipart/form-data; boundary=b",
	  B NAME "\"f\"; filename=\"C:\\docs\\..\\a.txt\"\r\n\r\nx" END, "f|a.txt|=x;" },
	{ "name in UTF-8, RFC 5987", "multipart/form-data; boundary=b",
	  B
	  "content-disposition: form-data; filename=\"x\"; filename*=UTF-8''na%C3%AFve%20.txt; name=\"f\"\r\n\r\nx" END,
	  "f|na\xc3\xafve .txt|=x;" },
	{ "%00 in a name", "multipart/form-data; boundary=b",
	  B NAME "\"f\"; filename*=UTF-8''a%00b\r\n\r\nx" END, "f|a%00b|=x;" },
	{ "empty file name", "multipart/form-data; boundary=b", B NAME "\"f\"; filename=\"\"\r\n\r\nx" END,
	  "f||=x;" },

	{ "no type", NULL, "", "415" },
	{ "another type", "application/json", "{}", "415" },
	{ "no boundary", "multipart/form-data", "", "415" },
	{ "empty boundary", "multipart/form-data; boundary=", "", "415" },
	{ "boundary of 71",
	  "multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "", "415" },
	{ "multipart/form-database", "multipart/form-database; boundary=b", "", "415" },
	{ "empty body", "multipart/form-data; boundary=b", "", "400" },
	{ "another boundary", "multipart/form-data; boundary=c", B NAME "\"a\"\r\n\r\nx" END, "400" },
	{ "cut in the boundary", "multipart/form-data; boundary=b", "--b", "400" },
	{ "cut in the header", "multipart/form-data; boundary=b", B NAME, "400" },
	{ "cut in the content", "multipart/form-data; boundary=b", B NAME "\"a\"\r\n\r\nxyz", "400" },
	{ "cut before the end", "multipart/form-data; boundary=b", B NAME "\"a\"\r\n\r\nx\r\n--b", "400" },
	{ "boundary goes on", "multipart/form-data; boundary=b", "--bc\r\n" NAME "\"a\"\r\n\r\nx" END,
	  "400" },
	{ "no name", "multipart/form-data; boundary=b", B "Content-Type: text/plain\r\n\r\nx" END, "400" },
	{ "not form-data", "multipart/form-data; boundary=b",
	  B "Content-Disposition: attachment; name=\"a\"\r\n\r\nx" END, "400" },
	{ "bare LF", "multipart/form-data; boundary=b", "--b\n" NAME "\"a\"\n\nx\n--b--\n", "400" },
};

/* What the parser makes of a body, as text. */
static const char *parse(struct arena *a, const char *type, const char *body, size_t size, size_t piece)
{
	struct source source = { body, size, piece };
	struct multipart m;
	struct multipart_part part;
	struct error err = { 0 };
	struct text out;
	char bytes[7];
	size_t got;
	int more;

	text_init(&out, a);
	if (multipart_init(&m, type, read_source, &source, a, &err) < 0)
		return err.code == ERROR_UNSUPPORTED_TYPE ? "415" : "?";
	while ((more = multipart_next(&m, &part, &err)) == 1) {
		text_addf(&out, "%s|%s|%s=", part.name, part.file_name ? part.file_name : "",
		          part.type ? part.type : "");
		do {
			if (multipart_read(&m, bytes, sizeof bytes, &got, &err) < 0)
				return err.code == ERROR_MALFORMED ? "400" : "?";
			text_add(&out, bytes, got);
		} while (got);
		text_addc(&out, ';');
	}
	if (more < 0)
		return err.code == ERROR_MALFORMED ? "400" : "?";
	return out.at;
}

static void test_forms(void **state)
{
	struct arena a;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t piece = 1; piece < 200; piece++) { /* wherever the network cuts */
			const char *got;

			arena_init(&a, 0);
			got = parse(&a, cases[i].type, cases[i].body, strlen(cases[i].body), piece);
			if (strcmp(got, cases[i].want))
				fail_msg("%s, in pieces of %zu: got %s, want %s", cases[i].name, piece, got,
				         cases[i].want);
			arena_done(&a);
		}
	}
}

static void test_large_content_comes_out_as_it_went_in(void **state)
{
	enum { SIZE = 300 * 1000 };
	static char body[SIZE + 200];
	static const char head[] = B NAME "\"f\"; filename=\"f\"\r\n\r\n";
	size_t at = sizeof head - 1;
	const char *got;
	struct arena a;

	(void)state;
	memcpy(body, head, at);
	for (size_t i = 0; i < SIZE; i++) /* any byte, and many false starts of a boundary */
		body[at++] = i % 100 < 4 ? "\r\n--"[i % 100] : i % 100 == 4 ? 'B' : (char)(i * 7 % 255 + 1);
	memcpy(body + at, END, sizeof END - 1);
	arena_init(&a, 0);
	got = parse(&a, "multipart/form-data; boundary=b", body, at + sizeof END - 1, 5000);
	assert_int_equal(strncmp(got, "f|f|=", 5), 0);
	assert_memory_equal(got + 5, body + sizeof head - 1, SIZE);
	assert_string_equal(got + 5 + SIZE, ";");
	arena_done(&a);
}

static void test_bounds(void **state)
{
	struct text body;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	text_init(&body, &a);
	for (int i = 0; i <= MULTIPART_PARTS; i++)
		text_adds(&body, B NAME "\"a\"\r\n\r\nx\r\n");
	text_adds(&body, "--b--\r\n");
	assert_string_equal(parse(&a, "multipart/form-data; boundary=b", body.at, body.length, 5000), "400");

	text_init(&body, &a);
	text_adds(&body, B);
	for (int i = 0; i < 11; i++)
		text_adds(&body, "X-A: b\r\n");
	text_adds(&body, NAME "\"a\"\r\n\r\nx" END);
	assert_string_equal(parse(&a, "multipart/form-data; boundary=b", body.at, body.length, 5000), "400");

	text_init(&body, &a);
	text_adds(&body, B "X-A: ");
	for (int i = 0; i < 5000; i++)
		text_addc(&body, 'x');
	text_adds(&body, "\r\n" NAME "\"a\"\r\n\r\nx" END);
	assert_string_equal(parse(&a, "multipart/form-data; boundary=b", body.at, body.length, 100000),
	                    "400");
	assert_string_equal(parse(&a, "multipart/form-data; boundary=b", body.at, body.length, 100), "400");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_large_content_comes_out_as_it_went_in),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
