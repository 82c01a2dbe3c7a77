#include "svc-integrations/webhook/deliver.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/egress/egress.h"
#include "common/json/json.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/handover.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/secrets.h"
#include "svc-integrations/slack/verify.h"
#include "svc-integrations/store_webhook.h"
#include "svc-integrations/webhook/listening.h"
#include "svc-integrations/webhook/sign.h"

enum { ANSWER_MS = 15 * 1000, ANSWER_BYTES = 64 * 1024, LONGEST_WISH = 6 * 3600 };

/* Seconds before the second attempt, the third, ...: a day in all. */
static const int pauses[] = { 5, 60, 5 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 10 * 3600 };
enum { PAUSES = sizeof pauses / sizeof *pauses };

/* --- Adding --------------------------------------------------------------------------------------------------------- */

int deliver_later(struct call *call, const char *integration, const char *delivery, int seconds)
{
	return job_add(
	    call->db, "webhook", call->owner_id, arena_printf(call->arena, "%s/%s", integration, delivery),
	    arena_printf(call->arena, "{\"integration\":\"%s\",\"delivery\":\"%s\"}", integration, delivery),
	    seconds, call->err);
}

static const char *body_of(const Integrations__Event *event, struct arena *a)
{
	char now[32];

	clock_rfc3339(now, clock_unix_ms());
	return arena_printf(a, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":%s}", event->name, now,
	                    event->data);
}

static bool hears(const struct integration_row *row, const Integrations__Event *event)
{
	return (!row->chatbot_id || !event->chatbot_id || strcmp(row->chatbot_id, event->chatbot_id) == 0) &&
	       config_wants(row->config, event->name);
}

int deliver_add(struct call *call, const char *integration, const Integrations__Event *event)
{
	int fresh = store_add_delivery(call->db, call->owner_id, integration, event->id, event->name,
	                               body_of(event, call->arena), call->err);

	return fresh <= 0 ? fresh : deliver_later(call, integration, event->id, 0);
}

static int add_deliveries(struct call *call, const Integrations__Event *event,
                          const struct integration_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (hears(&rows[i], event) && deliver_add(call, rows[i].id, event) < 0)
			return -1;
	return 0;
}

static int take(struct call *call, const Integrations__Event *event)
{
	struct integration_row *rows;
	size_t count;

	if (strcmp(event->name, HANDOVER_EVENT) == 0)
		return handover_take(call, event);
	if (store_webhooks(call->db, call->owner_id, &rows, &count, call->arena, call->err) < 0)
		return -1;
	return add_deliveries(call, event, rows, count);
}

