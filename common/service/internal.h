/*
 * internal: the parts of a running service.
 *
 *   main.c         a program: settings, database, start, and its end by a signal
 *   service.c      a service that is made and ended; what handlers may ask of it
 *   settings.c     the settings that every service has
 *   slot.c         the NNG side: contexts that receive, are served or parked, reply, and receive again
 *   lane.c         threads made on demand round a bounded queue, shared by owners (share.c)
 *   glance.c       whose request it is, before it is read
 *   brief.c        a thread that works for several calls at a time
 *   dispatch.c     one request: checked, decoded, handled, answered, logged
 *   builtin.c      Rpc.Hello, Next and Gone
 *   gone.c         requests whose callers do not wait any more
 *   call.c         making a call, and calls that it makes
 *   park.c         calls that wait for an event and hold no thread
 *   task.c         work that outlives its request
 *   idempotency.c  first answers under a caller's Idempotency-Key
 *   sealer.c       secrets at rest
 *   admin.c        health and metrics over HTTP
 */
#ifndef PARLEY_SERVICE_INTERNAL_H
#define PARLEY_SERVICE_INTERNAL_H

#include <nng/nng.h>
#include <pthread.h>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/rpc/envelope.h"
#include "common/rpc/outbox.h"
#include "common/rpc/rpc.h"
#include "common/secret/keyring.h"
#include "common/secret/secret.h"
#include "common/service/admin.h"
#include "common/service/lane.h"
#include "common/service/service.h"
#include "common/stream/stream.h"
#include "services.h"

/* --- Settings ------------------------------------------------------------------------------------------------------ */

enum { KEYS_MAX = 11 + SERVICES };

struct service_settings {
	const char *database_url, *listen, *admin, *secret, *log_level, *egress_allow;
	const char *addresses[SERVICES]; /* in the order of services[] */
	int64_t workers, contexts, connections, waiting, stop_seconds;
};

/* The rows of the common settings for that service; strings live in the arena. Returns how many. */
size_t service_keys(const struct service_config *config, struct config_key keys[KEYS_MAX], struct arena *a);
/* What their kinds do not say. Sentences go to err->fields. */
int service_settings_check(const struct service_settings *set, struct arena *a, struct error *err) CHECKED;

/* --- Slots --------------------------------------------------------------------------------------------------------- */

enum slot_step { SLOT_RECEIVING, SLOT_BUSY, SLOT_PARKED, SLOT_PAUSING, SLOT_SENDING };

/* An NNG context with what it is doing. */
struct slot {
	struct lane_job job;
	struct outgoing outgoing; /* the reply, held by the aio */
	struct service *service;
	nng_ctx ctx;
	nng_aio *aio;
	enum slot_step step;
	struct lane *lane;          /* of the request */
	nng_msg *request;           /* until the reply */
	nng_msg *reply;             /* while pausing */
	struct session session;     /* that the request came in */
	uint64_t counter;           /* its place there */
	ProtobufCBinaryData packed; /* the request, opened: inside `request` */
	struct share *parked;       /* its place among those that wait for an event, or NULL */
	bool load;                  /* Next: the stream is not in memory, ask the service's loader */
	struct serving *serving;    /* of a brief or a parked call, between two runs */
	struct arena arena;         /* of a parked one */
	atomic_bool gone;           /* nobody waits for the answer, or the service ends: call->cancelled */

	pthread_mutex_t lock;     /* guards what follows */
	_Atomic uint64_t working; /* the request's counter, from its taking to its reply; else 0 */
	bool begun;               /* by a handler */
};

int slots_open(struct service *s, struct error *err) CHECKED; /* listens and receives */
void slots_close(struct service *s);
/* Each ends the request; the slot is not the caller's any more. pause_ms: send only then. */
void slot_reply(struct slot *slot, Rpc__Reply *reply, int pause_ms);
void slot_answer(struct slot *slot, nng_msg *msg); /* these bytes, as they are */
/* A place among those that wait for an event and hold no thread; the reply gives it back. */
int slot_park(struct slot *slot, struct error *err) CHECKED;
void slot_sleep(struct slot *slot,
                int64_t ms); /* its job is pushed again after that, or when its aio is cancelled */

/* --- Whose caller does not wait any more ---------------------------------------------------------------------------- */

