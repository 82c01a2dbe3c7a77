/*
 * rephrase: a question that leans on what was said before it ("And in winter?") as one that stands by itself, for the
 * search alone: the model writes it, in one short call, and nobody sees it.
 */
#ifndef PARLEY_CHAT_REPHRASE_H
#define PARLEY_CHAT_REPHRASE_H

#include "svc-chat/turn/ask.h"

/* It leans on what was said, and there is a model to ask. */
bool rephrase_is_due(const struct ask *r, const struct model *model);
/* NULL where the model does not answer within some seconds. In the call's arena. */
const char *rephrase(const struct ask *r, struct model *model);

#endif
