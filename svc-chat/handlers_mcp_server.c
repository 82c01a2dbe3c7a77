/* chat.ServeChatbot: one message of an MCP client to a chatbot. */
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/stream/stream.h"
#include "svc-chat/chatbot_server.h"
#include "svc-chat/turn/retrieve.h"

enum { DEADLINE_MS = 5 * 60 * 1000, GLANCE_MS = 200 };

static struct mcp_server_heard heard_of(const Chat__McpRequest *in)
{
	return (struct mcp_server_heard){ .body = in->message ? in->message : "",
		                          .size = in->message ? strlen(in->message) : 0,
		                          .version = in->mcp_protocol_version,
		                          .method = in->mcp_method,
		                          .name = in->mcp_name };
}

/* --- What takes long, into a stream ------------------------------------------------------------------------------------- */

struct telling {
	Chat__McpRequest in; /* its strings are the task's */
	struct stream *stream;
	struct mcp_server_voice voice;
	struct chatbot_served bot;
};

static void send_message(void *arg, const char *json)
{
	stream_append(arg, "message", json);
}

static void wake(void *task)
{
	service_task_wake(task);
}

static void go_on(struct call *call, void *arg);

/* It waits for a model, without a thread; or that was all. Who leaves wakes nobody: it looks. */
static void settle(struct telling *t, struct call *call, enum served_outcome outcome,
                   const struct mcp_server_reply *reply)
{
	int64_t until = clock_mono_ms() + GLANCE_MS, asked;

	if (outcome == SERVED_WAITS) {
		asked = chatbot_server_until(&t->bot);
		service_task_park(call, asked && asked < until ? asked : until, go_on, t);
		return;
	}
	if (outcome != SERVED_LATER && reply->body)
		stream_append(t->stream, "message", reply->body);
	stream_close(t->stream);
}

static void go_on(struct call *call, void *arg)
{
	struct telling *t = arg;
	struct mcp_server_reply reply;
	enum served_outcome outcome = chatbot_server_go_on(&t->bot, &reply);

	settle(t, call, outcome, &reply);
}

static void tell(struct call *call, void *arg)
{
	struct telling *t = arg;
	struct mcp_server_heard heard = heard_of(&t->in);
	struct mcp_server_reply reply = { 0 };
	enum served_outcome outcome = SERVED_DONE;

	t->voice = (struct mcp_server_voice){ send_message, t->stream };
	t->bot.call = call;
	t->bot.wake = wake;
	t->bot.wake_arg = call->task;
	stream_stop_when_left(t->stream, &t->bot.stop);
	if (retrieve_chatbot(call, t->in.chatbot_id, &t->bot.found) == 0)
		outcome = mcp_server_hear(chatbot_server(&t->bot), &heard, &t->voice, call->arena, &reply);
	settle(t, call, outcome, &reply);
}

static int begin_to_tell(struct call *call, const Chat__McpRequest *in, Chat__McpReply *out)
{
	struct telling *t;
	struct stream *stream;
	struct task *task;
	struct arena *a;

	if (service_task_new(call, DEADLINE_MS, &task, call->err) < 0)
		return -1;
	a = service_task_arena(task);
	t = arena_new(a, struct telling, 1);
	t->in = *in;
	t->in.chatbot_id = arena_strdup(a, in->chatbot_id);
	t->in.message = arena_strdup(a, in->message);
	t->in.mcp_protocol_version = arena_strdup(a, in->mcp_protocol_version);
	t->in.mcp_method = arena_strdup(a, in->mcp_method);
	t->in.mcp_name = arena_strdup(a, in->mcp_name);
	if (stream_open(service_streams(call->service), stream_reader(call->caller), &stream, call->err) <
	    0) {
		service_task_drop(task);
		return -1;
	}
	t->stream = stream;
	out->started = arena_new(call->arena, Rpc__Started, 1);
	rpc__started__init(out->started);
	out->started->stream = arena_strdup(call->arena, stream_id(stream));
	out->started->has_after = true;
	if (service_task_start(task, tell, t) == 0)
		return 0;
	stream_close(stream);
	return error_busy(call->err, 5, "too much is under way right now");
}

/* --- The rest, at once ----------------------------------------------------------------------------------------------------- */

static bool takes_events(const char *accept)
{
	return accept && (strstr(accept, "text/event-stream") || strstr(accept, "*/*"));
}

int chat_serve_chatbot(struct call *call, const Chat__McpRequest *in, Chat__McpReply *out)
{
	struct mcp_server_heard heard = heard_of(in);
	struct chatbot_served bot = { .call = call };
	struct mcp_server_reply reply;

	if (retrieve_chatbot(call, in->chatbot_id, &bot.found) < 0)
		return -1;
	if (mcp_server_hear(chatbot_server(&bot), &heard, NULL, call->arena, &reply) == SERVED_LATER) {
		if (!takes_events(in->accept))
			return error_set(call->err, ERROR_INVALID,
			                 "Accept must list text/event-stream beside application/json");
		return begin_to_tell(call, in, out);
	}
	error_clear(call->err); /* what went wrong is in the answer */
	out->has_status = true;
	out->status = reply.status;
	out->message = (char *)reply.body;
	return 0;
}
