/*
 * asked: a question taken apart for the builtin answerer: the words that must be met, how they belong together, and what
 * kind of answer is wanted. No passage is looked at here.
 */
#ifndef PARLEY_CHAT_ASKED_H
#define PARLEY_CHAT_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text/language.h"
#include "common/text/terms.h"

enum { ASKED_MAX = 64 };

struct wish {
	const char *question, *before; /* before: the question it leans on, or NULL */
	enum language language;        /* of the passages */
};

struct asked {
	struct term term;       /* as the language of the passages has it */
	enum language language; /* of the question that has it */
	double share;           /* 1 where it is asked, less in the talk around and in the question before */
	bool digits, name, wide;
	bool part;    /* of a name: the phone of iPhone */
	bool counted; /* "how many calories": what there is a number of */
	int modifies; /* place of the word right behind it, which it tells more of: "credit card"; -1: none */
	uint64_t
	    whole; /* hash of the name that it is a part of, and that must be met whole: "QPS-104"; 0: none */

	/* For whoever looks at the passages. */
	bool known; /* one has it, spelled exactly so */
	bool whole_known;
	uint64_t *means; /* of one that is not known: the hashes of its synonyms */
	size_t means_count;
	size_t blocks; /* that have it */
	double weight;
};

struct sought {
	struct asked at[ASKED_MAX];
	size_t count;
	bool wants_number, wants_name, wants_list, wants_way;
	const char
	    *units; /* words, a blank around each, of which an answer has one: " kg g "; NULL: not known */
};

bool asked_has_digit(const char *s, size_t size);
void asked_read(const struct wish *wish, struct stemmers *stemmers, struct sought *ret);

#endif
