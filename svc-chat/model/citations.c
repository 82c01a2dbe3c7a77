#include "svc-chat/model/citations.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void citations_init(struct citations *c, int passages)
{
	*c = (struct citations){ .passages = passages < CITATIONS_MAX ? passages : CITATIONS_MAX,
		                 .before = '\n',
		                 .line_start = true };
}

static void give(struct citations *c, char ch, struct text *out)
{
	text_addc(out, ch);
	c->before = ch;
	c->swallow_space = false;
	if (ch == '\n')
		c->line_start = true;
	else if (ch != ' ' && ch != '\t' && ch != '\r')
		c->line_start = false;
}

static void give_spaces(struct citations *c, struct text *out)
{
	for (; c->spaces; c->spaces--)
		give(c, ' ', out);
}

static void give_held(struct citations *c, struct text *out)
{
	give_spaces(c, out);
	for (size_t i = 0; i < c->held_size; i++)
		give(c, c->held[i], out);
	c->held_size = 0;
}

/* "[1, 23]" and its like: numbers of one to three digits, separated. */
static bool is_citation(const char *held, size_t size)
{
	size_t digits = 0, numbers = 0;

	for (size_t i = 1; i < size; i++) {
		digits = isdigit((unsigned char)held[i]) ? digits + 1 : 0;
		numbers += digits == 1;
		if (digits > 3)
			return false;
	}
	return numbers > 0;
}

/* The number outside of a passage, given to it now if it is new; 0 when there is no such passage. */
static int place_of(struct citations *c, int passage)
{
	if (passage < 1 || passage > c->passages)
		return 0;
	if (!c->place[passage]) {
		c->cited[c->count++] = passage;
		c->place[passage] = c->count;
	}
	return c->place[passage];
}

/* The held bracket is a citation: give it out with the numbers that hold outside, or drop it. */
static void cite(struct citations *c, struct text *out)
{
	char list[sizeof c->held * 2];
	bool seen[CITATIONS_MAX + 1] = { false };
	size_t length = 0;

	for (char *at = c->held + 1; *at != ']';) {
		int place;

		if (!isdigit((unsigned char)*at)) {
			at++;
			continue;
		}
		place = place_of(c, (int)strtol(at, &at, 10));
		if (!place || seen[place])
			continue;
		seen[place] = true;
		length +=
		    (size_t)snprintf(list + length, sizeof list - length, "%s%d", length ? ", " : "[", place);
	}
	c->held_size = 0;
	if (!length) {
		if (c->spaces)
			c->spaces--;
		else
			c->swallow_space = c->line_start;
		return;
	}
	give_spaces(c, out);
	for (size_t i = 0; i < length; i++)
		give(c, list[i], out);
	give(c, ']', out);
}

/* A run of backticks or tildes has ended before `next`: it may open or close code. */
static void end_run(struct citations *c, char next)
{
	bool fence = c->run_starts_line && c->run >= 3;

	if (c->mode == CITATIONS_TEXT && (fence || c->run_of == '`')) {
		c->mode = fence ? CITATIONS_FENCE : CITATIONS_CODE;
		c->opened = c->run;
		c->opened_by = c->run_of;
	} else if (c->mode == CITATIONS_CODE && c->run_of == '`' && c->run == c->opened) {
		c->mode = CITATIONS_TEXT;
	} else if (c->mode == CITATIONS_FENCE && fence && c->run_of == c->opened_by && c->run >= c->opened &&
	           isspace((unsigned char)next)) {
		c->mode = CITATIONS_TEXT;
	}
	c->run = 0;
}

/* A character outside of brackets and links. */
static void plain(struct citations *c, char ch, struct text *out)
{
	if (c->run && ch != c->run_of)
		end_run(c, ch);
	if (c->mode == CITATIONS_TEXT && ch == ' ') {
		if (c->swallow_space)
			c->swallow_space = false;
		else
			c->spaces++;
		return;
	}
	if (c->mode == CITATIONS_TEXT && ch == '[' && c->before != '\\') {
		c->mode = CITATIONS_BRACKET;
		c->held[0] = '[';
		c->held_size = 1;
		return;
	}
	give_spaces(c, out);
	if (ch == '`' || ch == '~') {
		if (!c->run) {
			c->run_of = ch;
			c->run_starts_line = c->line_start;
		}
		c->run++;
	}
	if (c->mode == CITATIONS_TEXT && ch == '(' && c->before == ']')
		c->mode = CITATIONS_URL;
	if (c->mode == CITATIONS_CODE && ch == '\n' && c->line_start) /* a paragraph's end: it was no code */
		c->mode = CITATIONS_TEXT;
	give(c, ch, out);
}

static void step(struct citations *c, char ch, struct text *out)
{
	switch (c->mode) {
	case CITATIONS_BRACKET:
		if ((isdigit((unsigned char)ch) || strchr(",; ", ch)) && ch &&
		    c->held_size < sizeof c->held - 1) {
			c->held[c->held_size++] = ch;
			return;
		}
		if (ch == ']' && is_citation(c->held, c->held_size)) {
			c->held[c->held_size++] = ch;
			c->mode = CITATIONS_CLOSED;
			return;
		}
		c->mode = CITATIONS_TEXT;
		give_held(c, out);
		break;
	case CITATIONS_CLOSED:
		c->mode = CITATIONS_TEXT;
		if (ch != '(')
			cite(c, out);
		else
			give_held(c, out);
		break;
	case CITATIONS_URL:
		give(c, ch, out);
		if (ch == ')' || ch == '\n')
			c->mode = CITATIONS_TEXT;
		return;
	default: break;
	}
	plain(c, ch, out);
}

void citations_feed(struct citations *c, const char *bytes, size_t size, struct text *out)
{
	for (size_t i = 0; i < size; i++)
		step(c, bytes[i], out);
}

void citations_end(struct citations *c, struct text *out)
{
	if (c->mode == CITATIONS_CLOSED)
		cite(c, out);
	else if (c->mode == CITATIONS_BRACKET)
		give_held(c, out);
	c->mode = CITATIONS_TEXT;
	give_spaces(c, out);
}
