/* A CSV table: its rows as they are, in pieces that each begin with the row of names. */
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"

enum { PIECE = 700 /* bytes: what fits one passage */, NAMES_MAX = 400 };

/* Behind the row that starts at s; quoted fields may hold line ends. Old Macs end lines with CR alone. */
static const char *row_end(const char *s, const char *last)
{
	bool quoted = false;

	for (; s < last; s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (!quoted && (*s == '\n' || (*s == '\r' && s + 1 < last && s[1] != '\n')))
			return s;
	}
	return last;
}

/* A quote that never closes would make one row of all that follows. */
static const char *one_row(const char *s, const char *last)
{
	const char *stop = row_end(s, last);

	if (stop - s < PIECE * 4)
		return stop;
	stop = memchr(s, '\n', (size_t)(last - s));
	return stop ? stop : last;
}

static size_t trimmed(const char *s, const char *stop)
{
	while (stop > s && (stop[-1] == '\r' || stop[-1] == ' '))
		stop--;
	return (size_t)(stop - s);
}

/* A row stays one line. */
static void write_row(struct out *o, const char *s, size_t size)
{
	for (const char *last = s + size; s < last;) {
		size_t n = 0;

		while (s + n < last && !strchr("\n\r\t", s[n]))
			n++;
		if (n)
			out_plain(o, s, n);
		s += n;
		if (s < last && *s == '\t') /* a blank would not tell cells from words */
			out_plain(o, " |", 2);
		if (s < last)
			o->space = true, s++;
	}
	out_break(o, 1);
}

void csv_read(const char *s, size_t size, struct out *o)
{
	const char *last = s + size, *stop = one_row(s, last), *names;
	size_t names_size, piece = 0;

	if (size > 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	if (stop - s > 4 && stop - s < 8 && strncmp(s, "sep=", 4) == 0 && stop < last) /* for Excel alone */
		s = stop + 1, stop = one_row(s, last);
	names = s;
	names_size = trimmed(s, stop);

	while (s < last) {
		size_t n;

		stop = one_row(s, last);
		n = trimmed(s, stop);
		if (n && piece && piece + n > PIECE && names_size <= NAMES_MAX) {
			out_break(o, 2);
			write_row(o, names, names_size);
			piece = names_size;
		}
		if (n) {
			write_row(o, s, n);
			piece += n + 1;
		}
		s = stop < last ? stop + 1 : last;
	}
}