int integrations_take_event(struct call *call, const Integrations__Event *in, Rpc__Empty *out)
{
	(void)out;
	if (!call->owner_id || !in->id || !in->name || !in->data)
		return error_set(call->err, ERROR_INVALID, "an event without its owner, id, name or data");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (take(call, in) == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

/* --- Sending -------------------------------------------------------------------------------------------------------- */

struct sending {
	struct call *call;
	const char *id;
	struct integration_row row;
	Integrations__Delivery delivery;
	struct delivery_end end;
};

/* 1 there is something to send, 0 not any more, -1. */
static int open_sending(struct call *call, const struct job *job, struct sending *s)
{
	OWN(json) json_object *payload = NULL;
	const char *integration;
	int found;

	*s = (struct sending){ .call = call };
	integrations__delivery__init(&s->delivery);
	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	integration = arena_strdup(call->arena, json_string(payload, "integration"));
	s->id = arena_strdup(call->arena, json_string(payload, "delivery"));
	found = store_load(call->db, job->owner_id, integration, &s->row, call->arena, call->err);
	if (found > 0)
		found = store_get_delivery(call->db, job->owner_id, integration, s->id, &s->delivery,
		                           call->arena, call->err);
	s->end = (struct delivery_end){ .owner = job->owner_id, .integration = integration, .id = s->id };
	return found > 0 ? s->delivery.status == INTEGRATIONS__DELIVERY_STATUS__WAITING : found;
}

/* Seconds, or a date. */
static int pause_asked_for(const struct egress_response *answer, int64_t now)
{
	const char *after = egress_header(answer, "retry-after");
	char *end = NULL;
	int64_t seconds = after ? strtol(after, &end, 10) : 0;

	if (after && (end == after || *end))
		seconds = curl_getdate(after, NULL) - now; /* -1: it is none */
	return seconds < 0 ? 0 : seconds > LONGEST_WISH ? LONGEST_WISH : (int)seconds;
}

/* By the secret, and for a while by the one before. NULL: there is none. */
static const char *signatures(const struct secrets *secrets, const char *id, int64_t now, const char *body,
                              struct arena *a)
{
	const char *by_new =
	    secrets->signing_secret ? webhook_sign(secrets->signing_secret, id, now, body, a) : NULL;
	bool both = by_new && secrets->previous_secret && secrets->previous_until &&
	            strtoll(secrets->previous_until, NULL, 10) > now;
	const char *by_old = both ? webhook_sign(secrets->previous_secret, id, now, body, a) : NULL;

	return by_old ? arena_printf(a, "%s %s", by_new, by_old) : by_new;
}

/* What came of it goes to s->end; error NULL: it was taken. *wish: how long the receiver would have us wait. */
static int post(struct sending *s, int *wish)
{
	struct call *call = s->call;
	struct egress_response answer = { 0 };
	int64_t now = clock_unix_ms() / 1000;
	struct error why = { 0 };
	struct secrets secrets;
	const char *signature;

	if (secrets_open(call, &s->row, &secrets) < 0)
		return -1;
	signature = signatures(&secrets, s->id, now, s->delivery.payload, call->arena);
	if (!signature)
		return error_internal(call->err, "webhook %s has no secret", s->row.id);
	if (call_fetch(call,
	               &(struct egress_request){
	                   .method = "POST",
	                   .url = config_url(s->row.config, call->arena),
	                   .headers =
	                       (const char *const[]){
	                           "Content-Type: application/json",
	                           arena_printf(call->arena, "webhook-id: %s", s->id),
	                           arena_printf(call->arena, "webhook-timestamp: %" PRId64, now),
	                           arena_printf(call->arena, "webhook-signature: %s", signature), NULL },
	                   .body = s->delivery.payload,
	                   .body_size = strlen(s->delivery.payload),
	                   .timeout_ms = ANSWER_MS,
	                   .max_bytes = ANSWER_BYTES,
	               },
	               &answer, &why) < 0 &&
	    why.code != ERROR_TOO_LARGE) {
		s->end.error = arena_strdup(call->arena, why.message);
		return 0;
	}
	s->end.status = answer.status;
	*wish = pause_asked_for(&answer, now);
	if (answer.status < 200 || answer.status > 299)
		s->end.error = arena_printf(call->arena, "the receiver answered %d", answer.status);
	return 0;
}

/* The reason for which it is switched off; NULL: it stays. "": the database is away. */
static const char *why_off(const struct sending *s)
{
	struct call *call = s->call;
	int since;

	if (s->end.status == 410)
		return "the receiver is gone for good (410)";
	since = store_delivered_since(call->db, s->end.owner, s->end.integration, s->id, call->err);
	if (since)
		return since < 0 ? "" : NULL;
	return arena_printf(call->arena, "the receiver has taken nothing for a day: %s", s->end.error);
}

static int settle(struct sending *s, int wish)
{
	struct call *call = s->call;
	int attempt = s->delivery.attempts;
	const char *off = NULL;

	s->end.pause = s->end.status == 410 || attempt >= PAUSES ? -1
	               : pauses[attempt] < wish                  ? wish
	                                                         : pauses[attempt];
	if (s->end.error && s->end.pause < 0 && (off = why_off(s)) && !*off)
		return -1;
	if (store_end_attempt(call->db, &s->end, call->err) < 0)
		return -1;
	if (off &&
	    (store_set_status(call->db, s->end.owner, s->end.integration, "error", off, call->err) < 0 ||
	     listening_tell_later(call) < 0))
		return -1;
	return s->end.error && s->end.pause >= 0
	           ? deliver_later(call, s->end.integration, s->id, (int)s->end.pause)
	           : 0;
}

static int run(struct call *call, const struct job *job)
{
	struct sending s;
	int ready = open_sending(call, job, &s), wish = 0;

	if (ready <= 0)
		return ready;
	if (strcmp(s.row.status, "active") != 0) {
		s.end.error = "the webhook was switched off";
		s.end.pause = -1;
		return store_end_attempt(call->db, &s.end, call->err);
	}
	if (slack_owner_is_disabled(call, job->owner_id))
		s.end.error = "the account is disabled";
	else if (post(&s, &wish) < 0)
		return -1;
	if (atomic_load(call->cancelled)) /* cut off by our own end: another replica does it */
		return error_busy(call->err, 1, "stopping");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (settle(&s, wish) == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

const struct job_kind deliver_jobs[] = {
	{ .kind = "webhook", .run = run, .attempts = 20, .first_pause_ms = 5 * 1000, .lease_ms = 30 * 1000 },
};
const size_t deliver_job_count = sizeof deliver_jobs / sizeof *deliver_jobs;
