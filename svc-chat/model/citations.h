/*
 * citations: a filter for text that a model is writing: it finds the citations of passages and numbers them anew.
 *
 * The model was given passages numbered 1 to n and cites them, in any spelling of mark.h. What comes out cites as
 * "[1, 2]", numbered by first appearance, so that "[k]" is always the k-th of the sources that are returned: exactly those
 * that were cited.
 *
 * A bracket is a citation only when all its numbers are passages and nothing speaks for something else: code (a span,
 * a fenced or an indented block), a link, an index ("a[1]", but not "two years[1]."), an interval or other arithmetic, TeX, JSON.
 * Everything else stays as it is, all of it when there are no passages. But what plainly cites a passage that there is not
 * ("Two years [9].") goes with the space before it, and so do definitions of references that we have ("[1]: https://..."),
 * since Markdown would make each citation a link to the model's invention. So do signs that providers' own citations leave
 * behind ("[cite_start]", U+E200 to U+E201), and the link to nowhere behind a bracket ("[1](#1)").
 *
 * Text comes in pieces of any size; what cannot be judged yet is held back until it can. How the text was cut changes
 * nothing. It needs no memory but its own.
 */
#ifndef PARLEY_CHAT_CITATIONS_H
#define PARLEY_CHAT_CITATIONS_H

#include <stdbool.h>

#include "common/base/text.h"
#include "svc-chat/model/markdown.h"

enum {
	CITATIONS_MAX = 64, /* passages at most */
	CITATIONS_AHEAD = MARKDOWN_AHEAD,
};

struct citations {
	int count;                /* passages cited so far */
	int cited[CITATIONS_MAX]; /* cited[k]: the passage (from 1) that is "[k + 1]" outside */
	/* The rest is the filter's own. */
	int passages;
	bool strip;                     /* leave them out instead */
	int place[CITATIONS_MAX + 1];   /* a passage's number outside; 0: not cited */
	char held[2 * CITATIONS_AHEAD]; /* not judged yet */
	size_t held_size;
	char before[64]; /* the end of what was judged, as it came in */
	size_t before_size;
	size_t spaces; /* seen behind it, not given out yet */
	bool begun, cited_before, in_url;
	bool indexed; /* the last bracket was an index, or a list in a list */
	const char
	    *span; /* what ends the mathematics or the code of HTML that may have begun; NULL: none has */
	size_t ticks[4]; /* runs of backticks that may have opened code, each if those before it did not */
	size_t tick_count;
	struct markdown_block block;
};

void citations_init(struct citations *c, int passages);
/* For the next piece of the same answer, written when there are so many: what was cited keeps its numbers. */
void citations_go_on(struct citations *c, int passages);

/* What can be given out is added to out (which may stay as it is). */
void citations_feed(struct citations *c, const char *bytes, size_t size, struct text *out);
void citations_end(struct citations *c, struct text *out);

/* A whole text without its citations, whatever their numbers: an old answer's meant other passages. */
char *citations_strip(const char *text, struct arena *a);

#endif
