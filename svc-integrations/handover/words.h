/*
 * handover/words: a conversation that goes to people, as text: who it is, where he can be reached, and what was said.
 */
#ifndef PARLEY_HANDOVER_WORDS_H
#define PARLEY_HANDOVER_WORDS_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/json/json.h"

struct handover_words {
	const char *subject, *text;
	const char *reply_to; /* an e-mail address, or NULL */
};

/* data: as svc-chat tells it (svc-chat/tell.h); place: the integration's name. At most so many bytes of it: the latest messages are
 * those that stay. */
void handover_words(json_object *data, const char *place, size_t most, struct handover_words *ret,
                    struct arena *a);

#endif
