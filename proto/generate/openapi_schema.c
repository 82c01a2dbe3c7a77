#include <stdlib.h>
#include <string.h>

#include "proto/generate/openapi.h"

#define TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

#define LARGEST_ID 9007199254740991 /* 2^53 - 1 */

json_object *put(json_object *object, const char *key, json_object *value)
{
	json_object_object_add(object, key, value);
	return value;
}

void put_text(json_object *object, const char *key, const char *text)
{
	if (text)
		put(object, key, json_object_new_string(text));
}

void put_int(json_object *object, const char *key, int64_t value)
{
	put(object, key, json_object_new_int64(value));
}

json_object *put_object(json_object *object, const char *key)
{
	return put(object, key, json_object_new_object());
}

/* 2 rather than 2.0 */
static void put_number(json_object *object, const char *key, double value)
{
	if (value == (double)(int64_t)value)
		put_int(object, key, (int64_t)value);
	else
		put(object, key, json_object_new_double(value));
}

static void put_words(json_object *schema, const char *words, struct arena *a)
{
	json_object *list = put(schema, "enum", json_object_new_array());

	while (*words) {
		size_t length = strcspn(words, "|");

		json_object_array_add(list, json_object_new_string(arena_strndup(a, words, length)));
		words += length + (words[length] == '|');
	}
}

static bool given_out(enum flavour flavour)
{
	return flavour == ANSWER || flavour == KEPT;
}

static void text_schema(struct openapi *o, const struct field *f, enum flavour flavour, json_object *schema)
{
	static const char *const formats[] = { [PARLEY__FORMAT__EMAIL] = "email",
		                               [PARLEY__FORMAT__UUID] = "uuid",
		                               [PARLEY__FORMAT__URL] = "uri",
		                               [PARLEY__FORMAT__TIME] = "date-time",
		                               [PARLEY__FORMAT__SECRET] = "password" };
	const Parley__Rule *r = f->rule;

	put_text(schema, "type", "string");
	if (r->format < sizeof formats / sizeof *formats)
		put_text(schema, "format", formats[r->format]);
	if (r->one_of)
		put_words(schema, r->one_of, o->model->arena);
	if (given_out(flavour))
		return;
	if (r->min_length)
		put_int(schema, "minLength", r->min_length);
	if (r->max_length)
		put_int(schema, "maxLength", r->max_length);
	if (r->format == PARLEY__FORMAT__SECRET)
		put(schema, "writeOnly", json_object_new_boolean(true));
}

static void number_schema(const struct field *f, json_object *schema)
{
	const Parley__Rule *r = f->rule;
	bool real = f->proto->type == TYPE(DOUBLE) || f->proto->type == TYPE(FLOAT);
	bool small = f->proto->type == TYPE(INT32) || f->proto->type == TYPE(SINT32);

	put_text(schema, "type", real ? "number" : "integer");
	put_text(schema, "format", real ? "double" : small ? "int32" : "int64");
	if (r->format == PARLEY__FORMAT__ID) {
		put_int(schema, "minimum", 1);
		put_int(schema, "maximum", LARGEST_ID);
	}
	if (r->has_minimum)
		put_number(schema, "minimum", r->minimum);
	if (r->has_maximum)
		put_number(schema, "maximum", r->maximum);
}

static void enum_schema(const struct field *f, json_object *schema)
{
	json_object *list;

	put_text(schema, "type", "string");
	list = put(schema, "enum", json_object_new_array());
	for (size_t i = 0; i < f->words->count; i++)
		json_object_array_add(list, json_object_new_string(f->words->words[i]));
}

/* An object that may have any members, so that typed clients let them through. */
static void open_schema(json_object *schema)
{
	put_text(schema, "type", "object");
	put(schema, "additionalProperties", json_object_new_boolean(true));
}

/* Known keys of a free object; those that an answer always holds are marked (`present`). */
static json_object *free_object(struct openapi *o, const struct message *known, enum flavour flavour)
{
	json_object *reference = schema_reference(o, known, given_out(flavour) ? KEPT : REQUEST);
	const char *at = json_object_get_string(json_object_object_get(reference, "$ref"));

	open_schema(json_object_object_get(o->schemas, strrchr(at, '/') + 1));
	return reference;
}

/* Of one value: what an array has many of. */
static json_object *value_schema(struct openapi *o, const struct field *f, enum flavour flavour)
{
	json_object *schema;

	if (f->sub)
		return schema_reference(o, f->sub, flavour == KEPT ? ANSWER : flavour);
	if (f->like)
		return free_object(o, f->like, flavour);
	schema = json_object_new_object();
	switch (f->proto->type) {
	case TYPE(STRING):
		if (f->rule->format == PARLEY__FORMAT__OBJECT)
			open_schema(schema);
		else if (f->rule->format != PARLEY__FORMAT__VALUE) /* anything at all has no constraint */
			text_schema(o, f, flavour, schema);
		break;
	case TYPE(BOOL): put_text(schema, "type", "boolean"); break;
	case TYPE(ENUM): enum_schema(f, schema); break;
	case TYPE(BYTES): mistake(o->model, f->name, "is public, and bytes have no JSON form"); break;
	default: number_schema(f, schema); break;
	}
	return schema;
}

