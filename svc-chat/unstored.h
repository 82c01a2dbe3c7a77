/*
 * unstored: an answer of a chatbot that nobody stores, written for a client of OpenAI's API: whole, or in chunks.
 *
 * It is written by a task. One that is asked for whole waits without a thread until that is done; chunks go into a
 * stream, and when its reader has left the model is told to stop.
 *
 *	unstored_new(call, &c);              everything in *c.ask that is the question's, from c->arena
 *	return unstored_start(call, c, out);
 */
#ifndef PARLEY_CHAT_UNSTORED_H
#define PARLEY_CHAT_UNSTORED_H

#include "chat.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/turn/ask.h"

struct unstored {
	struct arena *arena; /* the task's: for whatever it needs */
	struct ask ask;
	const char *model;
	bool streams, tells_usage;

	/* Its own. */
	struct task *task;
	struct stream *stream;
	struct outcome *outcome;
	const char *head; /* of every chunk */
	atomic_bool stop;
	struct text content, reasoning;
};

int unstored_new(struct call *call, struct unstored **ret) CHECKED;
void unstored_drop(struct unstored *c); /* instead of starting it */
int unstored_start(struct call *call, struct unstored *c, Chat__CompletionReply *out) CHECKED;

#endif
