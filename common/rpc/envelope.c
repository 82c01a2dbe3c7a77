#include "common/rpc/envelope.h"

#include <string.h>

#include "common/secret/secret.h"

/* What a request is bound to. A reply is bound to its request's MAC, so neither can be passed off as the other. */
static const unsigned char nothing[MAC_SIZE];

static void *take(void *arena, size_t size)
{
	return arena_try(arena, size);
}

static void keep(void *arena, void *piece)
{
	(void)arena;
	(void)piece; /* the arena gives back everything at once */
}

ProtobufCAllocator arena_allocator(struct arena *a)
{
	return (ProtobufCAllocator){ .alloc = take, .free = keep, .allocator_data = a };
}

size_t envelope_size(const ProtobufCMessage *msg)
{
	return MAC_SIZE + protobuf_c_message_get_packed_size(msg);
}

static void sign(const unsigned char key[KEY_SIZE], const unsigned char *bind, const unsigned char *packed,
                 size_t size, unsigned char mac[MAC_SIZE])
{
	mac_sha256(key, bind ? bind : nothing, MAC_SIZE, packed, size, mac);
}

void envelope_seal(const ProtobufCMessage *msg, const unsigned char key[KEY_SIZE], const unsigned char *bind,
                   void *out, size_t size)
{
	unsigned char *bytes = out;

	protobuf_c_message_pack(msg, bytes + MAC_SIZE);
	sign(key, bind, bytes + MAC_SIZE, size - MAC_SIZE, bytes);
}

ProtobufCMessage *envelope_open(const ProtobufCMessageDescriptor *type, const unsigned char key[KEY_SIZE],
                                const unsigned char *bind, const void *bytes, size_t size, struct arena *a,
                                struct error *err)
{
	const unsigned char *packed = (const unsigned char *)bytes + MAC_SIZE;
	ProtobufCAllocator allocator = arena_allocator(a);
	unsigned char mac[MAC_SIZE];
	ProtobufCMessage *msg;

	if (size < MAC_SIZE) {
		error_set(err, ERROR_UNAUTHENTICATED, "a message without a signature");
		return NULL;
	}
	sign(key, bind, packed, size - MAC_SIZE, mac);
	if (!mac_equal(mac, bytes, MAC_SIZE)) {
		error_set(err, ERROR_UNAUTHENTICATED, "a message signed with another key");
		return NULL;
	}
	msg = protobuf_c_message_unpack(type, &allocator, size - MAC_SIZE, packed);
	if (!msg)
		error_set(err, ERROR_MALFORMED, "a message that cannot be read");
	return msg;
}
