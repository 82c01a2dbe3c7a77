/* A mail (RFC 5322, MIME): who, to whom, when, about what, and what it says; the names of what is attached. */
#include "svc-documents/helper/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 8, PARTS_MAX = 200, VALUE_MAX = 1000, BOUNDARY_MAX = 100 };

struct mail {
	struct out *o;
	struct recoder *recoder;
	int parts;
};

static struct entity entity_of(const char *s, const char *last)
{
	struct entity e = { s, last, last };

	for (const char *line = s; line < last;) {
		const char *eol = memchr(line, '\n', (size_t)(last - line));
		size_t n = (size_t)((eol ? eol : last) - line);

		if (n == 0 || (n == 1 && *line == '\r')) {
			e.body = eol ? eol + 1 : last;
			break;
		}
		if (!eol)
			break;
		line = eol + 1;
	}
	return e;
}

/* --- Parts -------------------------------------------------------------------------------------------------------- */

static void write_entity(struct mail *m, const struct entity *e, int depth);

static char *decode_body(const struct entity *e, size_t *size)
{
	size_t n = (size_t)(e->last - e->body);
	char encoding[VALUE_MAX], *copy;
	const char *s = encoding;

	mail_field(e, "Content-Transfer-Encoding", encoding, sizeof encoding);
	s += strspn(s, " ");
	if (strncasecmp(s, "base64", 6) == 0)
		return mail_base64(e->body, n, size);
	if (strncasecmp(s, "quoted-printable", 16) == 0)
		return mail_quoted(e->body, n, false, size);
	copy = there(malloc(n + 1));
	memcpy(copy, e->body, n);
	*size = n;
	return copy;
}

/* What a page says of itself, where its mail does not. */
static void charset_of_page(const char *bytes, size_t size, char *ret, size_t ret_size)
{
	const char *s = memmem(bytes, size < 4000 ? size : 4000, "charset=", 8), *last = bytes + size;
	size_t n = 0;

	s = s ? s + 8 : last;
	s += s < last && (*s == '"' || *s == '\'');
	while (s < last && n < ret_size - 1 && *s && !strchr("\"'/> ;", *s))
		ret[n++] = *s++;
	ret[n] = '\0';
	if (strncasecmp(ret, "utf-16", 6) == 0) /* where that was found, it is not */
		*ret = '\0';
}

static void write_html(struct mail *m, const char *charset, char *bytes, size_t size)
{
	size_t n;
	char *page = recode(m->recoder, charset, bytes, size, &n);
	struct out inner = { 0 };

	html_read(page, n, &inner);
	out_break(m->o, 2);
	out_plain(m->o, inner.at ? inner.at : "", inner.size);
	free(bytes);
}

static void write_text(struct mail *m, const struct entity *e, const char *type)
{
	char charset[40], *text;
	size_t size, n;
	char *bytes = decode_body(e, &size);

	mail_parameter(type, "charset", charset, sizeof charset);
	out_break(m->o, 2);
	if (strncasecmp(type, "text/html", 9) == 0) {
		if (!*charset)
			charset_of_page(bytes, size, charset, sizeof charset);
		write_html(m, *charset ? charset : "utf-8", bytes, size);
	} else {
		text = recode(m->recoder, *charset ? charset : "utf-8", bytes, size, &n);
		out_plain(m->o, text, n);
		free(text);
		free(bytes);
	}
	out_break(m->o, 2);
}

/* Where the next line that is the boundary begins, and what follows it. */
static const char *find_boundary(const char *s, const char *last, const char *boundary, const char **behind)
{
	size_t k = strlen(boundary);

	for (; s < last; s++) {
		if ((size_t)(last - s) >= k + 2 && s[0] == '-' && s[1] == '-' &&
		    memcmp(s + 2, boundary, k) == 0) {
			const char *eol = memchr(s, '\n', (size_t)(last - s));

			*behind = (size_t)(last - s) >= k + 4 && s[k + 2] == '-' ? NULL
			          : eol                                          ? eol + 1
			                                                         : last;
			return s;
		}
		s = memchr(s, '\n', (size_t)(last - s));
		if (!s)
			break;
	}
	*behind = NULL;
	return last;
}

static void type_of(const struct entity *e, char *ret, size_t size)
{
	char value[VALUE_MAX];

	mail_field(e, "Content-Type", value, sizeof value);
	snprintf(ret, size, "%s", value[0] ? value + strspn(value, " ") : "text/plain");
}

