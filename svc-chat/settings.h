/*
 * settings: what a chatbot's settings say about answering. Stored complete and checked by svc-chatbots; read leniently
 * here: what is missing or odd has its default.
 */
#ifndef PARLEY_CHAT_SETTINGS_H
#define PARLEY_CHAT_SETTINGS_H

#include <stdbool.h>

#include "common/base/arena.h"

struct settings {
	const char *model, *instructions, *role, *welcome, *refusal; /* "" when there is none */
	double temperature;
	int max_tokens, top_k;
	bool tools;           /* those of the user's servers are offered in sessions of the user's own */
	int context_tokens;   /* of the model; 0: as the operator has it */
	const char **origins; /* of the websites that it may stand on; none: any */
	size_t origin_count;
	int per_minute;       /* messages of one visitor */
	int identity_version; /* of the secret that sites sign with */
};

/* The defaults, with what json (may be NULL) says laid over them. Strings live in the arena. */
void settings_read(const char *json, struct settings *ret, struct arena *a);
/* What json says laid over what is there. */
void settings_lay_over(const char *json, struct settings *settings, struct arena *a);

#endif
