/*
 * Where a request belongs has to be known before a thread has read it: its method says which lane, its caller whose turn
 * it is there. So the bytes are walked over here, on the thread that received them, without unpacking anything.
 */
#include <string.h>

#include "common/base/client.h"
#include "common/service/internal.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { REQUEST_METHOD = 1, REQUEST_CALLER = 5, CALLER_KIND = 1, CALLER_OWNER = 2, CALLER_IP = 8 };

struct walk {
	const uint8_t *at, *end;
	unsigned field;
	const uint8_t *bytes; /* of what has some */
	size_t size;
	uint64_t value; /* of a varint */
};

static bool varint(struct walk *w, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
		uint8_t byte = *w->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The next field; false at the end, or where it is no message any more. */
static bool next(struct walk *w)
{
	uint64_t tag, size = 0;

	if (!varint(w, &tag))
		return false;
	switch (tag & 7) {
	case VARINT:
		if (!varint(w, &w->value))
			return false;
		break;
	case FIXED64: size = 8; break;
	case FIXED32: size = 4; break;
	case BYTES:
		if (!varint(w, &size))
			return false;
		break;
	default: return false;
	}
	if (size > (uint64_t)(w->end - w->at))
		return false;
	w->field = (unsigned)(tag >> 3);
	w->bytes = w->at;
	w->size = (size_t)size;
	w->at += size;
	return true;
}

/* FNV-1a of 64 bits, never 0. */
static uint64_t number_of(const uint8_t *bytes, size_t size)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash ? hash : 1;
}

/* A process of ours that acts for nobody; else the client's address, all that have none being one. */
static uint64_t of_nobody(bool process, const char *ip)
{
	return process ? 0 : client_number(ip);
}

static uint64_t owner_of(const uint8_t *bytes, size_t size)
{
	struct walk w = { .at = bytes, .end = bytes + size };
	bool process = false;
	char ip[64] = "";
	uint64_t owner = 0;

	while (next(&w)) {
		if (w.field == CALLER_KIND)
			process = w.value == RPC__CALLER__KIND__SERVICE;
		else if (w.field == CALLER_OWNER && w.size)
			owner = number_of(w.bytes, w.size);
		else if (w.field == CALLER_IP && w.size < sizeof ip)
			memcpy(ip, w.bytes, w.size);
	}
	return owner ? owner : of_nobody(process, ip);
}

struct glance request_glance(const void *packed, size_t size)
{
	struct walk w = { .at = packed, .end = (const uint8_t *)packed + size };
	struct glance g = { .owner = of_nobody(false, NULL) };

	while (next(&w)) {
		if (w.field == REQUEST_METHOD && w.size == 4)
			g.method = w.bytes[0] | (uint32_t)w.bytes[1] << 8 | (uint32_t)w.bytes[2] << 16 |
			           (uint32_t)w.bytes[3] << 24;
		else if (w.field == REQUEST_CALLER)
			g.owner = owner_of(w.bytes, w.size);
	}
	return g;
}

uint64_t caller_owner(const Rpc__Caller *caller)
{
	if (caller->owner_id && *caller->owner_id)
		return number_of((const uint8_t *)caller->owner_id, strlen(caller->owner_id));
	return of_nobody(caller->kind == RPC__CALLER__KIND__SERVICE, caller->ip);
}
