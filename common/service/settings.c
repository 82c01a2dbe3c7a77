#include <ctype.h>
#include <string.h>

#include "common/base/log.h"
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

#define TEXT(member, key, fallback, about) \
	keys[n++] = (struct config_key)CONFIG_TEXT(struct service_settings, member, key, fallback, about)
#define INT(member, suffix, fallback, about)                                       \
	keys[n++] = (struct config_key)CONFIG_INT(struct service_settings, member, \
	                                          prefixed(a, name, suffix), fallback, about)
	if (config->schema)
		TEXT(database_url, "DATABASE_URL", NULL, "where PostgreSQL is, as libpq takes it");
	TEXT(secret, "PARLEY_SECRET", NULL,
	     "the file of the secret that all processes share; made when missing");
	TEXT(listen, prefixed(a, name, "LISTEN"), arena_printf(a, "tcp://127.0.0.1:%d", 8001 + place),
	     "where this service takes calls");
	TEXT(admin, prefixed(a, name, "ADMIN"), arena_printf(a, "127.0.0.1:%d", 8011 + place),
	     "where /healthz, /readyz and /metrics are");
	TEXT(log_level, "LOG_LEVEL", "info", "debug, info, warn or error");
	INT(workers, "WORKERS", "8", "threads for ordinary calls");
	INT(contexts, "CONTEXTS", strcmp(name, "chat") ? "256" : "1024",
	    "calls and waiting readers held at once");
	if (config->schema)
		INT(connections, "CONNECTIONS", "8", "connections to PostgreSQL");
	INT(slow, "SLOW", strcmp(name, "chat") ? "64" : "256",
	    "threads for calls that wait for models, pages or peers");
	INT(stop_seconds, "STOP_SECONDS", "25", "how long SIGTERM waits for what is under way");
	for (int i = 0; i < PEERS; i++) {
		if (i != place)
			TEXT(addresses[i], prefixed(a, service_names[i], "ADDRESS"),
			     arena_printf(a, "tcp://127.0.0.1:%d", 8001 + i),
			     "where that service is: a list, or a DNS name");
	}
#undef TEXT
#undef INT
	return n;
}

/* A number's bounds, told with the name of its key. */
static int within(const struct config_key *key, const struct service_settings *set, struct error *err)
{
	static const struct {
		size_t offset;
		int64_t least, most;
	} bounds[] = {
		{ offsetof(struct service_settings, workers), 1, 256 },
		{ offsetof(struct service_settings, contexts), 32, 16384 },
		{ offsetof(struct service_settings, connections), 1, 256 },
		{ offsetof(struct service_settings, slow), 1, 1024 },
		{ offsetof(struct service_settings, stop_seconds), 0, 3600 },
	};

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		int64_t value = *(const int64_t *)(const void *)((const char *)set + bounds[i].offset);

		if (key->offset == bounds[i].offset && (value < bounds[i].least || value > bounds[i].most))
			return error_set(err, ERROR_INVALID, "%s must be %lld to %lld", key->name,
			                 (long long)bounds[i].least, (long long)bounds[i].most);
	}
	return 0;
}

int service_settings_check(const struct service_settings *set, const struct config_key *keys, size_t count,
                           enum log_level *level, struct error *err)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	int found = -1;

	for (int i = 0; i < 4; i++)
		found = strcmp(set->log_level, levels[i]) ? found : i;
	if (found < 0)
		return error_set(err, ERROR_INVALID, "LOG_LEVEL must be debug, info, warn or error");
	*level = (enum log_level)found;
	for (int i = 0; i < PEERS; i++) {
		if (set->addresses[i] && rpc_check_addresses(service_names[i], set->addresses[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (within(&keys[i], set, err) < 0)
			return -1;
	}
	return 0;
}
