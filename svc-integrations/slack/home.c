#include "svc-integrations/slack/home.h"

#include <string.h>

#include "chatbots.client.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "documents.client.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/secrets.h"
#include "svc-integrations/slack/render.h"
#include "svc-integrations/slack/verify.h"

enum {
	TITLE = 150,    /* characters of a header that Slack takes; we count bytes */
	SECTION = 2900, /* of 3,000 */
	DOCUMENTS = 15, /* shown */
	QUESTIONS = 5,
};

int slack_home_later(struct call *call, const char *owner, const char *integration, const char *user)
{
	struct text payload;

	text_init(&payload, call->arena);
	text_addf(&payload, "{\"integration\":\"%s\",\"user\":", integration);
	text_add_json(&payload, user, strlen(user));
	text_addc(&payload, '}');
	return job_add(call->db, "slack_home", owner,
	               arena_printf(call->arena, "%s/%.40s", integration, user), payload.at, 0, call->err);
}

/* --- The view ------------------------------------------------------------------------------------------------------- */

static void add_section(struct text *view, const char *mrkdwn)
{
	text_adds(view, ",{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":");
	text_add_json(view, mrkdwn, utf8_clip(mrkdwn, strlen(mrkdwn), SECTION));
	text_adds(view, "}}");
}

static void begin(struct text *view, const char *title)
{
	text_adds(
	    view,
	    "{\"type\":\"home\",\"blocks\":[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":");
	text_add_json(view, title, utf8_clip(title, strlen(title), TITLE));
	text_adds(view, "}}");
}

/* A document that was deleted meanwhile is not there. 0, or -1 when svc-documents is away. */
static int add_name(struct call *call, char *id, struct text *list)
{
	Documents__DocumentRequest in = DOCUMENTS__DOCUMENT_REQUEST__INIT;
	Documents__Document *document;

	in.document_id = id;
	if (documents_client_get_document(service_peer(call->service, "documents"), call, &in, &document) ==
	    0) {
		text_addf(list, "• %s\n", slack_escape(document->name, call->arena));
		return 0;
	}
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err);
	return 0;
}

static int add_documents(struct call *call, const Chatbots__Chatbot *bot, struct text *view)
{
	struct text list;

	if (bot->n_documents == 0)
		return 0;
	text_init(&list, call->arena);
	text_adds(&list, "*It answers from these documents*\n");
	for (size_t i = 0; i < bot->n_documents && i < DOCUMENTS; i++)
		if (add_name(call, bot->documents[i], &list) < 0)
			return -1;
	if (bot->n_documents > DOCUMENTS)
		text_addf(&list, "and %zu more\n", bot->n_documents - DOCUMENTS);
	add_section(view, list.at);
	return 0;
}

static void add_questions(struct call *call, const Chatbots__Chatbot *bot, struct text *view)
{
	OWN(json) json_object *settings = NULL;
	struct error ignored = { 0 };
	json_object *questions;
	struct text list;
	size_t count;

	if (json_parse(bot->settings, strlen(bot->settings), &settings, &ignored) < 0)
		return;
	questions = json_get(settings, "suggestedQuestions");
	count = json_object_is_type(questions, json_type_array) ? json_object_array_length(questions) : 0;
	if (count == 0)
		return;
	text_init(&list, call->arena);
	text_adds(&list, "*For example*\n");
	for (size_t i = 0; i < count && i < QUESTIONS; i++) {
		json_object *q = json_object_array_get_idx(questions, i);

		if (json_object_is_type(q, json_type_string))
			text_addf(&list, "• %s\n", slack_escape(json_object_get_string(q), call->arena));
	}
	add_section(view, list.at);
}

static int describe(struct call *call, const char *chatbot_id, struct text *view)
{
	Chatbots__ChatbotRequest in = CHATBOTS__CHATBOT_REQUEST__INIT;
	Chatbots__Chatbot *bot;

	if (!chatbot_id) {
		begin(view, "Parley");
		add_section(view, "No chatbot is connected to this app yet.");
		return 0;
	}
	in.chatbot_id = (char *)chatbot_id;
	if (chatbots_client_get_chatbot(integrations_state(call)->chatbots, call, &in, &bot) < 0)
		return -1;
	begin(view, bot->name);
	if (bot->description && *bot->description)
		add_section(view, slack_escape(bot->description, call->arena));
	add_section(view, "Mention it in a channel, write to it directly, or use `/ask`.");
	add_questions(call, bot, view);
	return add_documents(call, bot, view);
}

/* --- The job -------------------------------------------------------------------------------------------------------- */

static int publish(struct call *call, const struct integration_row *row, const char *user)
{
	OWN(json) json_object *answer = NULL;
	struct secrets secrets;
	struct text view;
	const char *why;
	int said;

	if (secrets_open(call, row, &secrets) < 0)
		return -1;
	if (!secrets.bot_token)
		return 0;
	text_init(&view, call->arena);
	if (describe(call, row->chatbot_id, &view) < 0)
		return -1;
	text_adds(&view, "]}");
	said =
	    slack_ask(&integrations_state(call)->slack, "views.publish", secrets.bot_token,
	              (const struct slack_arg[]){ { "user_id", user }, { "view", view.at }, { NULL, NULL } },
	              &answer, &why, call->arena, call->err);
	if (said)
		return said < 0 ? -1 : 0;
	error_set(call->err, ERROR_INVALID, "Slack does not take the home tab");
	error_detail(call->err, "%s", why);
	return -1;
}

static int run(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct integration_row row;
	const char *user;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	user = json_string(payload, "user");
	found = store_load(call->db, job->owner_id, json_string(payload, "integration"), &row, call->arena,
	                   call->err);
	if (found <= 0 || strcmp(row.status, "inactive") == 0 || slack_owner_is_disabled(call, job->owner_id))
		return found < 0 ? -1 : 0;
	return publish(call, &row, user);
}

const struct job_kind slack_home_job = {
	.kind = "slack_home", .run = run, .attempts = 5, .first_pause_ms = 1000, .lease_ms = 20 * 1000
};
