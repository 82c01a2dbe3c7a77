#include "common/json/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/per_thread.h"
#include "common/json/scan.h"

/*
 * The scanner goes over the bytes first; json-c then makes the tree. What only the tree can tell (a doubled key, a
 * number beyond double) is found by counting it.
 */

/* Members of all objects in the tree; *finite becomes false where a number was beyond double. */
static size_t count_members(json_object *value, bool *finite) // NOLINT(misc-no-recursion)
{
	size_t count = 0;

	switch (json_object_get_type(value)) {
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			count += 1 + count_members(member, finite);
		}
		break;
	}
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(json_object_array_get_idx(value, i), finite);
		break;
	case json_type_double: *finite = *finite && isfinite(json_object_get_double(value)); break;
	default: break;
	}
	return count;
}

enum { KEPT_BYTES = 64 << 10 };

static struct json_tokener *make_tokener(void)
{
	return json_tokener_new_ex(JSON_MAX_DEPTH + 2);
}

/* Making one costs as much as a short text. It keeps room for the longest string that it has seen. */
PER_THREAD(tokener_of_thread, struct json_tokener, make_tokener, json_tokener_free)

/* What the scanner let pass, json-c takes: -1 is a matter of memory. */
static int build(const char *bytes, size_t length, json_object **ret)
{
	struct json_tokener *tokener = tokener_of_thread();
	bool built;

	json_tokener_reset(tokener);
	*ret = json_tokener_parse_ex(tokener, bytes, (int)length);
	if (json_tokener_get_error(tokener) == json_tokener_continue) /* a bare number ends with the text */
		*ret = json_tokener_parse_ex(tokener, "", 1);
	built = json_tokener_get_error(tokener) == json_tokener_success;
	if (length > KEPT_BYTES)
		tokener_of_thread_drop();
	return built ? 0 : -1;
}

int json_parse(const char *bytes, size_t length, json_object **ret, struct error *err)
{
	struct scan s;
	OWN(json) json_object *tree = NULL;
	bool finite = true;

	*ret = NULL;
	if (length > INT32_MAX / 2)
		return error_set(err, ERROR_MALFORMED, "malformed JSON: too long");
	if (!json_scan(&s, bytes, length))
		return error_set(err, ERROR_MALFORMED, "malformed JSON at byte %zu: %s",
		                 (size_t)(s.at - s.start), s.why);
	if (build(bytes, length, &tree) < 0)
		return error_internal(err, "json-c refused what the scanner took");
	if (count_members(tree, &finite) != s.members)
		return error_set(err, ERROR_MALFORMED, "malformed JSON: a key stands twice in one object");
	if (!finite)
		return error_set(err, ERROR_MALFORMED, "malformed JSON: a number is too large");
	*ret = TAKE(tree);
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
