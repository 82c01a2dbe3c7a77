#include "svc-integrations/handover/handover.h"

#include <string.h>

#include "auth.client.h"
#include "common/base/text.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/handover/plan.h"
#include "svc-integrations/handover/words.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/secrets.h"
#include "svc-integrations/slack/history.h"
#include "svc-integrations/slack/live.h"
#include "svc-integrations/store_webhook.h"
#include "svc-integrations/webhook/deliver.h"

enum {
	MAIL_MOST = 100 * 1000,
	POST_MOST = 8000, /* bytes of what was said; one message of Slack's */
	CONSENT_SECONDS =
	    9 * 3600,   /* until an address is looked at again, unless it agrees: twenty times, a week */
	ASKED_DAYS = 7, /* as long as the question's link works */
	ATTEMPTS = 20,
};

/* --- Taking --------------------------------------------------------------------------------------------------------- */

static bool concerns(const struct integration_row *row, const char *chatbot, struct arena *a)
{
	const char **ids;
	size_t count = handover_chatbots(row, &ids, a);

	for (size_t i = 0; chatbot && i < count; i++)
		if (strcmp(ids[i], chatbot) == 0)
			return true;
	return false;
}

/* One job for each place, so that one that fails repeats no other. */
static int add(struct call *call, const struct integration_row *row, const char *where, const char *to,
               const Integrations__Event *event)
{
	struct text payload;

	if (!to)
		return 0;
	text_init(&payload, call->arena);
	text_addf(&payload, "{\"integration\":\"%s\",\"where\":\"%s\",\"data\":%s}", row->id, where,
	          event->data);
	return job_add(call->db, "handover", call->owner_id, NULL, payload.at, 0, call->err);
}

static int hand_over(struct call *call, const struct integration_row *row, const Integrations__Event *event)
{
	struct handover_plan plan;

	if (!handover_plan(row->config, &plan, call->arena))
		return 0;
	if (plan.webhook && deliver_add(call, plan.webhook, event) < 0)
		return -1;
	if (add(call, row, "email", plan.email, event) < 0)
		return -1;
	return add(call, row, "channel", plan.channel, event);
}

