#include <assert.h>
#include <string.h>

#include "common/base/log.h"
#include "common/egress/egress.h"
#include "common/service/internal.h"

static int place_of(const char *service)
{
	int i = 0;

	while (i < SERVICES && strcmp(services[i].name, service) != 0)
		i++;
	assert(i < SERVICES);
	return i;
}

size_t service_keys(const struct service_config *config, struct config_key keys[KEYS_MAX], struct arena *a)
{
	const struct contract *contract = config->contract;
	const char *name = contract->name;
	int place = place_of(name), port = services[place].port;
	size_t n = 0;

#define ADD(kind, ...) keys[n++] = (struct config_key)CONFIG_##kind(struct service_settings, __VA_ARGS__)
	if (contract->migrations)
		ADD(SECRET, database_url, "DATABASE_URL", NULL, "where PostgreSQL is, as libpq takes it");
	ADD(TEXT, secret, "PARLEY_SECRET", NULL,
	    "the file of the secret that all processes share; svc-auth --init makes it");
	ADD(ENDPOINT, listen, config_prefixed(a, name, "LISTEN"), arena_printf(a, "tcp://127.0.0.1:%d", port),
	    "where this service takes calls; abstract://name: from this machine alone");
	ADD(LISTEN, admin, config_prefixed(a, name, "ADMIN"),
	    arena_printf(a, "127.0.0.1:%d", port + ADMIN_PORT_ABOVE),
	    "where /healthz, /readyz and /metrics are");
	ADD(ONE_OF, log_level, "LOG_LEVEL", "info", CONFIG_LEVELS, "debug, info, warn or error");
	ADD(BETWEEN, workers, config_prefixed(a, name, "WORKERS"), "8", 1, 256, "threads for ordinary calls");
	ADD(BETWEEN, contexts, config_prefixed(a, name, "CONTEXTS"),
	    arena_printf(a, "%d", contract->contexts), 32, 16384, "calls and waiting readers held at once");
	if (contract->migrations)
		ADD(BETWEEN, connections, config_prefixed(a, name, "CONNECTIONS"), "8", 1, 256,
		    "connections to PostgreSQL");
	ADD(BETWEEN, waiting, config_prefixed(a, name, "WAITING"), arena_printf(a, "%d", contract->waiting),
	    1, 1024,
	    "calls that wait for the same (other services, the outside, readers, writers) at once, of each kind");
	ADD(BETWEEN, stop_seconds, config_prefixed(a, name, "STOP_SECONDS"), "25", 0, 3600,
	    "how long SIGTERM waits for what is under way");
	ADD(TEXT, egress_allow, "EGRESS_ALLOW", "",
	    "private addresses that may be reached: 127.0.0.1/32,10.0.0.0/8");
	for (int i = 0; i < SERVICES; i++) {
		if (i != place)
			keys[n++] =
			    rpc_address_key(&services[i], offsetof(struct service_settings, addresses[i]), a);
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
	for (int i = 0; i < SERVICES; i++) {
		struct error bad = { 0 };

		if (set->addresses[i] && rpc_check_addresses(services[i].name, set->addresses[i], &bad) < 0)
			rc = config_refuse(err, a, services[i].name, "%s", bad.message);
	}
	return rc;
}
