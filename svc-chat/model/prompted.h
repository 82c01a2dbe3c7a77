/*
 * prompted: calls of tools with models that have no such thing: the tools are told in words, and calls are found in what
 * the model writes.
 *
 * Many forms are understood, since models write whatever they were trained on: <tool_call>...</tool_call>, fenced JSON
 * (```json, ```tool_call or bare), a line "Function call: {...}" or "Function call: name({...})", an answer that begins with
 * the call, and what servers let through of the models' own marks (a table in prompted.c). What stands there is markup.h's.
 * What looks like a call but is none is text; where calls must come as text, and no doubt is left, it is kept, so that the
 * model can be told. Code in other languages, what stands in backticks, and JSON in the midst of a line, is text.
 */
#ifndef PARLEY_CHAT_PROMPTED_H
#define PARLEY_CHAT_PROMPTED_H

#include "svc-chat/model/calls.h"
#include "svc-chat/model/extent.h"

/* prompted_messages.c: the messages as such a model gets them: the tools in the system message, calls and results as text. */
const struct model_message *prompted_messages(const struct model_request *request,
                                              const struct model_message *messages, size_t *count,
                                              struct arena *a);

enum { PROMPTED_HELD = 64 << 10, PROMPTED_FORMS = 64 };
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
	int form;                      /* in which a call is being read; 0: none */
	bool line_start;               /* nothing but blanks since the last line end */
	bool at_start;                 /* nothing but blanks at all, or since a call */
	bool behind;                   /* ... a call, to be exact */
	char gap;                      /* the blanks there, in one; 0: none */
	bool in_code;                  /* in a fenced block that is text */
	bool quoted;                   /* behind an odd backtick of the line: marks are spoken of there */
	struct text held;              /* not judged yet */
	size_t dropped;                /* bytes before it */
	size_t sought[PROMPTED_FORMS]; /* of all bytes: before there, no end of that form begins */
	size_t object;                 /* in held, from 1: of the form that is read; 0: not there yet */
	struct extent extent;          /* of it */
	size_t wasted;                 /* bytes that were held for nothing */
	int mistakes;
};
void prompted_init(struct prompted *p, struct calls *calls, const struct model_request *request, bool eager,
                   struct arena *a);
void prompted_feed(struct prompted *p, const char *bytes, size_t size, struct text *out);
/* What was fed so far was no answer: what is held of it is forgotten. */
void prompted_restart(struct prompted *p);
void prompted_end(struct prompted *p, struct text *out);

#endif
