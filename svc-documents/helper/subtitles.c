/* Subtitles (SRT, WebVTT): what is said, in paragraphs that begin with their time. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"

enum { PARAGRAPH = 500 /* bytes, about: what fits one passage with others */, PAUSE = 10 /* seconds */ };

/* "01:02:03,456" or "02:03.456" in seconds; -1: something else. */
static long read_time(const char *s, const char *eol)
{
	long part = 0, sum = 0, digits = 0, colons = 0;

	while (s < eol && *s == ' ')
		s++;
	for (; s < eol && (isdigit((unsigned char)*s) || *s == ':'); s++) {
		if (*s == ':' && ++colons > 2)
			return -1;
		if (*s == ':') {
			sum = (sum + part) * 60;
			part = 0;
		} else if (++digits > 9) {
			return -1;
		} else {
			part = part * 10 + (*s - '0');
		}
	}
	return digits && s < eol && (*s == ',' || *s == '.') ? sum + part : -1;
}

static void write_words(struct out *o, const char *s, size_t size)
{
	static const struct {
		const char *name, *means;
	} entities[] = { { "&lt;", "<" },   { "&gt;", ">" }, { "&amp;", "&" },
		         { "&nbsp;", " " }, { "&lrm;", "" }, { "&rlm;", "" } };

	while (size) {
		const char *and = memchr(s + 1, '&', size - 1);
		size_t n = and? (size_t)(and-s) : size, known = 0;

		for (size_t i = 0; *s == '&' && i < sizeof entities / sizeof *entities; i++) {
			size_t k = strlen(entities[i].name);

			if (k <= size && memcmp(s, entities[i].name, k) == 0) {
				out_text(o, entities[i].means, strlen(entities[i].means));
				known = k;
			}
		}
		out_text(o, s + known, n - known);
		s += n;
		size -= n;
	}
}

/* Without <i>, {\an8} and their kind; <v Ada> is who speaks. */
static void write_line(struct out *o, const char *s, const char *eol)
{
	while (s < eol) {
		size_t n = 0;
		const char *close;

		while (s + n < eol && s[n] != '<' && s[n] != '{')
			n++;
		write_words(o, s, n);
		s += n;
		if (s == eol)
			break;
		close = memchr(s, *s == '<' ? '>' : '}', (size_t)(eol - s));
		if (!close) {
			out_text(o, s, (size_t)(eol - s));
			break;
		}
		if (close - s > 3 && memcmp(s, "<v ", 3) == 0) {
			out_text(o, s + 3, (size_t)(close - s) - 3);
			out_text(o, ": ", 2);
		}
		s = close + 1;
	}
	out_text(o, " ", 1);
}

struct track {
	struct out *o;
	struct out line;  /* of the cue */
	char *said[2];    /* the last two lines, which captions that roll up show again; NULL */
	long shown;       /* until when, in seconds */
	size_t paragraph; /* where it began */
};

static void begin_cue(struct track *t, long from, long to)
{
	char mark[64];

	if (t->o->size == 0 || t->o->size - t->paragraph > PARAGRAPH || from - t->shown > PAUSE) {
		out_break(t->o, 2);
		snprintf(mark, sizeof mark, "[%02ld:%02ld:%02ld] ", from / 3600, from / 60 % 60, from % 60);
		out_text(t->o, mark, strlen(mark));
		t->paragraph = t->o->size;
	}
	t->shown = to > from ? to : from;
}

static bool was_said(const struct track *t, const char *line)
{
	return (t->said[0] && strcmp(t->said[0], line) == 0) || (t->said[1] && strcmp(t->said[1], line) == 0);
}

static void say(struct track *t, const char *s, const char *eol)
{
	char *line;

	write_line(&t->line, s, eol);
	line = out_take(&t->line);
	if (!was_said(t, line)) {
		out_text(t->o, line, strlen(line));
		out_text(t->o, " ", 1);
	}
	free(t->said[0]);
	t->said[0] = t->said[1];
	t->said[1] = line;
}

static const char *line_end(const char *s, const char *last)
{
	const char *eol = memchr(s, '\n', (size_t)(last - s));

	return eol ? eol : last;
}

static bool is_empty(const char *s, const char *eol)
{
	return s == eol || (s + 1 == eol && *s == '\r');
}

/* A cue is a line with its times and what follows up to an empty line; all else (numbers, notes, styles) is not said. */
void subtitles_read(const char *bytes, size_t size, struct out *o)
{
	struct track t = { .o = o };
	const char *last = bytes + size;
	bool cue = false;

	for (const char *s = bytes, *eol; s < last; s = eol + 1) {
		const char *arrow;

		eol = line_end(s, last);
		arrow = memmem(s, (size_t)(eol - s), "-->", 3);
		if (arrow && read_time(s, arrow + 1) >= 0) {
			begin_cue(&t, read_time(s, arrow + 1), read_time(arrow + 3, eol));
			cue = true;
		} else if (is_empty(s, eol)) {
			cue = false;
		} else if (cue) {
			say(&t, s, eol);
		}
		if (eol == last)
			break;
	}
	free(t.line.at);
	free(t.said[0]);
	free(t.said[1]);
}
