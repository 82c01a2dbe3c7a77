/*
 * completion: what an OpenAI-compatible model says: one chunk of a streamed answer, a whole answer, or an error.
 *
 * Understands the "chat.completion.chunk" and "chat.completion" objects of OpenAI, Azure, DeepSeek (reasoning_content),
 * vLLM and OpenRouter (reasoning, reasoning_details), Mistral (parts), Ollama, llama.cpp, and the old "text_completion".
 * Only the first choice counts. Everything else about the object may be missing or odd; one
 * bad character costs that character (repair.h).
 */
#ifndef PARLEY_CHAT_COMPLETION_H
#define PARLEY_CHAT_COMPLETION_H

#include <stdbool.h>
#include <stdint.h>

#include "svc-chat/model/calls.h"
#include "svc-chat/model/complaint.h"

struct completion {
	const char *text, *reasoning; /* in the arena; NULL when there is none. A refusal is text. */
	bool whole; /* text and reasoning are of a whole message: no news where pieces came before */
	const struct call_piece *calls; /* of tools; in the arena */
	size_t call_count;
	bool whole_calls;   /* the calls are of a whole message */
	const char *finish; /* "stop", "length", ...; NULL while more comes */
	const char *model;  /* what the peer calls itself; may be NULL */
	bool done;          /* the "[DONE]" that ends a stream */
	bool failed;        /* an error, told in complaint; the rest may be there all the same */
	bool remark;        /* it is no piece of an answer, but words, told in complaint */
	struct complaint complaint;
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
};

/* True, or false when these bytes are nothing of the kind. */
bool completion_read(const char *bytes, size_t size, struct completion *ret, struct arena *a);

#endif
