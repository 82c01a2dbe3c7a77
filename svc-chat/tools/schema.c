#include "svc-chat/tools/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/json/json.h"

enum {
	DEPTH_MAX = 48,
	WORK_MAX = 50000,  /* schemas, members, items and values looked at */
	LOOKED_AT = 64,    /* bytes of a text that are as much work as one of them */
	UNIQUE_MAX = 200,  /* items that are compared with each other */
	SHOWN_VALUES = 300 /* bytes of an enum in a sentence */
};

struct checking {
	json_object *root;
	struct text *why; /* NULL: nobody wants to know */
	struct text path;
	size_t work;
	int depth, mistakes;
};

static bool check(struct checking *c, json_object *schema, json_object *value);

static bool is_enough(const struct checking *c)
{
	return c->work >= WORK_MAX;
}

/* One thing to look at, and a text of so many bytes; false: it was enough. */
static bool may_look(struct checking *c, size_t bytes)
{
	size_t work = 1 + bytes / LOOKED_AT;

	c->work = work < WORK_MAX - c->work ? c->work + work : WORK_MAX;
	return !is_enough(c);
}

/* --- Saying what is wrong ---------------------------------------------------------------------------------------------- */

static bool wrong(struct checking *c, const char *what)
{
	if (c->why && c->mistakes++ < SCHEMA_MISTAKES)
		text_addf(c->why, "%s: %s\n", c->path.length ? c->path.at : "arguments", what);
	return false;
}

static bool wrong_value(struct checking *c, const char *what, json_object *wanted)
{
	const char *text;

	if (!c->why || c->mistakes >= SCHEMA_MISTAKES) /* printing it is work, too */
		return false;
	text = json_object_to_json_string_ext(wanted, JSON_C_TO_STRING_PLAIN);
	return wrong(c, arena_printf(c->path.arena, "%s %.*s", what,
	                             (int)utf8_clip(text, strlen(text), SHOWN_VALUES), text));
}

/* Into a member or an item; give what it returns to leave(). */
static size_t enter(struct checking *c, const char *member)
{
	size_t before = c->path.length;

	text_addf(&c->path, "%s%.80s", before ? "." : "", member);
	return before;
}

static void leave(struct checking *c, size_t before)
{
	c->path.length = before;
	c->path.at[before] = '\0';
}

/* Without telling. */
static bool fits(struct checking *c, json_object *schema, json_object *value)
{
	struct text *why = c->why;
	bool ok;

	c->why = NULL;
	ok = check(c, schema, value);
	c->why = why;
	return ok;
}

/* --- Types and values ---------------------------------------------------------------------------------------------------- */

static bool is_number(json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static bool is_whole(json_object *value)
{
	double n = json_object_get_double(value);

	return json_object_is_type(value, json_type_int) || (is_number(value) && n == floor(n));
}

static bool is_of(json_object *value, const char *type)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = { { "null", json_type_null },
		      { "boolean", json_type_boolean },
		      { "object", json_type_object },
		      { "array", json_type_array },
		      { "string", json_type_string } };

	if (strcmp(type, "integer") == 0)
		return is_whole(value);
	if (strcmp(type, "number") == 0)
		return is_number(value);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i].name) == 0)
			return json_object_is_type(value, types[i].type);
	return true; /* no type that there is */
}

static bool check_type(struct checking *c, json_object *type, json_object *value)
{
	if (json_object_is_type(type, json_type_string))
		return is_of(value, json_object_get_string(type)) || wrong_value(c, "must be of type", type);
	if (!json_object_is_type(type, json_type_array))
		return true;
	for (size_t i = 0; i < json_object_array_length(type) && may_look(c, 0); i++) {
		json_object *one = json_object_array_get_idx(type, i);

		if (!json_object_is_type(one, json_type_string) || is_of(value, json_object_get_string(one)))
			return true;
	}
	return is_enough(c) || wrong_value(c, "must be of one of the types", type);
}

static bool same(struct checking *c, json_object *a, json_object *b);

static bool same_items(struct checking *c, json_object *a, json_object *b)
{
	size_t n = json_object_array_length(a);
	bool ok = n == json_object_array_length(b);

	for (size_t i = 0; i < n && ok; i++)
		ok = same(c, json_object_array_get_idx(a, i), json_object_array_get_idx(b, i));
	return ok;
}

static bool same_members(struct checking *c, json_object *a, json_object *b)
{
	bool ok = json_object_object_length(a) == json_object_object_length(b);
	json_object *other;

	json_object_object_foreach(a, key, value)
	{
		if (!ok)
			break;
		ok = json_object_object_get_ex(b, key, &other) && same(c, value, other);
	}
	return ok;
}

/* Work, since values may be large; false when it was enough. */
static bool same(struct checking *c, json_object *a, json_object *b) // NOLINT(misc-no-recursion)
{
	bool text = json_object_is_type(a, json_type_string);

	if (!may_look(c, text ? (size_t)json_object_get_string_len(a) : 0))
		return false;
	if (is_number(a) && is_number(b))
		return json_object_get_double(a) == json_object_get_double(b);
	if (json_object_get_type(a) != json_object_get_type(b))
		return false;
	if (json_object_is_type(a, json_type_array))
		return same_items(c, a, b);
	return json_object_is_type(a, json_type_object) ? same_members(c, a, b) : json_object_equal(a, b);
}

