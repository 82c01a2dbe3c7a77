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

/* The same as a line of the log, once it is true. */
struct line {
	struct db_after after;
	struct audit_row row;
};

static void write_line(void *arg)
{
	const struct audit_row *row = &((const struct line *)arg)->row;

	log_line(LOG_INFO, "audit", LOG_TEXT("event", row->event), LOG_TEXT("user", row->owner),
	         LOG_TEXT("actor", row->actor), LOG_TEXT("ip", row->ip), LOG_TEXT("detail", row->detail),
	         LOG_TEXT("request", row->request_id));
}

int audit(struct call *call, const char *event, const char *owner, const char *detail)
{
	struct line *line = arena_new(call->arena, struct line, 1);

	line->row = (struct audit_row){
		.event = event,
		.owner = arena_strdup(call->arena, owner),
		.ip = call->caller ? call->caller->ip : NULL,
		.user_agent = audit_agent(call),
		.request_id = call->request_id,
		.detail = arena_strdup(call->arena, detail),
	};
	if (call->owner_id && owner && strcmp(call->owner_id, owner) != 0)
		line->row.actor = call->owner_id;
	if (store_audit(call->db, &line->row, call->err) < 0)
		return -1;
	db_after_commit(call->db, &line->after, write_line, line);
	return 0;
}
