/* links: svc-documents/ingest/sniff.c svc-documents/ingest/charset.c svc-documents/ingest/charset_names.c svc-documents/ingest/charset_guess.c svc-documents/ingest/plausible.c svc-documents/formats.c -luchardet */
#include "svc-documents/ingest/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <iconv.h>

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
		{ "other XML", S("<?xml version=\"1.0\"?>\n<rss>"), "a", "xml" },
		{ "JSON by its name", S(" [1]"), "a.json", "json" },
		{ "lines of JSON", S("{}\n{}"), "a.jsonl", "json" },
		{ "what only calls itself JSON", S("hello"), "a.json", "txt" },
		{ "brackets are no JSON", S("[1] See below."), "a.txt", "txt" },
		{ "subtitles", S("1\r\n00:00:01,000 --> 00:00:02,000\r\nx"), "a", "srt" },
		{ "an HTML comment without end", S("<!-- <html>"), "a", "txt" },
		{ "a word that begins like a tag", S("<header>"), "a", "txt" },
		{ "DOCX", S("PK\3\4....[Content_Types].xml..."), "a.docx", "docx" },
		{ "another zip", S("PK\3\4....a.txt..."), "a.docx", "archive" },
		{ "PNG", S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a.txt", "png" },
		{ "JPEG", S("\xff\xd8\xff\xe0\0\x10JFIF"), "a.png", "jpeg" },
		{ "WebP", S("RIFF\x10\0\0\0WEBPVP8 "), "a", "webp" },
		{ "TIFF", S("II*\0\x08\0\0\0"), "a", "tiff" },
		{ "a picture of a telephone's own kind",
		  S("\0\0\0\x18"
		    "ftypheic\0\0\0\0"),
		  "a.jpg", "image" },
		{ "a program",
		  S("\x7f"
		    "ELF\2\1\1\0\0"),
		  "a.txt", "program" },
		{ "control characters", S("a\1\2\3\4\5b"), "a.txt", NULL },
		{ "old Word", S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), "a.doc", "office-old" },
		{ "encrypted Word",
		  S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
		    "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"),
		  "a.docx", "office-encrypted" },
		{ "text that speaks of PDF", S("The archive clerk looks for the mark %PDF-1.7 at the start."),
		  "a.txt", "txt" },
		{ "a fragment of HTML", S("<h1>Hours</h1>"), "a.html", "html" },
		{ "UTF-16 without its mark", S("H\0e\0l\0l\0o\0 \0y\0o\0u\0.\0"), "a.txt", "txt" },
		{ "HTML in UTF-16", S("\xff\xfe<\0h\0t\0m\0l\0>\0 \0"), "a.html", "html" },
		{ "CSV", S("a,b\n1,2\n"), "a.csv", "csv" },
		{ "RTF", S("{\\rtf1 x}"), "a.txt", "rtf" },
		{ "a presentation", S("PK\3\4..[Content_Types].xml..ppt/presentation.xml"), "a.pptx",
		  "pptx" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct format *got = sniff(cases[i].bytes, cases[i].size, cases[i].file_name, NULL);

		print_message("%s\n", cases[i].name);
		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got->name, cases[i].want);
		} else {
			assert_null(got);
		}
	}
}

