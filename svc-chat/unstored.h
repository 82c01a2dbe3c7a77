/*
 * unstored: an answer that nobody stores: of a chatbot that is tried out, or for a client of OpenAI's API. It is told whole,
 * or in chunks, in the form that its handler knows.
 *
 * It is written by a task. Who asks for it whole waits without a thread until that is done; chunks go into a stream. When
 * nobody waits for it any more the model is told to stop.
 *
 *	unstored_new(call, &form, &c);          everything in *c.ask that is the question's, from c->arena
 *	return unstored_whole(call, c, &out->base);
 */
#ifndef PARLEY_CHAT_UNSTORED_H
#define PARLEY_CHAT_UNSTORED_H

#include "chat.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/turn/ask.h"

struct unstored;

/* How it is told; from c->arena. */
struct unstored_form {
	ProtobufCMessage *(*whole)(const struct unstored *c); /* the method's answer */
	/* In chunks, into c->stream; NULL where there are none. */
	void (*begin)(struct unstored *c);
	void (*piece)(const struct unstored *c, bool thought, const char *bytes, size_t size);
	void (*end)(const struct unstored *c);
	void (*fail)(const struct unstored *c, const char *sentence);
};

struct unstored {
	struct arena *arena; /* the task's: for whatever it needs */
	struct ask ask;
	const char *model; /* as its client called it */
	bool tells_usage;
	const char *head;               /* of every chunk */
	struct text content, reasoning; /* of a whole one */
	struct stream *stream;

	/* Its own. */
	const struct unstored_form *form;
	struct task *task;
	struct outcome *outcome;
	atomic_bool stop;
	bool searched;
};

/* call: whom it is written for. */
int unstored_new(const struct call *call, const struct unstored_form *form, struct unstored **ret) CHECKED;
void unstored_drop(struct unstored *c); /* instead of starting it */
/* What a handler does last; call: the method's own, whose answer *out may be filled in later (call_park()). */
int unstored_whole(struct call *call, struct unstored *c, ProtobufCMessage *out) CHECKED;
int unstored_chunks(struct call *call, struct unstored *c, Rpc__Started **ret) CHECKED;

#endif
