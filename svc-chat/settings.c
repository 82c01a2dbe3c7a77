#include "svc-chat/settings.h"

#include <string.h>

#include "common/json/json.h"

static void read_text(json_object *object, const char *key, const char **ret, struct arena *a)
{
	const char *text = json_string(object, key);

	if (text)
		*ret = arena_strdup(a, text);
}

static void read_int(json_object *object, const char *key, int *ret, int most)
{
	int64_t n = json_int(object, key, *ret);

	if (n >= 1)
		*ret = n > most ? most : (int)n;
}

static void read_origins(json_object *list, struct settings *settings, struct arena *a)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (!list)
		return;
	settings->origins = arena_new(a, const char *, n);
	settings->origin_count = 0;
	for (size_t i = 0; i < n; i++) {
		json_object *origin = json_object_array_get_idx(list, i);

		if (json_object_is_type(origin, json_type_string))
			settings->origins[settings->origin_count++] =
			    arena_strdup(a, json_object_get_string(origin));
	}
}

void settings_lay_over(const char *json, struct settings *settings, struct arena *a)
{
	OWN(json) json_object *object = NULL;
	struct error ignored = { 0 };

	if (!json || json_parse(json, strlen(json), &object, &ignored) < 0)
		return;
	read_text(object, "model", &settings->model, a);
	read_text(object, "instructions", &settings->instructions, a);
	read_text(object, "role", &settings->role, a);
	read_text(object, "welcomeMessage", &settings->welcome, a);
	read_text(object, "refusalMessage", &settings->refusal, a);
	settings->temperature = json_real(object, "temperature", settings->temperature);
	read_int(object, "maxTokens", &settings->max_tokens, 100000);
	read_int(object, "contextTokens", &settings->context_tokens, 2000000);
	read_int(object, "topK", &settings->top_k, 50);
	read_int(object, "identityVersion", &settings->identity_version, 1000000);
	read_int(object, "rateLimitPerMinute", &settings->per_minute, 10000);
	settings->tools = json_flag(object, "tools", settings->tools);
	read_origins(json_get(object, "allowedOrigins"), settings, a);
}

void settings_read(const char *json, struct settings *ret, struct arena *a)
{
	*ret = (struct settings){
		.model = "",
		.instructions = "",
		.role = "",
		.welcome = "",
		.refusal = "",
		.temperature = 0.7,
		.max_tokens = 1024,
		.top_k = 8,
		.per_minute = 20,
	};
	settings_lay_over(json, ret, a);
}
