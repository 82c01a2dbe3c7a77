/*
 * quirks: what one model of one endpoint refuses or does otherwise, learned from its refusals.
 *
 * Learned once, it is known to every replica through the database (struct quirks_store) and forgotten after a day, since
 * models change. Any thread may ask.
 */
#ifndef PARLEY_CHAT_QUIRKS_H
#define PARLEY_CHAT_QUIRKS_H

#include <stdint.h>

#include "svc-chat/model/complaint.h"

enum quirk {
	QUIRK_NO_STREAM_OPTIONS = 1,
	QUIRK_NO_TEMPERATURE = 2,
	QUIRK_NO_SYSTEM = 4, /* its text stands at the head of the first user message */
	QUIRK_NO_STREAM = 8,
	QUIRK_COMPLETION_TOKENS = 16, /* max_completion_tokens instead of max_tokens */
	QUIRK_NO_MAX_TOKENS = 32,     /* neither */
	QUIRK_THINKS_FIRST = 64,      /* begins with thought that only its end marks */
	QUIRK_NO_TOOLS = 128,         /* cannot call them: is told in words how to */
	QUIRK_THOUGHT_BACK = 256, /* what it thought before its calls goes back, also where there was none */
	QUIRK_NO_THOUGHT_BACK = 512, /* never */
};

struct quirks {
	int64_t bits;
	int64_t most_tokens; /* of an answer; 0: no bound is known */
};

/* Where they are kept: each gets `db` as the request has it. Failures are passed over. */
struct quirks_store {
	/* 1 found, 0 not. */
	int (*load)(void *db, const char *endpoint, const char *model, struct quirks *ret);
	void (*save)(void *db, const char *endpoint, const char *model, const struct quirks *quirks);
};

struct quirks_cache;
struct quirks_cache *quirks_open(const struct quirks_store *store); /* NULL: kept in this process alone */
void quirks_close(struct quirks_cache *cache);

struct quirks quirks_of(struct quirks_cache *cache, void *db, const char *endpoint, const char *model);
void quirks_keep(struct quirks_cache *cache, void *db, const char *endpoint, const char *model,
                 const struct quirks *quirks);

/* What a refusal teaches about a request that asked so (max_tokens: for so many): true when *quirks is other now. */
bool quirks_learn(struct quirks *quirks, const struct complaint *c, int max_tokens);

#endif
