/*
 * method: what the build makes of one rpc of a contract: a row in the service's method table.
 *
 * Generated, per service, from proto/<service>.proto into build/gen:
 *   <service>.pb-c.h, .c      the messages (protoc-c)
 *   <service>.methods.h, .c   a prototype per handler, <service>_methods[] (struct method), and
 *                             <service>_contract (common/rpc/contract.h)
 *   <service>.client.h, .c    <service>_client_<method>(peer, call, in, &out): a typed call; and
 *                             <service>_client_methods[<SERVICE>_METHOD_<METHOD>], the same table without handlers
 * and for all of them together:
 *   services.h, .c            which there are, and where (common/rpc/contract.h)
 *   shapes.h, .c              shape_<service>__<message> per message: JSON names and field rules (common/json/shape.h)
 *   routes.c                  the gateway's route table (common/rpc/route.h)
 *   openapi.json              the public documentation
 */
#ifndef PARLEY_METHOD_H
#define PARLEY_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

/* The words of parley.Access (proto/http.proto). */
enum access {
	ACCESS_USER,
	ACCESS_VISITOR,
	ACCESS_PUBLIC,
	ACCESS_ADMIN,
	ACCESS_INTERNAL,
	ACCESS_ANYBODY,
	ACCESS_PROGRAM
};

/* What a method waits for: the words of parley.Waits. */
enum waits {
	WAITS_DATABASE,
	WAITS_BRIEF,
	WAITS_PEERS,
	WAITS_OUTSIDE,
	WAITS_READER,
	WAITS_WRITER,
	WAITS_PROCESSOR,
	WAITS
};

/* Fills out; 0, or -1 with call->err. The generated thunk calls the typed handler. */
typedef int method_handler(struct call *call, const ProtobufCMessage *in, ProtobufCMessage *out);

struct method {
	const char *name; /* "documents.get_document": for logs and metrics */
	uint32_t id;      /* FNV-1a of the name; what travels */
	enum access access;
	const ProtobufCMessageDescriptor *in, *out;
	method_handler *handler; /* NULL in a client's table */
	bool reads;              /* no side effects: may be sent again, to another replica */
	enum waits waits;        /* which threads serve it */
	bool idempotency_key;    /* the skeleton keeps the first answer under the caller's key */
};

#endif
