/* The methods for visitors of websites: their sessions with a chatbot, acting for its owner. */
#include <stdio.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "svc-chat/messages.h"
#include "svc-chat/sealed.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/turn.h"
#include "svc-chat/visit.h"

enum {
	MESSAGES_MAX = 1000, /* of a session, shown */
	SESSION_MS = 24 * 60 * 60 * 1000,
};

/* A visitor in his session. */
struct guest {
	struct visit visit;
	struct sealed_visit session;
	char expires_at[32];
};

static int enter(struct call *call, const char *chatbot_id, const char *shown, struct guest *g)
{
	const struct chat *chat = chat_state(call);
	unsigned char origin[16];

	if (sealed_visit_of(chat->key, chatbot_id, shown, &g->session) < 0 ||
	    g->session.expires <= clock_unix_ms())
		return error_set(call->err, ERROR_NOT_FOUND, "no such session; start another one");
	if (visit_own(call, chatbot_id, g->session.owner, &g->visit) < 0)
		return -1;
	sealed_origin(call->caller->origin, origin);
	if (g->visit.settings.origin_count && memcmp(origin, g->session.origin, sizeof origin) != 0)
		return error_set(call->err, ERROR_FORBIDDEN, "this session was started on another website");
	clock_rfc3339(g->expires_at, g->session.expires);
	return 0;
}

/* --- Methods -------------------------------------------------------------------------------------------------------- */

/* The site has named its visitor: his session is stored, with what it said of him. */
static int add_known_visitor(struct call *call, const Chat__WidgetSessionRequest *in, const struct visit *v,
                             const char *session, const char *expires_at)
{
	const struct chat *chat = chat_state(call);
	struct visitor visitor = { 0 };
	const char *secret =
	    visitor_secret(chat->visitors_key, v->bot->id, v->settings.identity_version, call->arena);

	if (visitor_read(secret, in->visitor, in->signature ? in->signature : "", clock_unix_ms() / 1000,
	                 &visitor, call->arena, call->err) < 0)
		return -1;
	return store_add_known_visitor(call->db, v->call.owner_id, session, v->bot->id, call->caller->origin,
	                               expires_at, &visitor, call->err);
}

/* Of a visitor whom nobody has named, nothing is stored before the first message. */
int chat_create_widget_session(struct call *call, const Chat__WidgetSessionRequest *in,
                               Chat__WidgetSession *out)
{
	const struct chat *chat = chat_state(call);
	struct sealed_visit session = { .expires = clock_unix_ms() + SESSION_MS };
	char expires_at[32];
	struct visit v;

	if (visit_any(call, in->chatbot_id, &v) < 0)
		return -1;
	snprintf(session.owner, sizeof session.owner, "%s", v.call.owner_id);
	uuid_make(session.session);
	sealed_origin(call->caller->origin, session.origin);
	clock_rfc3339(expires_at, session.expires);
	if (in->visitor && add_known_visitor(call, in, &v, session.session, expires_at) < 0)
		return -1;
	out->session_id = sealed_visit(chat->key, v.bot->id, &session, call->arena);
	out->welcome_message = (char *)v.settings.welcome;
	out->expires_at = arena_strdup(call->arena, expires_at);
	return 0;
}

