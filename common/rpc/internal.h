/*
 * rpc: what its parts share.
 *
 *   rpc.c       calls: what is tried, and what each outcome means
 *   choose.c    which replica a try goes to, and what it leaves behind
 *   exchange.c  one request and its reply
 *   replica.c   an address that has a socket: its connections, its standing
 *   hello.c     the watcher: asks every connected replica Hello, each second
 *   address.c   addresses and names, and the resolver that looks names up again
 */
#ifndef PARLEY_RPC_INTERNAL_H
#define PARLEY_RPC_INTERNAL_H

#include <nng/nng.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/log.h"
#include "common/rpc/envelope.h"
#include "common/rpc/offset.h"
#include "common/rpc/outbox.h"
#include "common/rpc/rpc.h"

enum { REPLICAS_MAX = 32, ADDRESS_MAX = 256, DIALS = 2 };

/*
 * One exchange with a replica; made once, used again and again. The callback of its aio sends, then receives, then
 * calls done(): one wake-up for the caller. The receive is never posted before the send is over (NNG 1.5.2 would
 * crash), and both have a timeout.
 */
struct exchange {
	struct replica *replica;
	struct outgoing outgoing; /* the request, held by the aio */
	nng_ctx ctx;
	nng_aio *aio;
	void (*done)(struct exchange *x); /* on a thread of NNG's */
	sem_t wake;                       /* for the waiting caller */
	struct session session;           /* of the replica, when the exchange began */
	uint64_t counter;                 /* of the request in that session */
	int64_t ahead;                    /* of the replica's clock: microseconds */
	unsigned char proof[ENVELOPE_PROOF];
	bool receiving;   /* the request went out: it may have been executed */
	int result;       /* of NNG */
	nng_msg *reply;   /* the receiver's to free; NULL unless result is 0 */
	int64_t until;    /* of the answer, monotonic ms */
	uint64_t process; /* that it was begun with */
	bool reads;       /* given up when the replica is found dead: it can be asked elsewhere */
	struct exchange *next, **link;
};

/* An address that has a socket. The peer's lock guards what is not atomic. */
struct replica {
	struct peer *peer;
	char address[ADDRESS_MAX];
	nng_socket socket;
	struct outbox outbox;            /* of the socket */
	atomic_int pipes;                /* connections that stand */
	atomic_uint pipe_ids[2 * DIALS]; /* theirs; 0: none */
	atomic_uint events;              /* connections that came and went */
	unsigned events_known;           /* so many when Hello was asked that was answered last */
	unsigned events_asked;           /* and that is under way */
	struct hello_keys hello;         /* of this start of ours with this replica */
	struct session session;          /* id 0: Hello has to open one */
	uint64_t counter;                /* of the last request, whatever its session: never used twice */
	struct offset offset;            /* of its clock */
	uint64_t id;                     /* of the process behind it; 0: not known yet */
	bool met;                        /* it was known once */
	int outstanding;                 /* calls under way */
	int misses;                      /* signs of death in a row */
	/* Why it gets nothing: it does not answer, is about to stop, has another key than ours, or is another service. */
	bool ejected, draining, other_key, other_service;
	int64_t asked; /* when Hello was sent that is under way: monotonic microseconds */
	unsigned char hello_header[ENVELOPE_HELLO_HEADER]; /* its beginning */
	int64_t probed, seen; /* when Hello was asked; when the address was last resolved: monotonic ms */
	struct exchange *idle, *busy;
	struct exchange *probe; /* of Hello */
	bool probing, redial;   /* redial: its connections are to be made anew */
	struct metric *results[ERROR_CODES], *gauge;
};

