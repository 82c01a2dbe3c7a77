/*
 * parts: the index of a large text, made part by part: each on a thread of its own while the one before it is written, so
 * that we and the database work at the same time. At most two are in memory.
 */
#ifndef PARLEY_DOCUMENTS_INGEST_PARTS_H
#define PARLEY_DOCUMENTS_INGEST_PARTS_H

#include <pthread.h>

#include "svc-documents/store_index.h"

struct part {
	const struct prepared *p;
	int number;
	struct index index; /* in the arena, once it is made */
	struct arena arena;
	pthread_t thread;
	bool apart; /* the thread makes it */
};

/* p and its text stay as they are until part_wait(). */
void part_start(struct part *part, const struct prepared *p, int number);
void part_wait(struct part *part); /* it is made */
void part_drop(struct part *part); /* after that */

#endif
