#include "svc-integrations/slack/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/query.h"
#include "common/service/sealer.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/slack/verify.h"

enum { LINK_SECONDS = 30 * 86400 };
static const char context[] = "slack-sources";

/* What is sealed, behind the second at which it ends. */
struct link {
	char owner[UUID_TEXT], integration[UUID_TEXT], session[UUID_TEXT], message[UUID_TEXT];
};

int slack_sources_link(struct call *call, const struct integration_row *row, const Chat__Message *answer,
                       char **ret)
{
	char *plain = arena_printf(call->arena, "%lld %s %s %s %s",
	                           (long long)(clock_unix_ms() / 1000 + LINK_SECONDS), row->owner_id, row->id,
	                           answer->session_id, answer->id),
	     *sealed;
	struct text url;

	if (sealer_seal(call, context, plain, &sealed) < 0)
		return -1;
	text_init(&url, call->arena);
	text_addf(&url, "%s/api/integrations/slack/sources?of=", integrations_state(call)->public_url);
	query_encode(&url, sealed);
	*ret = url.at;
	return 0;
}

/* 1, 0, -1. */
static int read_link(struct call *call, const char *token, struct link *ret)
{
	char *plain, *ids;

	if (sealer_open(call, context, token, &plain) < 0) {
		if (call->err->code != ERROR_INTERNAL) /* svc-auth is away; else: it is none of ours */
			return -1;
		error_clear(call->err);
		return 0;
	}
	return strtoll(plain, &ids, 10) >= clock_unix_ms() / 1000 &&
	       sscanf(ids, " %36s %36s %36s %36s", ret->owner, ret->integration, ret->session,
	              ret->message) == 4;
}

static int find_message(struct call *call, struct link *link, Chat__Message **ret)
{
	Chat__OutsideMessage in = CHAT__OUTSIDE_MESSAGE__INIT;
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct call acting = *call;

	caller.has_kind = true;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	caller.owner_id = link->owner;
	acting.caller = &caller;
	acting.owner_id = link->owner;
	in.session_id = link->session;
	in.message_id = link->message;
	if (chat_client_get_outside(integrations_state(call)->chat, &acting, &in, ret) == 0)
		return 1;
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err);
	return 0;
}

int slack_sources_find(struct call *call, const char *token, Chat__Message **ret)
{
	struct integration_row row;
	struct link link;
	int found = read_link(call, token, &link);

	if (found > 0)
		found = store_load(call->db, link.owner, link.integration, &row, call->arena, call->err);
	if (found <= 0)
		return found;
	if (strcmp(row.status, "inactive") == 0 || slack_owner_is_disabled(call, link.owner))
		return 0;
	return find_message(call, &link, ret);
}