/* The same, or null. */
static json_object *nullable(json_object *schema)
{
	json_object *type, *words, *either;

	if (json_object_object_get_ex(schema, "$ref", NULL)) {
		either = json_object_new_array();
		json_object_array_add(either, schema);
		json_object_array_add(either, json_object_new_object());
		put_text(json_object_array_get_idx(either, 1), "type", "null");
		schema = json_object_new_object();
		put(schema, "anyOf", either);
	} else if (json_object_object_get_ex(schema, "type", &type)) {
		either = json_object_new_array();
		json_object_array_add(either, json_object_get(type));
		json_object_array_add(either, json_object_new_string("null"));
		put(schema, "type", either);
		if (json_object_object_get_ex(schema, "enum", &words))
			json_object_array_add(words, NULL);
	}
	return schema;
}

/* Taken in, null is as good as absent; in an answer it is what absent fields become, but for arrays. */
static bool may_be_null(const struct field *f, enum flavour flavour)
{
	if (f->rule->required || flavour == PARAMETER || (f->rule->present && given_out(flavour)))
		return false;
	return flavour == REQUEST || flavour == KEPT || !(f->repeated || f->rule->omit_absent);
}

json_object *schema_of_field(struct openapi *o, const struct field *f, enum flavour flavour)
{
	json_object *schema = value_schema(o, f, flavour), *array;

	if (f->repeated) {
		array = json_object_new_object();
		put_text(array, "type", "array");
		put(array, "items", schema);
		if (!given_out(flavour) && f->rule->max_items)
			put_int(array, "maxItems", f->rule->max_items);
		schema = array;
	}
	if (may_be_null(f, flavour))
		schema = nullable(schema);
	put_text(schema, "description", f->comment);
	if (f->rule->example) {
		array = put(schema, "examples", json_object_new_array());
		json_object_array_add(array, schema_example(f));
	}
	return schema;
}

/* In an answer all are there but those that may be left out; in a request what the rules say. */
static bool is_required(const struct field *f, enum flavour flavour)
{
	return flavour == ANSWER ? !f->rule->omit_absent
	       : flavour == KEPT ? f->rule->present
	                         : f->rule->required;
}

/* The gateway makes an answer of it by itself. */
static bool unseen(const struct field *f)
{
	return f->sub && (same(f->sub->name, "rpc.Started") || same(f->sub->name, "rpc.FilePiece"));
}

json_object *schema_of_fields(struct openapi *o, const struct message *msg, enum flavour flavour,
                              bool (*wanted)(const struct openapi *o, const struct field *f))
{
	json_object *schema = json_object_new_object(), *properties, *required = json_object_new_array();

	put_text(schema, "type", "object");
	put_text(schema, "description", msg->comment);
	properties = put_object(schema, "properties");
	for (size_t i = 0; i < msg->field_count; i++) {
		const struct field *f = &msg->fields[i];

		if ((wanted && !wanted(o, f)) || unseen(f))
			continue;
		put(properties, f->json_name, schema_of_field(o, f, flavour));
		if (is_required(f, flavour))
			json_object_array_add(required, json_object_new_string(f->json_name));
	}
	if (json_object_array_length(required))
		put(schema, "required", required);
	else
		json_object_put(required);
	return schema;
}

bool schema_from_body(const struct openapi *o, const struct field *f)
{
	(void)o;
	return f->rule->source == PARLEY__SOURCE__BODY && !f->rule->resets;
}

const char *schema_name(struct openapi *o, const struct message *msg, const char *suffix)
{
	const char *dot = strrchr(msg->name, '.'), *name = msg->schema ? msg->schema
	                                                   : dot       ? dot + 1
	                                                               : msg->name;
	json_object *known;

	name = arena_printf(o->model->arena, "%s%s", name, suffix);
	if (!json_object_object_get_ex(o->named, name, &known))
		put_text(o->named, name, msg->name);
	else if (!same(json_object_get_string(known), msg->name))
		mistake(
		    o->model, msg->name,
		    "and %s are both called %s in openapi.json: (parley.schema) gives one of them another name",
		    json_object_get_string(known), name);
	return name;
}

json_object *schema_reference(struct openapi *o, const struct message *msg, enum flavour flavour)
{
	bool both = flavour == REQUEST && json_object_object_get_ex(o->answers, msg->name, NULL);
	const char *name = schema_name(o, msg, both ? "Input" : "");
	json_object *reference = json_object_new_object();

	put_text(reference, "$ref", arena_printf(o->model->arena, "#/components/schemas/%s", name));
	if (json_object_object_get_ex(o->schemas, name, NULL))
		return reference;
	put(o->schemas, name, NULL); /* its place, in case it refers to itself */
	put(o->schemas, name,
	    schema_of_fields(o, msg, flavour, flavour == REQUEST ? schema_from_body : NULL));
	return reference;
}

json_object *schema_example(const struct field *f)
{
	const char *text = f->rule->example;
	bool string = f->proto->type == TYPE(STRING);

	if (!text && f->rule->one_of)
		return json_object_new_string_len(f->rule->one_of, (int)strcspn(f->rule->one_of, "|"));
	if (!text && f->rule->format == PARLEY__FORMAT__UUID)
		text = "01890a5d-ac96-774b-bcce-b302099a8057";
	if (!text && f->words)
		text = f->words->words[0];
	if (text && (string || f->words))
		return json_object_new_string(text);
	if (string)
		return json_object_new_string("example");
	if (f->proto->type == TYPE(BOOL))
		return json_object_new_boolean(!text || same(text, "true"));
	return json_object_new_int64(text                   ? strtoll(text, NULL, 10)
	                             : f->rule->minimum > 1 ? (int64_t)f->rule->minimum
	                                                    : 1);
}
