/*
 * write: the writing of one answer, from the search for passages to the stored message. Runs as a task.
 */
#ifndef PARLEY_CHAT_WRITE_H
#define PARLEY_CHAT_WRITE_H

#include "common/service/call.h"
#include "common/stream/stream.h"
#include "svc-chat/turn/keep.h"

enum { WRITE_DEADLINE_MS = 15 * 60 * 1000 };

/* What a task is told; in its arena. The stream and the writer are its own: it closes and ends them. */
struct write_job {
	const char *session_id, *question_id, *question, *created_at;
	struct stream *stream;
	struct writer *writer;
};

void write_turn(struct call *call, void *write_job);

#endif