void slot_taken(struct slot *slot);
/* It is begun now, unless it was. */
void slot_begun(struct slot *slot);
void slot_through(struct slot *slot); /* before its session is another request's */
void slots_cancel(struct service *s); /* all, since the service ends: as if nobody waited for any of them */
/* That request of that session; it may be none. */
void slots_gone(struct service *s, uint64_t session, uint64_t counter);

/* --- Waiting for an event: call_park() ------------------------------------------------------------------------------ */

struct parked {
	struct slot *slot;
	int64_t until;       /* Unix ms */
	call_resume *resume; /* NULL: it is not parked */
	void *arg;
	atomic_bool woken;
	struct parked *next, **link; /* of those that sleep */
};
void parked_sleep(struct parked *p,
                  struct arena *a); /* takes the arena along; the slot is not the caller's any more */
void parked_wakes(struct parked *p, struct arena *a); /* and brings it back */
void parked_wake_all(struct service *s);
void parked_wake(struct slot *slot); /* if its call is parked */
bool parked_any(struct service *s);

/* --- Tasks --------------------------------------------------------------------------------------------------------- */

void tasks_wake(struct service *s); /* those that wait, since the service ends */

/* --- The service ---------------------------------------------------------------------------------------------------- */

enum { METHOD_BUCKETS = 256 };

/* A method with what is counted of it. */
struct served {
	const struct method *method;
	_Atomic(struct metric *) results[ERROR_CODES];
	struct metric *duration;
};

/* The ring of sealer.h, as it was last fetched. */
struct sealer {
	pthread_mutex_t lock;
	struct keyring ring;
	int64_t fetched_ms;
};

struct service {
	const struct service_config *config;
	struct service_settings set;
	struct arena arena; /* of what lives as long as the service */
	struct secret secret;
	unsigned char key[KEY_SIZE], denial_key[KEY_SIZE];
	struct sessions *sessions; /* of those who call */
	uint64_t replica;
	void *state;

	struct metrics *metrics;
	struct metric *gauge_parked, *refused;
	struct admin *admin;
	struct db_pool *pool;
	struct stream_hub *hub;
	struct served *served;
	struct served *by_id[METHOD_BUCKETS];

	struct lane control, lanes[WAITS]; /* by what a method waits for */
	struct lane parked;                /* places without threads: of calls that wait for an event */
	nng_socket socket;
	struct outbox outbox; /* of the socket */
	struct slot *slots;
	atomic_int receiving; /* slots that wait for a request */
	atomic_int ended;     /* slots that are through, at the end */

	atomic_bool serving, draining, stop_now;
	_Atomic int64_t asked_at; /* when a request was last received: monotonic ms */

	pthread_mutex_t lock; /* guards what is below */
	struct parked *waiting;
	struct task *tasks; /* that were begun */
	struct drainer {
		void (*fn)(void *arg);
		void *arg;
	} drainers[4];
	struct peer *peers[SERVICES];
	struct egress *egress; /* once somebody has asked for it */
	struct sealer sealer;
};
struct sealer *service_sealer(struct service *s);

/* Everything but the database and the socket; the tests start here too. */
struct service *service_new(const struct service_config *config, const struct service_settings *set,
                            const struct secret *secret);
/* Finishes what runs, within ms; answers readers. The socket stays, and says no. -1: something still runs. */
int service_stop(struct service *s, int ms);
void service_free(struct service *s); /* for tests: a program ends by process_exit() */

/* What a packed Request says of itself at a glance: which method, and whose share of a lane it takes. */
struct glance {
	uint32_t method; /* 0: it says none */
	uint64_t owner;  /* the user; else the client's address; 0: a process of ours, for nobody */
};
struct glance request_glance(const void *packed, size_t size);
uint64_t caller_owner(const Rpc__Caller *caller); /* the same of one that was read */

struct served *service_method(struct service *s, uint32_t id); /* NULL: not ours */
/* The lane's job of a slot: one request from first to last. */
void dispatch(struct lane_job *job, struct arena *a, struct db_ahead *ahead);
/* Makes the call; *call lives as long as the arena. */
void call_init(struct call *call, struct service *s, struct arena *a, struct error *err, struct db *db,
               const struct method *method, const Rpc__Request *request);
void answer_hello(struct lane_job *job, struct arena *a, struct db_ahead *ahead);
/* 1: it was one of ours, and is answered or parked. */
int builtin(struct slot *slot, const Rpc__Request *request, struct arena *a);
bool builtin_id(uint32_t id);

#endif
