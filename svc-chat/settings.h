/*
 * settings: what a chatbot's settings say about answering. Stored complete and checked by svc-chatbots; read leniently
 * here: what is missing or odd has its default.
 */
#ifndef PARLEY_CHAT_SETTINGS_H
#define PARLEY_CHAT_SETTINGS_H

#include "common/arena.h"

struct settings {
	const char *model, *instructions, *role, *welcome; /* "" when there is none */
	double temperature;
	int max_tokens, top_k;
};

/* json may be NULL. Strings live in the arena. */
void settings_read(const char *json, struct settings *ret, struct arena *a);

#endif
