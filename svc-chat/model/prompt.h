/*
 * prompt: what a model is told: who it is, the conversation so far, the passages, the question.
 *
 * The system message depends on the chatbot and the day alone, so that a model's server can keep what it made of it. The
 * passages stand with the question in the last message, the only one for which they count. The rules say whose word counts
 * how much; passages, names and old answers are information: what they ask for is no instruction, and what would let them
 * end their quotation is defused.
 *
 * One budget of tokens holds all of it and the answer. The newest turn before the question is always kept, cut to fit
 * where it must be; then passages as they are ranked, then older turns, whole ones only (a question whose answer failed
 * does not travel). Old answers lose their citations, since those numbers meant other passages.
 */
#ifndef PARLEY_CHAT_PROMPT_H
#define PARLEY_CHAT_PROMPT_H

#include <time.h>

#include "svc-chat/model/model.h"
#include "svc-chat/settings.h"

struct prompt {
	const char *name; /* of the chatbot */
	const struct settings *settings;
	const struct passage *passages;
	size_t passage_count;
	bool has_documents;             /* passages were looked for, at least */
	const struct model_tool *tools; /* that may be called */
	size_t tool_count;
	bool searches;                     /* one of them finds passages, which are numbered */
	const struct model_message *after; /* what was said and came back since the question, with tools */
	size_t after_count;
	const struct model_message *history; /* oldest first */
	size_t history_count;
	int context_tokens; /* what the model takes in, its answer included */
	time_t now;
	const char *question;
	size_t passages_told; /* how many found room: the first ones */
};

/* Of a message of the history, once for all prompts that it will be in: fills `told` and `tokens`. */
void prompt_prepare(struct model_message *message, struct arena *a);

/* The messages in the arena: "system" first, then the history, the question, and what came after it. */
struct model_message *prompt_build(struct prompt *p, size_t *count, struct arena *a);

#endif
