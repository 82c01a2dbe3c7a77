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
#include "svc-integrations/slack/plain.h"
#include "svc-integrations/slack/said.h"
#include "svc-integrations/slack/signature.h"
#include "svc-integrations/slack/verify.h"

enum {
	ACTIONS_MOST = 10, /* of one click */
	LATE_SECONDS = 30, /* on its way, an event is */
	CHECK_MOST =
	    8192, /* bytes of a request that names no workspace: each secret is tried on all of them */
};

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
static int find_among(struct call *call, const Rpc__RawRequest *in, const char *team, const char *app,
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
		if (secrets_try(call, &rows[i], &secrets) < 0)
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

/* Of the workspaces that the request names, whichever is first: each but once. */
static int find_signer(struct call *call, const Rpc__RawRequest *in, const char *const teams[SLACK_TEAMS],
                       const char *app, struct integration_row *ret)
{
	int found = 0;

	for (size_t i = 0; i < SLACK_TEAMS && found == 0; i++) {
		bool known = !*teams[i];

		for (size_t k = 0; k < i; k++)
			known |= strcmp(teams[k], teams[i]) == 0;
		if (!known)
			found = find_among(call, in, teams[i], app, ret);
	}
	return found;
}

/* Is it Slack, whoever it is for? 1, 0, -1. */
static int is_signed_by_any(struct call *call, const Rpc__RawRequest *in)
{
	const struct slack_stamp stamp = stamp_of(in);
	struct integration_row row;

	if (in->body.len > CHECK_MOST)
		return 0;
	return slack_signature_fits(&stamp, integrations_state(call)->slack.signing_secret, in->body.data,
	                            in->body.len, call->arena)
	           ? 1
	           : find_among(call, in, NULL, "", &row);
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
	if (slack_mentions(e->text, row->bot_user))
		return 0;
	return e->in_thread
	           ? store_in_thread(call->db, row->owner_id, row->id, e->channel, e->thread, call->err)
	           : 0;
}

static int take_question(struct call *call, const struct slack_event *e, json_object *message,
                         const struct integration_row *row)
{
	const struct slack_question q = {
		.integration_id = row->id,
		.channel = e->channel,
		.thread = e->direct && !e->in_thread ? e->ts : e->thread,
		.ts = e->ts,
		.user = e->user,
		.text = slack_said(message, row->bot_user, call->arena),
		.direct = e->direct,
	};
	/* A picture alone is answered, too: that it cannot be read. A name that is called without a word is not. */
	bool speaks = *q.text || ((e->direct || e->mention) && slack_has_files(message));

	return speaks ? answer_take(call, row->owner_id, e->id, &q) : 0;
}

/* What comes late (Slack tries again after a minute, and after five) may have been mended meanwhile, by another installation: then the
 * credentials themselves say what they are good for. */
static int take_end(struct call *call, const struct slack_event *e, const struct integration_row *row)
{
	const char *why = strcmp(e->type, "tokens_revoked") == 0 ? "the workspace has revoked the token"
	                                                         : "the app was removed from the workspace";

	if (!e->time || clock_unix_ms() / 1000 - e->time <= LATE_SECONDS)
		return store_set_status(call->db, row->owner_id, row->id, "error", why, call->err);
	return store_set_status(call->db, row->owner_id, row->id, "pending",
	                        arena_printf(call->arena, "%s, says Slack; its credentials are tried", why),
	                        call->err) < 0
	           ? -1
	           : answer_verify_later(call, row->owner_id, row->id);
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
		return ours > 0 ? take_question(call, e, json_get(body, "event"), row) : ours;
	case SLACK_HOME: return is_asleep(row) ? 0 : slack_home_later(call, row->owner_id, row->id, e->user);
	case SLACK_GONE: return take_end(call, e, row);
	case SLACK_LIMITED:
		log_line(LOG_WARN, "Slack limits the events of a workspace", LOG_TEXT("team", row->team));
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
	int found = is_signed_by_any(call, in);

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
	found = find_signer(call, in, event.teams, event.app, &row);
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	rush_note(&integrations_state(call)->rush, clock_mono_ms());
	if (take_event(call, &event, body, &row) < 0)
		return -1;
	return reply(out, 200, "");
}

/* --- The slash command ---------------------------------------------------------------------------------------------- */

/* Of our certificate, now and then: it names no workspace. */
static int answer_check(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	int found = is_signed_by_any(call, in);

	return found < 0 ? -1 : found ? reply(out, 200, "") : unsigned_reply(out);
}

/* For the asker alone, at once. */
static int whisper(Rpc__RawReply *out, const char *text, struct arena *a)
{
	return reply(out, 200, arena_printf(a, "{\"response_type\":\"ephemeral\",\"text\":\"%s\"}", text));
}

int integrations_take_slack_command(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	const struct slack_stamp stamp = stamp_of(in);
	struct arena *a = call->arena;
	const char *form = arena_strndup(a, (const char *)in->body.data, in->body.len);
	const char *const teams[SLACK_TEAMS] = { form_value(form, "team_id", a),
		                                 form_value(form, "enterprise_id", a), "" };
	struct slack_question q = { .channel = form_value(form, "channel_id", a),
		                    .user = form_value(form, "user_id", a),
		                    .response_url = form_value(form, "response_url", a) };
	struct integration_row row;
	int found;

	if (!slack_stamp_is_fresh(&stamp, clock_unix_ms() / 1000))
		return unsigned_reply(out);
	if (strcmp(form_value(form, "ssl_check", a), "1") == 0)
		return answer_check(call, in, out);
	found = find_signer(call, in, teams, form_value(form, "api_app_id", a), &row);
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	if (is_quiet(call, &row))
		return whisper(out, "This app is switched off.", a);
	q.text = slack_plain(form_value(form, "text", a), row.bot_user, a);
	if (!*q.text || !*q.response_url)
		return whisper(out, "Write the question behind the command.", a);
	q.integration_id = row.id;
	if (answer_later(call, row.owner_id, &q) < 0)
		return -1;
	return whisper(out, "Looking it up …", a);
}

/* --- Buttons -------------------------------------------------------------------------------------------------------- */

static const char *text_of(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

/* Whose app it is: in a channel that two companies share, whoever clicks may be the other's. */
static int find_clicked(struct call *call, const Rpc__RawRequest *in, json_object *body,
                        struct integration_row *ret)
{
	const char *const teams[SLACK_TEAMS] = { text_of(json_get(body, "team"), "id"),
		                                 text_of(json_get(body, "user"), "team_id"),
		                                 text_of(json_get(body, "enterprise"), "id") };

	return find_signer(call, in, teams, text_of(body, "api_app_id"), ret);
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
	int found;

	if (!slack_stamp_is_fresh(&stamp, clock_unix_ms() / 1000))
		return unsigned_reply(out);
	if (json_parse(payload, strlen(payload), &body, &why) < 0 ||
	    !json_object_is_type(body, json_type_object))
		return reply(out, 400, "{\"detail\":\"the payload must be a JSON object\"}");
	found = find_clicked(call, in, body, &row);
	if (found <= 0)
		return found < 0 ? -1 : unsigned_reply(out);
	/* Shortcuts, menus and views are none of ours: taken, and nothing is done. */
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
