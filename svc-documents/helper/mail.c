/* A mail (RFC 5322, MIME): who, to whom, when, about what, and what it says; the names of what is attached. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/recode.h"

enum { DEPTH_MAX = 8, PARTS_MAX = 200, VALUE_MAX = 1000, BOUNDARY_MAX = 100 };

struct mail {
	struct out *o;
	struct recoder *recoder;
	int parts;
};
/* A part: its head ends at an empty line. */
struct entity {
	const char *head, *body, *last;
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

/* A field of the head, unfolded; empty when there is none. */
static void field(const struct entity *e, const char *name, char *ret, size_t size)
{
	size_t k = strlen(name), n = 0;

	*ret = '\0';
	for (const char *s = e->head; s < e->body;) {
		const char *eol = memchr(s, '\n', (size_t)(e->body - s));
		bool ours = (size_t)(e->body - s) > k && strncasecmp(s, name, k) == 0 && s[k] == ':';

		eol = eol ? eol : e->body;
		for (s += ours ? k + 1 : 0; ours;) {
			for (; s < eol && n < size - 1; s++)
				if (*s != '\r')
					ret[n++] = *s == '\t' ? ' ' : *s;
			s = eol < e->body ? eol + 1 : eol;
			ours = s < e->body && (*s == ' ' || *s == '\t');
			eol = ours ? memchr(s, '\n', (size_t)(e->body - s)) : eol;
			eol = eol ? eol : e->body;
			if (!ours) {
				ret[n] = '\0';
				return;
			}
		}
		s = eol < e->body ? eol + 1 : e->body;
	}
}

/* "charset" of `text/plain; charset="utf-8"`. */
static void parameter(const char *value, const char *name, char *ret, size_t size)
{
	size_t k = strlen(name), n = 0;

	*ret = '\0';
	for (const char *s = strchr(value, ';'); s; s = strchr(s, ';')) {
		s++;
		while (*s == ' ')
			s++;
		if (strncasecmp(s, name, k) != 0 || s[k] != '=')
			continue;
		s += k + 1;
		for (bool quoted = *s == '"' && s++;
		     *s && n < size - 1 && (quoted ? *s != '"' : !strchr("; ", *s)); s++)
			ret[n++] = *s;
		ret[n] = '\0';
		return;
	}
}

/* --- Encodings ---------------------------------------------------------------------------------------------------- */

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
	                                    : -1;
}

