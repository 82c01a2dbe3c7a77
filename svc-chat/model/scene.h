/*
 * scene: a question and the passages before it, as choose.c judges them: the words that are asked for, what each weighs, and
 * how far each block, its heading and its passage have them. For choose.c alone.
 */
#ifndef PARLEY_CHAT_SCENE_H
#define PARLEY_CHAT_SCENE_H

#include <stdint.h>

#include "common/text/terms.h"
#include "svc-chat/model/choose.h"

enum { ASKED_MAX = 64 };
static const double worth_kin = 0.65; /* of a word that begins like the one asked for */

struct asked {
	struct term term;
	double share; /* 1 where it is asked, less in the talk around and in the question before */
	double weight;
	bool digits, name, wide, known;
	size_t blocks; /* that have it */
};

/* How far a text has each word asked for, 0 to 1. */
struct seen {
	float has[ASKED_MAX];
};

struct scene {
	const struct wish *wish;
	const struct blocks *blocks;
	struct asked asked[ASKED_MAX];
	size_t count;
	double all; /* weight of the question */
	bool wants_number, wants_name, wants_list, wants_way;
	struct seen *own, *section, *head, *lead; /* by block, section, block, block */
	struct seen *passage, *title, *name;      /* by passage */
	size_t passages;
	double *share, *worth; /* by block */
	uint16_t *words;
	struct stemmers *stemmers;
};

/* The words of a question. share: what they count for beside those of the question itself, which is read with 1, and first. */
void scene_ask(struct scene *s, const char *text, double share);
/* Where they are met in the passages, and then what each weighs. */
void scene_look(struct scene *s, const struct passage *passages, size_t count, struct arena *a);
void scene_weigh(struct scene *s);

bool scene_has_digit(struct span text);

#endif
