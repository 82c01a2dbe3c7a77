#include "svc-integrations/website/check.h"

#include <string.h>

#include "integrations.methods.h"
#include "svc-integrations/config.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/website/script.h"

enum { PAGE_MS = 15 * 1000, PAGE_BYTES = 4 << 20, REDIRECTS = 5, DAY_SECONDS = 24 * 3600 };

/* --- Looking -------------------------------------------------------------------------------------------------------- */

static void say(struct integration_row *row, const char *status, const char *detail)
{
	row->status = status;
	row->status_detail = detail;
}

int website_look(struct call *call, struct integration_row *row)
{
	struct egress_response answer = { 0 };
	struct error why = { 0 };
	const char *stranger;
	size_t count;
	const char **origins = config_origins(row->config, &count, call->arena);
	const char *url = count ? arena_printf(call->arena, "%s/", origins[0]) : NULL;

	if (!url || strchr(url, '*') || !row->chatbot_id)
		return error_set(call->err, ERROR_INVALID, "%s",
		                 row->chatbot_id ? "it has no `domain` to look at" : "no chatbot is chosen");
	if (call_fetch(call,
	               &(struct egress_request){ .method = "GET",
	                                         .url = url,
	                                         .timeout_ms = PAGE_MS,
	                                         .max_bytes = PAGE_BYTES,
	                                         .max_redirects = REDIRECTS },
	               &answer, &why) < 0)
		say(row, "error", arena_printf(call->arena, "%s cannot be looked at: %s", url, why.message));
	else if (answer.status < 200 || answer.status > 299)
		say(row, "error", arena_printf(call->arena, "%s answered %d", url, answer.status));
	else if (!website_has_script(answer.body ? answer.body : "", row->chatbot_id))
		say(row, "pending",
		    arena_printf(call->arena, "the embed code is not on %s: put it before </body>", url));
	else
		say(row, "active", NULL);
	if (consent_note(call, row, &stranger) < 0)
		return -1;
	return call->cancelled && atomic_load(call->cancelled) ? error_busy(call->err, 1, "stopping") : 0;
}

/* --- Every day ------------------------------------------------------------------------------------------------------- */

int website_look_later(struct call *call, const char *owner, const char *integration)
{
	return job_add(call->db, "website", owner, integration,
	               arena_printf(call->arena, "{\"integration\":\"%s\"}", integration), DAY_SECONDS,
	               call->err);
}

static int run(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct integration_row row;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	found = store_load(call->db, job->owner_id, json_string(payload, "integration"), &row, call->arena,
	                   call->err);
	if (found <= 0 || strcmp(row.status, "inactive") == 0)
		return found < 0 ? -1 : 0; /* when it is woken, a job is added */
	if (website_look(call, &row) < 0) {
		if (call->err->code != ERROR_INVALID)
			return -1;
		error_clear(call->err);
		return 0; /* who gives it a page adds a job */
	}
	if (store_set_status(call->db, row.owner_id, row.id, row.status, row.status_detail, call->err) < 0)
		return -1;
	return website_look_later(call, row.owner_id, row.id);
}

const struct job_kind website_job = {
	.kind = "website", .run = run, .attempts = 8, .first_pause_ms = 60 * 1000, .lease_ms = 30 * 1000
};
