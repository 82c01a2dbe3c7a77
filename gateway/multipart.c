#include "gateway/multipart.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_LENGTH = 4096, PART_LINES = 10 };

/* --- Reading "form-data; name=\"a\"; filename=\"b\"" ------------------------------------------------------------- */

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/*
 * The value of a parameter, in the arena; NULL when it is not there. A quoted string ends at a quote that has no
 * backslash before it; browsers send a quote inside as %22, others as \". Other backslashes are kept: "C:\a.pdf".
 */
static char *parameter(const char *header, const char *name, struct arena *a)
{
	const char *at = strchr(header, ';');
	size_t name_length = strlen(name);

	while (at) {
		bool wanted;
		char *value;
		size_t n = 0;

		at = skip_space(at + 1);
		wanted = !strncasecmp(at, name, name_length) && at[name_length] == '=';
		at += strcspn(at, "=;");
		if (*at != '=') {
			at = *at ? at : NULL;
			continue;
		}
		value = arena_alloc(a, strlen(at) + 1);
		if (*++at == '"') {
			for (at++; *at && *at != '"'; at++) {
				if (*at == '\\' && at[1] == '"')
					at++;
				value[n++] = *at;
			}
		} else {
			n = strcspn(at, "; \t");
			memcpy(value, at, n);
			at += n;
		}
		if (wanted)
			return value;
		at = strchr(at, ';');
	}
	return NULL;
}

