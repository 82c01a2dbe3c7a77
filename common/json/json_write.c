#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json_message.h"
#include "common/json/json_write.h"
#include "common/json/message.h"

static void write_whole(struct text *out, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[20], *at = digits + sizeof digits;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		text_addc(out, '-');
	text_add(out, at, (size_t)(digits + sizeof digits - at));
}

/* The shortest form that reads back as the same number: 15 digits do for most doubles, 6 for most floats. */
static void write_real(struct text *out, double value, bool single)
{
	char digits[40];
	bool same = false;

	if (!isfinite(value)) {
		text_adds(out, "null");
		return;
	}
	for (int precision = single ? 6 : 15; !same; precision++) {
		snprintf(digits, sizeof digits, "%.*g", precision, value);
		same = single ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value;
	}
	text_adds(out, digits);
}

static void write_enum(struct text *out, const ProtobufCEnumDescriptor *type, int32_t value)
{
	const ProtobufCEnumValue *word = protobuf_c_enum_descriptor_get_value(type, value);

	if (!word) {
		text_adds(out, "null");
		return;
	}
	text_addc(out, '"');
	for (const char *c = word->name; *c; c++)
		text_addc(out, (char)(*c >= 'A' && *c <= 'Z' ? *c | 32 : *c));
	text_addc(out, '"');
}

static void write_string(struct text *out, const struct shape_field *f, const char *value)
{
	if (!value || (!*value && (f->format == FORMAT_OBJECT || f->format == FORMAT_VALUE)))
		text_adds(out, "null");
	else if (f->format == FORMAT_OBJECT || f->format == FORMAT_VALUE)
		text_adds(out, value);
	else
		text_add_json(out, value, strlen(value));
}

static void write_value(struct text *out, const ProtobufCFieldDescriptor *d, const struct shape_field *f,
                        const void *at)
{
	switch (d->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32: write_whole(out, *(const int32_t *)at); break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32: write_whole(out, *(const uint32_t *)at); break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64: /* of ours; none is that large */
	case PROTOBUF_C_TYPE_FIXED64: write_whole(out, *(const int64_t *)at); break;
	case PROTOBUF_C_TYPE_FLOAT: write_real(out, *(const float *)at, true); break;
	case PROTOBUF_C_TYPE_DOUBLE: write_real(out, *(const double *)at, false); break;
	case PROTOBUF_C_TYPE_BOOL: text_adds(out, *(const protobuf_c_boolean *)at ? "true" : "false"); break;
	case PROTOBUF_C_TYPE_ENUM: write_enum(out, d->descriptor, *(const int32_t *)at); break;
	case PROTOBUF_C_TYPE_STRING: write_string(out, f, *(const char *const *)at); break;
	case PROTOBUF_C_TYPE_MESSAGE: json_from_message(out, f->sub, *(ProtobufCMessage *const *)at); break;
	case PROTOBUF_C_TYPE_BYTES: text_adds(out, "null"); break;
	}
}

static void write_field(struct text *out, const ProtobufCFieldDescriptor *d, const struct shape_field *f,
                        const ProtobufCMessage *msg)
{
	if (d->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t size = slot_size(d->type), count = slot_count(msg, d);
		const char *items = *(const char *const *)slot_at(msg, d);

		text_addc(out, '[');
		for (size_t i = 0; i < count; i++) {
			if (i)
				text_addc(out, ',');
			write_value(out, d, f, items + i * size);
		}
		text_addc(out, ']');
	} else if (slot_filled(msg, d)) {
		write_value(out, d, f, slot_at(msg, d));
	} else {
		text_adds(out, "null");
	}
}

static bool left_out(const ProtobufCFieldDescriptor *d, const struct shape_field *f,
                     const ProtobufCMessage *msg)
{
	if (!f->omit_absent)
		return false;
	return d->label == PROTOBUF_C_LABEL_REPEATED ? !slot_count(msg, d) : !slot_filled(msg, d);
}

void json_from_message(struct text *out, const struct shape *shape, const ProtobufCMessage *msg)
{
	char before = '{';

	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		const ProtobufCFieldDescriptor *d = &shape->message->fields[i];
		const struct shape_field *f = &shape->fields[i];

		if (left_out(d, f, msg))
			continue;
		text_addc(out, before);
		text_addc(out, '"');
		text_adds(out, f->json_name);
		text_add(out, "\":", 2);
		write_field(out, d, f, msg);
		before = ',';
	}
	text_adds(out, before == '{' ? "{}" : "}");
}

void json_from_field(struct text *out, const struct shape *shape, const ProtobufCMessage *msg,
                     const char *json_name)
{
	unsigned index;
	const struct shape_field *f = shape_find(shape, json_name, &index);

	if (f)
		write_field(out, &shape->message->fields[index], f, msg);
}
