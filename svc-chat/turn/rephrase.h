/*
 * rephrase: a question that leans on what was said before it ("And in winter?") as one that stands by itself, for the
 * search alone: the model writes it, in one short call, and nobody sees it.
 */
#ifndef PARLEY_CHAT_REPHRASE_H
#define PARLEY_CHAT_REPHRASE_H

#include "svc-chat/turn/ask.h"

/* It leans on what was said, and there is a model to ask. */
bool rephrase_is_due(const struct ask *r, const struct model *model);
/* The model is asked; NULL where it cannot be. In the call's arena. */
struct rephrasing;
struct rephrasing *rephrase_begin(const struct ask *r, struct model *model);
/* 1: to be called again, as ask_go_on(), at rephrase_until() at the latest. 0: *question is what it
 * wrote, or NULL where it did not within some seconds. */
int rephrase_go_on(struct rephrasing *p, const char **question);
int64_t rephrase_until(const struct rephrasing *p); /* monotonic ms; 0: there is no such time */

#endif
