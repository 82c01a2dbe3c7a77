#include "common/json/reader.h"

#include <math.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/json/format.h"
#include "common/json/message.h"

enum {
	DEFAULT_MAX_LENGTH = 65536,
	DEFAULT_MAX_ITEMS = 1000,
	MAX_COMPLAINTS = 100, /* after so many bad fields the rest is not told */
};

#define LARGEST_ID 9007199254740991.0 /* 2^53 - 1 */

const char *place_text(const struct place *p, struct arena *a)
{
	const char *before = p && p->up ? place_text(p->up, a) : "";
	const char *dot = *before ? "." : "";

	if (!p)
		return "";
	return p->name ? arena_printf(a, "%s%s%s", before, dot, p->name)
	               : arena_printf(a, "%s%s%zu", before, dot, p->index);
}

int reader_refuse(struct reader *r, const struct place *p, const char *type, const char *msg)
{
	if (!p)
		error_set(r->err, ERROR_INVALID, "the body %s", msg);
	if (r->bad++ < MAX_COMPLAINTS)
		return error_field(r->err, r->arena, r->where, place_text(p, r->arena), type, "%s", msg);
	return -1;
}

/* --- Values: 0 with the slot filled, or -1 and the field is refused ---------------------------------------------- */

static int check_range(struct reader *r, const struct place *p, const struct shape_field *f, double value)
{
	if (f->format == FORMAT_ID && (value < 1 || value > LARGEST_ID))
		return reader_refuse(r, p, "value_error", "must be an id: a whole number from 1 on");
	if (f->has_minimum && value < f->minimum)
		return reader_refuse(r, p, "value_error",
		                     arena_printf(r->arena, "must be at least %.15g", f->minimum));
	if (f->has_maximum && value > f->maximum)
		return reader_refuse(r, p, "value_error",
		                     arena_printf(r->arena, "must be at most %.15g", f->maximum));
	return 0;
}

static int read_real(struct reader *r, const struct place *p, const struct shape_field *f, json_object *value,
                     double *ret)
{
	if (!json_object_is_type(value, json_type_double) && !json_object_is_type(value, json_type_int))
		return reader_refuse(r, p, "type_error", "must be a number");
	*ret = json_object_get_double(value);
	return check_range(r, p, f, *ret);
}

/* A whole number may be written 5 or 5.0, but not 5.5. */
static int read_whole(struct reader *r, const struct place *p, const struct shape_field *f,
                      json_object *value, int64_t least, int64_t most, int64_t *ret)
{
	if (json_object_is_type(value, json_type_int)) {
		*ret = json_object_get_int64(value);
	} else {
		double real =
		    json_object_is_type(value, json_type_double) ? json_object_get_double(value) : 0.5;

		if (real != floor(real))
			return reader_refuse(r, p, "type_error", "must be a whole number");
		if (fabs(real) > LARGEST_ID)
			return reader_refuse(r, p, "value_error", real > 0 ? "is too large" : "is too small");
		*ret = (int64_t)real;
	}
	if (*ret < least || *ret > most)
		return reader_refuse(r, p, "value_error", *ret > most ? "is too large" : "is too small");
	return check_range(r, p, f, (double)*ret);
}

static int read_enum(struct reader *r, const struct place *p, const ProtobufCEnumDescriptor *type,
                     json_object *value, int32_t *ret)
{
	const char *word = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
	struct text words;

	for (unsigned i = 0; i < type->n_values; i++) {
		const char *name = type->values[i].name;
		size_t n = 0;

		while (name[n] && word[n] == (name[n] >= 'A' && name[n] <= 'Z' ? name[n] | 32 : name[n]))
			n++;
		if (!name[n] && !word[n]) {
			*ret = type->values[i].value;
			return 0;
		}
	}
	text_init(&words, r->arena);
	for (unsigned i = 0; i < type->n_values; i++)
		text_addf(&words, "%s%s", i ? ", " : "", type->values[i].name);
	for (char *c = words.at; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 32 : *c);
	return reader_refuse(r, p, "value_error", arena_printf(r->arena, "must be one of %s", words.at));
}

