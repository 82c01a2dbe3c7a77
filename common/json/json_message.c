#include "common/json/json_message.h"

#include <assert.h>
#include <string.h>

#include "common/json/message.h"
#include "common/json/reader.h"

const struct shape_field *shape_find(const struct shape *shape, const char *json_name, unsigned *index)
{
	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		const struct shape_field *f = &shape->fields[i];
		bool found = !strcmp(f->json_name, json_name);

		for (const char *const *alias = f->aliases; !found && alias && *alias; alias++)
			found = !strcmp(*alias, json_name);
		if (found) {
			*index = i;
			return f;
		}
	}
	return NULL;
}

int json_to_message(json_object *object, const struct shape *shape, ProtobufCMessage *msg, struct arena *a,
                    struct error *err)
{
	struct reader r = { .arena = a, .err = err, .where = "body" };

	return reader_object(&r, NULL, shape, object, msg);
}

int json_to_field(json_object *value, const struct shape *shape, const char *json_name, ProtobufCMessage *msg,
                  struct arena *a, struct error *err)
{
	struct reader r = { .arena = a, .err = err, .where = "body" };
	unsigned index;
	const struct shape_field *f = shape_find(shape, json_name, &index);

	assert(f); /* the generator has seen to it */
	reader_field(&r, NULL, &shape->message->fields[index], f, value, msg);
	return r.bad ? -1 : 0;
}

/* --- Text: made the JSON value that it stands for, then read as that ------------------------------------------------ */

static json_object *from_text(const ProtobufCFieldDescriptor *d, const struct shape_field *f,
                              const char *text, size_t length)
{
	struct error ignored = { 0 };
	json_object *value = NULL;

	if (d->type == PROTOBUF_C_TYPE_MESSAGE || f->format == FORMAT_OBJECT || f->format == FORMAT_VALUE) {
		if (json_parse(text, length, &value, &ignored) == 0)
			return value;
	} else if (d->type != PROTOBUF_C_TYPE_STRING && d->type != PROTOBUF_C_TYPE_ENUM) {
		return reader_literal(text, length);
	}
	return json_object_new_string_len(text, (int)length);
}

static bool comes_from(const struct shape_field *f, const char *where)
{
	if (!strcmp(where, "gateway"))
		return true;
	if (f->resets)
		return false;
	switch (f->source) {
	case SOURCE_BODY: return strcmp(where, "header") != 0;
	case SOURCE_QUERY: return !strcmp(where, "query");
	case SOURCE_HEADER: return !strcmp(where, "header");
	default: return false;
	}
}

int json_field_from_text(const struct shape *shape, const char *json_name, const char *text, size_t length,
                         const char *where, ProtobufCMessage *msg, struct arena *a, struct error *err)
{
	struct error own = { 0 };
	struct reader r = { .arena = a, .err = err, .where = where };
	struct place p = { NULL, json_name, 0 };
	bool in_path = !strcmp(where, "path");
	const ProtobufCFieldDescriptor *d;
	const struct shape_field *f;
	unsigned index;
	OWN(json) json_object *value = NULL;

	f = shape_find(shape, json_name, &index);
	if (!f || !comes_from(f, where))
		return 0;
	d = &shape->message->fields[index];
	if (in_path && (f->format == FORMAT_UUID || f->format == FORMAT_ID))
		r.err = &own;
	value = from_text(d, f, text, length);
	if (!utf8_valid(text, length)) {
		reader_refuse(&r, &p, "type_error", "must be UTF-8 text");
	} else if (d->label == PROTOBUF_C_LABEL_REPEATED) {
		OWN(json) json_object *array = json_object_new_array();

		json_object_array_add(array, TAKE(value));
		reader_array(&r, &p, d, f, array, msg);
	} else {
		reader_field(&r, &p, d, f, value, msg);
	}
	if (own.code)
		return error_set(err, ERROR_NOT_FOUND, "there is no %s like this", json_name);
	return r.bad ? -1 : 0;
}

/* --- What is missing ------------------------------------------------------------------------------------------------ */

static const char *source_name(enum source source)
{
	return source == SOURCE_QUERY ? "query" : source == SOURCE_HEADER ? "header" : "body";
}

/* Was that field refused, something in it, or what it is in? */
static bool told_already(const struct error *err, const char *field)
{
	for (const struct field_error *bad = err->fields; bad; bad = bad->next) {
		size_t n = 0;

		while (field[n] && field[n] == bad->field[n])
			n++;
		if ((!field[n] || field[n] == '.' || !*bad->field) &&
		    (!bad->field[n] || bad->field[n] == '.'))
			return true;
	}
	return false;
}

static void check_message(struct reader *r, const struct place *up, const struct shape *shape,
                          const ProtobufCMessage *msg)
{
	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		const ProtobufCFieldDescriptor *d = &shape->message->fields[i];
		const struct shape_field *f = &shape->fields[i];
		struct place p = { up, f->json_name, 0 };
		bool many = d->label == PROTOBUF_C_LABEL_REPEATED;
		size_t count = many ? slot_count(msg, d) : slot_filled(msg, d);
		bool given = count || (many && *(void *const *)slot_at(msg, d));
		ProtobufCMessage *const *subs =
		    many ? *(ProtobufCMessage ***)slot_at(msg, d) : slot_at(msg, d);

		if (f->required && !given && !told_already(r->err, place_text(&p, r->arena))) {
			r->where = source_name(f->source);
			reader_refuse(r, &p, "missing", "is required");
		}
		for (size_t j = 0; d->type == PROTOBUF_C_TYPE_MESSAGE && j < count; j++) {
			struct place item = { &p, NULL, j };

			if (subs[j])
				check_message(r, many ? &item : &p, f->sub, subs[j]);
		}
	}
}

int json_message_check(const struct shape *shape, const ProtobufCMessage *msg, struct arena *a,
                       struct error *err)
{
	struct reader r = { .arena = a, .err = err };

	check_message(&r, NULL, shape, msg);
	return r.bad ? -1 : 0;
}
