/*
 * pattern: the events of a stream are alike but for a few words: {"id": ..., "choices": [{"delta": {"content": "..."}}]}. Where
 * one has been read that had text and nothing else, those like it are read by comparing what stands around the text.
 */
#ifndef PARLEY_CHAT_PATTERN_H
#define PARLEY_CHAT_PATTERN_H

#include "common/base/text.h"
#include "svc-chat/model/completion.h"

struct pattern {
	struct text bytes; /* of the event that was learned from */
	size_t head, tail; /* before its text, and behind it; head 0: nothing is known */
};

void pattern_init(struct pattern *p, struct arena *a);
/* An event as it came, and what was read of it. */
void pattern_learn(struct pattern *p, const char *bytes, size_t size, const struct completion *c);
/* Is that one like it? Then its text, which needs no unpacking. */
bool pattern_read(const struct pattern *p, const char *bytes, size_t size, const char **text, size_t *length);

#endif
