/* A program: its settings, its database, its start, and its end by a signal. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/service/idempotency.h"
#include "common/service/internal.h"

enum {
	DATABASE_WAIT_MS = 60 * 1000,
	REFUSED_WAIT_MS =
	    5 * 1000, /* a role that is not there yet is refused like one whose password is wrong */
	SWEEP_EVERY_MS = 10 * 60 * 1000,
	STATEMENT_TABLES = 16,
};

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

/* What the arguments ask for in place of serving: 1 when that is done, 0: nothing. */
static int command(const struct service_config *config, const struct config_key *keys, size_t count, int argc,
                   char **argv, struct arena *a, struct error *err)
{
	int rc;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		help(config, keys, count, a);
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("svc-%s %s\n", config->contract->name, PARLEY_VERSION);
		return 1;
	}
	config_warn_unknown();
	if (config->command && (rc = config->command(argc, argv, a, err)) != 0)
		return rc;
	return argc > 1 ? error_set(err, ERROR_INVALID,
	                            "there is no argument \"%s\"; --help prints the settings", argv[1])
	                : 0;
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
	rc = command(config, keys, count, argc, argv, &a, &err);
	if (rc == 0 && (load_settings(config, keys, count, &set, &a, &err) < 0 ||
	                secret_load(&secret, set.secret, 0, &err) < 0))
		rc = -1;
	if (rc != 0) {
		rc = rc > 0 ? 0 : fail(config, &err);
		arena_done(&a);
		return rc;
	}
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
