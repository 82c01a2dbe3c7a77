#include "svc-integrations/website/origins.h"

#include <string.h>
#include <strings.h>

#include "chatbots.client.h"
#include "common/json/json.h"
#include "integrations.methods.h"
#include "svc-integrations/config.h"
#include "svc-integrations/integrations.h"

static bool among(const char *const *list, size_t count, const char *origin)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], origin) == 0)
			return true;
	return false;
}

/* The chatbot's list less `gone`, with `more`; *changed: it is another one than before. */
static json_object *merge(json_object *list, const char *const *gone, size_t gone_count,
                          const char *const *more, size_t more_count, bool *changed)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	json_object *merged = json_object_new_array();
	const char *const *kept = more;

	*changed = false;
	for (size_t i = 0; i < n; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *origin = json_object_get_string(item);

		if (among(gone, gone_count, origin) && !among(kept, more_count, origin))
			*changed = true;
		else
			json_object_array_add(merged, json_object_get(item));
	}
	for (size_t i = 0; i < more_count; i++) {
		bool there = false;

		for (size_t k = 0; k < json_object_array_length(merged); k++)
			there |= strcmp(json_object_get_string(json_object_array_get_idx(merged, k)),
			                more[i]) == 0;
		if (there)
			continue;
		json_object_array_add(merged, json_object_new_string(more[i]));
		*changed = true;
	}
	return merged;
}

/* The chatbot's settings; the caller's to put. */
static int read_settings(struct call *call, const char *chatbot_id, json_object **ret)
{
	Chatbots__ChatbotRequest ask = CHATBOTS__CHATBOT_REQUEST__INIT;
	Chatbots__Chatbot *bot;

	ask.chatbot_id = (char *)chatbot_id;
	return chatbots_client_get_chatbot(integrations_state(call)->chatbots, call, &ask, &bot) < 0
	           ? -1
	           : json_parse(bot->settings, strlen(bot->settings), ret, call->err);
}

int origins_allow(struct call *call, const char *chatbot_id, const char *origin)
{
	OWN(json) json_object *settings = NULL;
	json_object *list;
	size_t n;

	if (read_settings(call, chatbot_id, &settings) < 0)
		return -1;
	list = json_get(settings, "allowedOrigins");
	n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(json_object_get_string(json_object_array_get_idx(list, i)), origin) == 0)
			return 1;
	return n == 0;
}

/* Of one chatbot. */
static int change(struct call *call, const char *chatbot_id, const char *gone_config, const char *more_config)
{
	Chatbots__UpdateChatbotRequest update = CHATBOTS__UPDATE_CHATBOT_REQUEST__INIT;
	struct peer *chatbots = integrations_state(call)->chatbots;
	OWN(json) json_object *settings = NULL;
	OWN(json) json_object *patch = json_object_new_object();
	size_t gone_count = 0, more_count = 0;
	const char **gone = config_origins(gone_config, &gone_count, call->arena);
	const char **more = config_origins(more_config, &more_count, call->arena);
	Chatbots__Chatbot *bot;
	bool changed;

	update.chatbot_id = (char *)chatbot_id;
	if (read_settings(call, chatbot_id, &settings) < 0)
		return -1;
	json_object_object_add(
	    patch, "allowedOrigins",
	    merge(json_get(settings, "allowedOrigins"), gone, gone_count, more, more_count, &changed));
	update.settings = json_print(patch, call->arena);
	return changed ? chatbots_client_update_chatbot(chatbots, call, &update, &bot) : 0;
}

int origins_move(struct call *call, const struct site *before, const struct site *now)
{
	bool same = before->chatbot_id && now->chatbot_id && strcmp(before->chatbot_id, now->chatbot_id) == 0;

	if (now->chatbot_id && change(call, now->chatbot_id, same ? before->config : NULL, now->config) < 0)
		return -1;
	if (same || !before->chatbot_id || !before->config)
		return 0;
	if (change(call, before->chatbot_id, before->config, NULL) == 0)
		return 0;
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err); /* deleted meanwhile */
	return 0;
}

char *embed_code(const char *public_url, const char *chatbot_id, struct arena *a)
{
	return chatbot_id
	           ? arena_printf(a, "<script src=\"%s/widget.js\" data-chatbot=\"%s\" async></script>",
	                          public_url, chatbot_id)
	           : NULL;
}
