/* The methods about sessions. */
#include "chat.methods.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/db/db.h"
#include "common/job/event.h"
#include "common/service/call.h"
#include "svc-chat/messages.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/keep.h"

enum { MESSAGES_PAGE = 1000 }; /* shown with a session, at most; store.h bounds their bytes */

static int no_session(struct call *call)
{
	return error_set(call->err, ERROR_NOT_FOUND, "no such session");
}

int chat_create_session(struct call *call, const Chat__CreateSessionRequest *in, Chat__SessionDetails *out)
{
	const char *title = in->title && *in->title ? in->title : NULL;
	char id[UUID_TEXT];

	uuid_make(id);
	if (store_create_session(call->db, call->owner_id, id, in->chatbot_id, title, call->err) < 0)
		return -1;
	return store_get_session(call->db, call->owner_id, id, out, call->arena, call->err) < 0 ? -1 : 0;
}

int chat_list_sessions(struct call *call, const Chat__ListSessionsRequest *in, Chat__SessionList *out)
{
	int limit = in->has_limit && in->limit < STORE_SESSIONS ? in->limit : STORE_SESSIONS;

	return store_list_sessions(call->db, call->owner_id, in->cursor, limit, out, call->arena, call->err);
}

int chat_get_session(struct call *call, const Chat__SessionRequest *in, Chat__SessionDetails *out)
{
	int found = store_get_session(call->db, call->owner_id, in->session_id, out, call->arena, call->err);
	int64_t first, last;
	bool more;

	if (found <= 0)
		return found < 0 ? -1 : no_session(call);
	if (store_page_start(call->db, call->owner_id, in->session_id, false, INT64_MAX, MESSAGES_PAGE,
	                     STORE_BYTES, &first, &more, call->err) < 0)
		return -1;
	return store_messages(call->db, call->owner_id, in->session_id, false, first - 1, INT64_MAX,
	                      MESSAGES_PAGE, &out->n_messages, &out->messages, &last, &more, call->arena,
	                      call->err);
}

int chat_rename_session(struct call *call, const Chat__RenameSessionRequest *in, Chat__Session *out)
{
	Chat__SessionDetails details = CHAT__SESSION_DETAILS__INIT;

	if (db_must_find(store_rename_session(call->db, call->owner_id, in->session_id, in->title, call->err),
	                 "session", call->err) < 0 ||
	    store_get_session(call->db, call->owner_id, in->session_id, &details, call->arena, call->err) < 0)
		return -1;
	out->id = details.id;
	out->chatbot_id = details.chatbot_id;
	out->user_id = details.user_id;
	out->title = details.title;
	out->created_at = details.created_at;
	out->updated_at = details.updated_at;
	return 0;
}

/* Whoever writes or reads there hears of it at once; if not, then at the next renewal. */
static void tell_deleted(struct call *call, const char *session)
{
	struct chat *chat = chat_state(call);
	struct error untold = { 0 };

	keeper_deleted(chat->keeper, session);
	if (store_tell(call->db, "deleted", session, &untold) < 0)
		log_line(LOG_WARN, "a deletion is told late", LOG_TEXT("detail", untold.detail));
}

int messages_session_delete(struct call *call, const char *session)
{
	int found = store_delete_session(call->db, call->owner_id, session, call->err);

	if (found <= 0)
		return found < 0 ? -1 : no_session(call);
	tell_deleted(call, session);
	return 0;
}

int chat_delete_session(struct call *call, const Chat__SessionRequest *in, Rpc__Empty *out)
{
	(void)out;
	return messages_session_delete(call, in->session_id);
}

int chat_listen(struct call *call, const Rpc__Listening *in, Rpc__Empty *out)
{
	(void)out;
	return event_listen(call, in);
}

int chat_get_usage(struct call *call, const Rpc__Empty *in, Chat__Usage *out)
{
	(void)in;
	if (!call->owner_id)
		return error_set(call->err, ERROR_INVALID, "whose usage?");
	out->has_messages = true;
	return store_usage(call->db, call->owner_id, &out->messages, call->err);
}