/* Not written to be read: what belongs to a page, or is a page for other programs. */
static bool is_machinery(const char *type)
{
	static const char *const types[] = { "text/css", "text/javascript", "text/x-amp-html", NULL };

	for (const char *const *t = types; *t; t++)
		if (strncasecmp(type, *t, strlen(*t)) == 0)
			return true;
	return false;
}

static bool says_something(const struct entity *e)
{
	for (const char *s = e->body; s < e->last; s++)
		if (!strchr(" \t\r\n", *s))
			return true;
	return false;
}

/* Of alternatives, plain text is taken, else the last that can be read. */
static void write_multipart(struct mail *m, const struct entity *e, const char *type, int depth)
{
	bool choose = strncasecmp(type, "multipart/alternative", 21) == 0, chosen = false;
	struct entity best = { 0 };
	char boundary[BOUNDARY_MAX];
	const char *s;

	mail_parameter(type, "boundary", boundary, sizeof boundary);
	if (!*boundary)
		return;
	for (find_boundary(e->body, e->last, boundary, &s); s && m->parts < PARTS_MAX; m->parts++) {
		const char *behind, *stop = find_boundary(s, e->last, boundary, &behind);
		struct entity part = entity_of(s, stop);
		char kind[VALUE_MAX];

		type_of(&part, kind, sizeof kind);
		if (!choose)
			write_entity(m, &part, depth + 1);
		else if (!chosen && !is_machinery(kind))
			best = part;
		chosen = chosen || (strncasecmp(kind, "text/plain", 10) == 0 && says_something(&part));
		s = behind;
	}
	if (choose && best.head)
		write_entity(m, &best, depth + 1);
}

static void write_attachment(struct mail *m, const char *type, const char *disposition)
{
	char name[VALUE_MAX];

	mail_name(m->recoder, disposition, "filename", name, sizeof name);
	if (!*name)
		mail_name(m->recoder, type, "name", name, sizeof name);
	if (!*name)
		return;
	out_break(m->o, 1);
	out_text(m->o, "Attachment: ", 12);
	mail_write_value(m->recoder, name, m->o);
	out_break(m->o, 1);
}

static void write_head(struct mail *m, const struct entity *e)
{
	static const char *const names[] = { "From", "To", "Cc", "Date" };
	char value[VALUE_MAX];
	size_t start = m->o->size;

	mail_field(e, "Subject", value, sizeof value);
	out_break(m->o, 2);
	if (*value) {
		out_plain(m->o, "#", 1);
		m->o->space = true;
		mail_write_value(m->recoder, value, m->o);
		if (!*m->o->title && m->o->size - start > 2 && m->o->size - start - 2 < sizeof m->o->title)
			memcpy(m->o->title, m->o->at + start + 2, m->o->size - start - 2);
	}
	out_break(m->o, 2);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		mail_field(e, names[i], value, sizeof value);
		if (!*value)
			continue;
		out_text(m->o, names[i], strlen(names[i]));
		out_plain(m->o, ":", 1);
		m->o->space = true;
		mail_write_value(m->recoder, value, m->o);
		out_break(m->o, 1);
	}
	out_break(m->o, 2);
}

static void write_entity(struct mail *m, const struct entity *e, int depth)
{
	char type[VALUE_MAX], disposition[VALUE_MAX];

	if (depth > DEPTH_MAX)
		return;
	type_of(e, type, sizeof type);
	mail_field(e, "Content-Disposition", disposition, sizeof disposition);
	if (strncasecmp(type, "multipart/", 10) == 0) {
		write_multipart(m, e, type, depth);
	} else if (strncasecmp(type, "message/rfc822", 14) == 0) {
		struct entity inner = entity_of(e->body, e->last);

		write_head(m, &inner);
		write_entity(m, &inner, depth + 1);
	} else if (is_machinery(type)) {
		return;
	} else if (strncasecmp(type, "text/", 5) == 0 && !strcasestr(disposition, "attachment")) {
		write_text(m, e, type);
	} else {
		write_attachment(m, type, disposition);
	}
}

void mail_read(struct recoder *recoder, const char *bytes, size_t size, struct out *o)
{
	struct mail m = { .o = o, .recoder = recoder };
	struct entity e = entity_of(bytes, bytes + size);

	write_head(&m, &e);
	write_entity(&m, &e, 0);
}
