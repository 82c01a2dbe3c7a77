/*
 * message: a new message, and where its fields lie in memory.
 */
#ifndef PARLEY_MESSAGE_H
#define PARLEY_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

/* An empty message with its defaults, in the arena. */
static inline ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *type, struct arena *a)
{
	ProtobufCMessage *msg = arena_alloc(a, type->sizeof_message);

	protobuf_c_message_init(type, msg);
	return msg;
}

/* A value of any type but bytes, which have no JSON form. */
union slot {
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	float real32;
	double real;
	protobuf_c_boolean flag;
	char *text;
	ProtobufCMessage *message;
	ProtobufCBinaryData bytes; /* never looked at; makes room */
};

static inline size_t slot_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM: return 4;
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	default: return 8;
	}
}

static inline bool slot_is_pointer(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE;
}

static inline void *slot_at(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *d)
{
	return (char *)msg + d->offset;
}

/* has_<field>, of a repeated field its count, in a oneof the number of the member that is there. */
static inline void *slot_quantifier(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *d)
{
	return (char *)msg + d->quantifier_offset;
}

static inline size_t slot_count(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *d)
{
	return *(const size_t *)slot_quantifier(msg, d);
}

/* Of a field that is not repeated: is there a value? */
static inline bool slot_filled(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *d)
{
	if (d->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && *(const uint32_t *)slot_quantifier(msg, d) != d->id)
		return false;
	if (slot_is_pointer(d->type)) {
		const void *pointer = *(void *const *)slot_at(msg, d);

		return pointer && pointer != d->default_value;
	}
	return d->flags & PROTOBUF_C_FIELD_FLAG_ONEOF || d->label != PROTOBUF_C_LABEL_OPTIONAL ||
	       *(const protobuf_c_boolean *)slot_quantifier(msg, d);
}

#endif
