/* rpc_internal: what rpc.c (calls), rpc_flight.c (one exchange) and rpc_replica.c (who is there) share. */
#ifndef PARLEY_RPC_INTERNAL_H
#define PARLEY_RPC_INTERNAL_H

#include <nng/nng.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/rpc/outbox.h"
#include "common/rpc/rpc.h"

enum { REPLICAS_MAX = 32, ADDRESS_MAX = 256, GRACE_MS = 1000 };

/*
 * One exchange with a replica; made once, used again and again. The callback of its aio sends, then receives, then
 * calls landed(): one wake-up for the caller. The receive is never posted before the send is over (NNG 1.5.2 would
 * crash), and both have a timeout.
 */
struct flight {
	struct replica *replica;
	struct outgoing outgoing; /* the request, held by the aio */
	nng_ctx ctx;
	nng_aio *aio;
	void (*landed)(struct flight *f); /* on a thread of NNG's */
	sem_t done;                       /* for the waiting caller */
	unsigned char mac[MAC_SIZE];      /* of the request: the reply is bound to it */
	bool receiving;                   /* the request went out: it may have been executed */
	int result;                       /* of NNG */
	nng_msg *reply;                   /* the receiver's to free; NULL unless result is 0 */
	int64_t until;                    /* of the answer, monotonic ms */
	bool reads; /* given up when the replica is found dead: it can be asked elsewhere */
	struct flight *next, **link;
};

/* An address that has a socket. The peer's lock guards what is not atomic. */
struct replica {
	struct peer *peer;
	char address[ADDRESS_MAX];
	nng_socket socket;
	struct outbox outbox;             /* of the socket */
	atomic_int pipes;                 /* connections that stand */
	uint64_t id;                      /* of the process behind it; 0: not known yet */
	bool met;                         /* it was known once */
	int outstanding;                  /* calls under way */
	int misses;                       /* signs of death in a row */
	bool ejected, draining, stranger; /* stranger: does not share our key */
	int64_t probed, seen; /* when Hello was asked; when the address was last resolved: monotonic ms */
	struct flight *idle, *busy;
	struct flight *probe; /* of Hello */
	bool probing;
	struct metric *results[ERROR_CODES], *gauge;
};

struct peer {
	char service[32];
	char *addresses; /* as configured */
	unsigned char key[KEY_SIZE];
	struct metrics *metrics; /* may be NULL */
	pthread_t watcher;
	sem_t look; /* the watcher shall look now: posted where no lock may be taken */
	atomic_bool stopping;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a replica came, went, or told its id */
	struct replica *replicas[REPLICAS_MAX];
	int count, turn; /* turn: where the search for the least busy begins, so that equals take turns */
};

/* --- rpc_flight.c ---------------------------------------------------------------------------------------------------- */

struct flight *flight_new(struct replica *r,
                          void (*landed)(struct flight *f)); /* NULL: the socket is closed */
void flight_free(struct flight *f);
/* Seals and sends, and receives once that is done; waits for neither. send_ms: for a connection to take it. */
void flight_start(struct flight *f, const Rpc__Request *request, const unsigned char *key, int send_ms,
                  int64_t until);
/* The reply's MAC checked and unpacked; NULL with err. *stranger: it did not share our key. */
Rpc__Reply *flight_reply(struct flight *f, const unsigned char *key, struct arena *a, bool *stranger,
                         struct error *err);

/* --- rpc_replica.c --------------------------------------------------------------------------------------------------- */

int watcher_start(struct peer *peer, struct error *err) CHECKED; /* ERROR_INVALID: a bad address */
void watcher_stop(struct peer *peer);
/* These with the peer's lock held. */
bool replica_usable(const struct replica *r);
void replica_answered(struct replica *r, const Rpc__Reply *reply);
void replica_silent(struct replica *r); /* a call's time ran out */

#endif
