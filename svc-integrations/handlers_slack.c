/* Slack's doors: raw requests whose signature says who calls. Each finds the integration, and acknowledges by a job. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/slack/act.h"
#include "svc-integrations/slack/answer.h"
#include "svc-integrations/slack/event.h"
#include "svc-integrations/slack/form.h"
#include "svc-integrations/slack/home.h"
#include "svc-integrations/slack/signature.h"
#include "svc-integrations/slack/verify.h"

enum { ACTIONS_MOST = 10 /* of one click */ };

/* --- Requests and replies ------------------------------------------------------------------------------------------- */

static int reply(Rpc__RawReply *out, int status, const char *body)
{
	out->has_status = true;
	out->status = status;
	out->content_type = (char *)"application/json";
	out->has_body = true;
	out->body = (ProtobufCBinaryData){ .data = (uint8_t *)body, .len = strlen(body) };
	return 0;
}

static const char *header(const Rpc__RawRequest *in, const char *name)
{
	for (size_t i = 0; i < in->n_headers; i++)
		if (in->headers[i]->name && strcasecmp(in->headers[i]->name, name) == 0)
			return in->headers[i]->value;
	return NULL;
}

static struct slack_stamp stamp_of(const Rpc__RawRequest *in)
{
	return (struct slack_stamp){ header(in, "X-Slack-Request-Timestamp"),
		                     header(in, "X-Slack-Signature") };
}

/* Who of them signed that. 1 with *ret, 0 nobody, -1. app: "" where the request names none. */
static int find_signer(struct call *call, const Rpc__RawRequest *in, const char *team, const char *app,
                       struct integration_row *ret)
{
	const struct slack_stamp stamp = stamp_of(in);
	struct integration_row *rows;
	size_t count;

