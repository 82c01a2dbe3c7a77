/*
 * citation_cases: how models cite passages, and what only looks so, in prose, code, mathematics, data and many scripts.
 */
#ifndef PARLEY_CITATION_CASES_H
#define PARLEY_CITATION_CASES_H

struct citation_case {
	const char *name;
	int passages;
	const char *text, *want, *want_cited; /* want: NULL: the text as it is */
};

/* Ends with a NULL name. */
extern const struct citation_case citation_cases[];

#endif
