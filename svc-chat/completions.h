/* completions: how OpenAI's API tells an answer, whole and in chunks. */
#ifndef PARLEY_CHAT_COMPLETIONS_H
#define PARLEY_CHAT_COMPLETIONS_H

#include "svc-chat/unstored.h"

extern const struct unstored_form completions;

#endif
