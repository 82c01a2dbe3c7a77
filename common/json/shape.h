/*
 * shape: the JSON side of a message: the names and rules of its fields. Generated; see proto/http.proto.
 *
 * shape->fields[i] belongs to shape->message->fields[i]. A field keeps the meaning of its rule even where
 * protobuf-c has no word for it.
 */
#ifndef PARLEY_SHAPE_H
#define PARLEY_SHAPE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/* The words of parley.Format and parley.Source (proto/http.proto). */
enum format {
	FORMAT_ANY,
	FORMAT_EMAIL,
	FORMAT_UUID,
	FORMAT_URL,
	FORMAT_TIME,
	FORMAT_ID,
	FORMAT_OBJECT,
	FORMAT_VALUE,
	FORMAT_SECRET, /* any text: only openapi.json tells of it */
	FORMAT_CURSOR
};
enum source { SOURCE_BODY, SOURCE_QUERY, SOURCE_HEADER, SOURCE_NOWHERE };

struct shape;

struct shape_field {
	const char *json_name;
	const char *const *aliases; /* ends with NULL; NULL when there are none */
	const struct shape *sub;    /* of a message field, or of `like`; else NULL */
	const char *one_of;         /* "slack|website", or NULL */
	enum format format;
	enum source source;
	bool required, resets, omit_absent, trim;
	bool has_minimum, has_maximum;
	int32_t min_length, max_length, max_items; /* 0: the default */
	double minimum, maximum;
};

struct shape {
	const ProtobufCMessageDescriptor *message;
	const struct shape_field *fields;
};

#endif
