/*
 * envelope: the bytes on the wire. The first byte is the version of this page, the second says what follows:
 *
 *   HELLO     sender's random bytes, nonce | HelloRequest     sealed under a key of the cluster key and those bytes
 *   WELCOME   nonce | HelloReply                              likewise, bound to the Hello it answers
 *   OTHER_KEY                                                 to a Hello that does not open: all that is said in clear
 *   REQUEST   session, counter | Request                      sealed under the session's keys (session.h): the counter
 *   REPLY     session, counter | Reply                        is the nonce, what stands before the bar is bound to it
 *   UNKNOWN   the replica's id, a MAC                         to a request of a session that this process does not know
 *
 * Whatever does not open, and every repetition, is dropped without a word. UNKNOWN is believed because its MAC, under
 * the cluster key, covers the request's header and tag; what it is worth depends on which process says so (rpc.c).
 * Bytes come from anybody who can reach the port; numbers are in the byte order of the machine, which all share.
 */
#ifndef PARLEY_ENVELOPE_H
#define PARLEY_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/rpc/seal.h"
#include "common/rpc/session.h"
#include "rpc.pb-c.h"

enum envelope_kind {
	ENVELOPE_NONE, /* nothing of ours */
	ENVELOPE_HELLO,
	ENVELOPE_WELCOME,
	ENVELOPE_OTHER_KEY,
	ENVELOPE_REQUEST,
	ENVELOPE_REPLY,
	ENVELOPE_UNKNOWN
};

enum {
	ENVELOPE_VERSION = 2,
	ENVELOPE_START = 2,                       /* version and kind */
	ENVELOPE_HEADER = ENVELOPE_START + 8 + 8, /* of REQUEST and REPLY */
	ENVELOPE_HELLO_HEADER = ENVELOPE_START + SESSION_SENDER + SEAL_NONCE,
	ENVELOPE_WELCOME_HEADER = ENVELOPE_START + SEAL_NONCE,
	ENVELOPE_PROOF = ENVELOPE_HEADER + SEAL_TAG, /* what UNKNOWN answers to */
	ENVELOPE_UNKNOWN_SIZE = ENVELOPE_START + 8 + MAC_SIZE,
};

/* protobuf-c's allocator over an arena: unpack with it and there is nothing to free. Honours the arena's limit. */
ProtobufCAllocator arena_allocator(struct arena *a);

enum envelope_kind envelope_kind(const void *bytes, size_t size);

/* --- Requests and replies --------------------------------------------------------------------------------------------- */

/* Bytes needed for msg; then the packed and sealed bytes into `out` of that size. */
size_t envelope_size(const ProtobufCMessage *msg);
void envelope_seal(enum envelope_kind kind, const struct session *session, uint64_t counter,
                   const ProtobufCMessage *msg, void *out, size_t size);

/* Whose request this is; the bytes are one of that kind. */
void envelope_names(const void *bytes, uint64_t *session, uint64_t *counter);
/* Opens a REQUEST or REPLY of that session in place; -1 when it is none. *packed points into bytes. */
int envelope_open(enum envelope_kind kind, const struct session *session, void *bytes, size_t size,
                  ProtobufCBinaryData *packed) CHECKED;

/* What UNKNOWN will have to be bound to: header and tag. */
void envelope_proof(const void *request, size_t size, unsigned char proof[ENVELOPE_PROOF]);
void envelope_denial_key(const unsigned char cluster_key[KEY_SIZE], unsigned char key[KEY_SIZE]);
void envelope_unknown(const unsigned char denial_key[KEY_SIZE], const void *request, size_t size,
                      uint64_t replica, unsigned char out[ENVELOPE_UNKNOWN_SIZE]);
/* true, and which process says so: the answer is genuine. */
bool envelope_is_unknown(const unsigned char denial_key[KEY_SIZE], const unsigned char proof[ENVELOPE_PROOF],
                         const void *bytes, size_t size, uint64_t *replica);

/* --- Hello ------------------------------------------------------------------------------------------------------------ */

/* A sender's keys for it: of its random bytes. */
struct hello_keys {
	unsigned char sender[SESSION_SENDER], hello[KEY_SIZE], welcome[KEY_SIZE];
};
void hello_keys_derive(const unsigned char cluster_key[KEY_SIZE], const unsigned char sender[SESSION_SENDER],
                       struct hello_keys *ret);

size_t envelope_hello_size(const Rpc__HelloRequest *msg);
void envelope_hello(const struct hello_keys *keys, const Rpc__HelloRequest *msg, unsigned char *out,
                    size_t size);
/* The sender's keys and the message; NULL when it does not open. */
Rpc__HelloRequest *envelope_open_hello(const unsigned char cluster_key[KEY_SIZE], void *bytes, size_t size,
                                       struct hello_keys *keys, struct arena *a);

/* header: the first ENVELOPE_HELLO_HEADER bytes of the Hello that is answered. */
size_t envelope_welcome_size(const Rpc__HelloReply *msg);
void envelope_welcome(const struct hello_keys *keys, const void *header, const Rpc__HelloReply *msg,
                      unsigned char *out, size_t size);
Rpc__HelloReply *envelope_open_welcome(const struct hello_keys *keys, const void *header, void *bytes,
                                       size_t size, struct arena *a);

void envelope_other_key(unsigned char out[ENVELOPE_START]);

#endif
