/*
 * questions: what servers ask the user in the middle of a call (tools/elicit.h). A call that can pause for it waits like one
 * that is to be approved: as a step, without a thread or a connection. One that cannot is held: its thread waits, for
 * QUESTION_MS at most, while the turn's writer puts the question into the step and looks there for the answer.
 */
#ifndef PARLEY_CHAT_QUESTIONS_H
#define PARLEY_CHAT_QUESTIONS_H

#include <pthread.h>
#include <stdatomic.h>

#include "svc-chat/mcp/mcp.h"
#include "svc-chat/turn/rounds.h"

enum { QUESTION_MS = 5 * 60 * 1000, QUESTIONS_MOST = 20 /* of one call */ };

/* The call is stored as one that waits for answers; or, where all are declined unseen, as ready. */
int questions_pause(struct rounds *r, struct tool_step *call, const struct mcp_pause *pause) CHECKED;
/* What the call goes on with; *resume NULL: it did not pause. answers: ended by NULL. */
int questions_resume(struct rounds *r, const struct tool_step *call, const char **resume,
                     const char *const **answers) CHECKED;

/* Of a call that runs; one at a time. */
struct question {
	pthread_mutex_t lock; /* guards the texts, which are malloc's, and `shown` */
	pthread_cond_t changed;
	char *params, *answer;
	bool shown;
	atomic_llong held; /* ms that its call has waited for people so far */
	/* The writer's. */
	size_t index;
	bool open; /* it is in the step, and not answered */
	int64_t look_at;
};
void question_init(struct question *q);
void question_done(struct question *q);
/* On the call's thread: the answer, which is the caller's. */
json_object *question_put(struct question *q, json_object *params, const atomic_bool *stop);
/* On the writer's: shows what is asked, hands on what was answered. */
void question_serve(struct question *q, struct rounds *r, struct tool_step *call);

#endif