static int hex(char c)
{
	const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* "%22" is a quote; a '%' before anything else is itself. In place. */
static char *percent_decoded(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high = *from == '%' ? hex(from[1]) : -1, low = high < 0 ? -1 : hex(from[2]);

		if (low >= 0 && high + low > 0) {
			*to++ = (char)(high << 4 | low);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return text;
}

/* filename*=UTF-8''na%C3%AFve.pdf (RFC 5987) counts more than filename="...". */
static const char *file_name(const char *header, struct arena *a)
{
	char *extended = parameter(header, "filename*", a), *plain = parameter(header, "filename", a);
	char *name = plain;

	for (char *p = plain; p && (p = strstr(p, "%22"));) { /* a quote; browsers escape nothing else */
		*p++ = '"';
		memmove(p, p + 2, strlen(p + 2) + 1);
	}
	if (extended && !strncasecmp(extended, "utf-8'", 6) && strchr(extended + 6, '\''))
		name = percent_decoded(strchr(extended + 6, '\'') + 1);
	for (char *p = name; p && *p; p++) /* some send a whole path */
		if (*p == '/' || *p == '\\')
			name = p + 1;
	return name;
}

/* --- The window ----------------------------------------------------------------------------------------------- */

int multipart_init(struct multipart *m, const char *content_type, multipart_source *source, void *arg,
                   struct arena *a, struct error *err)
{
	static const char form[] = "multipart/form-data";
	const char *after = content_type ? content_type + sizeof form - 1 : NULL;
	const char *boundary = NULL;
	size_t length;

	if (content_type && !strncasecmp(content_type, form, sizeof form - 1) && strchr("; \t", *after))
		boundary = parameter(after, "boundary", a);
	length = boundary ? strlen(boundary) : 0;
	if (!length || length > MULTIPART_BOUNDARY)
		return error_set(err, ERROR_UNSUPPORTED_TYPE,
		                 "the body must be multipart/form-data, and its type must name the boundary");
	*m = (struct multipart){ .source = source, .arg = arg, .arena = a };
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, length);
	m->delimiter_length = length + 4;
	m->window = arena_alloc(a, MULTIPART_WINDOW);
	/* The first delimiter may stand at the very start, where no line ends before it: lend it one. */
	memcpy(m->window, "\r\n", 2);
	m->end = 2;
	return 0;
}

/* More into the window, or source_ended. */
static int fill(struct multipart *m, struct error *err)
{
	size_t got = 0;

	if (m->start) {
		memmove(m->window, m->window + m->start, m->end - m->start);
		m->end -= m->start;
		m->start = 0;
	}
	if (m->end == MULTIPART_WINDOW || m->source_ended)
		return 0;
	if (m->source(m->arg, m->window + m->end, MULTIPART_WINDOW - m->end, &got, err) < 0)
		return -1;
	m->end += got;
	m->source_ended = got == 0;
	return 0;
}

static int malformed(struct error *err, const char *what)
{
	return error_set(err, ERROR_MALFORMED, "the multipart body is malformed: %s", what);
}

/* What is certainly the part's, at the front of the window; *length is 0 at the end of the part. */
static int peek(struct multipart *m, const char **ret, size_t *length, struct error *err)
{
	for (;;) {
		const char *from = m->window + m->start, *found;
		size_t have = m->end - m->start;

		*ret = from;
		*length = 0;
		if (!m->in_part)
			return 0;
		found = memmem(from, have, m->delimiter, m->delimiter_length);
		if (found == from) {
			m->start += m->delimiter_length;
			m->in_part = false;
			return 0;
		}
		/* Without a delimiter in sight, all but what may be the beginning of one. */
		if (found)
			*length = (size_t)(found - from);
		else if (have >= m->delimiter_length)
			*length = have - m->delimiter_length + 1;
		if (*length)
			return 0;
		if (m->source_ended)
			return malformed(err, "it ends inside a part");
		if (fill(m, err) < 0)
			return -1;
	}
}

int multipart_read(struct multipart *m, void *bytes, size_t room, size_t *got, struct error *err)
{
	const char *from;

	if (peek(m, &from, got, err) < 0)
		return -1;
	if (*got > room)
		*got = room;
	memcpy(bytes, from, *got);
	m->start += *got;
	return 0;
}

/* --- Between the parts ---------------------------------------------------------------------------------------- */

static int skip_part(struct multipart *m, struct error *err)
{
	const char *from;
	size_t length;

	do {
		if (peek(m, &from, &length, err) < 0)
			return -1;
		m->start += length;
	} while (length);
	return 0;
}

/* The line after the delimiter, or a header line, in the arena, without its CR LF. */
static int read_line(struct multipart *m, const char **ret, struct error *err)
{
	const char *end;

	while (!(end = memmem(m->window + m->start, m->end - m->start, "\r\n", 2))) {
		if (m->source_ended)
			return malformed(err, "it ends inside the header of a part");
		if (m->end - m->start > LINE_MAX_LENGTH)
			break;
		if (fill(m, err) < 0)
			return -1;
	}
	if (!end || end - (m->window + m->start) > LINE_MAX_LENGTH)
		return malformed(err, "a header line is too long");
	*ret = arena_strndup(m->arena, m->window + m->start, (size_t)(end - m->window) - m->start);
	m->start = (size_t)(end - m->window) + 2;
	return 0;
}

/* "--" ends the whole (what follows is to be ignored), white space alone starts a part. */
static int after_delimiter(struct multipart *m, struct error *err)
{
	const char *line = "";

	while (m->end - m->start < 2) {
		if (m->source_ended)
			return malformed(err, "it ends after a boundary");
		if (fill(m, err) < 0)
			return -1;
	}
	if (!memcmp(m->window + m->start, "--", 2)) {
		m->finished = true;
		return 0;
	}
	if (read_line(m, &line, err) < 0)
		return -1;
	return *skip_space(line) ? malformed(err, "something follows a boundary") : 0;
}

static int read_headers(struct multipart *m, struct multipart_part *ret, struct error *err)
{
	static const char disposition[] = "Content-Disposition:", type[] = "Content-Type:";
	const char *line = "";
	int lines = 0;

	*ret = (struct multipart_part){ 0 };
	for (;;) {
		if (read_line(m, &line, err) < 0)
			return -1;
		if (!*line)
			break;
		if (++lines > PART_LINES)
			return malformed(err, "a part has too many header lines");
		if (!strncasecmp(line, type, sizeof type - 1))
			ret->type = skip_space(line + sizeof type - 1);
		if (strncasecmp(line, disposition, sizeof disposition - 1))
			continue;
		line = skip_space(line + sizeof disposition - 1);
		if (strncasecmp(line, "form-data", 9))
			return malformed(err, "a part is not form-data");
		ret->name = parameter(line, "name", m->arena);
		ret->file_name = file_name(line, m->arena);
	}
	return ret->name ? 0 : malformed(err, "a part has no name");
}

int multipart_next(struct multipart *m, struct multipart_part *ret, struct error *err)
{
	if (m->finished)
		return 0;
	if (m->parts == 0) /* what stands before the first boundary is to be ignored */
		m->in_part = true;
	if (skip_part(m, err) < 0 || after_delimiter(m, err) < 0)
		return -1;
	if (m->finished)
		return 0;
	if (++m->parts > MULTIPART_PARTS)
		return malformed(err, "it has too many parts");
	if (read_headers(m, ret, err) < 0)
		return -1;
	m->in_part = true;
	return 1;
}
