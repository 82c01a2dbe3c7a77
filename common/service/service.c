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
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/egress/egress.h"
#include "common/rpc/callbacks.h"
#include "common/service/idempotency.h"
#include "common/service/internal.h"

enum {
	DATABASE_WAIT_MS = 60 * 1000,
	REFUSED_WAIT_MS =
	    5 * 1000, /* a role that is not there yet is refused like one whose password is wrong */
	SWEEP_EVERY_MS = 10 * 60 * 1000,
	IDLE_MS = 1000,        /* a service that nobody asked for so long may end at once */
	NOTICE_MS = 1200,      /* the others ask Hello every second: then they know that this one drains */
	QUIET_MS = 100,        /* and nobody asked for so long */
	CANCEL_WAIT_MS = 2000, /* for what was cancelled at the end of all patience */
	STATEMENT_TABLES = 16,
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

/* --- main() --------------------------------------------------------------------------------------------------------------- */

static int ready(void *arg, char *why, size_t size)
{
	struct service *s = arg;

	if (atomic_load(&s->draining))
		snprintf(why, size, "stopping\n");
	else if (!atomic_load(&s->serving))
		snprintf(why, size,
		         s->config->contract->migrations ? "starting: waiting for the database\n"
		                                         : "starting\n");
	else if (s->pool && !db_pool_ready(s->pool))
		snprintf(why, size, "the database does not answer\n");
	else
		return 1;
	return 0;
}

static bool keeps_first_answers(const struct service_config *config)
{
	for (const struct method *m = config->contract->methods; m->name; m++)
		if (m->idempotency_key)
			return true;
	return false;
}

/* Waits for the database, but not longer than anybody wants. */
static int migrate(struct service *s, struct error *err)
{
	const struct contract *contract = s->config->contract;
	int64_t began = clock_mono_ms(), patience;
	bool told = false;

	while (db_migrate(s->set.database_url, contract->name, contract->migrations, 0, err) < 0) {
		patience = err->code == ERROR_UNAVAILABLE       ? DATABASE_WAIT_MS
		           : err->code == ERROR_UNAUTHENTICATED ? REFUSED_WAIT_MS
		                                                : 0;
		if (clock_mono_ms() - began >= patience)
			return -1;
		if (!told)
			log_line(LOG_WARN, "waiting for the database, up to a minute",
			         LOG_TEXT("detail", err->message));
		told = true;
		if (process_wait_signal(250))
			process_exit(0);
		error_clear(err);
	}
	return 0;
}

static int open_database(struct service *s, struct error *err)
{
	const struct service_config *config = s->config;
	const struct db_stmt *tables[STATEMENT_TABLES] = { 0 };
	struct db_config db = { .url = s->set.database_url,
		                .schema = config->contract->name,
		                .connections = (int)s->set.connections,
		                .statements = tables,
		                .waits = metrics_get(s->metrics, METRIC_COUNTER, "db_waits_total", NULL,
		                                     "Round trips to PostgreSQL.") };
	int n = 0;

	if (!config->contract->migrations)
		return 0;
	for (const struct db_stmt *const *t = config->statements; t && *t; t++) {
		assert(n < STATEMENT_TABLES - 2);
		tables[n++] = *t;
	}
	if (keeps_first_answers(config))
		tables[n++] = idempotency_statements;
	if (migrate(s, err) < 0)
		return -1;
	return db_pool_open(&db, DATABASE_WAIT_MS, &s->pool, err);
}

static int start(struct service *s, struct error *err)
{
	if (admin_start(s->set.admin, s->metrics, ready, s, &s->admin, err) < 0 || open_database(s, err) < 0)
		return -1;
	callbacks_on_one_thread();
	for (const char *const *peer = s->config->peers; peer && *peer; peer++)
		(void)service_peer(s, *peer);
	if (s->config->start && s->config->start(s, s->config->settings, &s->state, err) < 0)
		return -1;
	if (slots_open(s, err) < 0)
		return -1;
	atomic_store(&s->serving, true);
	log_line(LOG_INFO, "ready", LOG_TEXT("listen", s->set.listen), LOG_TEXT("admin", s->set.admin));
	return 0;
}

static void serve(struct service *s)
{
	bool sweeps = s->pool && keeps_first_answers(s->config);

	while (!process_wait_signal(SWEEP_EVERY_MS)) {
		if (sweeps)
			idempotency_sweep(s->pool);
	}
	log_line(LOG_INFO, "stopping");
	if (service_stop(s, (int)s->set.stop_seconds * 1000) < 0)
		/* Threads are stuck in what nobody can interrupt; the store is safe against being killed. */
		log_line(LOG_WARN, "stopped with calls under way");
	else if (s->config->stop)
		s->config->stop(s->state);
	log_line(LOG_INFO, "stopped");
}

static int fail(const struct service_config *config, const struct error *err)
{
	char program[48];

	snprintf(program, sizeof program, "svc-%s", config->contract->name);
	config_tell(program, err);
	return 1;
}

/* One table, so that its columns are one width. */
static void help(const struct service_config *config, const struct config_key *keys, size_t count,
                 struct arena *a)
{
	struct config_key *all = arena_new(a, struct config_key, count + config->key_count);

	memcpy(all, keys, count * sizeof *all);
	if (config->key_count)
		memcpy(all + count, config->keys, config->key_count * sizeof *all);
	printf("svc-%s: one of Parley's services. Its settings are environment variables:\n\n",
	       config->contract->name);
	config_print(all, count + config->key_count);
}

/* Every sentence that there is to say, not the first alone. */
static int load_settings(const struct service_config *config, const struct config_key *keys, size_t count,
                         struct service_settings *set, struct arena *a, struct error *err)
{
	int rc = config_load(keys, count, set, a, err) | service_settings_check(set, a, err);

	if (config->key_count && config_load(config->keys, config->key_count, config->settings, a, err) < 0)
		rc = -1;
	else if (config->check && config->check(config->settings, a, err) < 0)
		rc = -1;
	return rc;
}

int service_main(int argc, char **argv, const struct service_config *config)
{
	struct config_key keys[KEYS_MAX];
	struct service_settings set = { 0 };
	struct error err = { 0 };
	struct secret secret;
	struct service *s;
	struct arena a;
	size_t count;
	int rc;

	process_start();
	arena_init(&a, 0);
	log_open(arena_printf(&a, "svc-%s", config->contract->name), LOG_INFO);
	count = service_keys(config, keys, &a);
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		help(config, keys, count, &a);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("svc-%s %s\n", config->contract->name, PARLEY_VERSION);
		return 0;
	}
	config_warn_unknown();
	if (config->command && (rc = config->command(argc, argv, &a, &err)) != 0) {
		rc = rc > 0 ? 0 : fail(config, &err);
		arena_done(&a);
		return rc;
	}
	if (argc > 1) {
		error_set(&err, ERROR_INVALID, "there is no argument \"%s\"; --help prints the settings",
		          argv[1]);
		return fail(config, &err);
	}
	if (load_settings(config, keys, count, &set, &a, &err) < 0 ||
	    secret_load(&secret, set.secret, 0, &err) < 0)
		return fail(config, &err);
	log_open(arena_printf(&a, "svc-%s", config->contract->name), config_level(set.log_level));
	log_background();
	s = service_new(config, &set, &secret);
	if (config->contract->migrations)
		secret_offer_role_password(&secret, arena_printf(&a, "parley_%s", config->contract->name));
	secret_forget(&secret);
	rc = start(s, &err);
	if (rc < 0) /* threads of half a start are not worth ending one by one */
		return fail(config, &err);
	serve(s);
	process_exit(0);
}
