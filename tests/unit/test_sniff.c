/* links: svc-documents/ingest/sniff.c svc-documents/ingest/charset.c svc-documents/ingest/normalise.c */
#include "svc-documents/ingest/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "svc-documents/ingest/charset.h"

#define S(text) text, sizeof text - 1

static void test_types(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t size;
		const char *file_name, *want;
	} cases[] = {
		{ "PDF", S("%PDF-1.7\n%\xe2\xe3"), "a.pdf", "pdf" },
		{ "PDF behind a few bytes", S("\r\n  %PDF-1.4"), "a", "pdf" },
		{ "PDF under another name", S("%PDF-1.7"), "a.txt", "pdf" },
		{ "text under a PDF's name", S("Hello"), "a.pdf", "txt" },
		{ "text", S("Hello\tworld\r\n"), "a.txt", "txt" },
		{ "text without a name", S("Hello"), NULL, "txt" },
		{ "text in Windows-1252", S("caf\xe9"), "a.txt", "txt" },
		{ "text in UTF-16", S("\xff\xfeH\0i\0"), "a.txt", "txt" },
		{ "Markdown", S("# Hello"), "README.MD", "md" },
		{ "HTML", S("<!DOCTYPE html><p>"), "a", "html" },
		{ "HTML behind blanks, a mark and a comment", S("\xef\xbb\xbf \n<!-- x --><HTML lang=en>"),
		  "a.txt", "html" },
		{ "XHTML", S("<?xml version=\"1.0\"?>\n<html xmlns=\"x\">"), "a", "html" },
		{ "other XML is text", S("<?xml version=\"1.0\"?>\n<rss>"), "a.xml", "txt" },
		{ "an HTML comment without end", S("<!-- <html>"), "a", "txt" },
		{ "a word that begins like a tag", S("<header>"), "a", "txt" },
		{ "DOCX", S("PK\3\4....[Content_Types].xml..."), "a.docx", "docx" },
		{ "another zip", S("PK\3\4....a.txt..."), "a.docx", NULL },
		{ "PNG", S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a.txt", NULL },
		{ "a program",
		  S("\x7f"
		    "ELF\2\1\1\0\0"),
		  "a.txt", NULL },
		{ "control characters", S("a\1\2\3\4\5b"), "a.txt", NULL },
		{ "old Word", S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), "a.doc", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = sniff(cases[i].bytes, cases[i].size, cases[i].file_name);

		print_message("%s\n", cases[i].name);
		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_null(got);
		}
	}
}

static void test_charsets(void **state)
{
	static const struct {
		const char *name, *bytes, *content_type, *want;
	} cases[] = {
		{ "UTF-8", "\xc3\xa9", NULL, "\xc3\xa9" },
		{ "UTF-8, whatever is declared", "\xc3\xa9", "text/html; charset=koi8-r", "\xc3\xa9" },
		{ "declared by the server", "\xc1", "text/html; charset=KOI8-R", "\xd0\xb0" },
		{ "in quotes", "\xc1", "text/html; charset=\"koi8-r\"", "\xd0\xb0" },
		{ "declared in the page", "<meta charset='iso-8859-2'>\xb1", "text/html",
		  "<meta charset='iso-8859-2'>\xc4\x85" },
		{ "unknown", "\xe9", "text/html; charset=nonsense", "\xc3\xa9" },
		{ "declared wrongly", "\xe9x", "text/html; charset=utf-8", "\xc3\xa9x" },
		{ "not declared", "\x93x\x94", NULL, "\xe2\x80\x9cx\xe2\x80\x9d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena a;
		const char *got;
		size_t size;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		got =
		    charset_to_utf8(cases[i].bytes, strlen(cases[i].bytes), cases[i].content_type, &size, &a);
		assert_int_equal(size, strlen(cases[i].want));
		assert_memory_equal(got, cases[i].want, size);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_types), cmocka_unit_test(test_charsets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
