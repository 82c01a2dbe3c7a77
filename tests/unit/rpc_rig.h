/*
 * rpc_rig: small services on loopback for the tests of rpc and service, in this process or in one of their own that
 * can be killed. Their methods take and give rpc.Message; what they do is told in rpc_rig.c.
 */
#ifndef PARLEY_TESTS_RPC_RIG_H
#define PARLEY_TESTS_RPC_RIG_H

#include <stdatomic.h>
#include <sys/types.h>

#include "common/rpc/rpc.h"
#include "common/service/internal.h"

enum rig_method {
	RIG_ECHO,      /* PUBLIC, reads: the message again */
	RIG_WHO,       /* USER: the owner's id */
	RIG_ADMIN,     /* ADMIN */
	RIG_INTERNAL,  /* INTERNAL: the owner's id */
	RIG_REFUSE,    /* PUBLIC: fails in the way that the message names */
	RIG_READ,      /* PUBLIC, reads: counts, sleeps so many ms, says which replica it is */
	RIG_WRITE,     /* the same, writes */
	RIG_SLOW,      /* the same, slow, until cancelled */
	RIG_BIG,       /* PUBLIC, reads: an answer of so many bytes */
	RIG_STREAM,    /* PUBLIC: starts a task that appends so many events; the stream's id */
	RIG_BIG_WRITE, /* the same, writes */
	RIG_PARK, /* PUBLIC: waits without a thread for RIG_WAKE ("woken") or so many ms ("time is up") */
	RIG_WAKE, /* PUBLIC: wakes all that are parked */
	RIG_ASK,  /* PUBLIC: asks another service, though its contract says that it waits for rows */
	RIG_ASK_WITHIN, /* PUBLIC: the same from inside a transaction, where its contract allows it otherwise */
	RIG_FETCH,      /* PUBLIC: asks the outside, though its contract says that it waits for rows */
	RIG_FETCH_AMONG_PEERS, /* PUBLIC: or for other services */
	RIG_RELAY, /* PUBLIC: asks the service behind it (rig_behind) for "slow" or "park", on its caller's behalf */
	RIG_METHODS
};
extern const struct method rig_methods[];

/* Shared by all processes of a test. */
struct rig_counts {
	atomic_int reads, writes, slows, running, most_running, cancelled;
};
extern struct rig_counts *rig_counts;
extern struct peer *rig_behind;

/* Call first in main(): a rig's process of its own never returns from it. */
void rig_main(int argc, char **argv);

int rig_free_port(void);
extern const struct secret rig_secret;

struct service *rig_start(int port, void (*change)(struct service_settings *set)); /* in this process */
void rig_stop(struct service *s);
pid_t rig_spawn(int port); /* in its own; returns when it listens */
pid_t rig_fork(int port);  /* returns at once */
void rig_wait_listening(int port);
/* The same by another name, or knowing only so many of its methods. */
pid_t rig_spawn_like(int port, const char *name, const char *methods);
void rig_kill(pid_t pid, int signal);

/* A peer over these ports (ended by 0). */
struct peer *rig_peer(struct metrics *m, const int *ports);
struct peer *rig_hasty_peer(const int *ports); /* that finds out five times as fast who is dead */
void rig_close(
    struct peer *peer); /* once late answers are in: NNG 1.5.2 may hang when one arrives during a close */
void rig_wait_ready(struct peer *peer, int replicas, int within_ms);

/* One call by that caller ("user", "admin", "visitor", "service", NULL) with a deadline ms from now; the answer's text
 * in the arena, or NULL with err. */
char *rig_call(struct peer *peer, enum rig_method m, const char *caller, const char *text, int ms,
               struct arena *a, struct error *err);
Rpc__Caller rig_caller(const char *who);

#endif
