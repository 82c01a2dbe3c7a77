/*
 * questions: what servers ask the user in the middle of a call (tools/elicit.h). A call that can pause for it waits like one
 * that is to be approved: as a step, without a connection. One that cannot is held: the server waits, for five minutes at
 * most (mcp.h), while the turn's writer puts the question into the step, and looks there for the answer.
 */
#ifndef PARLEY_CHAT_QUESTIONS_H
#define PARLEY_CHAT_QUESTIONS_H

#include "svc-chat/mcp/mcp.h"
#include "svc-chat/turn/rounds.h"

enum { QUESTIONS_MOST = 20 /* of one call */ };

/* The call is stored as one that waits for answers; or, where all are declined unseen, as ready. */
int questions_pause(struct rounds *r, struct tool_step *call, const struct mcp_pause *pause) CHECKED;
/* What the call goes on with; *resume NULL: it did not pause. answers: ended by NULL. */
int questions_resume(struct rounds *r, const struct tool_step *call, const char **resume,
                     const char *const **answers) CHECKED;

/* Of a call that runs; one at a time. */
struct question {
	const char *params; /* what is asked; NULL: nothing */
	bool open;          /* it is in the step, and not answered */
	size_t index;       /* there */
	int64_t look_at;    /* monotonic ms: when to look again */
	int64_t since;      /* it is asked */
	int64_t held;       /* ms that the call has waited for people so far */
};
/* Its server asks. */
void question_put(struct question *q, json_object *params, struct arena *a);
/* Shows what is asked, and looks for the answer: NULL while there is none. */
const char *question_serve(struct question *q, struct rounds *r, struct tool_step *call);
/* Its call is over: an answer would be heard by nobody, and is not taken. */
void question_give_up(struct question *q, struct rounds *r, struct tool_step *call);

#endif
