/*
 * cuts: how the text of an answer was cut into events. What the log of a stream says of an answer stands in its message, but
 * for that; so of an answer that was told from its beginning to its end, by one writer and without tools, the lengths of its
 * pieces are stored, a byte or two for each, and its events are made again when a reader asks for them: which is rare.
 */
#ifndef PARLEY_CHAT_CUTS_H
#define PARLEY_CHAT_CUTS_H

#include <stdbool.h>

#include "common/base/text.h"
#include "svc-chat/store.h"

struct cuts {
	struct text packed;
	int64_t count;
	size_t text, reasoning; /* bytes of all of them */
};

void cuts_init(struct cuts *p, struct arena *a);
void cuts_add(struct cuts *p, bool reasoning, size_t bytes);

/* Whether they, between how a turn begins and how it ends, are all that its stream has told: `last` is the sequence of the
 * event told last. What was thought is no visitor's to see. */
bool cuts_are_all(const struct cuts *p, const Chat__Message *m, bool visitor, int64_t last);

/* The log of such an answer, as events_log() (events.h) would have made it. ret->data NULL: the message is another. */
void cuts_log(ProtobufCBinaryData packed, const struct store_begun *begun, const Chat__Message *m,
              ProtobufCBinaryData *ret, struct arena *a);

#endif