int chat_get_widget_session(struct call *call, const Chat__WidgetSessionLookup *in,
                            Chat__WidgetSessionDetails *out)
{
	const char *owner, *session;
	int64_t first, last;
	struct guest g;
	bool more;

	if (enter(call, in->chatbot_id, in->session_id, &g) < 0)
		return -1;
	owner = g.visit.call.owner_id;
	session = g.session.session;
	out->session_id = in->session_id;
	out->welcome_message = (char *)g.visit.settings.welcome;
	out->expires_at = arena_strdup(call->arena, g.expires_at);
	if (store_page_start(call->db, owner, session, false, INT64_MAX, MESSAGES_MAX, STORE_BYTES, &first,
	                     &more, call->err) < 0 ||
	    store_messages(call->db, owner, session, false, first - 1, INT64_MAX, MESSAGES_MAX,
	                   &out->n_messages, &out->messages, &last, &more, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < out->n_messages; i++)
		events_for_visitor(out->messages[i]);
	return store_handover_of(call->db, owner, session, (const char **)&out->handover, call->err);
}

int chat_hand_over_widget_session(struct call *call, const Chat__WidgetHandoverRequest *in,
                                  Chat__WidgetHandover *out)
{
	struct guest g;
	int given;

	if (enter(call, in->chatbot_id, in->session_id, &g) < 0)
		return -1;
	given = store_hand_over(call->db, g.visit.call.owner_id, g.session.session, in->email, call->arena,
	                        call->err);
	if (given <= 0)
		return given < 0 ? -1
		                 : error_set(call->err, ERROR_CONFLICT,
		                             "nobody has offered to take this conversation over");
	out->handover = (char *)STORE_GIVEN;
	return 0;
}

/* Count the message and begin the turn. */
static int ask(struct call *call, const Chat__WidgetMessageRequest *in, struct guest *g,
               struct store_turn *turn)
{
	if (enter(call, in->chatbot_id, in->session_id, g) < 0 ||
	    visit_count(call, &g->visit, g->session.session) < 0)
		return -1;
	return turn_begin(&g->visit.call,
	                  &(struct turn_question){ .session = g->session.session,
	                                           .content = in->message,
	                                           .reader = EVENTS_VISITOR,
	                                           .chatbot = g->visit.bot->id,
	                                           .origin = call->caller->origin,
	                                           .expires_at = g->expires_at },
	                  turn);
}

static int as_reply(struct call *call, Chat__Message *message, ProtobufCMessage *answer)
{
	Chat__WidgetReply *out = (Chat__WidgetReply *)answer;

	(void)call;
	events_for_visitor(message);
	out->response = message->content;
	out->sources = message->sources;
	out->n_sources = message->n_sources;
	out->message_id = message->id;
	return 0;
}

int chat_send_widget_message(struct call *call, const Chat__WidgetMessageRequest *in, Chat__WidgetReply *out)
{
	struct store_turn turn;
	struct guest g;

	if (ask(call, in, &g, &turn) < 0)
		return -1;
	return turn_await(call,
	                  &(struct turn_awaited){ .owner = g.visit.call.owner_id,
	                                          .session = g.session.session,
	                                          .message_id = turn.message_id,
	                                          .whole = true,
	                                          .fill = as_reply },
	                  &out->base);
}

int chat_stream_widget_message(struct call *call, const Chat__WidgetMessageRequest *in, Rpc__Started *out)
{
	struct store_turn turn;
	struct guest g;

	if (ask(call, in, &g, &turn) < 0)
		return -1;
	return turn_follow(&g.visit.call, g.session.session, &turn, EVENTS_VISITOR, out);
}

int chat_resume_widget_message(struct call *call, const Chat__WidgetResumeRequest *in, Rpc__Started *out)
{
	const char *after = in->last_event_id && *in->last_event_id ? in->last_event_id : in->after;
	struct guest g;

	if (enter(call, in->chatbot_id, in->session_id, &g) < 0)
		return -1;
	return turn_resume(&g.visit.call, g.session.session, after, EVENTS_VISITOR, out);
}

static int as_seen(struct call *call, Chat__Message *message, ProtobufCMessage *answer)
{
	(void)call;
	events_for_visitor(message);
	*(Chat__Message *)answer = *message;
	return 0;
}

int chat_stop_widget_message(struct call *call, const Chat__WidgetStopRequest *in, Chat__Message *out)
{
	struct guest g;

	if (enter(call, in->chatbot_id, in->session_id, &g) < 0)
		return -1;
	return messages_stop(call, g.visit.call.owner_id, g.session.session, in->message_id, as_seen,
	                     &out->base);
}

int chat_set_widget_feedback(struct call *call, const Chat__WidgetFeedbackRequest *in, Chat__Message *out)
{
	struct guest g;

	if (enter(call, in->chatbot_id, in->session_id, &g) < 0 ||
	    messages_judge(&g.visit.call, g.session.session, in->message_id, in->value, in->comment, out) < 0)
		return -1;
	events_for_visitor(out);
	return 0;
}
