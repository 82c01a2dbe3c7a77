/*
 * rpc: calls to a service: finding its replicas, choosing one, sending once, and knowing what a failure means.
 *
 * A peer is a list of addresses ("tcp://10.0.0.4:8003,tcp://10.0.0.5:8003") or a DNS name (tcp://svc-documents:8003)
 * that is resolved again every few seconds, or a socket of this machine (abstract://parley-8003), which costs less; each
 * address has one REQ socket with 2 connections, never resent by NNG. The replica with the fewest calls under way gets the next one. One whose calls time out or whose connections are
 * gone is left out until it answers Rpc.Hello again; one that drains gets nothing new.
 *
 * What a failure means:  not sent                        -> ERROR_UNAVAILABLE (reads and writes: another replica is
 *                                                            tried first, while the deadline allows)
 *                        sent, no answer, method reads   -> tried once on another replica
 *                        sent, no answer, method writes  -> ERROR_UNKNOWN_OUTCOME
 */
#ifndef PARLEY_RPC_H
#define PARLEY_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/rpc/contract.h"
#include "common/rpc/method.h"
#include "common/secret/secret.h"
#include "rpc.pb-c.h"

/* The cluster key is secret_derive(secret, RPC_KEY_PURPOSE, key). */
#define RPC_KEY_PURPOSE "rpc"

enum {
	RPC_MESSAGE_MAX = 4 * 1024 * 1024
}; /* senders check; a larger one would kill the connection for all */

struct peer;

/* How often is looked, and how long is waited: milliseconds. */
struct rpc_pace {
	int ask_every, ask_wait; /* Hello */
	int send;                /* a request, until a connection takes it */
	int grace;               /* a call waits so long for a first replica */
	int revival;             /* a read for one that may follow the last that went */
	int look;                /* at whether anybody still waits for the answer */
};

struct peer_config {
	const char *service;      /* "documents" */
	const char *addresses;    /* list or DNS name, as above */
	const unsigned char *key; /* KEY_SIZE bytes: the cluster key */
	struct metrics *metrics;
	const struct rpc_pace *pace; /* NULL: as it shall be; tests are in a hurry */
};

/* The setting that says where that service is: "AUTH_ADDRESS". offset: of its const char * in the settings. */
struct config_key rpc_address_key(const struct service_place *place, size_t offset, struct arena *a);
/* 0: addresses, 1: some are names that have to be resolved, -1 with a sentence: something else. */
int rpc_check_addresses(const char *service, const char *addresses, struct error *err) CHECKED;

/* Starts connecting in the background; a service that is not there yet is not an error. */
int peer_open(const struct peer_config *config, struct peer **ret, struct error *err) CHECKED;
void peer_close(
    struct peer *peer); /* when no call is under way; a program ends without it (common/base/process.h) */
int peer_ready(struct peer *peer); /* how many replicas answer */

/* What goes along with a call. */
struct rpc_context {
	struct arena *arena; /* the answer is unpacked into it */
	struct error *err;
	const Rpc__Caller *caller;
	const char *request_id, *traceparent, *idempotency_key;
	int64_t deadline; /* Unix milliseconds */
	char **extra;     /* NULL, or where an error's extra JSON goes */
	/* NULL, or: does nobody want the answer any more? Looked at each second while there is none; the service then is
	 * told (Rpc.Gone), and what it makes of that is the answer. */
	bool (*gone)(void *arg);
	void *gone_arg;
};

/* 0 and *ret in the arena, or -1 with the service's own error or one of those above. */
int rpc_call(struct peer *peer, const struct rpc_context *ctx, const struct method *method,
             const ProtobufCMessage *in, ProtobufCMessage **ret) CHECKED;

/* Rpc.Next at the replica that the stream's id names; at any other when that one is gone (it may know the end). */
int rpc_next(struct peer *peer, const struct rpc_context *ctx, const char *stream, int64_t after, int wait_ms,
             Rpc__NextReply **ret) CHECKED;
/* Nobody reads that stream any more. */
int rpc_leave(struct peer *peer, const struct rpc_context *ctx, const char *stream) CHECKED;

#endif
