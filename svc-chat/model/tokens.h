/*
 * tokens: how many tokens a text is to a model, estimated by its scripts: a token is some four letters of English, two of
 * Greek, Cyrillic or Arabic, and about one sign of Chinese, Japanese, Korean, Thai or Hindi. Meant to err upwards.
 */
#ifndef PARLEY_CHAT_TOKENS_H
#define PARLEY_CHAT_TOKENS_H

#include <stddef.h>
#include <stdint.h>

int64_t tokens_of(const char *text);
/* The bytes of the beginning of a text that are at most so many tokens: whole characters, and whole words if it can be. */
size_t tokens_clip(const char *text, int64_t most);

#endif
