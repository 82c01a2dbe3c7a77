/*
 * ask: what a model says to a question: passages are searched, a prompt is made, the model writes, citations are
 * checked. Knows nothing of sessions, rows and streams: what comes is given to its owner piece by piece.
 *
 *	struct ask a = { .call = call, .chat = chat, .question = ..., .settings = ..., .documents = ..., .stop = &stop,
 *	                 .wake = ..., .on_text = ..., .arg = ... };
 *	ask_search(&a), then ask_model(&a), then ask_sources(&a, &n)
 *
 * The first two give 1 while they wait for a model, which needs no thread: ask_go_on() is to be called when wake() was, at
 * ask_until(), or when *stop has become true, until it gives 0 or -1.
 *
 * Everything lives in the call's arena. The call acts for the owner of the documents.
 */
#ifndef PARLEY_CHAT_ASK_H
#define PARLEY_CHAT_ASK_H

#include "chat.pb-c.h"
#include "chatbots.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/model/citations.h"
#include "svc-chat/model/prompt.h"
#include "svc-chat/state.h"

enum { ASK_TEXT_MAX = 256 << 10 }; /* bytes of a reply, and of its reasoning; what is longer ends there */

struct ask {
	struct call *call;
	struct chat *chat;
	const char *name; /* of the chatbot; may be NULL */
	struct settings settings;
	const char *question;
	const struct model_message *history; /* oldest first */
	size_t history_count;
	char **documents; /* ids */
	size_t document_count;
	bool documents_named;       /* by whoever asks: all of them must be there */
	Chatbots__Answer **answers; /* curated */
	size_t answer_count;
	bool builtin_only;
	struct model *own_model; /* asked instead of the one of all; NULL: none */
	const char *remark;      /* behind the answer, in a paragraph of its own; NULL: none */
	bool for_visitor;        /* a stranger: sees no reasoning, and no words of a provider */
	/* Tools that may be called, and what was said and came back in this turn before: result.calls are the next. */
	const struct model_tool *tools;
	size_t tool_count;
	const struct model_message *after;
	size_t after_count;
	bool searches; /* passages come from a tool; they count on when found and found_count grow */
	const atomic_bool *stop;
	void (*wake)(void *arg); /* from another thread; quick */
	void *wake_arg;
	/* Pieces of what is said, clean; and of what is thought (may be NULL). */
	void (*on_text)(void *arg, const char *bytes, size_t size);
	void (*on_reasoning)(void *arg, const char *bytes, size_t size);
	void (*on_take_back)(void *arg); /* all that was said so far was thought, it turns out */
	void *arg;

	/* What came of it. */
	Documents__Source **found; /* passages, in the order of their numbers */
	size_t found_count;
	const Chatbots__Answer *curated; /* what is answered instead of all that; else NULL */
	size_t told_count;               /* the first of them: those that found room in the prompt */
	struct model *model;             /* NULL before ask_model() */
	struct model_result result;
	struct citations citations;
	Chat__TokenUsage usage; /* of all that was asked; estimated where the provider does not count */

	/* Its own. */
	int asked;                     /* how often */
	struct rephrasing *rephrasing; /* the question, for the search; else NULL */
	struct inquiry *under_way;
	int64_t began_us; /* 0 once the first piece has come */
	size_t text_bytes, reasoning_bytes;
	int64_t characters;
	struct text clean;
};

/* As that chatbot does: its name, settings, documents and curated answers. They are not copied. */
void ask_as(struct ask *r, Chatbots__FoundChatbot *bot, struct arena *a);
/* Find passages in the documents, or the curated answer; a model may be asked what to look for. ERROR_NOT_FOUND when one of
 * the documents is not there. */
int ask_search(struct ask *r) CHECKED;
/* Who is asked. */
struct model *ask_whom(const struct ask *r);
/* 0, also when it was stopped, or wants tools (result.calls); or -1 with a sentence (ERROR_UPSTREAM, ERROR_UNKNOWN_OUTCOME, ERROR_UNAVAILABLE). */
int ask_model(struct ask *r) CHECKED;
int ask_go_on(struct ask *r) CHECKED;
int64_t ask_until(const struct ask *r); /* monotonic ms; 0: there is no such time */
/* "used", "empty", "off", "curated", as API.md has them. */
const char *ask_rag_status(const struct ask *r);
/* What is cited so far: the k-th is "[k]" in the text. */
Documents__Source **ask_sources(const struct ask *r, size_t *n);

#endif
