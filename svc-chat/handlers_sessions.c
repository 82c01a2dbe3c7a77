/* The methods about sessions. */
#include "chat.methods.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/service/call.h"
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
	if (store_page_start(call->db, call->owner_id, in->session_id, INT64_MAX, MESSAGES_PAGE, STORE_BYTES,
	                     &first, &more, call->err) < 0)
		return -1;
	return store_messages(call->db, call->owner_id, in->session_id, first - 1, INT64_MAX, MESSAGES_PAGE,
	                      &out->n_messages, &out->messages, &last, &more, call->arena, call->err);
}

int chat_delete_session(struct call *call, const Chat__SessionRequest *in, Rpc__Empty *out)
{
	struct chat *chat = chat_state(call);
	int found = store_delete_session(call->db, call->owner_id, in->session_id, call->err);
	struct error untold = { 0 };

	(void)out;
	if (found <= 0)
		return found < 0 ? -1 : no_session(call);
	/* Whoever writes or reads there hears of it at once; if not, then at the next renewal. */
	keeper_deleted(chat->keeper, in->session_id);
	if (store_tell(call->db, "deleted", in->session_id, &untold) < 0)
		log_line(LOG_WARN, "a deletion is told late", LOG_TEXT("detail", untold.detail));
	return 0;
}

int chat_get_usage(struct call *call, const Rpc__Empty *in, Chat__Usage *out)
{
	(void)in;
	if (!call->owner_id)
		return error_set(call->err, ERROR_INVALID, "whose usage?");
	out->has_messages = true;
	return store_usage(call->db, call->owner_id, &out->messages, call->err);
}
