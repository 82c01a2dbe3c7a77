#include "svc-integrations/website/check.h"

#include <string.h>

#include "common/base/text.h"
#include "integrations.methods.h"
#include "svc-integrations/config.h"
#include "svc-integrations/handover/consent.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/website/look.h"
#include "svc-integrations/website/origins.h"

enum { PAGE_MS = 15 * 1000, PAGE_BYTES = 4 << 20, REDIRECTS = 5, DAY_SECONDS = 24 * 3600 };

/* --- Looking -------------------------------------------------------------------------------------------------------- */

static void say(struct integration_row *row, const char *status, const char *detail)
{
	row->status = status;
	row->status_detail = detail;
}

/* Of a page that goes on for ever its first 4 MB will do. */
struct fetched {
	struct text html;
	bool cut;
};

static int take(void *arg, const char *bytes, size_t size)
{
	struct fetched *page = arg;

	for (size_t i = 0; i < size && page->html.length < PAGE_BYTES; i++)
		text_addc(&page->html, bytes[i] ? bytes[i] : ' ');
	page->cut = page->html.length >= PAGE_BYTES;
	return page->cut;
}

static int fetch(struct call *call, const char *url, struct fetched *page, struct egress_response *answer,
                 struct error *why)
{
	text_init(&page->html, call->arena);
	text_adds(&page->html, "");
	return call_fetch(
	    call,
	    &(struct egress_request){
	        .method = "GET",
	        .url = url,
	        /* Many pages are kept from names that are not of this form. */
	        .headers =
	            (const char *const[]){ arena_printf(call->arena,
	                                                "User-Agent: Mozilla/5.0 (compatible; Parley; +%s)",
	                                                integrations_state(call)->public_url),
	                                   "Accept: text/html,application/xhtml+xml", NULL },
	        .timeout_ms = PAGE_MS,
	        .max_bytes = 2 * PAGE_BYTES,
	        .max_redirects = REDIRECTS,
	        .on_data = take,
	        .arg = page },
	    answer, why);
}

/* Its domain; else the first of the origins that it allows. NULL: neither. */
static const char *address_of(const struct integration_row *row, struct arena *a)
{
	const char *origin = config_domain(row->config, a);
	const char **origins;
	size_t count;

	if (!origin) {
		origins = config_origins(row->config, &count, a);
		origin = count ? origins[0] : NULL;
	}
	return origin ? arena_printf(a, "%s/", origin) : NULL;
}

/* It keeps programs out, or this one, or for now. */
static bool keeps_out(int status)
{
	return status == 401 || status == 403 || status == 407 || status == 429 || status == 451;
}

static const char *const *policies_of(const struct egress_response *answer, struct arena *a)
{
	const char **policies = arena_new(a, const char *, answer->header_count + 1);
	size_t n = 0;

	for (size_t i = 0; i < answer->header_count; i++)
		if (strcmp(answer->headers[i].name, "content-security-policy") == 0)
			policies[n++] = answer->headers[i].value;
	return policies;
}

/* What became of a page that came. -1: svc-chatbots is away. */
static int judge(struct call *call, struct integration_row *row, const char *url, const struct fetched *page,
                 const struct egress_response *answer)
{
	struct arena *a = call->arena;
	const char *origin = website_origin(answer->url ? answer->url : url, a),
	           *ours = website_origin(integrations_state(call)->public_url, a);
	struct website_seen seen;
	int allowed = 1;

	website_see(&(struct website_page){ .html = page->html.at,
	                                    .origin = origin,
	                                    .policies = policies_of(answer, a),
	                                    .chatbot = row->chatbot_id,
	                                    .script = ours },
	            &seen, a);
	if (seen.script && strcmp(website_origin(url, a), origin) != 0)
		allowed = origins_allow(call, row->chatbot_id, origin);
	if (allowed < 0)
		return -1;
	if (!seen.script)
		say(row, "pending",
		    arena_printf(
		        a,
		        "the embed code is not on %s%s: put it before </body> (what a tag manager adds later "
		        "cannot be seen from here)",
		        url, page->cut ? ", in its first 4 MB" : ""));
	else if (!allowed)
		say(row, "error",
		    arena_printf(
		        a, "%s leads to %s, where the chatbot may not be shown: add that to `allowedOrigins`",
		        url, origin));
	else if (seen.blocked)
		say(row, "error",
		    arena_printf(
		        a,
		        "the Content-Security-Policy of %s keeps the embed code from working: add %s to its %s",
		        url, ours, seen.blocked));
	else
		say(row, "active", NULL);
	return 0;
}

static int look(struct call *call, struct integration_row *row, const char *url)
{
	struct egress_response answer = { 0 };
	struct error why = { 0 };
	struct fetched page = { .cut = false };

	if (fetch(call, url, &page, &answer, &why) < 0)
		say(row, "error", arena_printf(call->arena, "%s cannot be looked at: %s", url, why.message));
	else if (keeps_out(answer.status))
		say(row, "pending",
		    arena_printf(call->arena,
		                 "%s keeps us out (%d): whether the embed code is there cannot be seen", url,
		                 answer.status));
	else if (answer.status < 200 || answer.status > 299)
		say(row, "error", arena_printf(call->arena, "%s answered %d", url, answer.status));
	else
		return judge(call, row, url, &page, &answer);
	return 0;
}

int website_look(struct call *call, struct integration_row *row)
{
	const char *url = address_of(row, call->arena), *stranger;

	if (!url || !row->chatbot_id)
		return error_set(call->err, ERROR_INVALID, "%s",
		                 row->chatbot_id ? "it has no `domain` to look at" : "no chatbot is chosen");
	if (look(call, row, url) < 0 || consent_note(call, row, &stranger) < 0)
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

/* A service of ours was away for all of them: tomorrow is another day. */
static void give_up(struct call *call, const struct job *job, const struct error *why)
{
	OWN(json) json_object *payload = NULL;

	(void)why;
	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0 ||
	    website_look_later(call, job->owner_id, json_string(payload, "integration")) < 0)
		error_clear(call->err);
}

const struct job_kind website_job = { .kind = "website",
	                              .run = run,
	                              .give_up = give_up,
	                              .attempts = 8,
	                              .first_pause_ms = 60 * 1000,
	                              .lease_ms = 30 * 1000 };
