/*
 * JSON as people would write it down: "owner.name: Ada", a line for each value. Objects in a list are records, a paragraph
 * each, under the list's name. What is not valid is kept as it stands, with a warning.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"

enum { DEPTH_MAX = 100, PATH_MAX_BYTES = 200 };

struct json {
	const char *s, *last;
	struct out *o;
	char path[PATH_MAX_BYTES + 8];
	int depth;
	bool bad, in_record;
};

static void skip_blanks(struct json *j)
{
	while (j->s < j->last && strchr(" \t\r\n,", *j->s) && *j->s)
		j->s++; /* a comma too many says nothing */
}

static char peek(struct json *j)
{
	skip_blanks(j);
	return j->s < j->last ? *j->s : '\0';
}

/* --- Words ------------------------------------------------------------------------------------------------------ */

static long read_hex(struct json *j)
{
	long c = 0;

	for (int i = 0; i < 4; i++, j->s++) {
		if (j->s == j->last || !isxdigit((unsigned char)*j->s)) {
			j->bad = true;
			return 0;
		}
		c = c * 16 +
		    (isdigit((unsigned char)*j->s) ? *j->s - '0' : tolower((unsigned char)*j->s) - 'a' + 10);
	}
	return c;
}

static size_t read_escape(struct json *j, char *to)
{
	static const char from[] = "nrtbf", into[] = "\n\n\t  ";
	const char *plain;
	long c, low;

	if (j->s == j->last) {
		j->bad = true;
		return 0;
	}
	if (*j->s != 'u') {
		plain = *j->s ? strchr(from, *j->s) : NULL;
		*to = plain ? into[plain - from] : *j->s;
		j->s++;
		return 1;
	}
	j->s++;
	c = read_hex(j);
	if (c >= 0xd800 && c < 0xdc00 && j->last - j->s >= 6 && j->s[0] == '\\' && j->s[1] == 'u') {
		j->s += 2;
		low = read_hex(j);
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
	}
	return out_utf8(to, c);
}

/* What stands between quotes, into memory of its own; NULL when they never close. */
static char *read_string(struct json *j, size_t *size)
{
	const char *start = ++j->s, *stop = start;
	char *text;

	while (stop < j->last && *stop != '"')
		stop += *stop == '\\' && stop + 1 < j->last ? 2 : 1;
	if (stop >= j->last) {
		j->s--;
		j->bad = true;
		return NULL;
	}
	text = there(malloc((size_t)(stop - start) + 8));
	*size = 0;
	while (j->s < stop && !j->bad) {
		if (*j->s == '\\') {
			j->s++;
			*size += read_escape(j, text + *size);
		} else {
			text[(*size)++] = *j->s++;
		}
	}
	j->s = stop + 1;
	return text;
}

/* --- Values ----------------------------------------------------------------------------------------------------- */

static void read_value(struct json *j);

/* more: another value of a list whose first has been written. */
static void write_leaf(struct json *j, const char *text, size_t size, bool more)
{
	if (size == 0)
		return;
	if (more) {
		out_plain(j->o, ", ", 2);
	} else {
		out_break(j->o, 1);
		if (*j->path) {
			out_plain(j->o, j->path, strlen(j->path));
			out_plain(j->o, ": ", 2);
		}
	}
	out_plain(j->o, text, size);
}

static void read_leaf(struct json *j, bool more)
{
	size_t n = 0;
	char *text;

	if (*j->s == '"') {
		text = read_string(j, &n);
		if (text)
			write_leaf(j, text, n, more);
		free(text);
		return;
	}
	while (j->s + n < j->last && (isalnum((unsigned char)j->s[n]) || strchr("+-.", j->s[n])) && j->s[n])
		n++;
	j->bad = n == 0;
	if (n != 4 || memcmp(j->s, "null", 4) != 0)
		write_leaf(j, j->s, n, more);
	j->s += n;
}

static void read_object(struct json *j)
{
	size_t path = strlen(j->path);

	for (j->s++; !j->bad && peek(j) != '}';) {
		size_t n = 0;
		char *name = peek(j) == '"' ? read_string(j, &n) : NULL;

		j->bad = j->bad || !name;
		if (!j->bad && path + n + 1 < PATH_MAX_BYTES)
			snprintf(j->path + path, sizeof j->path - path, "%s%.*s", path ? "." : "", (int)n,
			         name);
		free(name);
		if (!j->bad && peek(j) == ':')
			j->s++;
		else
			j->bad = true;
		if (!j->bad)
			read_value(j);
		j->path[path] = '\0';
	}
	j->s += !j->bad;
}

static void begin_records(struct json *j)
{
	if (!*j->path || j->in_record)
		return;
	out_break(j->o, 2);
	out_plain(j->o, "## ", 3);
	out_plain(j->o, j->path, strlen(j->path));
	out_break(j->o, 2);
	*j->path = '\0';
}

static void read_list(struct json *j)
{
	char path[sizeof j->path];
	bool outer = j->in_record, more = false;

	memcpy(path, j->path, sizeof path);
	for (j->s++; !j->bad && peek(j) != ']';) {
		if (!peek(j)) {
			j->bad = true;
		} else if (*j->s == '{' || *j->s == '[') {
			if (*j->s == '{')
				begin_records(j);
			j->in_record = j->in_record || *j->s == '{';
			out_break(j->o, 2);
			read_value(j);
			out_break(j->o, 2);
			j->in_record = outer;
			more = false;
		} else {
			size_t before = j->o->size;

			read_leaf(j, more);
			more = more || j->o->size > before;
		}
	}
	j->s += !j->bad;
	memcpy(j->path, path, sizeof path);
}

static void read_value(struct json *j)
{
	char c = peek(j);

	if (++j->depth > DEPTH_MAX || !c)
		j->bad = true;
	else if (c == '{')
		read_object(j);
	else if (c == '[')
		read_list(j);
	else
		read_leaf(j, false);
	j->depth--;
}

/* Several values, one after the other, are fine: a log is often a line of JSON each. */
void json_read(const char *bytes, size_t size, struct out *o)
{
	struct json j = { .s = bytes, .last = bytes + size, .o = o };

	while (!j.bad && peek(&j)) {
		j.in_record = false;
		*j.path = '\0';
		read_value(&j);
		out_break(o, 2);
	}
	if (j.s == j.last)
		return;
	out_break(o, 2);
	out_plain(o, j.s, (size_t)(j.last - j.s));
	snprintf(o->warning, sizeof o->warning,
	         "It is no valid JSON from byte %zu on: the rest is kept as it stands.",
	         (size_t)(j.s - bytes) + 1);
}
