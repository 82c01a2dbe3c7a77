/*
 * writing: what write.c (from the stored question to the model's last word) and finish.c (the end) share. Nobody else
 * includes it.
 */
#ifndef PARLEY_CHAT_WRITING_H
#define PARLEY_CHAT_WRITING_H

#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/cuts.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/rounds.h"

/* A turn while it is written; lives in its task. */
struct writing {
	struct call *call;
	struct chat *chat;
	struct writer *writer;
	struct store_begun *begun;
	struct ask ask;
	struct rounds rounds;
	int cited;    /* so many of its sources are stored with the turn */
	bool spoken;  /* the model has begun, in this round */
	bool goes_on; /* text stands before the round's, which begins a paragraph of its own */
	struct cuts cuts;
	bool taken_back; /* some of what was told */
	int result;      /* 0, or -1: the writing failed, as call->err says */

	/* What is next: true when it waits, until it is woken or that time (monotonic ms; 0: none) has come. NULL: it is over. */
	bool (*step)(struct writing *w);
	int64_t until;
	struct ending *ending;
};

/* The step after the last word: the turn is stored as it ended, its readers are told, and it is not kept any more. */
bool finish_turn(struct writing *w);
/* It cannot be written here: its reader, where there is one, is told so. */
bool finish_unwritten(struct writing *w, const char *sentence);
/* Was that a database that is away? Then w->until is when to try again. */
bool writing_waits_for_database(struct writing *w);

#endif