int handover_take(struct call *call, const Integrations__Event *event)
{
	struct integration_row *rows;
	size_t count;
	int fresh = store_mark_event(call->db, call->owner_id,
	                             arena_printf(call->arena, "handover %s", event->id), call->err);

	if (fresh <= 0)
		return fresh;
	if (store_handing_over(call->db, call->owner_id, &rows, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (concerns(&rows[i], event->chatbot_id, call->arena) &&
		    hand_over(call, &rows[i], event) < 0)
			return -1;
	return 0;
}

/* --- Doing ---------------------------------------------------------------------------------------------------------- */

struct handing {
	struct call *call;
	const struct job *job;
	struct integration_row row; /* whose plan it is */
	struct handover_plan plan;
	json_object *data;
};

/* Plans of before it was asked for, and addresses that take their time. */
static int wait_for_consent(const struct handing *h, bool refuses)
{
	struct call *call = h->call;

	if (h->job->last || refuses)
		return error_set(call->err, ERROR_INVALID,
		                 refuses ? "%s does not want to be sent conversations"
		                         : "%s has not agreed to be sent conversations",
		                 h->plan.email);
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (consent_ask(call, h->plan.email, h->row.id, ASKED_DAYS) == 0 &&
	    db_commit(call->db, call->err) == 0)
		return error_busy(call->err, CONSENT_SECONDS, "%s has yet to agree", h->plan.email);
	db_rollback(call->db);
	return -1;
}

static int mail(const struct handing *h)
{
	Auth__MailRequest in = AUTH__MAIL_REQUEST__INIT;
	struct handover_words words;
	enum address_wish wish;
	Rpc__Empty *out;
	char *link;

	if (consent_wish(h->call, h->plan.email, &wish) < 0)
		return -1;
	if (wish != ADDRESS_AGREES)
		return wait_for_consent(h, wish == ADDRESS_REFUSES);
	if (consent_link_below(h->call, h->plan.email, &link) < 0)
		return -1;
	handover_words(h->data, h->row.name, MAIL_MOST, &words, h->call->arena);
	in.to = (char *)h->plan.email;
	in.reply_to = (char *)words.reply_to;
	in.subject = (char *)words.subject;
	in.text = arena_printf(h->call->arena,
	                       "%s-- \nTo receive no more of these conversations, open this page:\n%s\n",
	                       words.text, link);
	in.key = (char *)h->job->id;
	return auth_client_send_mail(service_peer(h->call->service, "auth"), h->call, &in, &out);
}

/* An earlier run may have posted it. 1 it has, 0, -1. */
static int is_posted(const struct handing *h, const struct slack_live *live, const struct integration_row *by)
{
	static const char ever[] = "9999999999.999999";
	struct slack_history past = { 0 };

	if (h->job->attempt == 1)
		return 0;
	return slack_history_read(live->slack, live->token,
	                          &(struct slack_place){ .channel = live->channel,
	                                                 .thread = ever,
	                                                 .ts = ever,
	                                                 .direct = true,
	                                                 .bot_user = by->bot_user,
	                                                 .bot = by->bot,
	                                                 .job = h->job->id },
	                          &past, h->call->arena, h->call->err) < 0
	           ? -1
	           : past.posted > 0;
}

static int post_as(const struct handing *h, const struct integration_row *by, const char *token)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct call *call = h->call;
	struct slack_live live = { .call = call,
		                   .slack = &integrations_state(call)->slack,
		                   .owner = h->job->owner_id,
		                   .token = token,
		                   .job = h->job->id,
		                   .channel = h->plan.channel };
	struct handover_words words;
	struct slack_post *posts;
	int said = is_posted(h, &live, by);
	const char *why = NULL;
	size_t count;

	if (said)
		return said < 0 ? -1 : 0;
	handover_words(h->data, h->row.name, POST_MOST, &words, call->arena);
	message.content = (char *)words.text;
	posts = slack_render(&message, NULL, &count, call->arena);
	said = slack_live_end(&live, posts, 1, &why);
	if (said)
		return said < 0 ? -1 : 0;
	error_set(call->err, ERROR_INVALID, "Slack does not take it: %s", why);
	return -1;
}

static int post(const struct handing *h)
{
	const char *id = h->plan.integration ? h->plan.integration : h->row.id;
	struct call *call = h->call;
	struct integration_row by;
	struct secrets secrets;
	int found = store_load(call->db, h->job->owner_id, id, &by, call->arena, call->err);

	if (found < 0 || (found && secrets_open(call, &by, &secrets) < 0))
		return -1;
	if (!found || !secrets.bot_token)
		return error_set(call->err, ERROR_INVALID, "there is no token for that Slack channel");
	return post_as(h, &by, secrets.bot_token);
}

/* 1, 0: the plan is gone, -1. */
static int open_handing(struct call *call, const struct job *job, json_object *payload, struct handing *ret)
{
	const char *id = json_string(payload, "integration");
	int found;

	*ret = (struct handing){ .call = call, .job = job, .data = json_get(payload, "data") };
	found = store_load(call->db, job->owner_id, id, &ret->row, call->arena, call->err);
	return found > 0 ? handover_plan(ret->row.config, &ret->plan, call->arena) : found;
}

static int run(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct handing h;
	int ready;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	ready = open_handing(call, job, payload, &h);
	if (ready <= 0)
		return ready;
	if (strcmp(json_string(payload, "where"), "email") == 0)
		return h.plan.email ? mail(&h) : 0;
	return h.plan.channel ? post(&h) : 0;
}

/* Its owner reads it at the integration. */
static void give_up(struct call *call, const struct job *job, const struct error *why)
{
	OWN(json) json_object *payload = NULL;
	struct error err = { 0 };
	struct handing h;

	if (json_parse(job->payload, strlen(job->payload), &payload, &err) < 0 ||
	    open_handing(call, job, payload, &h) <= 0)
		return;
	if (store_set_status(
	        call->db, job->owner_id, h.row.id, h.row.status,
	        arena_printf(call->arena, "a conversation could not be handed over: %s", why->message),
	        &err) < 0)
		error_clear(&err);
}

const struct job_kind handover_job = { .kind = "handover",
	                               .run = run,
	                               .give_up = give_up,
	                               .attempts = ATTEMPTS,
	                               .first_pause_ms = 2 * 1000,
	                               .lease_ms = 20 * 1000 };