static bool check_enum(struct checking *c, json_object *list, json_object *value)
{
	if (!json_object_is_type(list, json_type_array))
		return true;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (same(c, json_object_array_get_idx(list, i), value) || is_enough(c))
			return true;
	return wrong_value(c, "must be one of", list);
}

static bool check_number(struct checking *c, json_object *schema, json_object *value)
{
	double n = json_object_get_double(value), step = json_real(schema, "multipleOf", 0), times;
	bool ok = true;

	if (n < json_real(schema, "minimum", -INFINITY))
		ok = wrong_value(c, "must be at least", json_get(schema, "minimum"));
	if (n > json_real(schema, "maximum", INFINITY))
		ok = wrong_value(c, "must be at most", json_get(schema, "maximum"));
	if (n <= json_real(schema, "exclusiveMinimum", -INFINITY))
		ok = wrong_value(c, "must be more than", json_get(schema, "exclusiveMinimum"));
	if (n >= json_real(schema, "exclusiveMaximum", INFINITY))
		ok = wrong_value(c, "must be less than", json_get(schema, "exclusiveMaximum"));
	times = step > 0 ? n / step : 0;
	if (fabs(times - round(times)) > 1e-9 * fmax(1, fabs(times)))
		ok = wrong_value(c, "must be a multiple of", json_get(schema, "multipleOf"));
	return ok;
}

static bool check_count(struct checking *c, json_object *schema, const char *least, const char *most,
                        size_t count, const char *what)
{
	if ((double)count < json_real(schema, least, 0))
		return wrong_value(c, arena_printf(c->path.arena, "%s, at least", what),
		                   json_get(schema, least));
	if ((double)count > json_real(schema, most, INFINITY))
		return wrong_value(c, arena_printf(c->path.arena, "%s, at most", what),
		                   json_get(schema, most));
	return true;
}

static bool check_length(struct checking *c, json_object *schema, json_object *value)
{
	size_t bytes = (size_t)json_object_get_string_len(value);

	return !may_look(c, bytes) ||
	       check_count(c, schema, "minLength", "maxLength",
	                   utf8_length(json_object_get_string(value), bytes), "must have so many characters");
}

/* --- Objects and arrays --------------------------------------------------------------------------------------------------- */

static bool check_required(struct checking *c, json_object *list, json_object *value)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	bool ok = true;

	for (size_t i = 0; i < n && may_look(c, 0); i++) {
		json_object *name = json_object_array_get_idx(list, i);

		if (json_object_is_type(name, json_type_string) &&
		    !json_object_object_get_ex(value, json_object_get_string(name), NULL))
			ok = wrong(
			    c, arena_printf(c->path.arena, "%.80s is missing", json_object_get_string(name)));
	}
	return ok;
}

static bool check_dependent(struct checking *c, json_object *dependent, json_object *value)
{
	bool ok = true;

	if (!json_object_is_type(dependent, json_type_object))
		return true;
	json_object_object_foreach(dependent, key, list)
	{
		if (may_look(c, 0) && json_object_object_get_ex(value, key, NULL))
			ok &= check_required(c, list, value);
	}
	return ok;
}

static bool check_object(struct checking *c, json_object *schema, json_object *value)
{
	json_object *known = json_get(schema, "properties"), *more = json_get(schema, "additionalProperties");
	bool by_pattern = json_get(schema, "patternProperties") != NULL;
	bool ok = check_required(c, json_get(schema, "required"), value) &
	          check_dependent(c, json_get(schema, "dependentRequired"), value) &
	          check_count(c, schema, "minProperties", "maxProperties",
	                      (size_t)json_object_object_length(value), "must have so many members");

	json_object_object_foreach(value, key, member)
	{
		json_object *its = NULL;
		size_t before;

		if (!may_look(c, strlen(key)))
			break;
		before = enter(c, key);
		if (json_object_is_type(known, json_type_object) &&
		    json_object_object_get_ex(known, key, &its))
			ok &= check(c, its, member);
		else if (!by_pattern && json_object_is_type(more, json_type_boolean) &&
		         !json_object_get_boolean(more))
			ok = wrong(c, "is no argument that there is");
		else if (!by_pattern && json_object_is_type(more, json_type_object))
			ok &= check(c, more, member);
		leave(c, before);
	}
	return ok;
}

static bool check_unique(struct checking *c, json_object *value)
{
	size_t n = json_object_array_length(value);

	for (size_t i = 0; i < n && n <= UNIQUE_MAX; i++)
		for (size_t k = i + 1; k < n && !is_enough(c); k++)
			if (same(c, json_object_array_get_idx(value, i), json_object_array_get_idx(value, k)))
				return wrong(c, "must not have the same item twice");
	return true;
}

