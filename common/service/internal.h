/*
 * internal: the parts of a running service.
 *
 *   service.c      main(): the order of starting and stopping; what handlers may ask of their service
 *   settings.c     the settings that every service has
 *   slot.c         the NNG side: contexts that receive, are served or parked, reply, and receive again
 *   lane.c         threads made on demand round a bounded queue
 *   brief.c        a thread that works for several calls at a time
 *   dispatch.c     one request: checked, decoded, handled, answered, logged
 *   builtin.c      Rpc.Hello and Next
 *   call.c         making a call, and calls that it makes
 *   task.c         work that outlives its request; who runs, so that it can be cancelled
 *   idempotency.c  first answers under a caller's Idempotency-Key
 */
#ifndef PARLEY_SERVICE_INTERNAL_H
#define PARLEY_SERVICE_INTERNAL_H

#include <nng/nng.h>
#include <pthread.h>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/db/ahead.h"
#include "common/rpc/envelope.h"
#include "common/rpc/outbox.h"
#include "common/rpc/rpc.h"
#include "common/secret/secret.h"
#include "common/service/admin.h"
#include "common/service/service.h"
#include "common/stream/stream.h"

/* --- Settings ------------------------------------------------------------------------------------------------------ */

enum { PEERS = 5, KEYS_MAX = 10 + PEERS };
extern const char *const service_names[PEERS];

struct service_settings {
	const char *database_url, *listen, *admin, *secret, *log_level;
	const char *addresses[PEERS]; /* in the order of service_names */
	int64_t workers, contexts, connections, slow, stop_seconds;
};

/* The rows of the common settings for that service; strings live in the arena. Returns how many. */
size_t service_keys(const struct service_config *config, struct config_key keys[KEYS_MAX], struct arena *a);
/* What their kinds do not say. Sentences go to err->fields. */
int service_settings_check(const struct service_settings *set, struct arena *a, struct error *err) CHECKED;

/* --- Lanes --------------------------------------------------------------------------------------------------------- */

/*
 * Work for a lane; embedded in what it works on. run() is given an empty arena, which is reset afterwards. On a brief
 * lane also what it is to read ahead (common/db/ahead.h): when it leaves that waiting, it is run again, with the same.
 */
struct lane_job {
	void (*run)(struct lane_job *job, struct arena *a, struct db_ahead *ahead);
	struct lane_job *next;
};

struct lane {
	const char *name; /* of its threads and metrics */
	pthread_mutex_t lock;
	pthread_cond_t work, ended;
	struct lane_job *first, **end;
	int queued, busy, idle, threads;
	int threads_max, queue_max;
	bool waking; /* a thread was woken and has not looked yet */
	bool stopping;
	bool brief; /* a thread holds several jobs at a time: brief.c */
	struct metric *gauge_queued, *gauge_threads;
};

void lane_init(struct lane *lane, int threads_max, int queue_max, struct metrics *m, const char *name);
/* For a lane's threads: a job; NULL when there is none, and the thread need not (or shall not) wait for one. */
struct lane_job *lane_take(struct lane *lane, bool waits);
void lane_leave(struct lane *lane); /* a job is through */
void brief_work(struct lane *lane); /* what a thread of a brief lane does until it ends */
/* 0, or -1 when as many jobs as threads and queue take are there already. */
int lane_push(struct lane *lane, struct lane_job *job) CHECKED;
int lane_busy(struct lane *lane); /* jobs running or queued */
/* Ends the threads once the queue is empty; 0, or -1 when that took longer than ms. */
int lane_stop(struct lane *lane, int ms);
void lane_done(struct lane *lane);

/* --- Who runs ------------------------------------------------------------------------------------------------------ */

/* Long work that the end of the process may ask to stop. */
struct running {
	atomic_bool cancelled;
	struct running *next, **link;
};
void running_add(struct service *s, struct running *r);
void running_remove(struct service *s, struct running *r);
void running_cancel(struct service *s); /* all of it */

/* --- Slots --------------------------------------------------------------------------------------------------------- */

enum slot_step { SLOT_RECEIVING, SLOT_BUSY, SLOT_PAUSING, SLOT_SENDING };

/* An NNG context with what it is doing. */
struct slot {
	struct lane_job job;
	struct outgoing outgoing; /* the reply, held by the aio */
	struct service *service;
	nng_ctx ctx;
	nng_aio *aio;
	enum slot_step step;
	nng_msg *request;           /* until the reply */
	nng_msg *reply;             /* while pausing */
	struct session session;     /* that the request came in */
	uint64_t counter;           /* its place there */
	ProtobufCBinaryData packed; /* the request, opened: inside `request` */
	bool parked;                /* counted in service->parked */
	bool load;                  /* Next: the stream is not in memory, ask the service's loader */
	struct serving *serving;    /* of a brief call, between two runs of its handler */
};

int slots_open(struct service *s, struct error *err) CHECKED; /* listens and receives */
void slots_close(struct service *s);
/* Each ends the request; the slot is not the caller's any more. pause_ms: send only then. */
void slot_reply(struct slot *slot, Rpc__Reply *reply, int pause_ms);
nng_msg *slot_message(size_t size);
void slot_answer(struct slot *slot, nng_msg *msg); /* these bytes, as they are */

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

	struct lane control, brief, work, slow;
	nng_socket socket;
	struct outbox outbox; /* of the socket */
	struct slot *slots;
	atomic_int receiving; /* slots that wait for a request */
	atomic_int parked;    /* slots that wait for a stream */
	atomic_int ended;     /* slots that are through, at the end */

	atomic_bool serving, draining, stop_now;
	_Atomic int64_t asked_at; /* when a request was last received: monotonic ms */

	pthread_mutex_t lock; /* guards the two below */
	struct running *running;
	struct peer *peers[PEERS];
	struct sealer sealer;
};
struct sealer *service_sealer(struct service *s);

/* Everything but the database and the socket; the tests start here too. */
struct service *service_new(const struct service_config *config, const struct service_settings *set,
                            const struct secret *secret);
/* Finishes what runs, within ms; answers readers. The socket stays, and says no. -1: something still runs. */
int service_stop(struct service *s, int ms);
void service_free(struct service *s); /* for tests: a program ends by process_exit() */

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
