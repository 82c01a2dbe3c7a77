#include "common/service/service.h"

#include <nng/nng.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/egress/egress.h"
#include "common/service/internal.h"

enum {
	IDLE_MS = 1000,        /* a service that nobody asked for so long may end at once */
	NOTICE_MS = 1200,      /* the others ask Hello every second: then they know that this one drains */
	QUIET_MS = 100,        /* and nobody asked for so long */
	CANCEL_WAIT_MS = 2000, /* for what was cancelled at the end of all patience */
	BRIEF_THREADS = 2,
	WRITERS_AT_WORK = 16, /* the others wait for models */
};

/* --- What handlers may ask for ------------------------------------------------------------------------------------------ */

struct db_pool *service_db(struct service *s)
{
	return s->pool;
}

struct stream_hub *service_streams(struct service *s)
{
	return s->hub;
}

struct metrics *service_metrics(struct service *s)
{
	return s->metrics;
}

const struct secret *service_secret(struct service *s)
{
	return &s->secret;
}

const char *service_database_url(struct service *s)
{
	return s->set.database_url;
}

struct sealer *service_sealer(struct service *s)
{
	return &s->sealer;
}

struct peer *service_peer(struct service *s, const char *name)
{
	struct peer_config config = { .service = name, .key = s->key, .metrics = s->metrics };
	struct error err = { 0 };
	int i = 0;

	while (i < SERVICES && strcmp(services[i].name, name))
		i++;
	assert(i < SERVICES && s->set.addresses[i]);
	pthread_mutex_lock(&s->lock);
	config.addresses = s->set.addresses[i];
	if (!s->peers[i] &&
	    peer_open(&config, &s->peers[i], &err) < 0) { /* the address was checked at the start */
		log_line(LOG_ERROR, err.message, LOG_TEXT("detail", err.detail));
		abort();
	}
	pthread_mutex_unlock(&s->lock);
	return s->peers[i];
}

struct egress *service_egress(struct service *s)
{
	struct error err = { 0 };

	pthread_mutex_lock(&s->lock);
	if (!s->egress &&
	    egress_open(s->set.egress_allow, &s->egress, &err) < 0) { /* the list was checked at the start */
		log_line(LOG_ERROR, err.message, LOG_TEXT("detail", err.detail));
		abort();
	}
	pthread_mutex_unlock(&s->lock);
	return s->egress;
}

void service_on_drain(struct service *s, void (*fn)(void *arg), void *arg)
{
	size_t i = 0;

	pthread_mutex_lock(&s->lock);
	while (s->drainers[i].fn)
		i++;
	assert(i < sizeof s->drainers / sizeof *s->drainers - 1);
	s->drainers[i] = (struct drainer){ fn, arg };
	pthread_mutex_unlock(&s->lock);
}

