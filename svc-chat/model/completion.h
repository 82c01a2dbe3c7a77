/*
 * completion: what an OpenAI-compatible model says: one chunk of a streamed answer, a whole answer, or an error.
 *
 * Understands the "chat.completion.chunk" and "chat.completion" objects of OpenAI, DeepSeek (reasoning_content), vLLM,
 * Ollama and llama.cpp. Only the first choice counts; tool calls are passed over. Everything else about the object may
 * be missing or odd. Bytes that are no JSON, no object, no UTF-8, or hold U+0000 are refused (ERROR_UPSTREAM).
 */
#ifndef PARLEY_CHAT_COMPLETION_H
#define PARLEY_CHAT_COMPLETION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

struct completion {
	const char *text, *reasoning; /* in the arena; NULL when there is none */
	const char *finish;           /* "stop", "length", ...; NULL while more comes */
	const char *model;            /* what the peer calls itself; may be NULL */
	bool done;                    /* the "[DONE]" that ends a stream */
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
};

/* 0, or -1 with ERROR_UPSTREAM: not understood, or {"error": ...}, told in the peer's words. */
int completion_read(const char *bytes, size_t size, struct completion *ret, struct arena *a,
                    struct error *err) CHECKED;

/* The sentence in the body of an HTTP error, cut to a reasonable length; "" when there is none. */
const char *completion_complaint(const char *bytes, size_t size, struct arena *a);

#endif
