/* The methods about messages of sessions. */
#include <string.h>

#include "chat.methods.h"
#include "common/base/utf8.h"
#include "common/db/db.h"
#include "common/service/call.h"
#include "common/stream/stream.h"
#include "svc-chat/messages.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/turn.h"

enum { WORDS_MAX = 8, FOUND = 50 };

int chat_list_messages(struct call *call, const Chat__ListMessagesRequest *in, Chat__MessageList *out)
{
	struct messages_page page = {
		.session = in->session_id,
		.cursor = in->cursor,
		.has_limit = in->has_limit,
		.limit = in->limit,
		.all = in->siblings && (*in->siblings == '1' || *in->siblings == 't'),
	};

	if (messages_page(call, &page) < 0)
		return -1;
	out->messages = page.messages;
	out->n_messages = page.count;
	out->next = page.next;
	return 0;
}

static struct messages_ask question(const Chat__SendMessageRequest *in)
{
	return (struct messages_ask){ .session = in->session_id, .content = in->content };
}

static struct messages_ask again(const Chat__AgainRequest *in)
{
	return (struct messages_ask){ .session = in->session_id, .again = in->message_id };
}

static struct messages_ask edited(const Chat__EditMessageRequest *in)
{
	return (struct messages_ask){ .session = in->session_id,
		                      .edits = in->message_id,
		                      .content = in->content };
}

int chat_send_message(struct call *call, const Chat__SendMessageRequest *in, Chat__Message *out)
{
	struct messages_ask ask = question(in);

	return messages_ask(call, &ask, NULL, &out->base);
}

int chat_stream_message(struct call *call, const Chat__SendMessageRequest *in, Rpc__Started *out)
{
	struct messages_ask ask = question(in);

	return messages_stream(call, &ask, out);
}

int chat_regenerate_message(struct call *call, const Chat__AgainRequest *in, Chat__Message *out)
{
	struct messages_ask ask = again(in);

	return messages_ask(call, &ask, NULL, &out->base);
}

int chat_stream_regenerate_message(struct call *call, const Chat__AgainRequest *in, Rpc__Started *out)
{
	struct messages_ask ask = again(in);

	return messages_stream(call, &ask, out);
}

int chat_edit_message(struct call *call, const Chat__EditMessageRequest *in, Chat__Message *out)
{
	struct messages_ask ask = edited(in);

	return messages_ask(call, &ask, NULL, &out->base);
}

int chat_stream_edit_message(struct call *call, const Chat__EditMessageRequest *in, Rpc__Started *out)
{
	struct messages_ask ask = edited(in);

	return messages_stream(call, &ask, out);
}

int chat_resume_message(struct call *call, const Chat__ResumeRequest *in, Rpc__Started *out)
{
	const char *after = in->last_event_id && *in->last_event_id ? in->last_event_id : in->after;

	return turn_resume(call, in->session_id, after, stream_reader(call->caller), out);
}

int chat_stop_message(struct call *call, const Chat__StopMessageRequest *in, Chat__Message *out)
{
	return messages_stop(call, call->owner_id, in->session_id, in->message_id, NULL, &out->base);
}

int chat_choose_message(struct call *call, const Chat__AgainRequest *in, Chat__Message *out)
{
	return messages_choose(call, in->session_id, in->message_id, out);
}

int chat_approve_tool_call(struct call *call, const Chat__ApproveToolCallRequest *in, Chat__ToolCall *out)
{
	return turn_approve(call, in->session_id, in->tool_call_id, in->scope, in->arguments, out);
}

int chat_answer_elicitation(struct call *call, const Chat__AnswerElicitationRequest *in, Chat__ToolCall *out)
{
	return turn_answer(call, in->session_id, in->elicitation_id, in->action, in->content, out);
}

int chat_deny_tool_call(struct call *call, const Chat__DenyToolCallRequest *in, Chat__ToolCall *out)
{
	return turn_deny(call, in->session_id, in->tool_call_id, in->reason, out);
}

int chat_set_feedback(struct call *call, const Chat__FeedbackRequest *in, Chat__Message *out)
{
	return messages_judge(call, in->session_id, in->message_id, in->value, in->comment, out);
}

/* --- Searching ---------------------------------------------------------------------------------------------------------- */

/* The words between blanks, as they are compared: the database lowers its side. */
static size_t words_of(const char *q, char *words[WORDS_MAX], struct arena *a)
{
	size_t n = 0;

	while (*q && n < WORDS_MAX) {
		size_t size = strcspn(q, " \t\r\n");

		if (size)
			words[n++] = arena_strndup(a, q, size);
		q += size + strspn(q + size, " \t\r\n");
	}
	return n;
}

int chat_search_messages(struct call *call, const Chat__SearchMessagesRequest *in,
                         Chat__FoundMessageList *out)
{
	char *words[WORDS_MAX];
	size_t n = words_of(in->q, words, call->arena);

	return store_search(call->db, call->owner_id, words, n, in->has_limit ? in->limit : FOUND, out,
	                    call->arena, call->err);
}
