#include <ctype.h>
#include <string.h>

#include "common/base/log.h"
#include "common/egress/egress.h"
#include "common/service/internal.h"

/* In the order of their ports: 8001 to 8005, admin ports 8011 to 8015. */
const char *const service_names[PEERS] = { "auth", "documents", "chatbots", "chat", "integrations" };

static const char *prefixed(struct arena *a, const char *service, const char *suffix)
{
	char *name = arena_printf(a, "%s_%s", service, suffix);

	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return name;
}

static int place_of(const char *service)
{
	int i = 0;

	while (i < PEERS && strcmp(service_names[i], service))
		i++;
	return i;
}

size_t service_keys(const struct service_config *config, struct config_key keys[KEYS_MAX], struct arena *a)
{
	const char *name = config->name;
	int place = place_of(name);
	size_t n = 0;

#define ADD(kind, ...) keys[n++] = (struct config_key)CONFIG_##kind(struct service_settings, __VA_ARGS__)
	if (config->schema)
		ADD(SECRET, database_url, "DATABASE_URL", NULL, "where PostgreSQL is, as libpq takes it");
	ADD(TEXT, secret, "PARLEY_SECRET", NULL,
	    "the file of the secret that all processes share; svc-auth --init makes it");
	ADD(LISTEN, listen, prefixed(a, name, "LISTEN"), arena_printf(a, "tcp://127.0.0.1:%d", 8001 + place),
	    "where this service takes calls");
	ADD(LISTEN, admin, prefixed(a, name, "ADMIN"), arena_printf(a, "127.0.0.1:%d", 8011 + place),
	    "where /healthz, /readyz and /metrics are");
	ADD(ONE_OF, log_level, "LOG_LEVEL", "info", CONFIG_LEVELS, "debug, info, warn or error");
	ADD(BETWEEN, workers, prefixed(a, name, "WORKERS"), "8", 1, 256, "threads for ordinary calls");
	ADD(BETWEEN, contexts, prefixed(a, name, "CONTEXTS"), strcmp(name, "chat") ? "256" : "1024", 32,
	    16384, "calls and waiting readers held at once");
	if (config->schema)
		ADD(BETWEEN, connections, prefixed(a, name, "CONNECTIONS"), "8", 1, 256,
		    "connections to PostgreSQL");
	ADD(BETWEEN, waiting, prefixed(a, name, "WAITING"), strcmp(name, "chat") ? "64" : "256", 1, 1024,
	    "calls that wait for the same (other services, the outside, readers, writers) at once, of each kind");
	ADD(BETWEEN, stop_seconds, prefixed(a, name, "STOP_SECONDS"), "25", 0, 3600,
	    "how long SIGTERM waits for what is under way");
	ADD(TEXT, egress_allow, "EGRESS_ALLOW", "",
	    "private addresses that may be reached: 127.0.0.1/32,10.0.0.0/8");
	for (int i = 0; i < PEERS; i++) {
		if (i != place)
			ADD(TEXT, addresses[i], prefixed(a, service_names[i], "ADDRESS"),
			    arena_printf(a, "tcp://127.0.0.1:%d", 8001 + i),
			    "where that service is: a list, or a DNS name");
	}
#undef ADD
	return n;
}

int service_settings_check(const struct service_settings *set, struct arena *a, struct error *err)
{
	struct error list = { 0 };
	struct egress *egress;
	int rc = 0;

	if (egress_open(set->egress_allow, &egress, &list) < 0)
		rc = config_refuse(err, a, "EGRESS_ALLOW", "%s", list.message);
	else
		egress_close(egress);
	for (int i = 0; i < PEERS; i++) {
		struct error bad = { 0 };

		if (set->addresses[i] && rpc_check_addresses(service_names[i], set->addresses[i], &bad) < 0)
			rc = config_refuse(err, a, service_names[i], "%s", bad.message);
	}
	return rc;
}
