#include "svc-chat/visit.h"

#include <string.h>
#include <strings.h>

#include "common/base/client.h"
#include "common/base/clock.h"
#include "svc-chat/store_visitors.h"
#include "svc-chat/turn/retrieve.h"

enum {
	ADDRESS_FACTOR = 3,   /* times what one session may: several people behind one address */
	CHATBOT_FACTOR = 100, /* all visitors of a chatbot together */
	MINUTE_MS = 60 * 1000,
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
	int most = v->settings.per_minute;
	struct store_visit visit = {
		.session = arena_printf(call->arena, "session/%s", session ? session : v->bot->id),
		.address = arena_printf(call->arena, "ip/%s/%s", v->bot->id, client),
		.chatbot = arena_printf(call->arena, "chatbot/%s", v->bot->id),
		.per_session = session ? most : INT32_MAX,
		.per_address = most * ADDRESS_FACTOR,
		.per_chatbot = most * CHATBOT_FACTOR,
	};
	int too_many = store_count_visit(call->db, &visit, call->err);

	if (too_many <= 0)
		return too_many;
	return error_too_many(call->err, (int)((MINUTE_MS - clock_unix_ms() % MINUTE_MS) / 1000) + 1,
	                      "too many messages in this minute; wait a moment");
}
