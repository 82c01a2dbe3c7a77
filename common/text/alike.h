/*
 * alike: do two questions ask the same, by their words? Made for answers that somebody wrote to a question beforehand
 * and that are given without a second look: where it is in doubt, they do not.
 *
 * Every word of what is asked (function words and courtesies left out) must stand in the question that is known, which
 * may have one more where it has many; numbers must be the same on both sides, so must be what is asked for (who, when,
 * whether ...) and whether it is denied. Words that differ in one letter are the same when they are long.
 */
#ifndef PARLEY_ALIKE_H
#define PARLEY_ALIKE_H

#include "common/text/language.h"
#include "common/text/terms.h"

enum { ALIKE_WORDS = 24 /* that carry a question; one with more is like no other */ };

struct alike_word {
	char word[TERM_MAX + 8]; /* folded */
	size_t size;
	uint64_t hash; /* of its stem */
	bool number;
};

/* A question as it is compared: of a message the one sentence that asks, where there is one. */
struct alike {
	struct alike_word words[ALIKE_WORDS];
	size_t count;        /* 0: it is like no other */
	int asks;            /* 0: it has no verb, or none that we know */
	bool denies, common; /* common: it is all function words, which count then */
};

/* The language that a question is in; `otherwise` where it does not tell. */
enum language alike_language(const char *text, enum language otherwise);
void alike_read(const char *text, enum language language, struct stemmers *stemmers, struct alike *ret);

/* Nothing stands against it that they ask the same, whatever their words: for a judge who knows meaning. */
bool alike_possible(const struct alike *asked, const struct alike *known);
/* 0 to 1: the share of words that both have. */
double alike_score(const struct alike *asked, const struct alike *known);
/* From here on they ask the same. */
#define ALIKE_SAME 0.9

#endif
