#include "svc-documents/ingest/sniff.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { PDF_LEAD = 1024, HTML_LEAD = 4096 };

static bool has(const char *head, size_t size, const char *what)
{
	return memmem(head, size, what, strlen(what)) != NULL;
}

/* A zip archive whose first entries are those of a Word document. */
static bool is_docx(const char *head, size_t size)
{
	return size > 4 && memcmp(head, "PK\3\4", 4) == 0 &&
	       (has(head, size, "word/") || has(head, size, "[Content_Types].xml"));
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Behind white space, a byte order mark, an XML declaration and comments: a tag that only HTML begins with. */
static bool is_html(const char *s, size_t size)
{
	static const char *const tags[] = { "<!doctype html", "<html", "<head", "<body" };
	const char *end = s + (size < HTML_LEAD ? size : HTML_LEAD);

	if (end - s >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end) {
		const char *close;

		if (blank(*s)) {
			s++;
			continue;
		}
		for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
			size_t n = strlen(tags[i]);

			if ((size_t)(end - s) > n && strncasecmp(s, tags[i], n) == 0 &&
			    (blank(s[n]) || s[n] == '>'))
				return true;
		}
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

/* Text has no NUL (unless it is UTF-16 with its mark) and hardly a control character. */
static bool is_text(const char *head, size_t size)
{
	size_t odd = 0;

	if (size >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0))
		return true;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)head[i];

		if (c == 0)
			return false;
		odd += c == 0x7f || (c < 0x20 && !blank((char)c) && c != 0x1b && c != 0x0b);
	}
	return odd * 200 <= size;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = name ? strlen(name) : 0, k = strlen(suffix);

	return n > k && strcasecmp(name + n - k, suffix) == 0;
}

const char *sniff(const char *head, size_t size, const char *file_name)
{
	if (has(head, size < PDF_LEAD ? size : PDF_LEAD, "%PDF-"))
		return "pdf";
	if (is_docx(head, size))
		return "docx";
	if (!is_text(head, size))
		return NULL;
	if (is_html(head, size))
		return "html";
	return ends_with(file_name, ".md") || ends_with(file_name, ".markdown") ? "md" : "txt";
}
