/* Sessions and chats as files, a page of messages at a time: `at` is the number of the last message that was told. */
#include <string.h>

#include "chat.methods.h"
#include "common/db/db.h"
#include "svc-chat/export.h"
#include "svc-chat/store.h"

enum {
	MESSAGES_PAGE = 500,
	PIECE_BYTES = 512 << 10, /* a piece is as long as this, or one message longer */
};

struct exporting {
	struct call *call;
	enum export_format format;
	struct export_head head;
	const char *session;
	int64_t at;
	struct text text;
};

/* Messages after `at`, until there is enough for a piece: 1 when more follow. */
static int add_messages(struct exporting *e)
{
	struct call *call = e->call;
	bool first = e->at == 0, more;
	Chat__Message **messages;
	int64_t last;
	size_t n;

	if (store_messages(call->db, call->owner_id, e->session, false, e->at, INT64_MAX, MESSAGES_PAGE, &n,
	                   &messages, &last, &more, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (e->text.length > PIECE_BYTES)
			return 1;
		export_message(e->format, &e->head, messages[i], first && i == 0, &e->text);
		e->at = messages[i]->number;
	}
	return more;
}

static int make_piece(struct exporting *e, Rpc__FilePiece **ret)
{
	Rpc__FilePiece *file = arena_new(e->call->arena, Rpc__FilePiece, 1);
	bool json = e->format == EXPORT_JSON;
	int more;

	text_init(&e->text, e->call->arena);
	if (e->at == 0)
		export_begin(e->format, &e->head, &e->text);
	more = add_messages(e);
	if (more < 0)
		return -1;
	if (!more)
		export_end(e->format, &e->text);
	rpc__file_piece__init(file);
	file->name = arena_printf(e->call->arena, "%s.%s",
	                          e->head.title && *e->head.title ? e->head.title : "conversation",
	                          json ? "json" : "md");
	file->type = (char *)(json ? "application/json" : "text/markdown; charset=utf-8");
	file->has_bytes = true;
	file->bytes = (ProtobufCBinaryData){ .data = (uint8_t *)e->text.at, .len = e->text.length };
	file->has_next = more;
	file->next = e->at;
	*ret = file;
	return 0;
}

static enum export_format format_of(const char *word)
{
	return word && strcmp(word, "json") == 0 ? EXPORT_JSON : EXPORT_MARKDOWN;
}

int chat_export_session(struct call *call, const Chat__ExportSessionRequest *in, Chat__Export *out)
{
	Chat__SessionDetails session = CHAT__SESSION_DETAILS__INIT;
	struct exporting e = {
		.call = call, .format = format_of(in->format), .session = in->session_id, .at = in->at
	};

	if (db_must_find(
	        store_get_session(call->db, call->owner_id, in->session_id, &session, call->arena, call->err),
	        "session", call->err) < 0)
		return -1;
	e.head = (struct export_head){ .id = session.id,
		                       .chatbot_id = session.chatbot_id,
		                       .title = session.title,
		                       .created_at = session.created_at,
		                       .updated_at = session.updated_at,
		                       .visitor_name = session.visitor_name,
		                       .visitor_email = session.visitor_email };
	return make_piece(&e, &out->file);
}

int chat_export_chat(struct call *call, const Chat__ExportChatRequest *in, Chat__Export *out)
{
	Chat__ChatSession chat = CHAT__CHAT_SESSION__INIT;
	struct exporting e = { .call = call, .format = format_of(in->format), .at = in->at };

	if (db_must_find(
	        store_find_chat(call->db, call->owner_id, in->chat_id, &e.session, call->arena, call->err),
	        "chat", call->err) < 0 ||
	    db_must_find(store_get_chat(call->db, call->owner_id, e.session, &chat, call->arena, call->err),
	                 "chat", call->err) < 0)
		return -1;
	e.head = (struct export_head){ .number = chat.id,
		                       .title = chat.title,
		                       .created_at = chat.created_at,
		                       .updated_at = chat.updated_at };
	return make_piece(&e, &out->file);
}
