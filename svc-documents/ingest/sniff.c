#include "svc-documents/ingest/sniff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/ingest/charset.h"

enum { JUNK = 32 /* that may stand before a PDF */, NARROW = 4096, LINE = 200 };

static bool has(const char *head, size_t size, const char *what)
{
	return memmem(head, size, what, strlen(what)) != NULL;
}

static bool starts(const char *head, size_t size, const char *what)
{
	size_t n = strlen(what);

	return size >= n && memcmp(head, what, n) == 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n, k = strlen(suffix);

	if (!name)
		return false;
	n = strlen(name);
	return n > k && strcasecmp(name + n - k, suffix) == 0;
}

/* --- By their first bytes ----------------------------------------------------------------------------------------- */

static const char *magic(const char *head, size_t size)
{
	static const struct {
		const char *bytes, *name;
		size_t at;
	} kinds[] = {
		{ "{\\rtf", "rtf" },
		{ "\x89PNG", "png" },
		{ "\xff\xd8\xff", "jpeg" },
		{ "GIF8", "gif" },
		{ "II*", "tiff" },
		{ "MM\0*", "tiff" },
		{ "BM", "bmp" },
		{ "WEBP", "webp", 8 },
		{ "ftypheic", "image", 4 },
		{ "ftypmif1", "image", 4 },
		{ "ftypavif", "image", 4 },
		{ "jP  ", "image", 4 },
		{ "WAVE", "media", 8 },
		{ "AVI ", "media", 8 },
		{ "ftyp", "media", 4 },
		{ "ID3", "media" },
		{ "\xff\xfb", "media" },
		{ "OggS", "media" },
		{ "fLaC", "media" },
		{ "\x1a\x45\xdf\xa3", "media" },
		{ "\x1f\x8b", "archive" },
		{ "BZh", "archive" },
		{ "7z\xbc\xaf", "archive" },
		{ "Rar!", "archive" },
		{ "\xfd"
		  "7zXZ",
		  "archive" },
		{ "ustar", "archive", 257 },
		{ "\x7f"
		  "ELF",
		  "program" },
		{ "MZ", "program" },
		{ "\xca\xfe\xba\xbe", "program" },
		{ "SQLite format 3", "database" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (size > kinds[i].at && starts(head + kinds[i].at, size - kinds[i].at, kinds[i].bytes))
			return kinds[i].name;
	return NULL;
}

/* A container of Office, old or encrypted; names in it are UTF-16. */
static const char *ole(const char *head, size_t size)
{
	static const char package[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";

	return memmem(head, size, package, sizeof package - 1) ? "office-encrypted" : "office-old";
}

static const char *zip(const char *head, size_t size)
{
	static const struct {
		const char *part, *name;
	} kinds[] = {
		{ "mimetypeapplication/epub+zip", "epub" },
		{ "mimetypeapplication/vnd.oasis.opendocument.text", "odt" },
		{ "mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "ods" },
		{ "mimetypeapplication/vnd.oasis.opendocument.presentation", "odp" },
		{ "META-INF/container.xml",
		  "epub" }, /* packed by who does not know that its kind comes first */
		{ "word/document", "docx" },
		{ "ppt/presentation", "pptx" },
		{ "xl/workbook", "xlsx" },
		{ "word/", "docx" },
		{ "ppt/slides/", "pptx" },
		{ "xl/worksheets/", "xlsx" },
		{ "[Content_Types].xml", "docx" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (has(head, size, kinds[i].part))
			return kinds[i].name;
	return "archive";
}

/* Readers take a PDF behind a little junk: not behind a text that speaks of one. */
static bool is_pdf(const char *head, size_t size)
{
	const char *mark = memmem(head, size < 1024 ? size : 1024, "%PDF-", 5);

	if (!mark)
		return false;
	for (const char *s = head; s < mark; s++)
		if (!blank(*s) && mark - head > JUNK)
			return false;
	return true;
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

/* Text has no NUL and hardly a control character. */
static bool is_text(const char *head, size_t size)
{
	size_t odd = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)head[i];

		if (c == 0)
			return false;
		odd += c == 0x7f || (c < 0x20 && !blank((char)c) && c != 0x1b && c != 0x0b);
	}
	return odd * 200 <= size;
}

static const char *skip_blanks(const char *s, const char *end)
{
	if (end - s >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end && blank(*s))
		s++;
	return s;
}

static bool is_tag(const char *s, const char *end, const char *const *tags)
{
	for (; *tags; tags++) {
		size_t n = strlen(*tags);

		if ((size_t)(end - s) > n && strncasecmp(s, *tags, n) == 0 && (blank(s[n]) || s[n] == '>'))
			return true;
	}
	return false;
}

/* Behind XML declarations and comments: a tag that only HTML begins with. */
static bool is_html(const char *s, const char *end)
{
	static const char *const tags[] = {
		"<!doctype html", "<html", "<head",  "<body",   "<title", "<h1", "<h2",
		"<div",           "<p",    "<table", "<script", "<style", NULL
	};

	while (s < end) {
		const char *close;

		s = skip_blanks(s, end);
		if (is_tag(s, end, tags))
			return true;
		if (end - s > 4 && memcmp(s, "<!--", 4) == 0)
			close = memmem(s, (size_t)(end - s), "-->", 3);
		else if (end - s > 2 && memcmp(s, "<?", 2) == 0)
			close = memmem(s, (size_t)(end - s), "?>", 2);
		else
			return false;
		if (!close)
			return false;
		s = close + (*close == '-' ? 3 : 2);
	}
	return false;
}

/* Lines that begin as those of a mail's head do; the first of them must. */
static bool is_mail(const char *s, const char *end)
{
	static const char *const names[] = {
		"from:",        "to:",         "date:",         "subject:",      "received:",
		"return-path:", "message-id:", "mime-version:", "delivered-to:", NULL
	};
	int known = 0;

	for (int lines = 0; s < end && lines < 60 && *s != '\n' && *s != '\r'; lines++) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		bool name = false;

		for (const char *const *n = names; *n; n++)
			name =
			    name || ((size_t)(end - s) > strlen(*n) && strncasecmp(s, *n, strlen(*n)) == 0);
		known += name;
		if (lines == 0 && !name)
			return false;
		if (!eol)
			break;
		s = eol + 1;
	}
	return known >= 3;
}

/* "1", then "00:00:01,000 --> 00:00:04,000"; or WEBVTT. */
static bool is_subtitles(const char *s, const char *end)
{
	const char *eol = memchr(s, '\n', (size_t)(end - s));

	if (starts(s, (size_t)(end - s), "WEBVTT"))
		return true;
	if (eol && eol > s && isdigit((unsigned char)*s) &&
	    has(s, (size_t)(eol - s), " --> ")) /* without numbers */
		return true;
	for (const char *p = s; eol && p < eol; p++)
		if (!isdigit((unsigned char)*p) && *p != '\r')
			return false;
	return eol && eol > s && has(eol, (size_t)(end - eol < LINE ? end - eol : LINE), " --> ");
}

/* Some marks are letters: a text may begin with them. */
static const char *binary(const char *head, size_t size)
{
	const char *name = magic(head, size);

	return name && (strcmp(name, "rtf") == 0 || !is_text(head, size)) ? name : NULL;
}

static bool says_json(const char *content_type)
{
	static const char *const types[] = { "application/json", "application/ld+json",
		                             "application/x-ndjson", "application/jsonl", NULL };

	for (const char *const *t = types; content_type && *t; t++)
		if (strncasecmp(content_type, *t, strlen(*t)) == 0)
			return true;
	return false;
}

static const char *text(const char *head, size_t size, const char *name, const char *content_type)
{
	const char *end = head + size, *s = skip_blanks(head, end);
	bool said = content_type && strncasecmp(content_type, "text/html", 9) == 0;

	if (!is_text(head, size))
		return NULL;
	if (is_mail(s, end) || (ends_with(name, ".eml") && memchr(s, ':', (size_t)(end - s))))
		return "eml";
	if (is_html(s, end))
		return "html";
	if ((said || ends_with(name, ".html") || ends_with(name, ".htm") || ends_with(name, ".xhtml")) &&
	    memchr(s, '<', (size_t)(end - s)))
		return "html";
	if (starts(s, (size_t)(end - s), "<?xml") || (ends_with(name, ".xml") && s < end && *s == '<'))
		return "xml";
	if ((ends_with(name, ".json") || ends_with(name, ".jsonl") || ends_with(name, ".ndjson") ||
	     says_json(content_type)) &&
	    s < end && (*s == '{' || *s == '['))
		return "json";
	if (is_subtitles(s, end))
		return "srt";
	if (ends_with(name, ".csv") || ends_with(name, ".tsv"))
		return "csv";
	return ends_with(name, ".md") || ends_with(name, ".markdown") ? "md" : "txt";
}

/* UTF-16 is judged by its low bytes: what tells formats apart is ASCII. */
static const char *wide_text(const char *head, size_t size, bool little, const char *name,
                             const char *content_type)
{
	char narrow[NARROW] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i + 1 < size && n < sizeof narrow; i += 2) {
		char low = head[i + !little], high = head[i + little];

		if ((unsigned char)high != 0xfe && (unsigned char)high != 0xff)
			narrow[n++] = high ? 'x' : low;
	}
	return text(narrow, n, name, content_type);
}

const struct format *sniff(const char *head, size_t size, const char *file_name, const char *content_type)
{
	enum charset_width width = charset_width(head, size);
	const char *name;

	if (is_pdf(head, size))
		name = "pdf";
	else if (width != CHARSET_BYTES)
		name = wide_text(head, size, width == CHARSET_UTF16_LE, file_name, content_type);
	else if (starts(head, size, "PK\3\4"))
		name = zip(head, size);
	else if (starts(head, size, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
		name = ole(head, size);
	else if (starts(head, size, "\x1f\x8b") && ends_with(file_name, ".xml.gz"))
		name = "xml.gz"; /* a sitemap, mostly */
	else if (!(name = binary(head, size)))
		name = text(head, size, file_name, content_type);
	if (!name)
		return NULL;
	return format_named(name) ? format_named(name) : format_named("txt");
}
