#include "common/json/json.h"

#include "common/json/scan.h"
#include "common/json/tree.h"

int json_parse(const char *bytes, size_t length, json_object **ret, struct error *err)
{
	const char *why;
	struct scan s;

	*ret = NULL;
	if (length > INT32_MAX / 2)
		return error_set(err, ERROR_MALFORMED, "malformed JSON: too long");
	if (!json_scan(&s, bytes, length))
		return error_set(err, ERROR_MALFORMED, "malformed JSON at byte %zu: %s",
		                 (size_t)(s.at - s.start), s.why);
	if (json_tree(bytes, length, ret, &why) < 0)
		return error_set(err, ERROR_MALFORMED, "malformed JSON: %s", why);
	return 0;
}

json_object *json_get(json_object *object, const char *key)
{
	json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

const char *json_string(json_object *object, const char *key)
{
	json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t json_int(json_object *object, const char *key, int64_t fallback)
{
	json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}

double json_real(json_object *object, const char *key, double fallback)
{
	json_object *value = json_get(object, key);
	bool number =
	    json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);

	return number ? json_object_get_double(value) : fallback;
}

int json_flag(json_object *object, const char *key, int fallback)
{
	json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : fallback;
}

char *json_print(json_object *value, struct arena *a)
{
	const char *text =
	    json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return arena_strdup(a, text ? text : "null");
}
