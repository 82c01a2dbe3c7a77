/*
 * choose: which blocks of the passages answer a question.
 *
 * A block is worth the weights of the question's words that it has: the rarer in these passages, the more. Words of its
 * heading, of its table's head and of its neighbours tell what it speaks of and count a little less; so do words that
 * are only nearly the same. Numbers and names that the passage lacks count against it. A block that reaches too
 * small a share of the question is no answer.
 */
#ifndef PARLEY_CHAT_CHOOSE_H
#define PARLEY_CHAT_CHOOSE_H

#include "svc-chat/model/asked.h"
#include "svc-chat/model/blocks.h"

enum { CHOOSE_MAX = 12 };

struct choice {
	size_t blocks[CHOOSE_MAX]; /* places, best first; those of a list in its order */
	size_t count;              /* 0: nothing answers */
	bool list;                 /* they are a list or rows that belong together */
	ptrdiff_t nearest;         /* the block that comes nearest, or -1 */
	const char
	    *missing; /* what was looked for and not found, as the question spells it: "tandems, E09" */
};

void choose_blocks(const struct wish *wish, const struct blocks *blocks, const struct passage *passages,
                   size_t passage_count, struct choice *ret, struct arena *a);

#endif
