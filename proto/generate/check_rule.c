#include <string.h>

#include "proto/generate/generate.h"

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

static bool is_string(const struct field *f)
{
	return f->proto->type == TYPE(STRING);
}

static bool is_number(const struct field *f)
{
	switch (f->proto->type) {
	case TYPE(STRING):
	case TYPE(BYTES):
	case TYPE(BOOL):
	case TYPE(ENUM):
	case TYPE(MESSAGE):
	case TYPE(GROUP): return false;
	default: return true;
	}
}

static bool holds_json(const struct field *f)
{
	return f->rule->format == PARLEY__FORMAT__OBJECT || f->rule->format == PARLEY__FORMAT__VALUE;
}

static void check_types(struct model *m, const struct field *f)
{
	const Parley__Rule *r = f->rule;

	if (f->proto->type == TYPE(GROUP))
		mistake(m, f->name, "groups have no JSON form");
	if (f->proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED)
		mistake(m, f->name, "say required in the rule: protobuf's own drops the whole message");
	if (f->proto->default_value)
		mistake(m, f->name, "a default would be hidden here: let the handler fill it in");
	if (r->format == PARLEY__FORMAT__ID && f->proto->type != TYPE(INT64))
		mistake(m, f->name, "the format ID is one of int64 fields");
	if (r->format != PARLEY__FORMAT__ANY && r->format != PARLEY__FORMAT__ID && !is_string(f))
		mistake(m, f->name, "this format is one of string fields");
	if ((r->has_min_length || r->has_max_length || r->trim || r->one_of) && !is_string(f))
		mistake(m, f->name, "min_length, max_length, trim and one_of are for string fields");
	if (holds_json(f) && (r->trim || r->one_of || r->has_min_length))
		mistake(m, f->name, "trim, one_of and min_length do not go with OBJECT and VALUE");
	if ((r->has_minimum || r->has_maximum) && !is_number(f))
		mistake(m, f->name, "minimum and maximum are for numbers");
	if (r->has_max_items && !f->repeated)
		mistake(m, f->name, "max_items is for repeated fields");
}

static void check_bounds(struct model *m, const struct field *f)
{
	const Parley__Rule *r = f->rule;

	if (r->min_length < 0 || r->max_length < 0 || r->max_items < 0)
		mistake(m, f->name, "a length below zero");
	if (r->has_min_length && r->has_max_length && r->min_length > r->max_length)
		mistake(m, f->name, "min_length is above max_length");
	if (r->has_minimum && r->has_maximum && r->minimum > r->maximum)
		mistake(m, f->name, "minimum is above maximum");
	if (r->one_of && (!*r->one_of || *r->one_of == '|' || strstr(r->one_of, "||") ||
	                  r->one_of[strlen(r->one_of) - 1] == '|'))
		mistake(m, f->name, "one_of has an empty word");
}

/* A free object is checked and kept as it came: what would change it, or asks for the whole of it, cannot be meant. */
static void check_known_keys(struct model *m, const struct message *msg, int depth)
{
	for (size_t i = 0; i < msg->field_count && depth < 8; i++) {
		const Parley__Rule *r = msg->fields[i].rule;

		if (r->n_alias || r->trim || r->required || r->resets || r->source != PARLEY__SOURCE__BODY)
			mistake(
			    m, msg->fields[i].name,
			    "is a known key of a free object: no alias, trim, required, resets or source");
		if (msg->fields[i].sub)
			check_known_keys(m, msg->fields[i].sub, depth + 1);
	}
}

static void check_meaning(struct model *m, const struct field *f)
{
	const Parley__Rule *r = f->rule;

	if (r->required && (r->source == PARLEY__SOURCE__NOWHERE || r->resets))
		mistake(m, f->name, "required, but never from outside");
	if (r->resets && (!f->repeated || !is_string(f)))
		mistake(m, f->name, "resets is for a repeated string");
	if (r->like && !f->like)
		mistake(m, f->name, "like: there is no message %s", r->like);
	if (r->like && r->format != PARLEY__FORMAT__OBJECT)
		mistake(m, f->name, "like goes with the format OBJECT");
	if (f->like)
		check_known_keys(m, f->like, 0);
	if (r->source == PARLEY__SOURCE__HEADER && (f->repeated || f->sub))
		mistake(m, f->name, "a header fills one plain field");
	if (r->source == PARLEY__SOURCE__QUERY && f->sub)
		mistake(m, f->name, "a query does not fill a message");
}

static bool answers_to(const struct field *f, const char *json_name)
{
	for (size_t i = 0; i < f->rule->n_alias; i++) {
		if (same(f->rule->alias[i], json_name))
			return true;
	}
	return same(f->json_name, json_name);
}

/* Of fields with the same JSON name or alias nobody could say which is meant. */
static void check_names(struct model *m, const struct message *msg, const struct field *f)
{
	for (const struct field *other = msg->fields; other < f; other++) {
		bool clash = answers_to(other, f->json_name);

		for (size_t i = 0; i < f->rule->n_alias; i++)
			clash = clash || answers_to(other, f->rule->alias[i]);
		if (clash)
			mistake(m, f->name, "shares a JSON name with %s", other->name);
		if (f->rule->resets && other->rule->resets)
			mistake(m, f->name, "resets is said of %s already", other->name);
	}
}

void check_rule(struct model *m, const struct message *msg, const struct field *f)
{
	check_types(m, f);
	check_bounds(m, f);
	check_meaning(m, f);
	check_names(m, msg, f);
}
