/*
 * provider_cases: what providers have really sent, byte for byte (tests/data/chat, each as it was reported somewhere), and
 * what must come of it.
 */
#ifndef PARLEY_PROVIDER_CASES_H
#define PARLEY_PROVIDER_CASES_H

#include "tests/unit/model_rig.h"

enum { STEPS = 2 };

struct provider_case {
	const char *name;
	struct canned steps[STEPS + 1]; /* bytes: the file's name */
	const char *text, *reasoning;   /* reasoning: part of it; NULL: none */
	const char *error, *finish;     /* error: part of the sentence */
	int asked, least_ms, most_ms;   /* 0: any */
	bool tools;                     /* are offered */
	bool shortened;                 /* the prompt was made so, once */
	const char *calls;              /* "name {...}; name {...}"; NULL: none */
};
/* A thing that servers say in many words; or many servers, in their own. */
struct provider_kind {
	const char *error;   /* NULL: it is asked again, and answers */
	const char *without; /* ... without this in the request */
	bool shortened;      /* ... with a shorter prompt */
	bool tools;
	const char *names[64];
};

/* All end with a NULL name. Steps that are not named: the file of the case's name. */
extern const struct provider_case provider_cases[], provider_shapes[], provider_thoughts[], provider_calls[];
extern const struct provider_kind provider_kinds[]; /* ends with one without names */
/* As servers and gateways of many kinds tell it; the same of all: "The warranty lasts two years [1].", and "stop". */
extern const char *const provider_alike[];

#endif
