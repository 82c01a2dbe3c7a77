/*
 * Envelopes from anybody who reaches the port. The first byte chooses request or reply, the rest is the message; a
 * signature is made for it, since without one nothing behind the MAC would ever be looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "common/rpc/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char key[KEY_SIZE], unbound[MAC_SIZE];
	const ProtobufCMessageDescriptor *type;
	unsigned char *bytes, *again;
	struct error err = { 0 };
	ProtobufCMessage *msg;
	struct arena a;

	if (!size)
		return 0;
	type = data[0] & 1 ? &rpc__reply__descriptor : &rpc__request__descriptor;
	arena_init(&a, 1 << 20);
	/* As it came: refused, whatever it is. */
	if (envelope_open(type, key, NULL, data, size, &a, &err))
		abort();
	bytes = malloc(MAC_SIZE + size - 1);
	memcpy(bytes + MAC_SIZE, data + 1, size - 1);
	mac_sha256(key, unbound, MAC_SIZE, bytes + MAC_SIZE, size - 1, bytes);
	msg = envelope_open(type, key, NULL, bytes, MAC_SIZE + size - 1, &a, &err);
	if (msg) { /* what was read can be sent on */
		size_t packed = envelope_size(msg);

		again = malloc(packed);
		envelope_seal(msg, key, NULL, again, packed);
		free(again);
	}
	free(bytes);
	arena_done(&a);
	return 0;
}
