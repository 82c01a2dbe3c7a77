/* One function per method of integrations.proto that people call; handlers_slack.c has the doors that Slack calls. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/egress/egress.h"
#include "common/job/job.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/handover/plan.h"
#include "svc-integrations/slack/answer.h"
#include "svc-integrations/slack/manifest.h"
#include "svc-integrations/slack/verify.h"
#include "svc-integrations/webhook/listening.h"
#include "svc-integrations/webhook/sign.h"
#include "svc-integrations/website/check.h"
#include "svc-integrations/website/origins.h"

enum { TRIES = 3 }; /* of a change, while others change it */

static bool is(const char *type, const char *name)
{
	return strcmp(type, name) == 0;
}

/* What is shown beside what is stored. */
static void dress(const struct call *call, Integrations__Integration *out)
{
	if (is(out->type, "website"))
		out->embed_code =
		    embed_code(integrations_state(call)->public_url, out->chatbot_id, call->arena);
}

static int get(struct call *call, const char *id, Integrations__Integration *out)
{
	if (db_must_find(store_get(call->db, call->owner_id, id, out, call->arena, call->err), "integration",
	                 call->err) < 0)
		return -1;
	dress(call, out);
	return 0;
}

static int load(struct call *call, const char *id, struct integration_row *ret)
{
	return db_must_find(store_load(call->db, call->owner_id, id, ret, call->arena, call->err),
	                    "integration", call->err);
}

