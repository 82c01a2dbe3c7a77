/*
 * prompted: calls of tools with models that have no such thing: the tools are told in words, and calls are found in what
 * the model writes.
 *
 * Some forms are understood, since models write whatever they were trained on: <tool_call>{...}</tool_call>, fenced JSON
 * (```json, ```tool_call or bare), a line "Function call: {...}" or "Function call: name({...})", and what servers let
 * through of the models' own: "[TOOL_CALLS][{...}]", "[TOOL_CALLS]name[ARGS]{...}", "<|python_tag|>{...}",
 * "<function=name>{...}</function>". A JSON object that is a call has a name ("name", "tool", "function") and arguments
 * ("arguments", "parameters", "args", "input"); a list of them is several. What looks like a call but is none is kept, so
 * that the model can be told; a fenced block that is no call is text. Code in other languages, and JSON in the midst of a
 * line, is text.
 */
#ifndef PARLEY_CHAT_PROMPTED_H
#define PARLEY_CHAT_PROMPTED_H

#include "svc-chat/model/calls.h"

/* prompted_messages.c: the messages as such a model gets them: the tools in the system message, calls and results as text. */
const struct model_message *prompted_messages(const struct model_request *request,
                                              const struct model_message *messages, size_t *count,
                                              struct arena *a);

enum { PROMPTED_HELD = 64 << 10 };
/* The name of what could not be read; its arguments are what the model wrote. */
#define PROMPTED_UNREADABLE "unreadable_call"

/* A filter for text that such a model is writing: calls go to `calls`, the rest passes. Cut as it may be. */
struct prompted {
	struct calls *calls;
	const struct model_tool
	    *tools; /* fenced JSON counts as a call only when it names one of them, or `eager` */
	size_t tool_count;
	bool eager;
	/* Its own. */
	int form;         /* in which a call is being read; 0: none */
	bool line_start;  /* nothing but blanks since the last line end */
	bool in_code;     /* in a fenced block that is text */
	struct text held; /* not judged yet */
	int mistakes;
};
void prompted_init(struct prompted *p, struct calls *calls, const struct model_request *request, bool eager,
                   struct arena *a);
void prompted_feed(struct prompted *p, const char *bytes, size_t size, struct text *out);
/* What was fed so far was no answer: what is held of it is forgotten. */
void prompted_restart(struct prompted *p);
void prompted_end(struct prompted *p, struct text *out);

#endif
