#include "svc-chat/oauth/farewell.h"

#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/json/json.h"
#include "common/oauth/oauth.h"
#include "svc-chat/oauth/secrets.h"
#include "svc-chat/state.h"

enum { REVOKE_MS = 5000 };

/* --- The word that is left ------------------------------------------------------------------------------------------------ */

int farewell_leave(struct call *call, const struct oauth_token_row *row, const char *key, int delay)
{
	OWN(json) json_object *payload = json_object_new_object();
	const char *const texts[][2] = { { "issuer", row->issuer },
		                         { "document", row->document },
		                         { "client_id", row->client_id },
		                         { "secrets", row->secrets } };

	json_object_object_add(payload, "server_id", json_object_new_int64(row->server_id));
	json_object_object_add(payload, "method", json_object_new_int(row->method));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		json_object_object_add(payload, texts[i][0], json_object_new_string(texts[i][1]));
	return job_add(call->db, farewell_job.kind, call->owner_id, key, json_print(payload, call->arena),
	               delay, call->err);
}

static int read(struct call *call, const char *text, struct oauth_token_row *ret)
{
	OWN(json) json_object *payload = NULL;

	if (json_parse(text, strlen(text), &payload, call->err) < 0)
		return -1;
	*ret = (struct oauth_token_row){
		.server_id = json_int(payload, "server_id", 0),
		.method = (int)json_int(payload, "method", 0),
		.issuer = arena_strdup(call->arena, json_string(payload, "issuer")),
		.document = arena_strdup(call->arena, json_string(payload, "document")),
		.client_id = arena_strdup(call->arena, json_string(payload, "client_id")),
		.secrets = arena_strdup(call->arena, json_string(payload, "secrets")),
	};
	return ret->issuer && ret->document && ret->client_id && ret->secrets
	           ? 0
	           : error_internal(call->err, "a farewell with an odd payload");
}

/* --- Saying it ------------------------------------------------------------------------------------------------------------ */

/* The refresh token first: with it goes the grant, and often the other, which is asked for also when the first is refused for
 * good. Not cut off by a client that leaves. */
static int revoke(struct call *call, const struct oauth_token_row *row)
{
	const struct chat *chat = chat_state(call);
	struct oauth o = { .egress = chat->egress,
		           .arena = call->arena,
		           .deadline = clock_mono_ms() + REVOKE_MS };
	struct oauth_secrets secrets = { 0 };
	struct oauth_server server;
	struct oauth_client client;

	if (secrets_open(call, "token", call->owner_id, row->server_id, row->issuer, row->secrets, &secrets) <
	        0 ||
	    oauth_server_read(row->document, row->issuer, &server, call->arena, call->err) < 0)
		return -1;
	client = (struct oauth_client){ .id = row->client_id,
		                        .secret = secrets.client_secret,
		                        .method = (enum oauth_method)row->method };
	if (secrets.refresh &&
	    oauth_revoke(&o, &server, &client, secrets.refresh, "refresh_token", call->err) < 0 &&
	    (call->err->code != ERROR_INVALID || !secrets.access))
		return -1;
	error_clear(call->err);
	return secrets.access ? oauth_revoke(&o, &server, &client, secrets.access, "access_token", call->err)
	                      : 0;
}

/* Whether there is nothing more to say: it is revoked, or never will be. Else call->err says why. */
static bool is_said(struct call *call, const struct oauth_token_row *row)
{
	int revoked;

	call_goes_away(call);
	revoked = revoke(call, row);
	call_is_back(call);
	if (revoked == 0)
		return true;
	log_line(LOG_INFO, "a token was not revoked", LOG_TEXT("request", call->request_id),
	         LOG_TEXT("why", call->err->message), LOG_TEXT("detail", call->err->detail));
	if (call->err->code != ERROR_INVALID && call->err->code != ERROR_INTERNAL)
		return false;
	error_clear(call->err);
	return true;
}

void farewell_say(struct call *call, const struct oauth_token_row *row, const char *key)
{
	if (is_said(call, row))
		(void)!job_cancel(call->db, farewell_job.kind, call->owner_id, key, call->err);
	error_clear(call->err); /* then it is said twice, which does no harm */
}

/* The last attempt leaves nothing behind, whatever comes of it: the row holds a token. */
static int run(struct call *call, const struct job *job)
{
	struct oauth_token_row row;

	if (read(call, job->payload, &row) < 0)
		return -1;
	if (is_said(call, &row))
		return 0;
	if (!job->last)
		return -1;
	error_clear(call->err);
	return 0;
}

const struct job_kind farewell_job = {
	.kind = "farewell",
	.run = run,
	.attempts = 20,
	.first_pause_ms = 10 * 1000,
	.lease_ms = 60 * 1000,
};
