/*
 * json_write: messages as JSON, by their descriptor and shape; json_message.h says how each type looks.
 */
#ifndef PARLEY_JSON_WRITE_H
#define PARLEY_JSON_WRITE_H

#include "common/base/text.h"
#include "common/json/shape.h"

/* Append msg as JSON. Cannot fail: what the message holds is ours. */
void json_from_message(struct text *out, const struct shape *shape, const ProtobufCMessage *msg);

/* Append only the field of that JSON name (a list answer). */
void json_from_field(struct text *out, const struct shape *shape, const ProtobufCMessage *msg,
                     const char *json_name);

#endif
