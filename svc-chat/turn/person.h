/* person: whether a question asks to speak with somebody of flesh and blood. */
#ifndef PARLEY_CHAT_PERSON_H
#define PARLEY_CHAT_PERSON_H

#include <stdbool.h>

#include "common/base/arena.h"

bool person_asked_for(const char *question, struct arena *a);

#endif
