#include "svc-integrations/handover/consent.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/json/json.h"
#include "common/service/sealer.h"
#include "integrations.methods.h"
#include "svc-integrations/handover/plan.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/store_webhook.h"

enum {
	DAY_SECONDS = 86400,
	ASKED_SECONDS = 7 * DAY_SECONDS,        /* that the question's link works */
	MAILED_SECONDS = 5 * 365 * DAY_SECONDS, /* the one below a conversation */
};
static const char context[] = "handover-address", context_below[] = "handover-mailed";

/* Addresses are compared as svc-auth does: in small letters. */
static char *lowered(const char *address, struct arena *a)
{
	char *text = arena_strdup(a, address);

	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

static char *pending(const char *address, struct arena *a)
{
	return arena_printf(a, "%s has been asked by mail whether it wants these conversations", address);
}

static char *refused(const char *address, struct arena *a)
{
	return arena_printf(a, "%s does not want these conversations: nothing is sent there", address);
}

/* 1 it is the owner's own, and proven to be; 0; -1. */
static int is_own(struct call *call, const char *address)
{
	Rpc__Empty nothing = RPC__EMPTY__INIT;
	Auth__Account *account;

	if (auth_client_get_account(service_peer(call->service, "auth"), call, &nothing, &account) < 0)
		return -1;
	return account->email_verified && strcasecmp(account->email, address) == 0;
}

int consent_wish(struct call *call, const char *address, enum address_wish *ret)
{
	int own;

	if (store_address_wish(call->db, call->owner_id, lowered(address, call->arena), ret, call->err) < 0)
		return -1;
	if (*ret != ADDRESS_SAYS_NOTHING)
		return 0;
	own = is_own(call, address);
	if (own > 0)
		*ret = ADDRESS_AGREES;
	return own < 0 ? -1 : 0;
}

int consent_note(struct call *call, struct integration_row *row, const char **ret)
{
	struct handover_plan plan;
	enum address_wish wish;
	const char *small;

	*ret = NULL;
	if (strcmp(row->type, "webhook") == 0 || !handover_plan(row->config, &plan, call->arena) ||
	    !plan.email)
		return 0;
	if (consent_wish(call, plan.email, &wish) < 0)
		return -1;
	if (wish == ADDRESS_AGREES)
		return 0;
	small = lowered(plan.email, call->arena);
	if (wish == ADDRESS_SAYS_NOTHING)
		*ret = plan.email;
	if (!row->status_detail)
		row->status_detail =
		    wish == ADDRESS_REFUSES ? refused(small, call->arena) : pending(small, call->arena);
	return 0;
}

int consent_ask(struct call *call, const char *address, const char *integration, int days)
{
	OWN(json) json_object *payload = json_object_new_object();
	const char *small = lowered(address, call->arena);
	int fresh = store_ask_address(call->db, call->owner_id, small, days, call->err);

	if (fresh <= 0)
		return fresh;
	json_object_object_add(payload, "address", json_object_new_string(small));
	json_object_object_add(payload, "integration", json_object_new_string(integration));
	return job_add(call->db, "handover_ask", call->owner_id, NULL, json_print(payload, call->arena), 0,
	               call->err);
}

/* --- The link ------------------------------------------------------------------------------------------------------- */

/* The page, with a token in which is sealed: "<when it ends> <owner> <address>". */
static int make_link(struct call *call, const char *as, const char *address, int64_t seconds, char **ret)
{
	char *token;

	if (sealer_seal(call, as,
	                arena_printf(call->arena, "%lld %s %s", (long long)(clock_unix_ms() / 1000 + seconds),
	                             call->owner_id, address),
	                &token) < 0)
		return -1;
	*ret = arena_printf(call->arena, "%s/api/integrations/handover/confirm?token=%s",
	                    integrations_state(call)->public_url, token);
	return 0;
}

int consent_link_below(struct call *call, const char *address, char **ret)
{
	return make_link(call, context_below, lowered(address, call->arena), MAILED_SECONDS, ret);
}

/* 1, 0: it is none; -1. */
static int open_as(struct call *call, const char *as, const char *token, char **plain)
{
	if (sealer_open(call, as, token, plain) == 0)
		return 1;
	if (call->err->code != ERROR_INTERNAL) /* svc-auth is away */
		return -1;
	error_clear(call->err);
	return 0;
}

int consent_read(struct call *call, const char *token, struct consent_link *ret)
{
	char *plain = NULL, *space;
	long long ends;
	int is = open_as(call, context, token, &plain);

	*ret = (struct consent_link){ .below = is == 0 };
	if (is == 0)
		is = open_as(call, context_below, token, &plain);
	if (is <= 0)
		return is;
	ends = strtoll(plain, &space, 10);
	if (*space != ' ' || strlen(space) < UUID_TEXT + 1 || ends < clock_unix_ms() / 1000)
		return 0;
	ret->owner = arena_strndup(call->arena, space + 1, UUID_TEXT - 1);
	ret->address = space + 1 + UUID_TEXT;
	return uuid_valid(ret->owner);
}

/* What has waited for the answer, to be sent or to be dropped, is looked at now. rc: of the transaction that was begun. */
static int end(struct call *call, const char *owner, int rc)
{
	if (rc > 0 &&
	    (store_hurry_handovers(call->db, owner, call->err) < 0 || db_commit(call->db, call->err) < 0))
		rc = -1;
	if (rc > 0)
		job_runner_wake(integrations_state(call)->jobs);
	else
		db_rollback(call->db);
	return rc;
}

static int take(struct call *call, const char *owner, const char *address)
{
	int taken = store_confirm_address(call->db, owner, address, call->err);

	if (taken <= 0)
		return taken;
	return store_end_detail(call->db, owner, pending(address, call->arena), refused(address, call->arena),
	                        call->err) < 0
	           ? -1
	           : 1;
}

int consent_take(struct call *call, const char *owner, const char *address)
{
	return db_begin(call->db, call->err) < 0 ? -1 : end(call, owner, take(call, owner, address));
}

static int refuse(struct call *call, const char *owner, const char *address)
{
	if (store_refuse_address(call->db, owner, address, call->err) < 0) {
		if (!db_failed_with(call->err, DB_FOREIGN, NULL))
			return -1;
		error_clear(call->err);
		return 0;
	}
	return store_tell_handing_to(call->db, owner, address, refused(address, call->arena), call->err) < 0
	           ? -1
	           : 1;
}

int consent_refuse(struct call *call, const char *owner, const char *address)
{
	return db_begin(call->db, call->err) < 0 ? -1 : end(call, owner, refuse(call, owner, address));
}

int consent_send_letter(struct call *call, const struct consent_link *link)
{
	OWN(json) json_object *payload = json_object_new_object();
	int fresh;

	json_object_object_add(payload, "address", json_object_new_string(link->address));
	json_object_object_add(payload, "change", json_object_new_boolean(1));
	if (db_begin(call->db, call->err) < 0)
		return -1;
	fresh = store_mark_event(call->db, link->owner, arena_printf(call->arena, "letter %s", link->address),
	                         call->err);
	if (fresh >= 0 &&
	    (!fresh || job_add(call->db, "handover_ask", link->owner, NULL, json_print(payload, call->arena),
	                       0, call->err) == 0) &&
	    db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

/* --- Asking --------------------------------------------------------------------------------------------------------- */

/* The question, or the letter that somebody has sent by the link below a conversation. */
static void write_words(Auth__MailRequest *in, bool change, const char *link, struct arena *a)
{
	in->subject = (char *)(change ? "Conversations with a chatbot by mail"
	                              : "May conversations with a chatbot be sent to you?");
	in->text = arena_printf(
	    a,
	    change
	        ? "Somebody, perhaps you, would like to change whether conversations with a chatbot are sent to this "
	          "address. On this page you say what you want (within 7 days):\n%s\n\nIf you do nothing, nothing "
	          "changes.\n"
	        : "Somebody has set up a chatbot so that conversations in which it could not help go on to this address. "
	          "Nothing is sent before you agree.\n\nIf you want them, or do not and want to be asked no more, open "
	          "this page and say so (within 7 days):\n%s\n\nIf you do nothing, nothing is sent.\n",
	    link);
}

static int run(struct call *call, const struct job *job)
{
	Auth__MailRequest in = AUTH__MAIL_REQUEST__INIT;
	OWN(json) json_object *payload = NULL;
	const char *address;
	Rpc__Empty *out;
	char *link;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	address = json_string(payload, "address");
	if (make_link(call, context, address, ASKED_SECONDS, &link) < 0)
		return -1;
	in.to = (char *)address;
	write_words(&in, json_flag(payload, "change", 0), link, call->arena);
	in.key = (char *)job->id;
	return auth_client_send_mail(service_peer(call->service, "auth"), call, &in, &out);
}

/* Its owner reads it at the integration; what is saved anew asks anew. */
static void give_up(struct call *call, const struct job *job, const struct error *why)
{
	OWN(json) json_object *payload = NULL;
	struct error err = { 0 };
	struct integration_row row;
	const char *address, *id;

	if (json_parse(job->payload, strlen(job->payload), &payload, &err) < 0)
		return;
	address = json_string(payload, "address");
	id = json_string(payload, "integration");
	if (store_forget_address(call->db, job->owner_id, address, &err) < 0 ||
	    store_load(call->db, job->owner_id, id, &row, call->arena, &err) <= 0 ||
	    store_set_status(call->db, job->owner_id, id, row.status,
	                     arena_printf(call->arena,
	                                  "%s could not be asked whether it wants these conversations: %s",
	                                  address, why->message),
	                     &err) < 0)
		error_clear(&err);
}

const struct job_kind consent_job = {
	.kind = "handover_ask",
	.run = run,
	.give_up = give_up,
	.attempts = 12,
	.first_pause_ms = 2 * 1000,
	.lease_ms = 20 * 1000,
};
