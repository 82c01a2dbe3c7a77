#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/base/id.h"
#include "svc-chat/mcp/internal.h"

enum { MARKS = 32, DEPTH = 8 };

#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Base64 of RFC 4648, section 4: with padding, which base64url_encode() leaves out. */
static char *base64(const char *bytes, struct arena *a)
{
	size_t size = strlen(bytes), length;
	char *out = arena_alloc(a, 4 * ((size + 2) / 3) + 4);

	length = base64url_encode(out, bytes, size);
	for (size_t i = 0; i < length; i++)
		out[i] = out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i];
	while (length % 4)
		out[length++] = '=';
	out[length] = 0;
	return out;
}

static bool is_plain(const char *value)
{
	size_t size = strlen(value);

	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return size && value[0] != ' ' && value[size - 1] != ' ' && strncmp(value, "=?base64?", 9) != 0;
}

const char *mcp_header_value(const char *value, struct arena *a)
{
	return is_plain(value) ? value : arena_printf(a, "=?base64?%s?=", base64(value, a));
}

/* --- Marked properties ---------------------------------------------------------------------------------------------------- */

struct header_mark {
	const char *name;
	const char *path[DEPTH]; /* of property names */
	int depth;
	const char *type;
};
struct header_marks {
	struct header_mark list[MARKS];
	size_t count;
	bool bad;
};

static void take_mark(struct header_marks *marks, json_object *schema, const struct header_mark *at)
{
	json_object *mark = json_get(schema, "x-mcp-header");
	const char *name = json_object_is_type(mark, json_type_string) ? json_object_get_string(mark) : "";
	const char *type = json_string(schema, "type");
	bool simple = type && (strcmp(type, "string") == 0 || strcmp(type, "integer") == 0 ||
	                       strcmp(type, "boolean") == 0);

	marks->bad |= !*name || strspn(name, TOKEN) != strlen(name) || !simple || at->depth == 0 ||
	              marks->count == MARKS;
	for (size_t i = 0; i < marks->count; i++)
		marks->bad |= strcasecmp(marks->list[i].name, name) == 0;
	if (marks->bad)
		return;
	marks->list[marks->count] = *at;
	marks->list[marks->count].name = name;
	marks->list[marks->count++].type = type;
}

/* Marks are found along "properties" alone; one anywhere else cannot be obeyed. */
static void look(struct header_marks *marks, json_object *schema, const struct header_mark *at,
                 bool reachable,
                 int depth) // NOLINT(misc-no-recursion)
{
	if (depth > JSON_MAX_DEPTH || marks->bad)
		return;
	if (json_object_is_type(schema, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(schema); i++)
			look(marks, json_object_array_get_idx(schema, i), at, false, depth + 1);
		return;
	}
	if (!json_object_is_type(schema, json_type_object))
		return;
	if (json_object_object_get_ex(schema, "x-mcp-header", NULL)) {
		if (reachable)
			take_mark(marks, schema, at);
		else
			marks->bad = true;
	}
	json_object_object_foreach(schema, key, value)
	{
		if (reachable && strcmp(key, "properties") == 0 &&
		    json_object_is_type(value, json_type_object)) {
			json_object_object_foreach(value, property, inner)
			{
				struct header_mark below = *at;

				if (below.depth < DEPTH)
					below.path[below.depth++] = property;
				look(marks, inner, &below, at->depth < DEPTH, depth + 2);
			}
		} else {
			look(marks, value, at, false, depth + 1);
		}
	}
}

static void find_marks(json_object *schema, struct header_marks *ret)
{
	memset(ret, 0, sizeof *ret);
	look(ret, schema, &(struct header_mark){ 0 }, true, 0);
}

bool mcp_schema_fits(json_object *schema)
{
	struct header_marks marks;

	find_marks(schema, &marks);
	return !marks.bad;
}

static const char *value_of(json_object *arguments, const struct header_mark *mark, struct arena *a)
{
	for (int i = 0; i < mark->depth; i++)
		arguments = json_get(arguments, mark->path[i]);
	switch (json_object_get_type(arguments)) {
	case json_type_string: return arena_strdup(a, json_object_get_string(arguments));
	case json_type_boolean: return json_object_get_boolean(arguments) ? "true" : "false";
	case json_type_int: return arena_printf(a, "%" PRId64, json_object_get_int64(arguments));
	default: return NULL;
	}
}

const char *const *mcp_param_headers(const char *schema, json_object *arguments, struct arena *a)
{
	const char **list = arena_new(a, const char *, MARKS + 1);
	OWN(json) json_object *object = NULL;
	struct error unreadable = { 0 };
	struct header_marks marks;
	size_t n = 0;

	if (!schema || json_parse(schema, strlen(schema), &object, &unreadable) < 0)
		return list;
	find_marks(object, &marks);
	for (size_t i = 0; i < marks.count && !marks.bad; i++) {
		const char *value = value_of(arguments, &marks.list[i], a);

		if (value)
			list[n++] = arena_printf(a, "Mcp-Param-%s: %s", marks.list[i].name,
			                         mcp_header_value(value, a));
	}
	return list;
}
