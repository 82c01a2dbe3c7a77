/*
 * slack/ask: a question of Slack's as a turn of svc-chat, in a session of its thread's own, which its owner finds among the
 * conversations of the chatbot. A job that runs again finds the turn that it began.
 */
#ifndef PARLEY_SLACK_ASK_H
#define PARLEY_SLACK_ASK_H

#include "chat.pb-c.h"
#include "common/job/job.h"

struct slack_ask {
	const char *job; /* its id: one answer for each */
	const char *session, *chatbot, *question;
	Chat__PastMessage **history; /* what was said there before, oldest first */
	size_t history_count;
	/* Called with all of the answer that there is so far, a few times a second; -1 ends it with call->err. */
	int (*on_text)(void *arg, const char *session, const char *message, const char *text);
	void *arg;
};

/* The session of a thread with a chatbot: always the same one. A session keeps its chatbot, so another has another. */
void slack_session_of(const char *integration, const char *chatbot, const char *channel, const char *thread,
                      char id[37]);

/* 0 with the whole message; -1: the model failed (ERROR_UPSTREAM), or svc-chat is away. */
int slack_ask_chat(struct call *call, const struct slack_ask *ask, Chat__Message *ret) CHECKED;

#endif
