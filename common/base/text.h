/*
 * text: a string that grows inside an arena. Always NUL-terminated; may hold any bytes.
 */
#ifndef PARLEY_TEXT_H
#define PARLEY_TEXT_H

#include <stddef.h>

#include "common/base/arena.h"

struct text {
	struct arena *arena;
	char *at;
	size_t length, room;
};

void text_init(struct text *t, struct arena *a);
void text_add(struct text *t, const void *bytes, size_t length);
void text_adds(struct text *t, const char *string);
void text_addc(struct text *t, char c);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_json(struct text *t, const char *string, size_t length); /* quoted and escaped */

#endif
