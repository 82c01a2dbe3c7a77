#include "svc-chat/visit.h"

#include <string.h>
#include <strings.h>

#include "common/base/client.h"
#include "common/db/throttle.h"
#include "svc-chat/turn/retrieve.h"

enum {
	ADDRESS_FACTOR = 3,   /* times what one session may: several people behind one address */
	CHATBOT_FACTOR = 100, /* all visitors of a chatbot together */
};

/* "https://example.com", whatever the case, with or without a slash at its end. */
static bool same_origin(const char *listed, const char *origin)
{
	size_t size = strlen(listed);

	while (size && listed[size - 1] == '/')
		size--;
	return size == strlen(origin) && strncasecmp(listed, origin, size) == 0;
}

static int check_origin(struct call *call, const struct settings *settings)
{
	const char *origin = call->caller->origin;

	for (size_t i = 0; i < settings->origin_count && origin; i++)
		if (same_origin(settings->origins[i], origin))
			return 0;
	return settings->origin_count
	           ? error_set(call->err, ERROR_FORBIDDEN, "this chatbot is not for this website")
	           : 0;
}

int visit_any(struct call *call, const char *chatbot_id, struct visit *ret)
{
	if (retrieve_chatbot(call, chatbot_id, &ret->found) < 0)
		return -1;
	ret->bot = ret->found->chatbot;
	settings_read(ret->bot->settings, &ret->settings, call->arena);
	ret->call = retrieve_call_for(call, ret->bot->owner_id);
	return retrieve_open_owner(&ret->call) < 0 ? -1 : check_origin(call, &ret->settings);
}

int visit_own(struct call *call, const char *chatbot_id, const char *owner, struct visit *ret)
{
	ret->call = retrieve_call_for(call, owner);
	if (retrieve_chatbot(&ret->call, chatbot_id, &ret->found) < 0 || retrieve_open_owner(&ret->call) < 0)
		return -1;
	ret->bot = ret->found->chatbot;
	settings_read(ret->bot->settings, &ret->settings, call->arena);
	return check_origin(call, &ret->settings);
}

int visit_count(struct call *call, const struct visit *v, const char *session)
{
	const char *client = call->caller->ip ? client_name(call->caller->ip, call->arena) : "";
	int most = v->settings.per_minute, wait, allowed;
	struct throttle_flow flows[] = {
		{ arena_printf(call->arena, "session/%s", session ? session : ""), most },
		{ arena_printf(call->arena, "ip/%s/%s", v->bot->id, client), most * ADDRESS_FACTOR },
		{ arena_printf(call->arena, "chatbot/%s", v->bot->id), most * CHATBOT_FACTOR },
	};
	size_t without = session ? 0 : 1;

	allowed = throttle_flow(call->db, flows + without, sizeof flows / sizeof *flows - without, &wait,
	                        call->arena, call->err);
	if (allowed != 0)
		return allowed < 0 ? -1 : 0;
	return error_too_many(call->err, wait, "too many messages in a minute; wait a moment");
}
