/* The methods for visitors of websites: their sessions with a chatbot, acting for its owner. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/stream/stream.h"
#include "svc-chat/settings.h"
#include "svc-chat/store_visitors.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/turn.h"

enum {
	SESSION_BYTES = 24,   /* of a visitor's session id: random, base64url */
	ADDRESS_FACTOR = 3,   /* times what one session may: several people behind one address */
	CHATBOT_FACTOR = 100, /* all visitors of a chatbot together */
	MESSAGES_MAX = 1000,  /* of a session, shown */
	MINUTE_MS = 60 * 1000,
};

/* A visitor's call: to which chatbot, as whose, in which session. */
struct visit {
	Chatbots__Chatbot *bot;
	struct settings settings;
	struct call call; /* for the owner */
	struct store_visitor visitor;
};

/* "https://example.com", whatever the case, with or without a slash at its end. */
static bool same_origin(const char *listed, const char *origin)
{
	size_t size = strlen(listed);

	while (size && listed[size - 1] == '/')
		size--;
	return size == strlen(origin) && strncasecmp(listed, origin, size) == 0;
}

static int check_origin(struct call *call, const struct settings *settings)
{
	const char *origin = call->caller->origin;

	for (size_t i = 0; i < settings->origin_count && origin; i++)
		if (same_origin(settings->origins[i], origin))
			return 0;
	return settings->origin_count
	           ? error_set(call->err, ERROR_FORBIDDEN, "this chatbot is not for this website")
	           : 0;
}

static int find_bot(struct call *call, const char *chatbot_id, struct visit *v)
{
	if (retrieve_public_chatbot(call, chatbot_id, &v->bot) < 0)
		return -1;
	settings_read(v->bot->settings, &v->settings, call->arena);
	v->call = retrieve_call_for(call, v->bot->owner_id);
	return check_origin(call, &v->settings);
}

static int enter(struct call *call, const char *chatbot_id, const char *session_id, struct visit *v)
{
	char hash[65];
	int found;

	if (find_bot(call, chatbot_id, v) < 0)
		return -1;
	sha256_hex(hash, session_id, strlen(session_id));
	found = store_find_visitor(call->db, chatbot_id, hash, &v->visitor, call->arena, call->err);
	if (found <= 0)
		return found < 0
		           ? -1
		           : error_set(call->err, ERROR_NOT_FOUND, "no such session; start another one");
	if (v->settings.origin_count &&
	    (!v->visitor.origin || !same_origin(v->visitor.origin, call->caller->origin)))
		return error_set(call->err, ERROR_FORBIDDEN, "this session was started on another website");
	return 0;
}

/* --- How often ------------------------------------------------------------------------------------------------------ */

static int count(struct call *call, const char *key, int most)
{
	int64_t visits, left = MINUTE_MS - clock_unix_ms() % MINUTE_MS;

	if (store_count_visit(call->db, key, &visits, call->err) < 0)
		return -1;
	if (visits <= most)
		return 0;
	return error_too_many(call->err, (int)(left / 1000) + 1,
	                      "too many messages in this minute; wait a moment");
}

static int count_message(struct call *call, const struct visit *v)
{
	const char *ip = call->caller->ip ? call->caller->ip : "";
	int most = v->settings.per_minute;

	if (count(call, arena_printf(call->arena, "session/%s", v->visitor.session_id), most) < 0 ||
	    count(call, arena_printf(call->arena, "ip/%s/%s", v->bot->id, ip), most * ADDRESS_FACTOR) < 0)
		return -1;
	return count(call, arena_printf(call->arena, "chatbot/%s", v->bot->id), most * CHATBOT_FACTOR);
}

/* --- Methods -------------------------------------------------------------------------------------------------------- */

int chat_create_widget_session(struct call *call, const Chat__WidgetSessionRequest *in,
                               Chat__WidgetSession *out)
{
	unsigned char bytes[SESSION_BYTES];
	char shown[4 * SESSION_BYTES / 3 + 4], id[UUID_TEXT], hash[65];
	const char *expires_at;
	struct visit v;

	if (find_bot(call, in->chatbot_id, &v) < 0)
		return -1;
	random_bytes(bytes, sizeof bytes);
	base64url_encode(shown, bytes, sizeof bytes);
	sha256_hex(hash, shown, strlen(shown));
	uuid_make(id);
	if (store_add_visitor(call->db, v.call.owner_id, id, v.bot->id, hash, call->caller->origin,
	                      &expires_at, call->arena, call->err) < 0)
		return -1;
	out->session_id = arena_strdup(call->arena, shown);
	out->welcome_message = (char *)v.settings.welcome;
	out->expires_at = (char *)expires_at;
	return 0;
}

int chat_get_widget_session(struct call *call, const Chat__WidgetSessionLookup *in,
                            Chat__WidgetSessionDetails *out)
{
	int64_t first, last;
	struct visit v;
	bool more;

	if (enter(call, in->chatbot_id, in->session_id, &v) < 0)
		return -1;
	out->session_id = in->session_id;
	out->welcome_message = (char *)v.settings.welcome;
	out->expires_at = (char *)v.visitor.expires_at;
	if (store_page_start(call->db, v.visitor.owner, v.visitor.session_id, INT64_MAX, MESSAGES_MAX,
	                     STORE_BYTES, &first, &more, call->err) < 0)
		return -1;
	return store_messages(call->db, v.visitor.owner, v.visitor.session_id, first - 1, INT64_MAX,
	                      MESSAGES_MAX, &out->n_messages, &out->messages, &last, &more, call->arena,
	                      call->err);
}

/* Count the message and begin the turn. */
static int ask(struct call *call, const Chat__WidgetMessageRequest *in, struct visit *v,
               struct store_turn *turn)
{
	if (enter(call, in->chatbot_id, in->session_id, v) < 0 || count_message(call, v) < 0)
		return -1;
	return turn_begin(&v->call, v->visitor.session_id, in->message, stream_reader(call->caller), turn);
}

int chat_send_widget_message(struct call *call, const Chat__WidgetMessageRequest *in, Chat__WidgetReply *out)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct store_turn turn;
	struct visit v;

	if (ask(call, in, &v, &turn) < 0 ||
	    turn_wait(&v.call, v.visitor.session_id, turn.message_id, &message) < 0 ||
	    turn_judge(&v.call, &message) < 0)
		return -1;
	out->response = message.content;
	out->sources = message.sources;
	out->n_sources = message.n_sources;
	out->message_id = message.id;
	return 0;
}

int chat_stream_widget_message(struct call *call, const Chat__WidgetMessageRequest *in, Rpc__Started *out)
{
	struct store_turn turn;
	struct visit v;

	if (ask(call, in, &v, &turn) < 0)
		return -1;
	return turn_follow(&v.call, v.visitor.session_id, &turn, stream_reader(call->caller), out);
}

int chat_resume_widget_message(struct call *call, const Chat__WidgetResumeRequest *in, Rpc__Started *out)
{
	struct visit v;

	if (enter(call, in->chatbot_id, in->session_id, &v) < 0)
		return -1;
	return turn_resume(&v.call, v.visitor.session_id, in->last_event_id, stream_reader(call->caller),
	                   out);
}
