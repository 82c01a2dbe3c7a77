#include "svc-chat/tell.h"

#include <string.h>

#include "chat.pb-c.h"
#include "common/base/text.h"
#include "common/job/event.h"
#include "common/json/json_message.h"
#include "shapes.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/person.h"

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
		add_text(&data, "reason",
		         found && person_asked_for(question.content, call->arena) ? "asked_for_person"
		                                                                  : "nothing_found");
	text_addc(&data, '}');
	*ret = data.at;
	return 0;
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
	return put(call, &t, &message, &words.data) < 0 ? -1 : event_tell(call, job, &words);
}

const struct job_kind tell_job = EVENT_KIND(tell);
