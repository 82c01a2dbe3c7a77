#include "svc-chat/tell.h"

#include <string.h>

#include "chat.pb-c.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/job/event.h"
#include "common/json/json.h"
#include "common/json/json_write.h"
#include "shapes.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/person.h"

enum { SAID_MOST = 40, SAID_BYTES = 1500 /* of a conversation that is handed over; of each message */ };

struct told {
	const char *event, *session, *message, *chatbot;
};

static int read_told(struct call *call, const struct job *job, struct told *ret)
{
	OWN(json) json_object *payload = NULL;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	ret->event = arena_strdup(call->arena, json_string(payload, "event"));
	ret->session = arena_strdup(call->arena, json_string(payload, "session"));
	ret->message = arena_strdup(call->arena, json_string(payload, "message"));
	ret->chatbot = arena_strdup(call->arena, json_string(payload, "chatbot"));
	return ret->event && ret->session && ret->message
	           ? 0
	           : error_internal(call->err, "event: an odd payload: %s", job->payload);
}

static void add_text(struct text *data, const char *key, const char *value)
{
	text_addf(data, ",\"%s\":", key);
	text_add_json(data, value, strlen(value));
}

static void add_reason(struct text *data, const char *question, struct arena *a)
{
	add_text(data, "reason",
	         question && person_asked_for(question, a) ? "asked_for_person" : "nothing_found");
}

static int put(struct call *call, const struct told *t, const Chat__Message *message, const char **ret)
{
	Chat__Message question = CHAT__MESSAGE__INIT;
	struct text data;
	int found = 0;

	if (message->question_id &&
	    (found = store_get_message(call->db, call->owner_id, t->session, message->question_id, &question,
	                               call->arena, call->err)) < 0)
		return -1;
	text_init(&data, call->arena);
	text_adds(&data, "{\"message\":");
	json_from_message(&data, &shape_chat__message, &message->base);
	if (t->chatbot)
		add_text(&data, "chatbotId", t->chatbot);
	if (found)
		add_text(&data, "question", question.content);
	if (strcmp(t->event, "conversation.unanswered") == 0)
		add_reason(&data, found ? question.content : NULL, call->arena);
	text_addc(&data, '}');
	*ret = data.at;
	return 0;
}

/* --- What people who take over must know: who it is, and what was said, the latest of it ---------------------------- */

static void add_said(struct text *data, const Chat__Message *m)
{
	size_t size = utf8_clip(m->content, strlen(m->content), SAID_BYTES);

	text_addf(data, "{\"role\":\"%s\",\"createdAt\":\"%s\",\"content\":", m->role, m->created_at);
	text_add_json(data, m->content, size);
	text_addc(data, '}');
}

static int put_transcript(struct text *data, struct call *call, const struct told *t)
{
	const char *question = NULL;
	Chat__Message **said;
	int64_t first, last;
	bool more, cut;
	size_t count;

	if (store_page_start(call->db, call->owner_id, t->session, false, INT64_MAX, SAID_MOST, STORE_BYTES,
	                     &first, &more, call->err) < 0 ||
	    store_messages(call->db, call->owner_id, t->session, false, first - 1, INT64_MAX, SAID_MOST,
	                   &count, &said, &last, &cut, call->arena, call->err) < 0)
		return -1;
	text_addf(data, ",\"more\":%s,\"messages\":[", more ? "true" : "false");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(said[i]->role, "user") == 0)
			question = said[i]->content;
		text_adds(data, i ? "," : "");
		add_said(data, said[i]);
	}
	text_addc(data, ']');
	add_reason(data, question, call->arena);
	return 0;
}

static int put_handover(struct call *call, const struct told *t, const char **ret)
{
	Chat__SessionDetails session = CHAT__SESSION_DETAILS__INIT;
	struct text data;
	int found = store_get_session(call->db, call->owner_id, t->session, &session, call->arena, call->err);

	if (found <= 0)
		return found;
	text_init(&data, call->arena);
	text_addf(&data, "{\"sessionId\":\"%s\"", t->session);
	add_text(&data, "chatbotId", session.chatbot_id);
	if (session.visitor_name)
		add_text(&data, "name", session.visitor_name);
	if (session.visitor_email || session.contact)
		add_text(&data, "contact", session.visitor_email ? session.visitor_email : session.contact);
	if (put_transcript(&data, call, t) < 0)
		return -1;
	text_addc(&data, '}');
	*ret = data.at;
	return 1;
}

/* What was erased before it could be told is told to nobody. */
static int tell(struct call *call, const struct job *job)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_words words;
	struct told t;
	int found;

	if (read_told(call, job, &t) < 0)
		return -1;
	found = store_get_message(call->db, call->owner_id, t.session, t.message, &message, call->arena,
	                          call->err);
	if (found <= 0)
		return found;
	words = (struct event_words){ .name = t.event, .chatbot_id = t.chatbot };
	if (strcmp(t.event, "conversation.handover") == 0) {
		found = put_handover(call, &t, &words.data);
		return found <= 0 ? found : event_tell(call, job, &words);
	}
	return put(call, &t, &message, &words.data) < 0 ? -1 : event_tell(call, job, &words);
}

const struct job_kind tell_job = EVENT_KIND(tell);
