/*
 * events: what the reader of an answer sees, as API.md has it: message, reasoning, delta, sources, then done or error.
 *
 * The texts of all deltas together are the content of the message, byte for byte. A stream ends with `done` when there
 * is an answer (a stopped one, too), with `error` when there is none or only a part.
 */
#ifndef PARLEY_CHAT_EVENTS_H
#define PARLEY_CHAT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "chat.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/stream/stream.h"
#include "svc-chat/store.h"

/* Whom they are for: visitors do not see what was thought, nor what a provider says of its trouble; in a chat of
 * ChatConnect messages have numbers. */
enum audience { FOR_USER, FOR_VISITOR, FOR_CHAT };
enum audience events_audience(const struct store_begun *begun);

/* Who follows a visitor's answer: whoever knows the stream. */
#define EVENTS_VISITOR "?"
#define EVENTS_DELETED "the session was deleted"

struct event {
	const char *name, *data;
};
enum { EVENTS_MAX = 80 /* in one list: a round of calls, and more */ };
struct event_list {
	struct event at[EVENTS_MAX];
	size_t count;
};

/* How a turn begins: its question, its answer. */
void events_of_begin(const struct store_begun *begun, const char *message_id, struct event_list *out,
                     struct arena *a);
struct event event_text(const char *name /* "delta", "reasoning" */, const char *bytes, size_t size,
                        struct arena *a);
struct event event_error(const char *detail, struct arena *a);

/* A call of a tool, its result, what its user is asked; how far it is. */
struct event event_tool_call(const Chat__ToolCall *call, struct arena *a);
struct event event_tool_result(const Chat__ToolCall *call, struct arena *a);
struct event event_approval(const Chat__ToolCall *call, const char *description, struct arena *a);
/* What its server asks in the middle of a call. */
struct event event_elicitation(const Chat__ToolCall *call, const Chat__Elicitation *asked, struct arena *a);
struct event event_oauth(const Chat__ToolCall *call, struct arena *a);
struct event event_progress(const char *id, double progress, double total, const char *message,
                            struct arena *a);
void events_put(struct event_list *list, struct event event); /* what finds no room is left out */

/* What a visitor may see of a message. */
void events_for_visitor(Chat__Message *message);
/* As ChatConnect shows it. */
void events_for_chat(const Chat__Message *message, Chat__ChatMessage *ret);

/* How an answer ends: its sources and the message itself, or the error. */
void events_of_end(const Chat__Message *message, enum audience audience, struct event_list *out,
                   struct arena *a);
/* A whole answer told anew. */
void events_of_message(const struct store_begun *begun, const Chat__Message *message, struct event_list *out,
                       struct arena *a);

void events_append(struct stream *s, const struct event_list *list);

/* The stream's log so far with these events at its end, packed (rpc.NextReply). *last: the sequence of the last one. */
ProtobufCBinaryData events_log(struct stream *s, const struct event_list *list, int64_t *last,
                               struct arena *a);
/* Those of a packed log that come after `after`, as many as fit a reply. */
int events_after(ProtobufCBinaryData log, int64_t after, Rpc__NextReply *out, struct arena *a,
                 struct error *err) CHECKED;
/* The one event of a stream whose log is gone, told to a reader that has seen `after`. */
void events_only_error(const char *detail, int64_t after, Rpc__NextReply *out, struct arena *a);
ProtobufCBinaryData events_pack(const Rpc__NextReply *log, struct arena *a);

#endif
