/* The methods of ChatConnect: chats, which are sessions without a chatbot, and their messages, under numbers. */
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/id.h"
#include "common/db/db.h"
#include "common/service/call.h"
#include "common/stream/stream.h"
#include "svc-chat/messages.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/turn.h"

/* --- Chats ------------------------------------------------------------------------------------------------------------ */

static int create(struct call *call, const Chat__CreateChatRequest *in, const char *kind,
                  Chat__ChatSession *out)
{
	char id[UUID_TEXT];

	uuid_make(id);
	return store_create_chat(call->db, call->owner_id, id, kind,
	                         in->title && *in->title ? in->title : NULL, out, call->arena, call->err) < 0
	           ? -1
	           : 0;
}

int chat_create_chat(struct call *call, const Chat__CreateChatRequest *in, Chat__ChatSession *out)
{
	return create(call, in, "chat", out);
}

int chat_create_connect_chat(struct call *call, const Chat__CreateChatRequest *in, Chat__ChatSession *out)
{
	return create(call, in, "chatconnect", out);
}

static int list(struct call *call, const Chat__ListChatsRequest *in, const char *kind,
                Chat__ChatSessionList *out)
{
	char *end = NULL;
	int64_t before = in->cursor && *in->cursor ? strtoll(in->cursor, &end, 10) : 0;

	if (end && (*end || before < 1))
		return error_field(call->err, call->arena, "query", "cursor", "value_error",
		                   "is not one of ours");
	return store_list_chats(call->db, call->owner_id, kind, before, in->has_limit ? in->limit : 0, out,
	                        call->arena, call->err);
}

int chat_list_chats(struct call *call, const Chat__ListChatsRequest *in, Chat__ChatSessionList *out)
{
	return list(call, in, "chat", out);
}

int chat_list_connect_chats(struct call *call, const Chat__ListChatsRequest *in, Chat__ChatSessionList *out)
{
	return list(call, in, "chatconnect", out);
}

/* The session behind a chat's number. */
static int find(struct call *call, int64_t number, const char **session)
{
	return db_must_find(
	    store_find_chat(call->db, call->owner_id, number, session, call->arena, call->err), "chat",
	    call->err);
}

static int find_message(struct call *call, int64_t chat, int64_t number, const char **session,
                        const char **id)
{
	if (find(call, chat, session) < 0)
		return -1;
	return db_must_find(
	    store_message_by_number(call->db, call->owner_id, *session, number, id, call->arena, call->err),
	    "message", call->err);
}

int chat_rename_chat(struct call *call, const Chat__RenameChatRequest *in, Chat__ChatSession *out)
{
	const char *session;

	if (find(call, in->chat_id, &session) < 0 ||
	    db_must_find(store_rename_session(call->db, call->owner_id, session, in->title, call->err),
	                 "chat", call->err) < 0)
		return -1;
	return store_get_chat(call->db, call->owner_id, session, out, call->arena, call->err) < 0 ? -1 : 0;
}

int chat_delete_chat(struct call *call, const Chat__ChatRequest *in, Rpc__Message *out)
{
	const char *session;

	if (find(call, in->chat_id, &session) < 0 || messages_session_delete(call, session) < 0)
		return -1;
	out->message = (char *)"Chat deleted";
	return 0;
}

/* --- Messages --------------------------------------------------------------------------------------------------------- */

int chat_list_chat_messages(struct call *call, const Chat__ListChatMessagesRequest *in,
                            Chat__ChatMessageList *out)
{
	struct messages_page page = {
		.cursor = in->cursor,
		.has_limit = in->has_limit,
		.limit = in->limit,
		.all = in->siblings && (*in->siblings == '1' || *in->siblings == 't'),
	};

	if (find(call, in->chat_id, &page.session) < 0 || messages_page(call, &page) < 0)
		return -1;
	out->messages = arena_new(call->arena, Chat__ChatMessage *, page.count);
	out->n_messages = page.count;
	out->next = page.next;
	for (size_t i = 0; i < page.count; i++) {
		out->messages[i] = arena_new(call->arena, Chat__ChatMessage, 1);
		events_for_chat(page.messages[i], out->messages[i]);
	}
	return 0;
}

int chat_list_connect_messages(struct call *call, const Chat__ListChatMessagesRequest *in,
                               Chat__ChatMessageList *out)
{
	return chat_list_chat_messages(call, in, out);
}

static int as_chat_message(struct call *call, Chat__Message *message, ProtobufCMessage *out)
{
	(void)call;
	events_for_chat(message, (Chat__ChatMessage *)out);
	return 0;
}

static Chat__FunctionCall *show_call(const Chat__ToolCall *tool, struct arena *a)
{
	Chat__FunctionCall *out = arena_new(a, Chat__FunctionCall, 1);

	chat__function_call__init(out);
	out->name = tool->name;
	out->parameters = tool->arguments;
	out->call_id = tool->id;
	return out;
}

/* How sure we are of what became of a call. */
static const char *verification_of(const char *status)
{
	static const struct {
		const char *status, *words;
	} rows[] = { { "done", "the tool answered" },
		     { "failed", "the tool answered with a failure, or could not be called" },
		     { "denied", "not executed: it was not approved" },
		     { "unknown", "the outcome is unknown" },
		     { "waiting", "not executed yet: it waits for its user" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].status, status) == 0)
			return rows[i].words;
	return "under way";
}