static char *decode_base64(const char *s, size_t size, size_t *ret_size)
{
	char *out = malloc(size + 4);
	unsigned bits = 0;
	int have = 0;

	if (!out)
		end(VERDICT_TOO_LARGE, "out of memory");
	*ret_size = 0;
	for (size_t i = 0; i < size && s[i] != '='; i++) {
		int digit = base64_digit(s[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (unsigned)digit;
		have += 6;
		if (have >= 8)
			out[(*ret_size)++] = (char)(bits >> (have -= 8));
	}
	return out;
}

/* in_word: of a head's encoded word, where _ is a blank. */
static char *decode_quoted(const char *s, size_t size, bool in_word, size_t *ret_size)
{
	char *out = malloc(size + 1);
	size_t n = 0;

	if (!out)
		end(VERDICT_TOO_LARGE, "out of memory");
	for (size_t i = 0; i < size; i++) {
		if (s[i] == '=' && i + 2 < size && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
			out[n++] = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
			i += 2;
		} else if (s[i] == '=' && i + 1 < size && (s[i + 1] == '\n' || s[i + 1] == '\r')) {
			i += 1 + (s[i + 1] == '\r' && i + 2 < size && s[i + 2] == '\n');
		} else {
			out[n++] = in_word && s[i] == '_' ? ' ' : s[i];
		}
	}
	*ret_size = n;
	return out;
}

static void write_recoded(struct mail *m, const char *charset, char *bytes, size_t size, bool plain)
{
	size_t n;
	char *text = recode(m->recoder, charset, bytes, size, &n);

	if (plain)
		out_plain(m->o, text, n);
	else
		out_text(m->o, text, n);
	free(text);
	free(bytes);
}

/* =?utf-8?B?...?= and plain words. */
static void write_value(struct mail *m, const char *s)
{
	while (*s) {
		const char *word = strstr(s, "=?"), *charset, *kind, *text, *stop;
		char label[40];
		size_t n;
		char *bytes;

		if (!word || !(kind = strchr(charset = word + 2, '?')) || !kind[1] || kind[2] != '?' ||
		    !(stop = strstr(text = kind + 3, "?="))) {
			out_text(m->o, s, strlen(s));
			return;
		}
		out_text(m->o, s, (size_t)(word - s));
		snprintf(label, sizeof label, "%.*s", (int)strcspn(charset, "?*"), charset);
		bytes = tolower((unsigned char)kind[1]) == 'b'
		            ? decode_base64(text, (size_t)(stop - text), &n)
		            : decode_quoted(text, (size_t)(stop - text), true, &n);
		write_recoded(m, label, bytes, n, false);
		s = stop + 2;
		if (strncmp(s + strspn(s, " "), "=?", 2) == 0)
			s += strspn(s, " "); /* words follow each other without a blank */
	}
}

/* --- Parts -------------------------------------------------------------------------------------------------------- */

static void write_entity(struct mail *m, const struct entity *e, int depth);

static char *decode_body(const struct entity *e, size_t *size)
{
	size_t n = (size_t)(e->last - e->body);
	char encoding[VALUE_MAX], *copy;
	const char *s = encoding;

	field(e, "Content-Transfer-Encoding", encoding, sizeof encoding);
	s += strspn(s, " ");
	if (strncasecmp(s, "base64", 6) == 0)
		return decode_base64(e->body, n, size);
	if (strncasecmp(s, "quoted-printable", 16) == 0)
		return decode_quoted(e->body, n, false, size);
	copy = malloc(n + 1);
	if (!copy)
		end(VERDICT_TOO_LARGE, "out of memory");
	memcpy(copy, e->body, n);
	*size = n;
	return copy;
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
	char charset[40];
	size_t size;
	char *bytes = decode_body(e, &size);

	parameter(type, "charset", charset, sizeof charset);
	out_break(m->o, 2);
	if (strncasecmp(type, "text/html", 9) == 0)
		write_html(m, *charset ? charset : "utf-8", bytes, size);
	else
		write_recoded(m, *charset ? charset : "utf-8", bytes, size, true);
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

	field(e, "Content-Type", value, sizeof value);
	snprintf(ret, size, "%s", value[0] ? value + strspn(value, " ") : "text/plain");
}

/* Of alternatives, plain text is taken, else the last that can be read. */
static void write_multipart(struct mail *m, const struct entity *e, const char *type, int depth)
{
	bool choose = strncasecmp(type, "multipart/alternative", 21) == 0, chosen = false;
	struct entity best = { 0 };
	char boundary[BOUNDARY_MAX];
	const char *s;

	parameter(type, "boundary", boundary, sizeof boundary);
	if (!*boundary)
		return;
	for (find_boundary(e->body, e->last, boundary, &s); s && m->parts < PARTS_MAX; m->parts++) {
		const char *behind, *stop = find_boundary(s, e->last, boundary, &behind);
		struct entity part = entity_of(s, stop);
		char kind[VALUE_MAX];

		type_of(&part, kind, sizeof kind);
		if (!choose)
			write_entity(m, &part, depth + 1);
		else if (!chosen)
			best = part;
		chosen = chosen || strncasecmp(kind, "text/plain", 10) == 0;
		s = behind;
	}
	if (choose && best.head)
		write_entity(m, &best, depth + 1);
}

/* utf-8''%C3%9Cbergabe.pdf: as UTF-8, into ret. */
static void decode_extended(struct mail *m, const char *value, char *ret, size_t size)
{
	char label[32], bytes[VALUE_MAX], *text;
	const char *s = strchr(value, '\''), *language = s ? strchr(s + 1, '\'') : NULL;
	size_t n = 0, text_size;

	if (!language)
		return;
	snprintf(label, sizeof label, "%.*s", (int)(s - value), value);
	for (s = language + 1; *s && n < sizeof bytes; s++) {
		bool coded = *s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0;

		bytes[n++] = (char)(coded ? hex_digit(s[1]) * 16 + hex_digit(s[2]) : *s);
		s += coded ? 2 : 0;
	}
	text = recode(m->recoder, label, bytes, n, &text_size);
	snprintf(ret, size, "%.*s", (int)text_size, text);
	free(text);
}

/* A name with its charset; a long one comes in several pieces, filename*0* and so on. */
static void extended_parameter(struct mail *m, const char *value, const char *name, char *ret, size_t size)
{
	char all[VALUE_MAX], piece[VALUE_MAX], key[40];
	size_t n;

	snprintf(key, sizeof key, "%s*", name);
	parameter(value, key, all, sizeof all);
	n = strlen(all);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof key, "%s*%d*", name, i);
		parameter(value, key, piece, sizeof piece);
		if (!*piece || n + strlen(piece) >= sizeof all)
			break;
		n += (size_t)snprintf(all + n, sizeof all - n, "%s", piece);
	}
	decode_extended(m, all, ret, size);
}

static void write_attachment(struct mail *m, const char *type, const char *disposition)
{
	char name[VALUE_MAX];

	parameter(disposition, "filename", name, sizeof name);
	if (!*name)
		extended_parameter(m, disposition, "filename", name, sizeof name);
	if (!*name)
		parameter(type, "name", name, sizeof name);
	if (!*name)
		return;
	out_break(m->o, 1);
	out_text(m->o, "Attachment: ", 12);
	write_value(m, name);
	out_break(m->o, 1);
}

static void write_head(struct mail *m, const struct entity *e)
{
	static const char *const names[] = { "From", "To", "Cc", "Date" };
	char value[VALUE_MAX];
	size_t start = m->o->size;

	field(e, "Subject", value, sizeof value);
	out_break(m->o, 2);
	if (*value) {
		out_plain(m->o, "#", 1);
		m->o->space = true;
		write_value(m, value);
		if (!*m->o->title && m->o->size - start > 2 && m->o->size - start - 2 < sizeof m->o->title)
			memcpy(m->o->title, m->o->at + start + 2, m->o->size - start - 2);
	}
	out_break(m->o, 2);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		field(e, names[i], value, sizeof value);
		if (!*value)
			continue;
		out_text(m->o, names[i], strlen(names[i]));
		out_plain(m->o, ":", 1);
		m->o->space = true;
		write_value(m, value);
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
	field(e, "Content-Disposition", disposition, sizeof disposition);
	if (strncasecmp(type, "multipart/", 10) == 0) {
		write_multipart(m, e, type, depth);
	} else if (strncasecmp(type, "message/rfc822", 14) == 0) {
		struct entity inner = entity_of(e->body, e->last);

		write_head(m, &inner);
		write_entity(m, &inner, depth + 1);
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