static bool check_array(struct checking *c, json_object *schema, json_object *value)
{
	json_object *items = json_get(schema, "items"), *first = json_get(schema, "prefixItems");
	size_t n = json_object_array_length(value), heads;
	bool ok = check_count(c, schema, "minItems", "maxItems", n, "must have so many items");

	if (json_object_is_type(items, json_type_array)) { /* as it was before 2020 */
		first = items;
		items = json_get(schema, "additionalItems");
	}
	heads = json_object_is_type(first, json_type_array) ? json_object_array_length(first) : 0;
	if (json_flag(schema, "uniqueItems", 0))
		ok &= check_unique(c, value);
	for (size_t i = 0; i < n && (items || i < heads) && may_look(c, 0); i++) {
		json_object *its = i < heads ? json_object_array_get_idx(first, i) : items;
		size_t before = enter(c, arena_printf(c->path.arena, "%zu", i));

		if (its)
			ok &= check(c, its, json_object_array_get_idx(value, i));
		leave(c, before);
	}
	return ok;
}

/* --- Schemas of schemas ---------------------------------------------------------------------------------------------------- */

/* How many of the list the value fits. */
static size_t matches(struct checking *c, json_object *list, json_object *value)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0, count = 0;

	for (size_t i = 0; i < n; i++)
		count += fits(c, json_object_array_get_idx(list, i), value);
	return count;
}

static bool check_combined(struct checking *c, json_object *schema, json_object *value)
{
	json_object *all = json_get(schema, "allOf"), *any = json_get(schema, "anyOf"),
	            *one = json_get(schema, "oneOf"), *never = json_get(schema, "not"),
	            *cond = json_get(schema, "if");
	bool ok = true;

	for (size_t i = 0; json_object_is_type(all, json_type_array) && i < json_object_array_length(all);
	     i++)
		ok &= check(c, json_object_array_get_idx(all, i), value);
	if (json_object_is_type(any, json_type_array) && !matches(c, any, value))
		ok = wrong(c, "fits none of the forms that it may have (anyOf)");
	if (json_object_is_type(one, json_type_array)) {
		size_t count = matches(c, one, value);

		if (count != 1 && !is_enough(c))
			ok = wrong(c, count
			                  ? "fits more than one of the forms of which it may have one (oneOf)"
			                  : "fits none of the forms that it may have (oneOf)");
	}
	if (json_object_is_type(never, json_type_object) && c->depth < DEPTH_MAX && !is_enough(c) &&
	    fits(c, never, value) && !is_enough(c))
		ok = wrong(c, "has a form that it must not have");
	if (cond) {
		json_object *then = json_get(schema, fits(c, cond, value) ? "then" : "else");

		ok &= !then || check(c, then, value);
	}
	return ok;
}

/* "#", "#/$defs/x": what it names in the document; NULL for all else. */
static json_object *resolve(struct checking *c, const char *ref)
{
	json_object *at = c->root;

	if (*ref++ != '#' || !may_look(c, strlen(ref)))
		return NULL;
	while (at && *ref == '/') {
		size_t size = strcspn(++ref, "/"), n = 0;
		char *name = arena_strndup(c->path.arena, ref, size);

		for (size_t i = 0; i < size; i++) {
			bool escape = name[i] == '~' && (name[i + 1] == '0' || name[i + 1] == '1');

			name[n++] = !escape ? name[i] : name[i + 1] == '0' ? '~' : '/';
			i += escape;
		}
		name[n] = '\0';
		at = json_object_is_type(at, json_type_array)
		         ? json_object_array_get_idx(at, strtoul(name, NULL, 10))
		         : json_get(at, name);
		ref += size;
	}
	return *ref ? NULL : at;
}

static bool check_here(struct checking *c, json_object *schema, json_object *value)
{
	json_object *constant = NULL, *target;
	const char *ref = json_string(schema, "$ref");
	bool ok = true;

	if (ref && (target = resolve(c, ref)))
		ok &= check(c, target, value);
	if (!check_type(c, json_get(schema, "type"), value))
		return false;
	ok &= check_enum(c, json_get(schema, "enum"), value);
	if (json_object_object_get_ex(schema, "const", &constant) && !same(c, constant, value) &&
	    !is_enough(c))
		ok = wrong_value(c, "must be", constant);
	if (is_number(value))
		ok &= check_number(c, schema, value);
	else if (json_object_is_type(value, json_type_string))
		ok &= check_length(c, schema, value);
	else if (json_object_is_type(value, json_type_object))
		ok &= check_object(c, schema, value);
	else if (json_object_is_type(value, json_type_array))
		ok &= check_array(c, schema, value);
	return check_combined(c, schema, value) && ok;
}

static bool check(struct checking *c, json_object *schema, json_object *value)
{
	bool ok;

	if (json_object_is_type(schema, json_type_boolean))
		return json_object_get_boolean(schema) || wrong(c, "must not be there");
	if (!json_object_is_type(schema, json_type_object) || c->depth >= DEPTH_MAX || !may_look(c, 0))
		return true;
	c->depth++;
	ok = check_here(c, schema, value);
	c->depth--;
	return ok;
}

bool schema_check(json_object *schema, json_object *value, struct text *why)
{
	struct checking c = { .root = schema, .why = why };

	text_init(&c.path, why->arena);
	return check(&c, schema, value);
}
