/* The methods for the owner of a chatbot: what visitors asked, and how often. */
#include <string.h>

#include "chat.methods.h"
#include "common/base/text.h"
#include "common/db/db.h"
#include "common/service/call.h"
#include "svc-chat/messages.h"
#include "svc-chat/settings.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/visitor.h"

enum { DAYS = 30 };

static int is_own(struct call *call, const char *chatbot_id)
{
	Chatbots__FoundChatbot *bot;

	return retrieve_chatbot(call, chatbot_id, &bot);
}

static int is_there(struct call *call, const Chat__ConversationRequest *in)
{
	return db_must_find(
	    store_is_conversation(call->db, call->owner_id, in->chatbot_id, in->session_id, call->err),
	    "conversation", call->err);
}

int chat_list_conversations(struct call *call, const Chat__ListConversationsRequest *in,
                            Chat__SessionList *out)
{
	if (is_own(call, in->chatbot_id) < 0)
		return -1;
	return store_list_conversations(call->db, call->owner_id, in->chatbot_id, in->cursor,
	                                in->has_limit ? in->limit : 0, out, call->arena, call->err);
}

int chat_get_conversation(struct call *call, const Chat__ConversationRequest *in, Chat__SessionDetails *out)
{
	Chat__SessionRequest session = CHAT__SESSION_REQUEST__INIT;

	session.session_id = in->session_id;
	return is_there(call, in) < 0 ? -1 : chat_get_session(call, &session, out);
}

int chat_delete_conversation(struct call *call, const Chat__ConversationRequest *in, Rpc__Empty *out)
{
	(void)out;
	return is_there(call, in) < 0 ? -1 : messages_session_delete(call, in->session_id);
}

/* The days as a table; no value of it needs quotes. */
static void add_csv(struct call *call, Chat__Analytics *out)
{
	Rpc__FilePiece *file = arena_new(call->arena, Rpc__FilePiece, 1);
	struct text t;

	text_init(&t, call->arena);
	text_adds(&t, "day,conversations,messages,thumbsUp,thumbsDown,unanswered\r\n");
	for (size_t i = 0; i < out->n_days; i++) {
		const Chat__DayFigures *d = out->days[i];

		text_addf(&t, "%s,%lld,%lld,%lld,%lld,%lld\r\n", d->day, (long long)d->conversations,
		          (long long)d->messages, (long long)d->thumbs_up, (long long)d->thumbs_down,
		          (long long)d->unanswered);
	}
	rpc__file_piece__init(file);
	file->name = (char *)"analytics.csv";
	file->type = (char *)"text/csv; charset=utf-8";
	file->has_size = file->has_bytes = true;
	file->size = (int64_t)t.length;
	file->bytes = (ProtobufCBinaryData){ .data = (uint8_t *)t.at, .len = t.length };
	out->file = file;
}

int chat_get_visitor_secret(struct call *call, const Chat__VisitorSecretRequest *in, Chat__VisitorSecret *out)
{
	const struct chat *chat = chat_state(call);
	Chatbots__FoundChatbot *bot;
	struct settings settings;

	if (retrieve_chatbot(call, in->chatbot_id, &bot) < 0)
		return -1;
	settings_read(bot->chatbot->settings, &settings, call->arena);
	out->chatbot_id = bot->chatbot->id;
	out->secret =
	    visitor_secret(chat->visitors_key, out->chatbot_id, settings.identity_version, call->arena);
	out->has_version = true;
	out->version = settings.identity_version;
	return 0;
}

int chat_get_analytics(struct call *call, const Chat__AnalyticsRequest *in, Chat__Analytics *out)
{
	if (is_own(call, in->chatbot_id) < 0)
		return -1;
	out->chatbot_id = in->chatbot_id;
	if (store_figures(call->db, call->owner_id, in->chatbot_id, in->has_days ? in->days : DAYS, out,
	                  call->arena, call->err) < 0)
		return -1;
	if (in->format && strcmp(in->format, "csv") == 0)
		add_csv(call, out);
	return 0;
}
