/*
 * past: what was said so far in sessions whose answers were written here lately, so that the next question there reads
 * nothing of it again, counts none of it and makes none of it ready for a prompt.
 *
 * It holds no truth of its own: whoever begins a turn compares what the session's row says (struct store_known), and reads
 * from the database where that differs. A session is in it while nothing is written there: a turn takes its past out, keeps
 * it, and puts it back with what was asked and answered. It is bounded in bytes (those asked least lately go first), and
 * none that nobody asks for stays longer than ten minutes.
 */
#ifndef PARLEY_CHAT_PAST_H
#define PARLEY_CHAT_PAST_H

#include "common/base/id.h"
#include "svc-chat/model/model.h"
#include "svc-chat/store.h"

/* One session's. The caller's who took or made it, until past_free() or pasts_put(). */
struct past {
	char owner[UUID_TEXT], session[UUID_TEXT];
	struct store_known known;       /* the session, as it was when its last turn ended */
	struct model_message *messages; /* oldest first, prepared (model/prompt.h); good until past_add() */
	size_t count;
	/* The rest is its own. */
	size_t room, bytes, memory;
	int64_t since; /* monotonic ms */
	struct past *next_of_hash, *newer, *older;
};

/* Of what a turn has read; NULL: it holds calls of tools, which are not kept. */
struct past *past_of(const char *owner, const char *session, const struct model_message *messages,
                     size_t count);
void past_free(struct past *past); /* NULL is fine */
/* What was asked and answered next; of all of it the newest is kept, STORE_HISTORY messages of so many bytes at most. */
void past_add(struct past *past, const char *question, const char *answer, size_t bytes);

struct pasts; /* the keeper's (keep.h) */
struct pasts *pasts_new(void);
void pasts_free(struct pasts *pasts);
struct past *pasts_take(struct pasts *pasts, const char *owner,
                        const char *session); /* NULL: there is none */
void pasts_put(struct pasts *pasts, struct past *past);
void pasts_forget(struct pasts *pasts, const char *session); /* it was deleted */
void pasts_sweep(struct pasts *pasts);                       /* now and then */

#endif