static int check_format(struct reader *r, const struct place *p, const struct shape_field *f, char *text,
                        size_t length)
{
	switch (f->format) {
	case FORMAT_EMAIL:
		return format_email(text, length)
		           ? 0
		           : reader_refuse(r, p, "value_error", "must be an e-mail address");
	case FORMAT_UUID:
		if (!uuid_valid(text))
			return reader_refuse(r, p, "value_error", "must be a UUID");
		for (char *c = text; *c; c++) /* one way to write it, as PostgreSQL does */
			*c = (char)(*c >= 'A' && *c <= 'F' ? *c | 32 : *c);
		return 0;
	case FORMAT_URL:
		return format_url(text, length)
		           ? 0
		           : reader_refuse(r, p, "value_error", "must be an http or https address");
	case FORMAT_TIME:
		return format_time(text, length)
		           ? 0
		           : reader_refuse(r, p, "value_error", "must be a time like 2025-01-15T10:30:00Z");
	case FORMAT_CURSOR:
		return format_cursor(text, length) ? 0
		                                   : reader_refuse(r, p, "value_error", "is not one of ours");
	default: return 0;
	}
}

static int read_text(struct reader *r, const struct place *p, const struct shape_field *f, json_object *value,
                     char **ret)
{
	const char *text;
	size_t length, characters, most = f->max_length ? (size_t)f->max_length : DEFAULT_MAX_LENGTH;

	if (!json_object_is_type(value, json_type_string))
		return reader_refuse(r, p, "type_error", "must be a string");
	text = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	if (f->trim)
		format_trim(&text, &length);
	characters = format_blank(text, length) ? 0 : utf8_length(text, length);
	if (characters < (size_t)f->min_length)
		return reader_refuse(
		    r, p, "value_error",
		    f->min_length == 1 || !characters
		        ? "must not be empty"
		        : arena_printf(r->arena, "must have at least %d characters", f->min_length));
	if (characters > most)
		return reader_refuse(r, p, "value_error",
		                     arena_printf(r->arena, "must have at most %zu characters", most));
	if (f->one_of && !format_word(f->one_of, text, length)) {
		struct text words;

		text_init(&words, r->arena);
		for (const char *c = f->one_of; *c; c++)
			text_add(&words, *c == '|' ? ", " : c, *c == '|' ? 2 : 1);
		return reader_refuse(r, p, "value_error",
		                     arena_printf(r->arena, "must be one of %s", words.at));
	}
	*ret = arena_strndup(r->arena, text, length);
	return check_format(r, p, f, *ret, length);
}

/* Free JSON, kept as text. Known keys are checked by reading them into a message that is then forgotten. */
static int read_json(struct reader *r, const struct place *p, const struct shape_field *f, json_object *value,
                     char **ret)
{
	size_t most = f->max_length ? (size_t)f->max_length : DEFAULT_MAX_LENGTH;

	if (f->format == FORMAT_OBJECT && !json_object_is_type(value, json_type_object))
		return reader_refuse(r, p, "type_error", "must be an object");
	if (f->sub && reader_object(r, p, f->sub, value, message_new(f->sub->message, r->arena)) < 0)
		return -1;
	*ret = json_print(value, r->arena);
	if (strlen(*ret) > most)
		return reader_refuse(r, p, "value_error",
		                     arena_printf(r->arena, "must have at most %zu bytes", most));
	return 0;
}

