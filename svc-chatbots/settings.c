#include "svc-chatbots/settings.h"

#include <string.h>

#include "common/json/json.h"
#include "common/json/json_message.h"
#include "shapes.h"

/* As API.md has them. */
static const char defaults[] =
    "{\"model\":\"default\",\"temperature\":0.7,\"maxTokens\":1024,\"instructions\":\"\",\"role\":\"\","
    "\"welcomeMessage\":\"\",\"suggestedQuestions\":[],\"topK\":8,\"allowedOrigins\":[],"
    "\"rateLimitPerMinute\":20,\"appearance\":{\"primaryColor\":\"#2563eb\",\"secondaryColor\":\"#f3f4f6\","
    "\"position\":\"bottom-right\",\"chatTitle\":\"\",\"showBranding\":true,\"initialMessage\":\"\"}}";

/* Lay patch over object. `fallback` is the default of the same place, or NULL. Depth is bounded by json_parse(). */
static void lay_over(json_object *object, json_object *patch,
                     json_object *fallback) // NOLINT(misc-no-recursion)
{
	json_object_object_foreach(patch, key, value)
	{
		json_object *now = json_get(object, key), *standard = json_get(fallback, key);

		if (json_object_is_type(value, json_type_object) &&
		    json_object_is_type(now, json_type_object))
			lay_over(now, value, standard);
		else if (value)
			json_object_object_add(object, key, json_object_get(value));
		else if (standard)
			json_object_object_add(object, key, json_object_get(standard));
		else
			json_object_object_del(object, key);
	}
}

/* Nulls inside a newly added object would be kept as they are: take them out, so that null always means "default". */
static void drop_nulls(json_object *object) // NOLINT(misc-no-recursion)
{
	struct json_object_iterator at = json_object_iter_begin(object), end = json_object_iter_end(object);

	while (!json_object_iter_equal(&at, &end)) {
		const char *key = json_object_iter_peek_name(&at);
		json_object *value = json_object_iter_peek_value(&at);

		json_object_iter_next(&at);
		if (!value)
			json_object_object_del(object, key);
		else if (json_object_is_type(value, json_type_object))
			drop_nulls(value);
	}
}

int settings_apply(const char *current, const char *patch, const char **ret, struct arena *a,
                   struct error *err)
{
	const char *base = current ? current : defaults;
	OWN(json) json_object *standard = NULL;
	OWN(json) json_object *settings = NULL;
	OWN(json) json_object *change = NULL;

	if (json_parse(defaults, strlen(defaults), &standard, err) < 0 ||
	    json_parse(base, strlen(base), &settings, err) < 0)
		return -1;
	if (patch) {
		if (json_parse(patch, strlen(patch), &change, err) < 0)
			return -1;
		lay_over(settings, change, standard);
		drop_nulls(settings);
	}
	*ret = json_print(settings, a);
	return 0;
}

int settings_as_before(const char *before, const char *now, const char **ret, struct arena *a,
                       struct error *err)
{
	static const char *const kept[] = { "allowedOrigins", "identityVersion" };
	OWN(json) json_object *settings = NULL;
	OWN(json) json_object *current = NULL;

	if (json_parse(before, strlen(before), &settings, err) < 0 ||
	    json_parse(now, strlen(now), &current, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		json_object *value = json_get(current, kept[i]);

		json_object_object_del(settings, kept[i]);
		if (value)
			json_object_object_add(settings, kept[i], json_object_get(value));
	}
	*ret = json_print(settings, a);
	return 0;
}

int settings_for_widget(const char *settings, Chatbots__WidgetSettings **ret, struct arena *a,
                        struct error *err)
{
	OWN(json) json_object *all = NULL;

	if (json_parse(settings, strlen(settings), &all, err) < 0)
		return -1;
	*ret = (Chatbots__WidgetSettings *)message_new(&chatbots__widget_settings__descriptor, a);
	return json_to_message(all, &shape_chatbots__widget_settings, (ProtobufCMessage *)*ret, a, err);
}
