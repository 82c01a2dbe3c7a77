/* svc-integrations: where a chatbot is present beyond this product. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/service/service.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/handover/handover.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/slack/act.h"
#include "svc-integrations/slack/answer.h"
#include "svc-integrations/slack/home.h"
#include "svc-integrations/slack/install.h"
#include "svc-integrations/store.h"
#include "svc-integrations/store_webhook.h"
#include "svc-integrations/sweep.h"
#include "svc-integrations/webhook/deliver.h"
#include "svc-integrations/webhook/listening.h"
#include "svc-integrations/website/check.h"

struct settings {
	const char *slack_url, *public_url, *slack_client, *slack_client_secret, *slack_signing_secret;
	int64_t jobs, per_user;
};

static const struct config_key keys[] = {
	CONFIG_URL(struct settings, slack_url, "SLACK_API_URL", "https://slack.com/api", "http|https",
	           "where Slack is"),
	CONFIG_TEXT(struct settings, slack_client, "SLACK_CLIENT_ID", "",
	            "the operator's own Slack app, which users may install with one click; none by default"),
	CONFIG_SECRET(struct settings, slack_client_secret, "SLACK_CLIENT_SECRET", "", "its client secret"),
	CONFIG_SECRET(struct settings, slack_signing_secret, "SLACK_SIGNING_SECRET", "",
	              "its signing secret"),
	CONFIG_URL(struct settings, public_url, "PUBLIC_URL", "http://localhost:8000", "http|https",
	           "how clients reach it; http://localhost and the port by default"),
	CONFIG_BETWEEN(struct settings, per_user, "INTEGRATIONS_PER_USER", "1000", 1, 1000000,
	               "integrations that one user may have"),
	CONFIG_BETWEEN(
	    struct settings, jobs, "INTEGRATIONS_JOBS", "16", 1, 64,
	    "jobs that are worked on at once: answers to Slack, handovers; and as many requests to webhooks and websites"),
};

/* What is done by jobs here. Returns how many kinds. */
static size_t gather_kinds(struct job_kind kinds[INTEGRATIONS_KINDS])
{
	size_t n = 0;

	for (size_t i = 0; i < answer_job_count; i++)
		kinds[n++] = answer_jobs[i];
	kinds[n++] = listening_job;
	kinds[n++] = handover_job;
	kinds[n++] = consent_job;
	kinds[n++] = slack_rotate_job;
	kinds[n++] = slack_act_job;
	kinds[n++] = slack_home_job;
	kinds[n++] = sweep_job;
	assert(n <= INTEGRATIONS_KINDS);
	return n;
}

/* Those that ask servers of anybody's, which may hang: they have threads of their own, that no answer waits for. */
static size_t gather_outside(struct job_kind kinds[INTEGRATIONS_OUTSIDE])
{
	size_t n = 0;

	for (size_t i = 0; i < deliver_job_count; i++)
		kinds[n++] = deliver_jobs[i];
	kinds[n++] = website_job;
	assert(n <= INTEGRATIONS_OUTSIDE);
	return n;
}

static int start_jobs(struct service *service, struct integrations *state, int threads, struct error *err)
{
	if (job_runner_start(service, state->kinds, gather_kinds(state->kinds), threads, &state->jobs, err) <
	        0 ||
	    job_runner_start(service, state->outside_kinds, gather_outside(state->outside_kinds), threads,
	                     &state->outside, err) < 0)
		return -1;
	job_runner_halve(state->jobs);
	job_runner_halve(state->outside);
	return 0;
}

static int start(struct service *service, void *arg, void **ret, struct error *err)
{
	const struct settings *set = arg;
	struct integrations *state;

	state = calloc(1, sizeof *state);
	if (!state)
		abort();
	state->slack = (struct slack){ .egress = service_egress(service),
		                       .url = set->slack_url,
		                       .client_id = set->slack_client,
		                       .client_secret = set->slack_client_secret,
		                       .signing_secret = set->slack_signing_secret };
	rush_init(&state->rush);
	state->public_url = set->public_url;
	state->per_user = set->per_user;
	state->chatbots = service_peer(service, "chatbots");
	state->chat = service_peer(service, "chat");
	*ret = state; /* before a job looks at it */
	return sweep_begin(service, err) < 0 ? -1 : start_jobs(service, state, (int)set->jobs, err);
}

static void stop(void *arg)
{
	struct integrations *state = arg;

	job_runner_stop(state->outside);
	job_runner_stop(state->jobs);
}

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_statements, store_slack_statements,
		                                            store_webhook_statements, job_statements, NULL };
	static struct settings settings;

	return service_main(
	    argc, argv,
	    &(struct service_config){
	        .contract = &integrations_contract,
	        .peers = (const char *const[]){ "auth", "chat", "chatbots", "documents", NULL },
	        .statements = statements,
	        .keys = keys,
	        .key_count = sizeof keys / sizeof *keys,
	        .settings = &settings,
	        .start = start,
	        .stop = stop,
	    });
}
