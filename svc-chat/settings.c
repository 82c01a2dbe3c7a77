#include "svc-chat/settings.h"

#include <string.h>

#include "common/json.h"

static const char *text_of(json_object *object, const char *key, struct arena *a)
{
	const char *text = json_string(object, key);

	return text ? arena_strdup(a, text) : "";
}

static int int_of(json_object *object, const char *key, int fallback, int most)
{
	int64_t n = json_int(object, key, fallback);

	return n < 1 ? fallback : n > most ? most : (int)n;
}

void settings_read(const char *json, struct settings *ret, struct arena *a)
{
	OWN(json) json_object *object = NULL;
	struct error ignored = { 0 };

	if (json && json_parse(json, strlen(json), &object, &ignored) < 0)
		object = NULL;
	*ret = (struct settings){
		.model = text_of(object, "model", a),
		.instructions = text_of(object, "instructions", a),
		.role = text_of(object, "role", a),
		.welcome = text_of(object, "welcomeMessage", a),
		.temperature = json_real(object, "temperature", 0.7),
		.max_tokens = int_of(object, "maxTokens", 1024, 100000),
		.top_k = int_of(object, "topK", 8, 50),
	};
}
