/*
 * Bytes from anybody who reaches the port, or who answers for it. As they came, every reader of them refuses; then they
 * are sealed with the right key, since without it nothing behind the seal would ever be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "common/rpc/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char key[KEY_SIZE];

static void refused(const uint8_t *data, size_t size, struct arena *a)
{
	static const unsigned char sender[SESSION_SENDER];
	unsigned char proof[ENVELOPE_PROOF] = { 0 }, header[ENVELOPE_HELLO_HEADER] = { 0 },
	              *bytes = malloc(size + 1);
	struct hello_keys keys;
	struct session session = { .id = 1 };
	ProtobufCBinaryData packed;
	uint64_t replica;

	memcpy(bytes, data, size);
	hello_keys_derive(key, sender, &keys);
	if (envelope_open(ENVELOPE_REQUEST, &session, bytes, size, &packed) == 0 ||
	    envelope_open(ENVELOPE_REPLY, &session, bytes, size, &packed) == 0 ||
	    envelope_is_unknown(key, proof, bytes, size, &replica) ||
	    envelope_open_hello(key, bytes, size, &keys, a) ||
	    envelope_open_welcome(&keys, header, bytes, size, a))
		abort();
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session session = { .id = 1 };
	const ProtobufCMessageDescriptor *type;
	ProtobufCAllocator allocator;
	ProtobufCMessage *msg;
	struct arena a;

	if (!size)
		return 0;
	type = data[0] & 1 ? &rpc__reply__descriptor : &rpc__request__descriptor;
	arena_init(&a, 1 << 20);
	refused(data, size, &a);
	allocator = arena_allocator(&a);
	msg = protobuf_c_message_unpack(type, &allocator, size - 1, data + 1);
	if (msg) { /* what was read can be sent on, and read again */
		size_t packed = envelope_size(msg);
		unsigned char *again = malloc(packed);
		ProtobufCBinaryData opened;

		envelope_seal(ENVELOPE_REQUEST, &session, size, msg, again, packed);
		if (envelope_open(ENVELOPE_REQUEST, &session, again, packed, &opened) < 0)
			abort();
		free(again);
	}
	arena_done(&a);
	return 0;
}
