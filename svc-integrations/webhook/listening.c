#include "svc-integrations/webhook/listening.h"

#include <string.h>

#include "chat.client.h"
#include "documents.client.h"
#include "svc-integrations/config.h"
#include "svc-integrations/handover/handover.h"
#include "svc-integrations/handover/plan.h"
#include "svc-integrations/store_webhook.h"

int listening_tell_later(struct call *call)
{
	return job_add(call->db, "listening", call->owner_id, call->owner_id, "{}", 0, call->err);
}

static void add(Rpc__Listening *to, const char *event)
{
	for (size_t i = 0; i < to->n_events; i++)
		if (strcmp(to->events[i], event) == 0)
			return;
	to->events[to->n_events++] = (char *)event;
}

static void gather(const struct integration_row *rows, size_t count, Rpc__Listening *to)
{
	for (size_t i = 0; i < count; i++)
		for (size_t e = 0; config_events[e]; e++)
			if (config_wants(rows[i].config, config_events[e]))
				add(to, config_events[e]);
}

/* The chatbots of those that hand over. */
static void gather_chatbots(const struct integration_row *rows, size_t count, Rpc__Listening *to,
                            struct arena *a)
{
	const char ***ids = arena_new(a, const char **, count);
	size_t *each = arena_new(a, size_t, count), all = 0;

	for (size_t i = 0; i < count; i++)
		all += each[i] = handover_chatbots(&rows[i], &ids[i], a);
	to->handover = arena_new(a, char *, all);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < each[i]; k++)
			to->handover[to->n_handover++] = (char *)ids[i][k];
	if (to->n_handover)
		add(to, HANDOVER_EVENT);
}

static int run(struct call *call, const struct job *job)
{
	Rpc__Listening in = RPC__LISTENING__INIT;
	struct integration_row *rows;
	Rpc__Empty *out;
	size_t count;

	if (store_webhooks(call->db, job->owner_id, &rows, &count, call->arena, call->err) < 0)
		return -1;
	in.events = arena_new(call->arena, char *, CONFIG_EVENTS + 1);
	gather(rows, count, &in);
	if (store_handing_over(call->db, job->owner_id, &rows, &count, call->arena, call->err) < 0)
		return -1;
	gather_chatbots(rows, count, &in, call->arena);
	return chat_client_listen(service_peer(call->service, "chat"), call, &in, &out) < 0
	           ? -1
	           : documents_client_listen(service_peer(call->service, "documents"), call, &in, &out);
}

const struct job_kind listening_job = {
	.kind = "listening", .run = run, .attempts = 20, .first_pause_ms = 200, .lease_ms = 20 * 1000
};
