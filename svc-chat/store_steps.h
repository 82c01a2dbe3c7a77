/*
 * store_steps: a call of a tool as a row of `step`: its parts are packed messages.
 */
#ifndef PARLEY_CHAT_STORE_STEPS_H
#define PARLEY_CHAT_STORE_STEPS_H

#include "svc-chat/store.h"

struct tool_step {
	int number, round;
	const char *state; /* "waiting", "ready", "running"; "failed": denied, and not told yet; "done" */
	Chat__ToolCall *call;
	Chat__ToolDetail *detail;
	const char *result; /* NULL until it is done */
};

bool step_is(const struct tool_step *call, const char *state);
ProtobufCBinaryData step_pack(const ProtobufCMessage *m, struct arena *a);
ProtobufCBinaryData step_pack_call(const struct tool_step *call, struct arena *a); /* the column `content` */
/* In the arena; NULL where the column holds no such message. */
void *step_unpack(const PGresult *res, int row, const char *column, const ProtobufCMessageDescriptor *type,
                  struct arena *a);
/* Columns number, round, state, content, detail, result. */
int step_read(const PGresult *res, int row, struct tool_step *ret, struct arena *a,
              struct error *err) CHECKED;

#endif