	if (store_of_team(call->db, team, &rows, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct secrets secrets;

		if (rows[i].app && *app && strcmp(rows[i].app, app) != 0)
			continue;
		if (secrets_open(call, &rows[i], &secrets) < 0)
			return -1;
		if (secrets.signing_secret &&
		    slack_signature_fits(&stamp, secrets.signing_secret, in->body.data, in->body.len,
		                         call->arena)) {
			*ret = rows[i];
			return 1;
		}
	}
	return 0;
}

static bool is_asleep(const struct integration_row *row)
{
	return strcmp(row->status, "inactive") == 0;
}

static bool is_quiet(const struct call *call, const struct integration_row *row)
{
	return is_asleep(row) || slack_owner_is_disabled(call, row->owner_id);
}

static int unsigned_reply(Rpc__RawReply *out)
{
	return reply(out, 401, "{\"detail\":\"the signature does not fit\"}");
}

/* --- Events --------------------------------------------------------------------------------------------------------- */

/* What is said to the bot: mentions, direct messages, and replies where it takes part. 1, 0, -1. */
static int is_for_us(struct call *call, const struct slack_event *e, json_object *body,
                     const struct integration_row *row)
{
	if (!slack_message_is_from_person(json_get(body, "event"), row->bot_user))
		return 0;
	if (e->mention || e->direct)
		return 1;
	/* A mention comes as app_mention, too. */
	if (row->bot_user && strstr(e->text, arena_printf(call->arena, "<@%s", row->bot_user)))
		return 0;
	return e->in_thread
	           ? store_in_thread(call->db, row->owner_id, row->id, e->channel, e->thread, call->err)
	           : 0;
}

static int take_question(struct call *call, const struct slack_event *e, const struct integration_row *row)
{
	const struct slack_question q = {
		.integration_id = row->id,
		.channel = e->channel,
		.thread = e->direct && !e->in_thread ? e->ts : e->thread,
		.ts = e->ts,
		.user = e->user,
		.text = slack_text_without_mention(e->text, row->bot_user, call->arena),
		.direct = e->direct,
	};

	return *q.text ? answer_take(call, row->owner_id, e->id, &q) : 0;
}

static int take_event(struct call *call, const struct slack_event *e, json_object *body,
                      const struct integration_row *row)
{
	int ours;

	if (!row->app && *e->app && store_learn_app(call->db, row->owner_id, row->id, e->app, call->err) < 0)
		return -1;
	switch (e->kind) {
	case SLACK_QUESTION:
		ours = is_asleep(row) ? 0 : is_for_us(call, e, body, row); /* its job asks for the owner */
		return ours > 0 ? take_question(call, e, row) : ours;
	case SLACK_HOME: return is_asleep(row) ? 0 : slack_home_later(call, row->owner_id, row->id, e->user);
	case SLACK_GONE:
		return store_set_status(call->db, row->owner_id, row->id, "error",
		                        strcmp(e->type, "app_uninstalled") == 0
		                            ? "the app was removed from the workspace"
		                            : "the workspace has revoked the token",
		                        call->err);
	case SLACK_LIMITED:
		log_line(LOG_WARN, "Slack limits the events of a workspace", LOG_TEXT("team", e->team));
		return store_set_status(call->db, row->owner_id, row->id, row->status,
		                        "Slack sends too many events and holds some back", call->err);
	default: return 0;
	}
}

/* The address is checked before there is a workspace: any secret that we know will do. */
static int answer_challenge(struct call *call, const Rpc__RawRequest *in, const struct slack_event *e,
                            Rpc__RawReply *out)
{
	OWN(json) json_object *answer = json_object_new_object();
	const struct slack_stamp stamp = stamp_of(in);
	const char *operators = integrations_state(call)->slack.signing_secret;
	struct integration_row row;
	int found = slack_signature_fits(&stamp, operators, in->body.data, in->body.len, call->arena)
	                ? 1
	                : find_signer(call, in, NULL, "", &row);

	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	json_object_object_add(answer, "challenge", json_object_new_string(e->challenge));
	return reply(out, 200, json_print(answer, call->arena));
}

int integrations_take_slack_event(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const struct slack_stamp stamp = stamp_of(in);
	OWN(json) json_object *body = NULL;
	struct integration_row row;
	struct slack_event event;
	struct error why = { 0 };
	int found;

	if (!slack_stamp_is_fresh(&stamp, clock_unix_ms() / 1000))
		return unsigned_reply(out);
	if (json_parse((const char *)in->body.data, in->body.len, &body, &why) < 0 ||
	    !json_object_is_type(body, json_type_object))
		return reply(out, 400, "{\"detail\":\"the body must be a JSON object\"}");
	slack_event_read(body, &event);
	if (event.kind == SLACK_CHALLENGE)
		return answer_challenge(call, in, &event, out);
	found = *event.team ? find_signer(call, in, event.team, event.app, &row) : 0;
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	if (take_event(call, &event, body, &row) < 0)
		return -1;
	return reply(out, 200, "");
}

/* --- The slash command ---------------------------------------------------------------------------------------------- */

int integrations_take_slack_command(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const struct slack_stamp stamp = stamp_of(in);
	const char *form = arena_strndup(call->arena, (const char *)in->body.data, in->body.len);
	const char *team = form_value(form, "team_id", call->arena),
	           *app = form_value(form, "api_app_id", call->arena);
	struct slack_question q = { .text = form_value(form, "text", call->arena),
		                    .channel = form_value(form, "channel_id", call->arena),
		                    .response_url = form_value(form, "response_url", call->arena) };
	struct integration_row row;
	int found;

	if (!slack_stamp_is_fresh(&stamp, clock_unix_ms() / 1000))
		return unsigned_reply(out);
	found = *team ? find_signer(call, in, team, app, &row) : 0;
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	if (is_quiet(call, &row))
		return reply(out, 200,
		             "{\"response_type\":\"ephemeral\",\"text\":\"This app is switched off.\"}");
	if (!*q.text || !*q.response_url)
		return reply(
		    out, 200,
		    "{\"response_type\":\"ephemeral\",\"text\":\"Write the question behind the command.\"}");
	q.integration_id = row.id;
	if (answer_later(call, row.owner_id, &q) < 0)
		return -1;
	return reply(out, 200, "{\"response_type\":\"ephemeral\",\"text\":\"Looking it up …\"}");
}

/* --- Buttons -------------------------------------------------------------------------------------------------------- */

static const char *text_of(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

int integrations_take_slack_action(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const struct slack_stamp stamp = stamp_of(in);
	const char *form = arena_strndup(call->arena, (const char *)in->body.data, in->body.len);
	const char *payload = form_value(form, "payload", call->arena);
	OWN(json) json_object *body = NULL;
	struct integration_row row;
	struct error why = { 0 };
	json_object *actions;
	const char *team;
	int found;

	if (!slack_stamp_is_fresh(&stamp, clock_unix_ms() / 1000))
		return unsigned_reply(out);
	if (json_parse(payload, strlen(payload), &body, &why) < 0 ||
	    !json_object_is_type(body, json_type_object))
		return reply(out, 400, "{\"detail\":\"the payload must be a JSON object\"}");
	team = text_of(json_get(body, "team"), "id");
	found = *team ? find_signer(call, in, team, text_of(body, "api_app_id"), &row) : 0;
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	actions = json_get(body, "actions");
	for (size_t i = 0; json_object_is_type(actions, json_type_array) &&
	                   i < json_object_array_length(actions) && i < ACTIONS_MOST && !is_quiet(call, &row);
	     i++) {
		const char *value = text_of(json_object_array_get_idx(actions, i), "value");

		if (*value && slack_act_later(call, row.owner_id, value) < 0)
			return -1;
	}
	return reply(out, 200, "");
}