int integrations_list_integrations(struct call *call, const Integrations__ListIntegrationsRequest *in,
                                   Integrations__IntegrationList *out)
{
	if (store_list(call->db, call->owner_id, in->cursor, in->limit, out, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < out->n_integrations; i++)
		dress(call, out->integrations[i]);
	return 0;
}

int integrations_get_integration(struct call *call, const Integrations__IntegrationRequest *in,
                                 Integrations__Integration *out)
{
	return get(call, in->integration_id, out);
}

/* --- Writing: ask whoever must be asked first, then the row, and what is to be done later, in one transaction ------ */

/* fresh: secrets that came with the request, over those that are stored. */
static int settle_slack(struct call *call, const struct secrets *fresh, struct integration_row *row,
                        bool *again)
{
	struct secrets now;

	if (handover_check(call, row) < 0 ||
	    (fresh->bot_token ? secrets_try(call, row, &now) : secrets_open(call, row, &now)) < 0)
		return -1;
	if (fresh->bot_token) /* of another app than the installed one */
		now = (struct secrets){ .bot_token = fresh->bot_token,
			                .signing_secret = now.installed ? NULL : now.signing_secret };
	if (fresh->signing_secret)
		now.signing_secret = fresh->signing_secret;
	*again = slack_verify(call, &now, row) > 0;
	return secrets_put(call, &now, row);
}

static int settle_website(struct call *call, const struct site *before, struct integration_row *row)
{
	bool silent = strcmp(row->status, "inactive") == 0;
	struct site now = { row->chatbot_id, silent ? NULL : row->config };

	if (!silent) {
		row->status = row->chatbot_id ? "active" : "pending";
		row->status_detail = row->chatbot_id ? NULL : "no chatbot is chosen";
	}
	return handover_check(call, row) < 0 ? -1 : origins_move(call, before, &now);
}

static void replace_secret(struct secrets *now, const char *fresh, struct arena *a)
{
	if (now->signing_secret && strcmp(now->signing_secret, fresh) != 0) {
		now->previous_secret = now->signing_secret;
		now->previous_until =
		    arena_printf(a, "%lld", (long long)(clock_unix_ms() / 1000 + WEBHOOK_OVERLAP_SECONDS));
	}
	now->signing_secret = fresh;
}

/* *made: the secret, where none was given and there was none. */
static int settle_webhook(struct call *call, const struct secrets *fresh, struct integration_row *row,
                          const char **made)
{
	struct error why = { 0 };
	struct secrets now;

	if (egress_judge(service_egress(call->service), config_url(row->config, call->arena), &why) < 0)
		return error_field(call->err, call->arena, "body", "config.url", "value_error", "%s",
		                   why.message);
	if (fresh->signing_secret && !webhook_secret_fits(fresh->signing_secret))
		return error_field(call->err, call->arena, "body", "config.signing_secret", "value_error",
		                   "must be whsec_ and the base64 of 24 to 64 bytes");
	if ((fresh->signing_secret ? secrets_try(call, row, &now) : secrets_open(call, row, &now)) < 0)
		return -1;
	if (fresh->signing_secret)
		replace_secret(&now, fresh->signing_secret, call->arena);
	if (!now.signing_secret)
		now.signing_secret = *made = webhook_secret(call->arena);
	if (strcmp(row->status, "inactive") != 0) {
		row->status = "active";
		row->status_detail = NULL;
	}
	return secrets_put(call, &now, row);
}

static int write_row(struct call *call, struct integration_row *row, bool fresh, bool verify_again)
{
	const struct integrations *state = call->state;
	const char *stranger;
	int rc;

	if (consent_note(call, row, &stranger) < 0 || db_begin(call->db, call->err) < 0)
		return -1;
	rc = fresh ? store_add(call->db, row, state->per_user, call->err)
	           : db_must_find(store_change(call->db, row, call->err), "integration", call->err);
	if (rc == 0 && stranger)
		rc = consent_ask(call, stranger, row->id, 1);
	if (rc == 0 && verify_again)
		rc = answer_verify_later(call, row->owner_id, row->id);
	if (rc == 0)
		rc = listening_tell_later(call);
	if (rc == 0 && is(row->type, "website"))
		rc = website_look_later(call, row->owner_id, row->id);
	if (rc == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

int integrations_create_integration(struct call *call, const Integrations__CreateIntegrationRequest *in,
                                    Integrations__Integration *out)
{
	struct secrets fresh = { 0 };
	struct integration_row row = { .owner_id = call->owner_id,
		                       .type = in->type,
		                       .status = "pending",
		                       .name = in->name,
		                       .chatbot_id = in->chatbot_id };
	const char *made = NULL;
	char id[UUID_TEXT];
	bool again = false;

	uuid_make(id);
	row.id = id;
	if (config_apply(in->type, NULL, in->config, &row.config, &fresh, call->arena, call->err) < 0)
		return -1;
	if ((is(in->type, "slack")     ? settle_slack(call, &fresh, &row, &again)
	     : is(in->type, "website") ? settle_website(call, &(struct site){ 0 }, &row)
	                               : settle_webhook(call, &fresh, &row, &made)) < 0 ||
	    write_row(call, &row, true, again) < 0 || get(call, id, out) < 0)
		return -1;
	out->signing_secret = (char *)made;
	return 0;
}

/* A status that a client sends is a wish: inactive is obeyed, the others are for verifying. */
static int update(struct call *call, const Integrations__UpdateIntegrationRequest *in,
                  struct integration_row *row)
{
	const struct site before = { row->chatbot_id, strcmp(row->status, "inactive") ? row->config : NULL };
	struct secrets fresh = { 0 };
	bool wake = in->status && strcmp(in->status, "inactive") != 0, again = false;

	if (in->config && config_apply(row->type, row->config, in->config, &row->config, &fresh, call->arena,
	                               call->err) < 0)
		return -1;
	if (in->name)
		row->name = in->name;
	if (in->chatbot_id)
		row->chatbot_id = in->chatbot_id;
	if (in->status) {
		row->status = in->status;
		row->status_detail = NULL;
	}
	if (is(row->type, "website")) {
		if (settle_website(call, &before, row) < 0)
			return -1;
	} else if (is(row->type, "webhook")) {
		const char *made = NULL;

		if (settle_webhook(call, &fresh, row, &made) < 0)
			return -1;
	} else if (wake || (in->config && strcmp(row->status, "inactive") != 0)) {
		if (settle_slack(call, &fresh, row, &again) < 0)
			return -1;
	} else if (in->config) { /* asleep: kept, and verified when it is woken */
		const char *status = row->status;

		if (settle_slack(call, &fresh, row, &again) < 0)
			return -1;
		row->status = status;
		row->status_detail = NULL;
		again = false;
	}
	return write_row(call, row, false, again);
}

/* Once more where somebody has changed its secrets meanwhile, as the renewal of a token does. */
static bool is_worth_another(const struct call *call, int rc, int tries)
{
	if (rc == 0 || call->err->code != ERROR_CONFLICT || tries >= TRIES)
		return false;
	error_clear(call->err);
	return true;
}

int integrations_update_integration(struct call *call, const Integrations__UpdateIntegrationRequest *in,
                                    Integrations__Integration *out)
{
	struct integration_row row;
	int rc, tries = 0;

	do
		rc = load(call, in->integration_id, &row) < 0 ? -1 : update(call, in, &row);
	while (is_worth_another(call, rc, tries++));
	return rc < 0 ? -1 : get(call, in->integration_id, out);
}

int integrations_delete_integration(struct call *call, const Integrations__IntegrationRequest *in,
                                    Rpc__Empty *out)
{
	struct integration_row row;

	(void)out;
	if (load(call, in->integration_id, &row) < 0)
		return -1;
	if (is(row.type, "website") && strcmp(row.status, "inactive") != 0 &&
	    origins_move(call, &(struct site){ row.chatbot_id, row.config }, &(struct site){ 0 }) < 0)
		return -1;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (db_must_find(store_delete(call->db, call->owner_id, in->integration_id, call->err), "integration",
	                 call->err) == 0 &&
	    listening_tell_later(call) == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

int integrations_check_integration(struct call *call, const Integrations__IntegrationRequest *in,
                                   Integrations__Integration *out)
{
	struct integration_row row;

	if (load(call, in->integration_id, &row) < 0)
		return -1;
	if (!is(row.type, "website"))
		return error_field(call->err, call->arena, "path", "integration_id", "value_error",
		                   "is no website");
	if (is(row.status, "inactive"))
		return error_set(call->err, ERROR_CONFLICT,
		                 "this website is switched off: switch it on first");
	if (website_look(call, &row) < 0 ||
	    store_set_status(call->db, row.owner_id, row.id, row.status, row.status_detail, call->err) < 0)
		return -1;
	return get(call, in->integration_id, out);
}

/* --- Slack ---------------------------------------------------------------------------------------------------------- */

static int set_credentials(struct call *call, const char *id, const struct secrets *fresh)
{
	struct integration_row row;
	bool again = false;

	if (load(call, id, &row) < 0)
		return -1;
	if (!is(row.type, "slack"))
		return error_field(call->err, call->arena, "path", "integration_id", "value_error",
		                   "is no Slack integration");
	if (!fresh->bot_token && !fresh->signing_secret)
		return error_field(call->err, call->arena, "body", "bot_token", "missing",
		                   "bot_token or signing_secret must be given");
	if (settle_slack(call, fresh, &row, &again) < 0)
		return -1;
	if (strcmp(row.status, "error") == 0) /* nothing is stored */
		return error_field(call->err, call->arena, "body", "bot_token", "value_error", "%s",
		                   row.status_detail);
	return write_row(call, &row, false, again);
}

int integrations_set_slack_credentials(struct call *call, const Integrations__SlackCredentialsRequest *in,
                                       Integrations__Integration *out)
{
	const struct secrets fresh = { in->bot_token && *in->bot_token ? in->bot_token : NULL,
		                       in->signing_secret && *in->signing_secret ? in->signing_secret
		                                                                 : NULL };
	int rc, tries = 0;

	do
		rc = set_credentials(call, in->integration_id, &fresh);
	while (is_worth_another(call, rc, tries++));
	if (rc < 0 || get(call, in->integration_id, out) < 0)
		return -1;
	out->message = (char *)"Credentials updated successfully";
	return 0;
}

int integrations_get_slack_manifest(struct call *call, const Rpc__Empty *in, Integrations__SlackManifest *out)
{
	(void)in;
	out->manifest = slack_manifest(integrations_state(call)->public_url, call->arena);
	return 0;
}
