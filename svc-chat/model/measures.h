/*
 * measures: what a question wants to know the amount of, and whether a text tells such an amount: "How heavy is it?" is
 * answered by kilograms, "What does it cost?" by money. A passage that tells of the thing and no such amount does not answer.
 */
#ifndef PARLEY_CHAT_MEASURES_H
#define PARLEY_CHAT_MEASURES_H

#include <stdbool.h>

#include "svc-chat/model/blocks.h"

/* The units that answer, when a folded word asks for one; `previous` is the word before it ("how" old). NULL: it does not. */
const char *measures_units(const char *word, const char *previous);

bool measures_told(const char *units, struct span text);

#endif
