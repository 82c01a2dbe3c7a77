/*
 * citations: a filter for text that a model is writing: keeps the citations that are real, removes invented ones.
 *
 * The model was given passages numbered 1 to n and cites them as "[2]" or "[2, 5]". What comes out numbers them anew by
 * first appearance, so that "[k]" is always the k-th of the sources that are returned: exactly those that were cited.
 * A number that is no passage is dropped, a bracket that has none left goes together with the space before it.
 * Code (`...` and fenced), links ("[1](...)") and brackets with anything else than up to three digits each are left
 * alone. Text comes in pieces of any size; what cannot be judged yet is held back until it can.
 */
#ifndef PARLEY_CHAT_CITATIONS_H
#define PARLEY_CHAT_CITATIONS_H

#include <stdbool.h>

#include "common/base/text.h"

enum { CITATIONS_MAX = 64 }; /* passages at most */

enum citations_mode {
	CITATIONS_TEXT,
	CITATIONS_BRACKET, /* "[1, 2" is held */
	CITATIONS_CLOSED,  /* "[1, 2]" is held: a link when "(" follows */
	CITATIONS_URL,     /* in the parentheses of a link */
	CITATIONS_CODE,    /* in `a span` */
	CITATIONS_FENCE,   /* in a fenced block */
};

struct citations {
	int count;                /* passages cited so far */
	int cited[CITATIONS_MAX]; /* cited[k]: the passage (from 1) that is "[k + 1]" outside */
	/* The rest is the filter's own. */
	int passages;
	int place[CITATIONS_MAX + 1]; /* a passage's number outside; 0: not cited */
	enum citations_mode mode;
	char held[64];
	size_t held_size;
	size_t spaces;      /* held back before it */
	char before;        /* the last character given out */
	bool line_start;    /* nothing but blanks in this line so far */
	bool swallow_space; /* a bracket that began a line has gone */
	size_t run, opened; /* fence characters: seen just now; that opened the code */
	char run_of, opened_by;
	bool run_starts_line;
};

void citations_init(struct citations *c, int passages);

/* What can be given out is added to out (which may stay as it is). */
void citations_feed(struct citations *c, const char *bytes, size_t size, struct text *out);
void citations_end(struct citations *c, struct text *out);

#endif
