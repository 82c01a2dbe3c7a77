#include "common/rpc/envelope.h"

#include <string.h>

#include "common/base/id.h"

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

static void begin(unsigned char *out, enum envelope_kind kind)
{
	out[0] = ENVELOPE_VERSION;
	out[1] = (unsigned char)kind;
}

enum envelope_kind envelope_kind(const void *bytes, size_t size)
{
	static const size_t least[] = {
		[ENVELOPE_HELLO] = ENVELOPE_HELLO_HEADER + SEAL_TAG,
		[ENVELOPE_WELCOME] = ENVELOPE_WELCOME_HEADER + SEAL_TAG,
		[ENVELOPE_OTHER_KEY] = ENVELOPE_START,
		[ENVELOPE_REQUEST] = ENVELOPE_HEADER + SEAL_TAG,
		[ENVELOPE_REPLY] = ENVELOPE_HEADER + SEAL_TAG,
		[ENVELOPE_UNKNOWN] = ENVELOPE_UNKNOWN_SIZE,
	};
	const unsigned char *at = bytes;

	if (size < ENVELOPE_START || at[0] != ENVELOPE_VERSION || at[1] >= sizeof least / sizeof *least ||
	    !least[at[1]] || size < least[at[1]])
		return ENVELOPE_NONE;
	return (enum envelope_kind)at[1];
}

/* --- Requests and replies --------------------------------------------------------------------------------------------- */

static const unsigned char *key_of(enum envelope_kind kind, const struct session *session)
{
	return kind == ENVELOPE_REQUEST ? session->request : session->reply;
}

/* The counter, which is used once with each of the two keys. */
static const unsigned char *nonce_of(const void *header, unsigned char nonce[SEAL_NONCE])
{
	memset(nonce, 0, SEAL_NONCE);
	memcpy(nonce + SEAL_NONCE - 8, (const unsigned char *)header + ENVELOPE_START + 8, 8);
	return nonce;
}

size_t envelope_size(const ProtobufCMessage *msg)
{
	return ENVELOPE_HEADER + protobuf_c_message_get_packed_size(msg) + SEAL_TAG;
}

void envelope_seal(enum envelope_kind kind, const struct session *session, uint64_t counter,
                   const ProtobufCMessage *msg, void *out, size_t size)
{
	unsigned char *bytes = out, nonce[SEAL_NONCE];

	begin(bytes, kind);
	memcpy(bytes + ENVELOPE_START, &session->id, 8);
	memcpy(bytes + ENVELOPE_START + 8, &counter, 8);
	protobuf_c_message_pack(msg, bytes + ENVELOPE_HEADER);
	seal(key_of(kind, session), nonce_of(bytes, nonce), bytes, ENVELOPE_HEADER, bytes + ENVELOPE_HEADER,
	     size - ENVELOPE_HEADER - SEAL_TAG);
}

void envelope_names(const void *bytes, uint64_t *session, uint64_t *counter)
{
	memcpy(session, (const unsigned char *)bytes + ENVELOPE_START, 8);
	memcpy(counter, (const unsigned char *)bytes + ENVELOPE_START + 8, 8);
}

int envelope_open(enum envelope_kind kind, const struct session *session, void *bytes, size_t size,
                  ProtobufCBinaryData *packed)
{
	unsigned char *at = bytes, nonce[SEAL_NONCE];
	uint64_t id, counter;

	if (envelope_kind(bytes, size) != kind)
		return -1;
	envelope_names(bytes, &id, &counter);
	if (id != session->id || unseal(key_of(kind, session), nonce_of(bytes, nonce), bytes, ENVELOPE_HEADER,
	                                at + ENVELOPE_HEADER, size - ENVELOPE_HEADER) < 0)
		return -1;
	packed->data = at + ENVELOPE_HEADER;
	packed->len = size - ENVELOPE_HEADER - SEAL_TAG;
	return 0;
}

/* --- An unknown session ----------------------------------------------------------------------------------------------- */

void envelope_proof(const void *request, size_t size, unsigned char proof[ENVELOPE_PROOF])
{
	memcpy(proof, request, ENVELOPE_HEADER);
	memcpy(proof + ENVELOPE_HEADER, (const unsigned char *)request + size - SEAL_TAG, SEAL_TAG);
}

void envelope_denial_key(const unsigned char cluster_key[KEY_SIZE], unsigned char key[KEY_SIZE])
{
	static const char purpose[] = "parley rpc unknown session";

	key_derive(cluster_key, "parley", 6, purpose, sizeof purpose - 1, key);
}

void envelope_unknown(const unsigned char denial_key[KEY_SIZE], const void *request, size_t size,
                      uint64_t replica, unsigned char out[ENVELOPE_UNKNOWN_SIZE])
{
	unsigned char proof[ENVELOPE_PROOF];

	envelope_proof(request, size, proof);
	begin(out, ENVELOPE_UNKNOWN);
	memcpy(out + ENVELOPE_START, &replica, 8);
	mac_sha256(denial_key, proof, ENVELOPE_PROOF, &replica, sizeof replica, out + ENVELOPE_START + 8);
}

bool envelope_is_unknown(const unsigned char denial_key[KEY_SIZE], const unsigned char proof[ENVELOPE_PROOF],
                         const void *bytes, size_t size, uint64_t *replica)
{
	const unsigned char *at = bytes;
	unsigned char mac[MAC_SIZE];

	if (envelope_kind(bytes, size) != ENVELOPE_UNKNOWN || size != ENVELOPE_UNKNOWN_SIZE)
		return false;
	memcpy(replica, at + ENVELOPE_START, 8);
	mac_sha256(denial_key, proof, ENVELOPE_PROOF, replica, sizeof *replica, mac);
	return mac_equal(mac, at + ENVELOPE_START + 8, MAC_SIZE);
}

