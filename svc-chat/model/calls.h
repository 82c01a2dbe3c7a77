/*
 * calls: the calls of tools that a model wants, put together from the pieces in which they come.
 *
 * A piece belongs to the call of its index; where several calls share one index (Gemini), or have none, another id, a
 * name after arguments, or arguments behind some that are whole, begins the next call. Ids and names may be repeated with
 * every piece. Arguments are a text that grows, or come as one object (Ollama). At most CALLS_MAX calls of CALLS_BYTES
 * together are kept.
 */
#ifndef PARLEY_CHAT_CALLS_H
#define PARLEY_CHAT_CALLS_H

#include "common/base/text.h"
#include "svc-chat/model/model.h"

enum {
	CALLS_MAX = 16,
	CALLS_BYTES = 64 << 10,
	CALLS_TOLD = 1000, /* from here on, an index is of a call that stood in the text */
};

struct call_piece {
	int index;                         /* -1: none */
	const char *id, *name, *arguments; /* NULL: not in this piece */
};

struct pending_call {
	int index;
	const char *id;
	struct text name, arguments;
	bool grew; /* each piece had all arguments so far */
};
struct calls {
	struct arena *arena;
	struct pending_call at[CALLS_MAX];
	size_t count, bytes;
	bool cut; /* more came than is kept */
};

void calls_init(struct calls *c, struct arena *a);
void calls_take(struct calls *c, const struct call_piece *piece);
/* Those that have a name, as it was offered. Each has an id of its own, and arguments, "{}" where there were none. In the
 * arena. */
const struct model_call *calls_made(struct calls *c, size_t *count);

#endif
