#include "svc-integrations/slack/act.h"

#include <stdio.h>
#include <string.h>

#include "chat.client.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"

int slack_act_later(struct call *call, const char *owner_id, const char *value)
{
	OWN(json) json_object *payload = json_object_new_object();

	json_object_object_add(payload, "value", json_object_new_string(value));
	return job_add(call->db, "slack_action", owner_id, NULL, json_print(payload, call->arena), 0,
	               call->err);
}

static int rate(struct call *call, char *what, char *session, char *message)
{
	Chat__FeedbackRequest in = CHAT__FEEDBACK_REQUEST__INIT;
	Chat__Message *out;

	in.session_id = session;
	in.message_id = message;
	in.value = what;
	return chat_client_set_feedback(integrations_state(call)->chat, call, &in, &out);
}

static int stop(struct call *call, char *session, char *message)
{
	Chat__StopMessageRequest in = CHAT__STOP_MESSAGE_REQUEST__INIT;
	Chat__Message *out;

	in.session_id = session;
	in.message_id = message;
	return chat_client_stop_message(integrations_state(call)->chat, call, &in, &out);
}

/* "<what> <session> <message>", as render.h has it. What is not the owner's is not there. */
static int run(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	char what[8], session[UUID_TEXT], message[UUID_TEXT];
	const char *value;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	value = json_string(payload, "value");
	if (!value || sscanf(value, "%7s %36s %36s", what, session, message) != 3 || !uuid_valid(session) ||
	    !uuid_valid(message))
		return 0; /* not a button of ours */
	return strcmp(what, "stop") == 0 ? stop(call, session, message) : rate(call, what, session, message);
}

const struct job_kind slack_act_job = {
	.kind = "slack_action", .run = run, .attempts = 8, .first_pause_ms = 500, .lease_ms = 20 * 1000
};