struct peer {
	char service[32];
	char *addresses; /* as configured */
	unsigned char key[KEY_SIZE], denial_key[KEY_SIZE];
	struct metrics *metrics; /* may be NULL */
	struct rpc_pace pace;
	pthread_t watcher, resolver;
	bool by_name;       /* some addresses are names: there is a resolver */
	sem_t wake;         /* the watcher shall look now: posted where no lock may be taken */
	sem_t resolve_wake; /* the resolver ends */
	atomic_bool stopping;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a replica came, went, or told its id */
	struct replica *replicas[REPLICAS_MAX];
	int count;
	unsigned turn;    /* where the search for the least busy begins, so that equals take turns */
	int64_t alive_at; /* when some replica could last be asked: monotonic ms */
};

/* --- exchange.c ------------------------------------------------------------------------------------------------------ */

/* NULL: the socket is closed. */
struct exchange *exchange_new(struct replica *r, void (*done)(struct exchange *x));
void exchange_free(struct exchange *x);
/* Sends, and receives once that is done; waits for neither. send_ms: for a connection to take it. */
void exchange_send(struct exchange *x, nng_msg *msg, int send_ms, int64_t until);
/* The same with the request sealed, its deadline set to `until` in the replica's clock. */
void exchange_start(struct exchange *x, Rpc__Request *request, int send_ms, int64_t until);

/* What has come back, and is the caller's no more. */
enum verdict {
	REPLY_GOOD,       /* *reply in the arena */
	REPLY_MALFORMED,  /* of one of ours, and cannot be read */
	REPLY_NO_SESSION, /* the process that we mean does not know our session: nothing was done */
	REPLY_ELSEWHERE,  /* another process than the one that we mean has it */
	REPLY_FORGED,     /* none of ours said that */
};
enum verdict exchange_reply(struct exchange *x, struct arena *a, Rpc__Reply **reply);

/* --- choose.c -------------------------------------------------------------------------------------------------------- */

/* One call, and what has become of it so far. */
struct call_out {
	struct peer *peer;
	const struct rpc_context *ctx;
	const struct method *method;
	Rpc__Request request;
	uint64_t wanted;              /* the replica that a stream's id names; 0: any */
	uint64_t tried[REPLICAS_MAX]; /* by place in the table: the process that could not do it; 0: none */
	int lost;                     /* how often it was sent without an answer */
	int reopened;                 /* how often a session was not known */
	bool gone;                    /* nobody waits for it any more, and the service was told */
	int64_t began, until;         /* monotonic ms */
};

/* An exchange with the best replica; waits a little for a first one. NULL when there is none. */
struct exchange *begin_try(struct call_out *call);
/* reply: NULL when none came. stale: its session has to be opened anew. spent: this process is not asked again for this
 * call. */
void end_try(struct call_out *call, struct exchange *x, const Rpc__Reply *reply, bool stale, bool spent,
             enum error_code code);

/* --- replica.c ------------------------------------------------------------------------------------------------------- */

/* With a socket that dials; NULL with ERROR_INVALID for a bad address. */
struct replica *replica_new(struct peer *peer, const char *address, struct error *err);
void replica_free(struct replica *r);
/* These with the peer's lock held. */
bool replica_reachable(const struct replica *r); /* we know who is there, and share a session */
bool replica_usable(const struct replica *r);    /* and it may be asked something new */
void replica_answered(struct replica *r, uint64_t id);
void replica_silent(struct replica *r); /* a call's time ran out */
void replica_missed(struct replica *r); /* Hello was not answered */
void replica_gone(struct replica *r);   /* it has no connection */
/* Closes its connections; the dialers make new ones. Not with the lock held. */
void replica_redial(struct replica *r);
void replica_tell(const struct replica *r, enum log_level level, const char *what);

/* --- hello.c --------------------------------------------------------------------------------------------------------- */

void *watch(void *peer); /* the watcher's thread */
void hello_done(struct exchange *x);

/* --- address.c ------------------------------------------------------------------------------------------------------- */

int addresses_open(struct peer *peer, struct error *err) CHECKED; /* ERROR_INVALID: a bad address */
void *resolver(void *peer);                                       /* the resolver's thread */

#endif
