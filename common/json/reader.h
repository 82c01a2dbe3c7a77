/*
 * reader: JSON values into the fields of a message, judged by their rules. For json_message.c alone.
 */
#ifndef PARLEY_JSON_READER_H
#define PARLEY_JSON_READER_H

#include "common/base/error.h"
#include "common/json/json.h"
#include "common/json/shape.h"

struct reader {
	struct arena *arena;
	struct error *err;
	const char *where; /* "body", "path", ... */
	int bad;           /* fields refused so far */
};

/* Where in the request we are; becomes text only when something is wrong: "chatHistory.3.content". */
struct place {
	const struct place *up;
	const char *name; /* NULL: an item of an array */
	size_t index;
};

const char *place_text(const struct place *p, struct arena *a); /* "" for NULL: the whole body */

/* Records the bad field and returns -1. */
int reader_refuse(struct reader *r, const struct place *p, const char *type, const char *msg);

/* A JSON number or truth value, as it stands; anything else is a string, which the reader refuses in its own words. */
json_object *reader_literal(const char *text, size_t length);

/* The value is not null. What is wrong is counted in r->bad. */
void reader_field(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                  const struct shape_field *f, json_object *value, ProtobufCMessage *msg);

/* The same behind the items that are there already, for arrays that come one by one (a query). */
void reader_array(struct reader *r, const struct place *p, const ProtobufCFieldDescriptor *d,
                  const struct shape_field *f, json_object *array, ProtobufCMessage *msg);

/* Every member that is a field: -1 when one was refused. A number or truth value that came as text becomes what it says, in
 * the object too. */
int reader_object(struct reader *r, const struct place *p, const struct shape *shape, json_object *object,
                  ProtobufCMessage *msg);

#endif