void service_off_drain(struct service *s, const void *arg)
{
	size_t last = sizeof s->drainers / sizeof *s->drainers - 1;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < last; i++) {
		if (s->drainers[i].arg == arg) { /* the others move up */
			memmove(&s->drainers[i], &s->drainers[i + 1], (last - i) * sizeof *s->drainers);
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* --- Making it ------------------------------------------------------------------------------------------------------------ */

struct served *service_method(struct service *s, uint32_t id)
{
	for (uint32_t i = id;; i++) {
		struct served *served = s->by_id[i % METHOD_BUCKETS];
		if (!served || served->method->id == id)
			return served;
	}
}

static void learn_methods(struct service *s)
{
	const struct method *methods = s->config->contract->methods;
	size_t count = 0;

	while (methods[count].name)
		count++;
	assert(count <= METHOD_BUCKETS / 2);
	s->served = arena_new(&s->arena, struct served, count);
	for (size_t i = 0; i < count; i++) {
		const struct method *method = &methods[i];
		uint32_t at = method->id;

		while (s->by_id[at % METHOD_BUCKETS])
			at++;
		s->by_id[at % METHOD_BUCKETS] = &s->served[i];
		s->served[i].method = method;
		s->served[i].duration = metrics_get(s->metrics, METRIC_HISTOGRAM, "rpc_request_seconds",
		                                    arena_printf(&s->arena, "method=\"%s\"", method->name),
		                                    "How long calls took, from the queue to the reply.");
	}
}

static void open_lanes(struct service *s)
{
	int contexts = (int)s->set.contexts, workers = (int)s->set.workers, waiting = (int)s->set.waiting;
	const struct lane_config lanes[WAITS] = {
		[WAITS_DATABASE] = { "database", workers, contexts },
		[WAITS_BRIEF] = { "brief", BRIEF_THREADS * DB_BATCH_MAX, contexts, .brief = true },
		[WAITS_PEERS] = { "peers", waiting, waiting, .waits_long = true },
		[WAITS_OUTSIDE] = { "outside", waiting, waiting, .waits_long = true },
		[WAITS_READER] = { "reader", waiting, waiting, .waits_long = true },
		[WAITS_WRITER] = { "writer", waiting, 0, .waits_long = true, .working = WRITERS_AT_WORK },
		[WAITS_PROCESSOR] = { "processor", waiting, waiting, .waits_long = true },
	};

	for (int i = 0; i < WAITS; i++)
		lane_init(&s->lanes[i], &lanes[i], s->metrics);
	lane_init(&s->control, &(struct lane_config){ "control", 1, contexts }, s->metrics);
	lane_init(&s->parked, &(struct lane_config){ "parked", contexts * 3 / 4, 0, .waits_long = true },
	          s->metrics);
}

struct service *service_new(const struct service_config *config, const struct service_settings *set,
                            const struct secret *secret)
{
	struct service *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->config = config;
	s->set = *set;
	s->secret = *secret;
	secret_derive(secret, RPC_KEY_PURPOSE, s->key);
	envelope_denial_key(s->key, s->denial_key);
	s->sessions = sessions_new(s->key, SESSIONS_MAX);
	random_bytes(&s->replica, sizeof s->replica);
	arena_init(&s->arena, 0);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->sealer.lock, NULL);
	s->metrics = metrics_new("parley");
	s->gauge_parked =
	    metrics_get(s->metrics, METRIC_GAUGE, "rpc_parked", NULL, "Readers that wait for a stream.");
	s->refused = metrics_get(s->metrics, METRIC_COUNTER, "rpc_refused_total", NULL,
	                         "Requests turned away before they were looked at: no room, or another key.");
	learn_methods(s);
	s->hub = stream_hub_new(s->replica);
	outbox_init(&s->outbox);
	open_lanes(s);
	return s;
}

/* --- Ending it ------------------------------------------------------------------------------------------------------------ */

static int under_way(struct service *s)
{
	int busy = 0;

	for (int i = 0; i < WAITS; i++)
		busy += lane_busy(&s->lanes[i]);
	return busy + parked_any(s);
}

/* Nothing new, and until nothing runs: 0, or -1 when that took longer than ms. Readers of streams are served on. */
static int drain(struct service *s, int ms)
{
	int64_t began = clock_mono_ms(), now;

	atomic_store(&s->draining, true);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < sizeof s->drainers / sizeof *s->drainers && s->drainers[i].fn; i++)
		s->drainers[i].fn(s->drainers[i].arg);
	pthread_mutex_unlock(&s->lock);
	parked_wake_all(s);
	while ((now = clock_mono_ms()) < began + ms) {
		int64_t quiet = now - atomic_load(&s->asked_at);

		if (!under_way(s) && (quiet >= IDLE_MS || (now >= began + NOTICE_MS && quiet >= QUIET_MS)))
			return 0;
		usleep(5 * 1000);
	}
	return under_way(s) ? -1 : 0;
}

static int stop_lanes(struct service *s)
{
	int64_t until = clock_mono_ms() + CANCEL_WAIT_MS, rest;
	int left = 0;

	for (int i = 0; i < WAITS; i++)
		(void)lane_stop(&s->lanes[i], 0); /* they are all told first */
	for (int i = 0; i < WAITS; i++) {
		rest = until - clock_mono_ms();
		left += lane_stop(&s->lanes[i], rest > 0 ? (int)rest : 0);
	}
	return left;
}

int service_stop(struct service *s, int ms)
{
	int left = drain(s, ms);

	atomic_store(&s->serving, false);
	if (left < 0) {
		log_line(LOG_WARN, "asking what still runs to stop", LOG_INT("calls", under_way(s)));
		atomic_store(&s->stop_now, true);
		slots_cancel(s);
		tasks_wake(s);
	}
	stream_hub_stop(s->hub);
	left = stop_lanes(s);
	usleep(20 * 1000); /* the last replies are NNG's already; let them leave */
	return left ? -1 : 0;
}

void service_free(struct service *s)
{
	if (!s)
		return;
	admin_stop(s->admin);
	slots_close(s);
	lane_stop(&s->control, CANCEL_WAIT_MS);
	for (int i = 0; i < SERVICES; i++)
		peer_close(s->peers[i]);
	if (s->egress)
		egress_close(s->egress);
	db_pool_free(s->pool);
	stream_hub_free(s->hub);
	outbox_done(&s->outbox);
	sessions_free(s->sessions);
	lane_done(&s->control);
	lane_done(&s->parked);
	for (int i = 0; i < WAITS; i++)
		lane_done(&s->lanes[i]);
	metrics_free(s->metrics);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->sealer.lock);
	secret_forget(&s->secret);
	arena_done(&s->arena);
	free(s);
}
