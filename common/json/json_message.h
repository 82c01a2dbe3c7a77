/*
 * json_message: JSON is a view of the messages; this is the way in, json_write.h the way out. Walks the descriptor and the generated shape, so that no field is
 * copied by hand and none is forgotten.
 *
 * Mapping: an absent optional field is null (or left out, by rule), repeated is [], int64 a number, an enum its
 * lower-case name; FORMAT_OBJECT and FORMAT_VALUE fields hold JSON text and are passed through. bytes have no JSON
 * form: the generator refuses them in what the public sees. Taken in, null counts as absent, unknown members are
 * ignored, and so are fields that come from elsewhere by their rule's source.
 *
 * A request is put together in this order: the path's parameters (a malformed id is a 404 at once), the query and
 * headers, the body; then json_message_check(). A field that comes twice must be the same both times. Each step records
 * every bad field and goes on, so call all of them and refuse at the end.
 */
#ifndef PARLEY_JSON_MESSAGE_H
#define PARLEY_JSON_MESSAGE_H

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/json/message.h"
#include "common/json/shape.h"

/*
 * Fill msg from a JSON object. Every bad field is recorded with error_field("body", ...), and the walk goes on:
 * -1 when there was one. Required fields are judged by json_message_check(), since path and query may fill them too.
 */
int json_to_message(json_object *object, const struct shape *shape, ProtobufCMessage *msg, struct arena *a,
                    struct error *err) CHECKED;

/* The same where the whole body is the value of one field (request_body). */
int json_to_field(json_object *value, const struct shape *shape, const char *json_name, ProtobufCMessage *msg,
                  struct arena *a, struct error *err) CHECKED;

/*
 * Fill one field from text, read by its type. where: "path", "query", "header", "body" (a form part), or "gateway" for
 * what the gateway itself knows. A repeated field takes one more. A name that is unknown or does not come from there
 * is passed over. In a path a malformed UUID or ID is ERROR_NOT_FOUND.
 */
int json_field_from_text(const struct shape *shape, const char *json_name, const char *text, size_t length,
                         const char *where, ProtobufCMessage *msg, struct arena *a,
                         struct error *err) CHECKED;

/* The field of that JSON name or alias, or NULL; *index is its place in the descriptor. */
const struct shape_field *shape_find(const struct shape *shape, const char *json_name, unsigned *index);

/* The rules that need the whole message: what is required and missing. Fields that were bad are not told again. */
int json_message_check(const struct shape *shape, const ProtobufCMessage *msg, struct arena *a,
                       struct error *err) CHECKED;

#endif