static int read_value(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                      const struct shape_field *f, json_object *value, union slot *slot)
{
	switch (d->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		if (read_whole(r, p, f, value, INT32_MIN, INT32_MAX, &slot->i64) < 0)
			return -1;
		slot->i32 = (int32_t)slot->i64;
		return 0;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (read_whole(r, p, f, value, 0, UINT32_MAX, &slot->i64) < 0)
			return -1;
		slot->u32 = (uint32_t)slot->i64;
		return 0;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return read_whole(r, p, f, value, INT64_MIN, INT64_MAX, &slot->i64);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return read_whole(r, p, f, value, 0, INT64_MAX, &slot->i64);
	case PROTOBUF_C_TYPE_FLOAT:
		if (read_real(r, p, f, value, &slot->real) < 0)
			return -1;
		slot->real32 = (float)slot->real;
		return 0;
	case PROTOBUF_C_TYPE_DOUBLE: return read_real(r, p, f, value, &slot->real);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return reader_refuse(r, p, "type_error", "must be true or false");
		slot->flag = json_object_get_boolean(value);
		return 0;
	case PROTOBUF_C_TYPE_ENUM: return read_enum(r, p, d->descriptor, value, &slot->i32);
	case PROTOBUF_C_TYPE_STRING:
		return f->format == FORMAT_OBJECT || f->format == FORMAT_VALUE
		           ? read_json(r, p, f, value, &slot->text)
		           : read_text(r, p, f, value, &slot->text);
	case PROTOBUF_C_TYPE_MESSAGE:
		slot->message = message_new(d->descriptor, r->arena);
		return reader_object(r, p, f->sub, value, slot->message);
	case PROTOBUF_C_TYPE_BYTES: break;
	}
	return reader_refuse(r, p, "type_error", "cannot be given in JSON");
}

/* --- Fields -------------------------------------------------------------------------------------------------------- */

static bool same_value(ProtobufCType type, const union slot *a, const void *b)
{
	if (type == PROTOBUF_C_TYPE_STRING)
		return !strcmp(a->text, *(char *const *)b);
	return type != PROTOBUF_C_TYPE_MESSAGE && !memcmp(a, b, slot_size(type));
}

static void fill(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *d, const union slot *value)
{
	memcpy(slot_at(msg, d), value, slot_size(d->type));
	if (d->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)slot_quantifier(msg, d) = d->id;
	else if (d->label == PROTOBUF_C_LABEL_OPTIONAL && !slot_is_pointer(d->type))
		*(protobuf_c_boolean *)slot_quantifier(msg, d) = 1;
}

static void read_single(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                        const struct shape_field *f, json_object *value, ProtobufCMessage *msg)
{
	union slot slot = { 0 };

	if (read_value(r, p, d, f, value, &slot) < 0 && d->type != PROTOBUF_C_TYPE_MESSAGE)
		return; /* a message is kept, so that what is missing in it is told too */
	if (!slot_filled(msg, d))
		fill(msg, d, &slot);
	else if (!same_value(d->type, &slot, slot_at(msg, d)))
		reader_refuse(r, p, "value_error", "is given twice, with different values");
}

/* The items of an array behind those that are there already. */
void reader_array(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                  const struct shape_field *f, json_object *array, ProtobufCMessage *msg)
{
	size_t size = slot_size(d->type), before = slot_count(msg, d), more, most;
	char *items;

	if (!json_object_is_type(array, json_type_array)) {
		reader_refuse(r, p, "type_error", "must be an array");
		return;
	}
	more = json_object_array_length(array);
	most = f->max_items ? (size_t)f->max_items : DEFAULT_MAX_ITEMS;
	if (before + more > most) {
		reader_refuse(r, p, "value_error",
		              arena_printf(r->arena, "must have at most %zu items", most));
		return;
	}
	items = arena_array(r->arena, size, before + more);
	if (before)
		memcpy(items, *(void **)slot_at(msg, d), before * size);
	for (size_t i = 0; i < more; i++) {
		struct place item = { p, NULL, i };
		union slot slot = { 0 };

		if (read_value(r, &item, d, f, json_object_array_get_idx(array, i), &slot) < 0 &&
		    d->type != PROTOBUF_C_TYPE_MESSAGE)
			continue; /* nobody will look at the gap */
		memcpy(items + (before + i) * size, &slot, size);
	}
	*(void **)slot_at(msg, d) = items;
	*(size_t *)slot_quantifier(msg, d) = before + more;
}