static Chat__ExecutionResult *show_result(const Chat__ToolCall *tool, struct arena *a)
{
	Chat__ExecutionResult *out = arena_new(a, Chat__ExecutionResult, 1);

	chat__execution_result__init(out);
	out->has_success = true;
	out->success = strcmp(tool->status, "done") == 0;
	out->message = tool->content ? tool->content : (char *)"";
	out->verification = (char *)verification_of(tool->status);
	return out;
}

static void show_calls(const Chat__Message *message, Chat__ConnectMessage *out, struct arena *a)
{
	out->function_calls = arena_new(a, Chat__FunctionCall *, message->n_tool_calls);
	out->execution_results = arena_new(a, Chat__ExecutionResult *, message->n_tool_calls);
	for (size_t i = 0; i < message->n_tool_calls; i++) {
		out->function_calls[out->n_function_calls++] = show_call(message->tool_calls[i], a);
		out->execution_results[out->n_execution_results++] = show_result(message->tool_calls[i], a);
	}
}

static int as_connect_message(struct call *call, Chat__Message *message, ProtobufCMessage *answer)
{
	Chat__ConnectMessage *out = (Chat__ConnectMessage *)answer;

	out->has_id = true;
	out->id = message->number;
	out->content = out->message = message->content;
	out->role = message->role;
	out->created_at = message->created_at;
	out->reasoning = message->reasoning;
	out->model_used = message->model;
	show_calls(message, out, call->arena);
	return 0;
}

int chat_send_chat_message(struct call *call, const Chat__SendChatMessageRequest *in, Chat__ChatMessage *out)
{
	struct messages_ask ask = { .content = in->content };

	if (find(call, in->chat_id, &ask.session) < 0)
		return -1;
	return messages_ask(call, &ask, as_chat_message, &out->base);
}

int chat_send_connect_message(struct call *call, const Chat__SendChatMessageRequest *in,
                              Chat__ConnectMessage *out)
{
	struct messages_ask ask = { .content = in->content };

	if (find(call, in->chat_id, &ask.session) < 0)
		return -1;
	return messages_ask(call, &ask, as_connect_message, &out->base);
}

int chat_stream_chat_message(struct call *call, const Chat__SendChatMessageRequest *in, Rpc__Started *out)
{
	struct messages_ask ask = { .content = in->content };

	if (find(call, in->chat_id, &ask.session) < 0)
		return -1;
	return messages_stream(call, &ask, out);
}

int chat_resume_chat_message(struct call *call, const Chat__ResumeChatRequest *in, Rpc__Started *out)
{
	const char *after = in->last_event_id && *in->last_event_id ? in->last_event_id : in->after;
	const char *session;

	if (find(call, in->chat_id, &session) < 0)
		return -1;
	return turn_resume(call, session, after, stream_reader(call->caller), out);
}

int chat_stop_chat_message(struct call *call, const Chat__ChatMessageRequest *in, Chat__ChatMessage *out)
{
	const char *session, *id;

	if (find_message(call, in->chat_id, in->message_id, &session, &id) < 0)
		return -1;
	return messages_stop(call, call->owner_id, session, id, as_chat_message, &out->base);
}

int chat_regenerate_chat_message(struct call *call, const Chat__ChatMessageRequest *in,
                                 Chat__ChatMessage *out)
{
	struct messages_ask ask = { 0 };

	if (find_message(call, in->chat_id, in->message_id, &ask.session, &ask.again) < 0)
		return -1;
	return messages_ask(call, &ask, as_chat_message, &out->base);
}

int chat_edit_chat_message(struct call *call, const Chat__EditChatMessageRequest *in, Chat__ChatMessage *out)
{
	struct messages_ask ask = { .content = in->content };

	if (find_message(call, in->chat_id, in->message_id, &ask.session, &ask.edits) < 0)
		return -1;
	return messages_ask(call, &ask, as_chat_message, &out->base);
}

int chat_approve_chat_tool_call(struct call *call, const Chat__ApproveChatToolCallRequest *in,
                                Chat__ToolCall *out)
{
	const char *session;

	return find(call, in->chat_id, &session) < 0
	           ? -1
	           : turn_approve(call, session, in->tool_call_id, in->scope, in->arguments, out);
}

int chat_answer_chat_elicitation(struct call *call, const Chat__AnswerChatElicitationRequest *in,
                                 Chat__ToolCall *out)
{
	const char *session;

	return find(call, in->chat_id, &session) < 0
	           ? -1
	           : turn_answer(call, session, in->elicitation_id, in->action, in->content, out);
}

int chat_deny_chat_tool_call(struct call *call, const Chat__DenyChatToolCallRequest *in, Chat__ToolCall *out)
{
	const char *session;

	return find(call, in->chat_id, &session) < 0
	           ? -1
	           : turn_deny(call, session, in->tool_call_id, in->reason, out);
}

int chat_choose_chat_message(struct call *call, const Chat__ChatMessageRequest *in, Chat__ChatMessage *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	const char *session, *id;

	if (find_message(call, in->chat_id, in->message_id, &session, &id) < 0 ||
	    messages_choose(call, session, id, &message) < 0)
		return -1;
	events_for_chat(&message, out);
	return 0;
}

int chat_set_chat_feedback(struct call *call, const Chat__ChatFeedbackRequest *in, Chat__ChatMessage *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	const char *session, *id;

	if (find_message(call, in->chat_id, in->message_id, &session, &id) < 0 ||
	    messages_judge(call, session, id, in->value, in->comment, &message) < 0)
		return -1;
	events_for_chat(&message, out);
	return 0;
}