static void test_charsets(void **state)
{
	static const struct {
		const char *name, *bytes, *content_type, *want;
		bool doubt;
	} cases[] = {
		{ "UTF-8", "\xc3\xa9", NULL, "\xc3\xa9" },
		{ "UTF-8, whatever is declared", "\xc3\xa9", "text/html; charset=koi8-r", "\xc3\xa9" },
		{ "declared by the server", "\xc1", "text/html; charset=KOI8-R", "\xd0\xb0" },
		{ "in quotes", "\xc1", "text/html; charset=\"koi8-r\"", "\xd0\xb0" },
		{ "declared in the page", "<meta charset='iso-8859-2'>\xb1", "text/html",
		  "<meta charset='iso-8859-2'>\xc4\x85" },
		{ "declared in XML", "<?xml version='1.0' encoding='iso-8859-2'?>\xb1", NULL,
		  "<?xml version='1.0' encoding='iso-8859-2'?>\xc4\x85" },
		{ "the server comes before the page", "<meta charset='iso-8859-2'>\xc1",
		  "text/html; charset=koi8-r", "<meta charset='iso-8859-2'>\xd0\xb0" },
		{ "a name that nobody knows is passed over", "<meta charset='windows-1251'>\xe0",
		  "text/html; charset=none", "<meta charset='windows-1251'>\xd0\xb0" },
		{ "iso-8859-1 is Windows-1252", "\x80", "text/html; charset=ISO-8859-1", "\xe2\x82\xac" },
		{ "Shift_JIS with a circled digit", "\x87\x40", "text/html; charset=Shift_JIS",
		  "\xe2\x91\xa0" },
		{ "Japanese in seven bits", "\x1b$B?^=q\x1b(B.", NULL, "\xe5\x9b\xb3\xe6\x9b\xb8." },
		{ "lost bytes are told", "\xffx", "text/html; charset=big5", "\xef\xbf\xbdx", true },
		{ "unknown", "\xe9", "text/html; charset=nonsense", "\xc3\xa9", true },
		{ "names that only browsers still know", "\xb9", "text/html; charset=x-cp1250", "\xc4\x85" },
		{ "a Korean name", "\xb0\xa1", "text/html; charset=windows-949", "\xea\xb0\x80" },
		{ "Russian under another Russian name",
		  "<meta charset=windows-1251>\xfb\xd4\xd2\xc1\xc6. "
		  "\xeb\xcc\xc0\xde. \xee\xcf\xde\xd8. \xf5\xd4\xd2\xcf.",
		  NULL, "<meta charset=windows-1251>Штраф. Ключ. Ночь. Утро.", true },
		{ "UTF-8, and a line that somebody added", "Grüße. Öl.\nf\xfcnf\nTür\n", NULL,
		  "Grüße. Öl.\nfünf\nTür\n", true },
		{ "a mark of UTF-8 counts, whatever follows", "\xef\xbb\xbfGrüße\nCaf\xe9\n", NULL,
		  "\xef\xbb\xbfGrüße\nCafé\n", true },
		{ "UTF-8 with a byte that was hurt",
		  "Grüße, schöne Bücher für \xff"
		  "alle\n",
		  NULL,
		  "Grüße, schöne Bücher für \xef\xbf\xbd"
		  "alle\n",
		  true },
		{ "declared wrongly", "\xe9x", "text/html; charset=utf-8", "\xc3\xa9x", true },
		{ "not declared", "\x93x\x94", NULL, "\xe2\x80\x9cx\xe2\x80\x9d", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct charset_text got;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		charset_to_utf8(cases[i].bytes, strlen(cases[i].bytes), cases[i].content_type, true, false,
		                &got, &a);
		assert_int_equal(got.size, strlen(cases[i].want));
		assert_memory_equal(got.text, cases[i].want, got.size);
		assert_int_equal(got.doubt != NULL, cases[i].doubt);
		arena_done(&a);
	}
}

/* Texts in encodings that they do not name, long and short: what comes out is what went in. */
static void test_guesses(void **state)
{
	static const char
	    german[] = "Das Wasser wird am Dienstag für fünf Stunden abgestellt. Bitte füllen Sie "
	               "vorher größere Gefäße. Schöne Grüße, Ihre Hausverwaltung.\n",
	    french[] = "L'eau sera coupée mardi à neuf heures jusqu'à dix-sept heures. Où trouver de "
	               "l'eau ? Près de la forêt, à l'écart. Prévoir des réserves.\n",
	    russian[] = "Уважаемые жители! Вода будет отключена во вторник с девяти до семнадцати часов.\n",
	    greek[] = "Αγαπητοί κάτοικοι! Το νερό θα διακοπεί την Τρίτη από τις εννέα έως τις πέντε.\n",
	    turkish[] = "Değerli sakinler! Su salı günü dokuzdan on yediye kadar kesilecektir. Lütfen "
	                "şişe suyu alınız.\n",
	    polish[] = "Szanowni mieszkańcy! Woda zostanie odcięta we wtorek od dziewiątej do "
	               "siedemnastej. Prosimy o wcześniejsze przygotowanie zapasów.\n",
	    hebrew[] = "דיירים יקרים! המים ינותקו ביום שלישי מתשע עד חמש. נא להצטייד במים מראש.\n",
	    japanese[] = "住民の皆様へ。火曜日の九時から五時まで断水します。\n",
	    prices[] = "╔══════════╗\n║ PRICES   ║\n╚══════════╝\nKey    │ 45.00\nLamp   │ 12.50\n";
	static const struct {
		const char *charset, *text;
	} cases[] = {
		{ "CP1252", german },
		{ "CP437", german },
		{ "CP850", german },
		{ "MACINTOSH", german },
		{ "CP1252", french },
		{ "CP850", french },
		{ "MACINTOSH", french },
		{ "CP1251", russian },
		{ "CP866", russian },
		{ "KOI8-R", russian },
		{ "ISO-8859-5", russian },
		{ "CP1253", greek },
		{ "ISO-8859-7", greek },
		{ "CP737", greek },
		{ "CP1254", turkish },
		{ "CP857", turkish },
		{ "CP1250", polish },
		{ "ISO-8859-2", polish },
		{ "CP852", polish },
		{ "CP1255", hebrew },
		{ "CP932", japanese },
		{ "EUC-JP", japanese },
		{ "CP437", prices },
		{ "CP1253", "Άλλη μία φορά θα διακοπεί το νερό την Τρίτη. Ά, έτσι λοιπόν, είπε.\n" },
		{ "ISO-8859-15",
		  "Miete: 500 € im Monat. Kaution für größere Räume: 1000 €. Bürgermeister Müller.\n" },
		{ "CP1252",
		  "The landlord said: “Don’t use the lift.” It’s broken – until Friday. Fee: €20.\n" },
		{ "MACINTOSH", "The landlord said: “Don’t use the lift.” It’s broken – until Friday.\n" },
		{ "CP1252", "Öffnungszeiten: täglich 9–17 Uhr, außer an Feiertagen.\n" },
		{ "CP1251", "Режим работы: с 9 до 18\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char bytes[1000], *from = (char *)cases[i].text, *to = bytes;
		size_t size = strlen(from), left = sizeof bytes;
		struct charset_text got;
		struct arena a;
		iconv_t coder = iconv_open(cases[i].charset, "UTF-8");

		print_message("%s: %.60s\n", cases[i].charset, cases[i].text);
		assert_true((intptr_t)coder != -1);
		assert_int_equal(iconv(coder, &from, &size, &to, &left), 0);
		iconv_close(coder);
		arena_init(&a, 0);
		charset_to_utf8(bytes, sizeof bytes - left, NULL, false, false, &got, &a);
		assert_string_equal(arena_printf(&a, "%.*s", (int)got.size, got.text), cases[i].text);
		assert_non_null(got.doubt);
		arena_done(&a);
	}
}

/* Somebody added a line with another program. */
static void test_two_encodings(void **state)
{
	static const char bytes[] = "Größe: 9\nÜbergabe\nM\xfcnchen und K\xf6ln\nna\xefve\nStraße";
	struct charset_text got;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	charset_to_utf8(bytes, sizeof bytes - 1, NULL, false, false, &got, &a);
	assert_string_equal(arena_printf(&a, "%.*s", (int)got.size, got.text),
	                    "Größe: 9\nÜbergabe\nMünchen und Köln\nnaïve\nStraße");
	assert_non_null(got.doubt);
	arena_done(&a);
}

/* Chinese has few blanks, and characters that end in a NUL; what a mark says is no text. */
static void test_wide(void **state)
{
	static const struct {
		const char *name, *charset, *text, *want;
	} cases[] = {
		{ "Chinese without a mark", "UTF-16LE", "图书馆\n开门一点\n", "图书馆\n开门一点\n" },
		{ "the other way round", "UTF-16BE", "图书馆\n开门一点\n", "图书馆\n开门一点\n" },
		{ "with a mark", "UTF-16LE", "\ufeff{\"a\":1}", "{\"a\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char bytes[200], *from = (char *)cases[i].text, *to = bytes;
		size_t size = strlen(from), left = sizeof bytes;
		struct charset_text got;
		struct arena a;
		iconv_t coder = iconv_open(cases[i].charset, "UTF-8");

		print_message("%s\n", cases[i].name);
		assert_int_equal(iconv(coder, &from, &size, &to, &left), 0);
		iconv_close(coder);
		arena_init(&a, 0);
		charset_to_utf8(bytes, sizeof bytes - left, NULL, false, false, &got, &a);
		assert_string_equal(arena_printf(&a, "%.*s", (int)got.size, got.text), cases[i].want);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_types), cmocka_unit_test(test_charsets),
		                            cmocka_unit_test(test_guesses),
		                            cmocka_unit_test(test_two_encodings),
		                            cmocka_unit_test(test_wide) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
