#include "svc-integrations/slack/place.h"

#include <string.h>

#include "common/json/json.h"

static json_object *read(const char *config)
{
	struct error ignored = { 0 };
	json_object *object = NULL;

	return json_parse(config, strlen(config), &object, &ignored) < 0 ? NULL : object;
}

const char *place_chatbot(const char *config, const char *channel, const char *otherwise, struct arena *a)
{
	OWN(json) json_object *object = read(config);
	const char *chosen = channel ? json_string(json_get(object, "channels"), channel) : NULL;

	return chosen ? arena_strdup(a, chosen) : otherwise;
}

bool place_is_ephemeral(const char *config, const char *channel)
{
	OWN(json) json_object *object = read(config);
	json_object *where = json_get(object, "ephemeral");
	size_t count = json_object_is_type(where, json_type_array) ? json_object_array_length(where) : 0;

	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(where, i);

		if (json_object_is_type(item, json_type_string) &&
		    strcmp(json_object_get_string(item), channel) == 0)
			return true;
	}
	return json_object_is_type(where, json_type_boolean) && json_object_get_boolean(where);
}
