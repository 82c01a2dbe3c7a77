/*
 * envelope: the bytes on the wire: 32 bytes HMAC-SHA256 under the cluster key, then a packed rpc.Request or rpc.Reply.
 *
 * The MAC covers 32 bytes that say what the message answers, then the packed message: zeros for a request, the
 * request's MAC for a reply. So a reply fits one request only, and neither kind can be passed off as the other.
 * Nothing is ever signed for a sender who did not sign: that would lend him the key.
 * Opened bytes come from anybody who can reach the port.
 */
#ifndef PARLEY_ENVELOPE_H
#define PARLEY_ENVELOPE_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/secret/secret.h"
#include "rpc.pb-c.h"

/* protobuf-c's allocator over an arena: unpack with it and there is nothing to free. Honours the arena's limit. */
ProtobufCAllocator arena_allocator(struct arena *a);

/* Bytes needed for msg; then the packed and signed bytes into `out` of that size. bind: the request's MAC, or NULL. */
size_t envelope_size(const ProtobufCMessage *msg);
void envelope_seal(const ProtobufCMessage *msg, const unsigned char key[KEY_SIZE], const unsigned char *bind,
                   void *out, size_t size);

/* NULL with ERROR_UNAUTHENTICATED (MAC) or ERROR_MALFORMED; else the message in the arena. */
ProtobufCMessage *envelope_open(const ProtobufCMessageDescriptor *type, const unsigned char key[KEY_SIZE],
                                const unsigned char *bind, const void *bytes, size_t size, struct arena *a,
                                struct error *err);

#endif
