#include "svc-integrations/slack/verify.h"

#include <string.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "integrations.methods.h"

enum { OWNER_MS = 1000 }; /* for svc-auth to say whether the owner is disabled */

static void say(struct integration_row *row, const char *status, const char *detail)
{
	row->status = status;
	row->status_detail = detail;
}

/* Slack knows the token: whose workspace, and who the bot is there. Another workspace is another app until it speaks. */
static void take_identity(struct integration_row *row, json_object *answer, struct arena *a)
{
	const char *team = json_string(answer, "team_id");

	if (!row->team || !team || strcmp(row->team, team) != 0)
		row->app = NULL;
	row->team = arena_strdup(a, team);
	row->bot_user = arena_strdup(a, json_string(answer, "user_id"));
	row->bot = arena_strdup(a, json_string(answer, "bot_id"));
}

int slack_verify(struct call *call, const struct secrets *secrets, struct integration_row *row)
{
	OWN(json) json_object *answer = NULL;
	struct error why_not = { 0 };
	const char *why;
	int said;

	if (!secrets->bot_token) {
		say(row, "pending", "the bot token is missing");
		return 0;
	}
	said = slack_ask(&integrations_state(call)->slack, "auth.test", secrets->bot_token,
	                 (const struct slack_arg[]){ { NULL, NULL } }, &answer, &why, call->arena, &why_not);
	if (said < 0) {
		say(row, "pending", arena_printf(call->arena, "%s; it is tried again", why_not.message));
		return 1;
	}
	if (said == 0) {
		say(row, "error", arena_printf(call->arena, "Slack refuses the token: %s", why));
		return 0;
	}
	take_identity(row, answer, call->arena);
	if (secrets->signing_secret)
		say(row, "active", NULL);
	else
		say(row, "pending", "the signing secret is missing");
	return 0;
}

bool slack_owner_is_disabled(const struct call *call, const char *owner)
{
	Rpc__Empty nothing = RPC__EMPTY__INIT, *answer;
	struct error err = { 0 };
	struct call ask = *call;
	int64_t deadline = clock_unix_ms() + OWNER_MS;

	ask.owner_id = owner;
	ask.err = &err;
	if (deadline < ask.deadline)
		ask.deadline = deadline;
	return auth_client_check_owner(service_peer(call->service, "auth"), &ask, &nothing, &answer) < 0 &&
	       err.code == ERROR_FORBIDDEN;
}
