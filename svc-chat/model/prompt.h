/*
 * prompt: what a model is told: who it is, the passages, the conversation so far, the question.
 *
 * Passages and history are data. A passage cannot end its own quotation (a "<passage" or "</passage" in it is defused),
 * and the rules say that what it asks for is no instruction. Old answers lose their citations, since those numbers
 * meant other passages. The history is cut from its oldest turn to fit its budget; only whole turns travel (a question
 * whose answer failed does not). Tokens are estimated as characters / 4.
 */
#ifndef PARLEY_CHAT_PROMPT_H
#define PARLEY_CHAT_PROMPT_H

#include "svc-chat/model/provider.h"
#include "svc-chat/settings.h"

struct prompt {
	const char *name; /* of the chatbot */
	const struct settings *settings;
	const struct passage *passages;
	size_t passage_count;
	bool has_documents;                 /* passages were looked for, at least */
	const struct chat_message *history; /* oldest first */
	size_t history_count;
	int history_tokens;
	const char *question;
};

/* The messages in the arena: "system" first, the question last. */
struct chat_message *prompt_build(const struct prompt *p, size_t *count, struct arena *a);

int64_t prompt_tokens(const char *text); /* estimated */

#endif