void reader_field(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                  const struct shape_field *f, json_object *value, ProtobufCMessage *msg)
{
	if (d->label != PROTOBUF_C_LABEL_REPEATED)
		read_single(r, p, d, f, value, msg);
	else if (slot_count(msg, d))
		reader_refuse(r, p, "value_error", "is given twice");
	else
		reader_array(r, p, d, f, value, msg);
}

/* --- Objects ------------------------------------------------------------------------------------------------------- */

struct resets {
	const char **names;
	size_t count;
};

static void keep_resets(const struct shape *shape, ProtobufCMessage *msg, const struct resets *resets)
{
	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		const ProtobufCFieldDescriptor *d = &shape->message->fields[i];

		if (!shape->fields[i].resets)
			continue;
		*(const char ***)slot_at(msg, d) = resets->names;
		*(size_t *)slot_quantifier(msg, d) = resets->count;
	}
}

json_object *reader_literal(const char *text, size_t length)
{
	struct error ignored = { 0 };
	json_object *value = NULL;

	if (length && strchr("-0123456789tf", *text) && json_parse(text, length, &value, &ignored) == 0)
		return value;
	return json_object_new_string_len(text, (int)length);
}

static bool is_text_in_json(const ProtobufCFieldDescriptor *d)
{
	return d->type == PROTOBUF_C_TYPE_STRING || d->type == PROTOBUF_C_TYPE_ENUM ||
	       d->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* A number or a truth value may be given as text that is exactly one, since forms have nothing but text. */
static json_object *unquoted(const ProtobufCFieldDescriptor *d, const char *name, json_object *object,
                             json_object *value)
{
	json_object *plain;

	if (!json_object_is_type(value, json_type_string) || is_text_in_json(d))
		return value;
	plain = reader_literal(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	json_object_object_add(object, name, plain);
	return plain;
}

/* One field, under its name or an alias. */
static void read_member(struct reader *r, const struct place *up, const ProtobufCFieldDescriptor *d,
                        const struct shape_field *f, const char *name, json_object *object,
                        ProtobufCMessage *msg, struct resets *resets)
{
	struct place p = { up, name, 0 };
	json_object *value;
	bool empty;

	if (!json_object_object_get_ex(object, name, &value))
		return;
	empty = !value || (d->label == PROTOBUF_C_LABEL_REPEATED &&
	                   json_object_is_type(value, json_type_array) && !json_object_array_length(value));
	if (empty && value && f->required && !f->min_length) /* given, though it holds nothing */
		*(void **)slot_at(msg, d) = arena_alloc(r->arena, 1);
	if (!empty)
		reader_field(r, &p, d, f, unquoted(d, name, object, value), msg);
	else if (resets->names && (!resets->count || resets->names[resets->count - 1] != f->json_name))
		resets->names[resets->count++] = f->json_name;
}

static bool has_resets(const struct shape *shape)
{
	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		if (shape->fields[i].resets)
			return true;
	}
	return false;
}

int reader_object(struct reader *r, const struct place *p, const struct shape *shape, json_object *object,
                  ProtobufCMessage *msg)
{
	unsigned fields = shape->message->n_fields;
	struct resets resets = { 0 };
	int before = r->bad;

	if (!json_object_is_type(object, json_type_object))
		return reader_refuse(r, p, "type_error", "must be an object");
	if (has_resets(shape))
		resets.names = arena_new(r->arena, const char *, fields);
	for (unsigned i = 0; i < fields; i++) {
		const struct shape_field *f = &shape->fields[i];
		const ProtobufCFieldDescriptor *d = &shape->message->fields[i];

		if (f->source != SOURCE_BODY || f->resets)
			continue;
		read_member(r, p, d, f, f->json_name, object, msg, &resets);
		for (const char *const *alias = f->aliases; alias && *alias; alias++)
			read_member(r, p, d, f, *alias, object, msg, &resets);
	}
	if (resets.names)
		keep_resets(shape, msg, &resets);
	return r->bad > before ? -1 : 0;
}