/* --- Hello ------------------------------------------------------------------------------------------------------------ */

void hello_keys_derive(const unsigned char cluster_key[KEY_SIZE], const unsigned char sender[SESSION_SENDER],
                       struct hello_keys *ret)
{
	static const char hello[] = "parley rpc hello", welcome[] = "parley rpc welcome";

	memcpy(ret->sender, sender, SESSION_SENDER);
	key_derive(cluster_key, sender, SESSION_SENDER, hello, sizeof hello - 1, ret->hello);
	key_derive(cluster_key, sender, SESSION_SENDER, welcome, sizeof welcome - 1, ret->welcome);
}

size_t envelope_hello_size(const Rpc__HelloRequest *msg)
{
	return ENVELOPE_HELLO_HEADER + rpc__hello_request__get_packed_size(msg) + SEAL_TAG;
}

void envelope_hello(const struct hello_keys *keys, const Rpc__HelloRequest *msg, unsigned char *out,
                    size_t size)
{
	unsigned char *nonce = out + ENVELOPE_START + SESSION_SENDER;

	begin(out, ENVELOPE_HELLO);
	memcpy(out + ENVELOPE_START, keys->sender, SESSION_SENDER);
	random_bytes(nonce, SEAL_NONCE);
	rpc__hello_request__pack(msg, out + ENVELOPE_HELLO_HEADER);
	seal(keys->hello, nonce, out, ENVELOPE_HELLO_HEADER, out + ENVELOPE_HELLO_HEADER,
	     size - ENVELOPE_HELLO_HEADER - SEAL_TAG);
}

Rpc__HelloRequest *envelope_open_hello(const unsigned char cluster_key[KEY_SIZE], void *bytes, size_t size,
                                       struct hello_keys *keys, struct arena *a)
{
	unsigned char *at = bytes;
	ProtobufCAllocator allocator = arena_allocator(a);

	if (envelope_kind(bytes, size) != ENVELOPE_HELLO)
		return NULL;
	hello_keys_derive(cluster_key, at + ENVELOPE_START, keys);
	if (unseal(keys->hello, at + ENVELOPE_START + SESSION_SENDER, at, ENVELOPE_HELLO_HEADER,
	           at + ENVELOPE_HELLO_HEADER, size - ENVELOPE_HELLO_HEADER) < 0)
		return NULL;
	return rpc__hello_request__unpack(&allocator, size - ENVELOPE_HELLO_HEADER - SEAL_TAG,
	                                  at + ENVELOPE_HELLO_HEADER);
}

/* What a welcome is bound to: its own beginning, and the Hello's. */
static void bind_welcome(const unsigned char *welcome, const void *header,
                         unsigned char out[ENVELOPE_WELCOME_HEADER + ENVELOPE_HELLO_HEADER])
{
	memcpy(out, welcome, ENVELOPE_WELCOME_HEADER);
	memcpy(out + ENVELOPE_WELCOME_HEADER, header, ENVELOPE_HELLO_HEADER);
}

size_t envelope_welcome_size(const Rpc__HelloReply *msg)
{
	return ENVELOPE_WELCOME_HEADER + rpc__hello_reply__get_packed_size(msg) + SEAL_TAG;
}

/* Its nonce is its own: a Hello that somebody repeats is answered again, and not with the same words. */
void envelope_welcome(const struct hello_keys *keys, const void *header, const Rpc__HelloReply *msg,
                      unsigned char *out, size_t size)
{
	unsigned char bound[ENVELOPE_WELCOME_HEADER + ENVELOPE_HELLO_HEADER];

	begin(out, ENVELOPE_WELCOME);
	random_bytes(out + ENVELOPE_START, SEAL_NONCE);
	bind_welcome(out, header, bound);
	rpc__hello_reply__pack(msg, out + ENVELOPE_WELCOME_HEADER);
	seal(keys->welcome, out + ENVELOPE_START, bound, sizeof bound, out + ENVELOPE_WELCOME_HEADER,
	     size - ENVELOPE_WELCOME_HEADER - SEAL_TAG);
}

Rpc__HelloReply *envelope_open_welcome(const struct hello_keys *keys, const void *header, void *bytes,
                                       size_t size, struct arena *a)
{
	unsigned char *at = bytes, bound[ENVELOPE_WELCOME_HEADER + ENVELOPE_HELLO_HEADER];
	ProtobufCAllocator allocator = arena_allocator(a);

	if (envelope_kind(bytes, size) != ENVELOPE_WELCOME)
		return NULL;
	bind_welcome(at, header, bound);
	if (unseal(keys->welcome, at + ENVELOPE_START, bound, sizeof bound, at + ENVELOPE_WELCOME_HEADER,
	           size - ENVELOPE_WELCOME_HEADER) < 0)
		return NULL;
	return rpc__hello_reply__unpack(&allocator, size - ENVELOPE_WELCOME_HEADER - SEAL_TAG,
	                                at + ENVELOPE_WELCOME_HEADER);
}

void envelope_other_key(unsigned char out[ENVELOPE_START])
{
	begin(out, ENVELOPE_OTHER_KEY);
}
