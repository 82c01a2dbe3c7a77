#include <string.h>

#include "common/base/log.h"
#include "svc-auth/auth.h"

enum { AGENT_MAX = 300 };

char *audit_agent(struct call *call)
{
	const char *given = call->caller ? call->caller->user_agent : NULL;
	char *agent = given ? arena_strndup(call->arena, given, strnlen(given, AGENT_MAX)) : NULL;

	for (char *c = agent; c && *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	return agent;
}

int audit(struct call *call, const char *event, const char *owner, const char *detail)
{
	const char *actor =
	    call->owner_id && owner && strcmp(call->owner_id, owner) != 0 ? call->owner_id : NULL;
	struct audit_row row = {
		.event = event,
		.owner = owner,
		.actor = actor,
		.ip = call->caller ? call->caller->ip : NULL,
		.user_agent = audit_agent(call),
		.request_id = call->request_id,
		.detail = detail,
	};

	if (store_audit(call->db, &row, call->err) < 0)
		return -1;
	log_line(LOG_INFO, "audit", LOG_TEXT("event", event), LOG_TEXT("user", owner),
	         LOG_TEXT("actor", actor), LOG_TEXT("ip", row.ip), LOG_TEXT("detail", detail),
	         LOG_TEXT("request", call->request_id));
	return 0;
}
