/*
 * provider: who writes the answers, behind one small interface.
 *
 * `builtin` needs no network and no key: it quotes the passages and says so. `openai` asks any OpenAI-compatible
 * endpoint. Both give their text in pieces as it comes, on the calling thread, and serve any number of threads at once.
 */
#ifndef PARLEY_CHAT_PROVIDER_H
#define PARLEY_CHAT_PROVIDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

/* A passage of a document; its number in citations is its place in the list, from 1. */
struct passage {
	const char *document; /* its name */
	int page;             /* 0: unknown */
	const char *text;
	const char *heading; /* above it: "Part II / Warranty"; NULL: none */
};

struct chat_message {
	const char *role; /* "system", "user", "assistant" */
	const char *content;
};

struct chat_request {
	const char *model; /* as the chatbot has it */
	double temperature;
	int max_tokens;
	const struct chat_message *messages; /* the whole prompt: see prompt.h */
	size_t message_count;
	/* The same, taken apart: for providers that are no models. */
	const char *question, *welcome;
	const struct passage *passages;
	size_t passage_count;
	bool has_documents;
	const atomic_bool *cancelled; /* ends the writing soon, with ERROR_UNAVAILABLE */
};

/* Where the answer goes: whole characters, never empty. Non-zero ends the writing, which then is no failure. */
struct chat_sink {
	int (*text)(void *arg, const char *bytes, size_t size);
	int (*reasoning)(void *arg, const char *bytes, size_t size);
	void *arg;
};

struct chat_result {
	const char *model; /* what really wrote */
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
};

struct chat_provider {
	const char *name;
	/* 0, or -1: ERROR_UPSTREAM, ERROR_UNAVAILABLE, ERROR_UNKNOWN_OUTCOME (time is up), with a sentence for the user.
	 * Pieces may have been given before a failure. *ret is good as far as it was learned, failed or not. */
	int (*answer)(struct chat_provider *p, const struct chat_request *request,
	              const struct chat_sink *sink, struct chat_result *ret, struct arena *a,
	              struct error *err);
	void (*free)(struct chat_provider *p);
};

struct chat_provider *provider_builtin(void);

struct egress;
struct provider_openai_config {
	struct egress *egress;
	const char *base_url; /* "https://api.deepseek.com/v1" */
	const char *api_key;  /* "" when none is needed */
	const char *model;    /* for chatbots whose own model the endpoint does not list */
	int idle_seconds;     /* without a byte from the model: it hangs */
	int total_seconds;    /* of one answer */
};
struct chat_provider *provider_openai(const struct provider_openai_config *config);

#endif
