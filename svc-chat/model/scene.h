/*
 * scene: a question (asked.h) and the passages before it, as choose.c judges them: what each word asked for weighs, and how
 * far each block, its heading and its passage have it. For choose.c alone.
 */
#ifndef PARLEY_CHAT_SCENE_H
#define PARLEY_CHAT_SCENE_H

#include <stdint.h>

#include "svc-chat/model/asked.h"
#include "svc-chat/model/choose.h"

static const double worth_kin = 0.65; /* of a word that begins like the one asked for */

/* How far a text has each word asked for, 0 to 1. */
struct seen {
	float has[ASKED_MAX];
};

struct scene {
	const struct wish *wish;
	const struct blocks *blocks;
	struct sought asked;
	double all;                               /* weight of the question */
	struct seen *own, *section, *head, *lead; /* by block, section, block, block */
	struct seen *passage, *title, *name;      /* by passage */
	size_t passages;
	double *share, *worth; /* by block */
	uint16_t *words;
	struct stemmers *stemmers;
};

/* Where the words of s->asked are met in the passages, and then what each weighs. */
void scene_look(struct scene *s, const struct passage *passages, size_t count, struct arena *a);
void scene_weigh(struct scene *s);

#endif
