#include "gateway/settings.h"

#include <stdio.h>
#include <string.h>

#define KEY(kind, ...) CONFIG_##kind(struct gateway_settings, __VA_ARGS__)
static const struct config_key keys[] = {
	KEY(LISTEN, listen, "PARLEY_LISTEN", "127.0.0.1:8000", "where the public API listens"),
	KEY(LISTEN, admin, "GATEWAY_ADMIN", "127.0.0.1:8010",
	    "health, readiness and metrics for those who operate it"),
	KEY(URL, public_url, "PUBLIC_URL", "", "http|https",
	    "how clients reach it; http://localhost and the port by default"),
	KEY(TEXT, secret, "PARLEY_SECRET", NULL,
	    "the file of the secret that all processes share; svc-auth --init makes it"),
	KEY(BETWEEN, threads, "GATEWAY_THREADS", "1024", 16, 16384, "connections served at once"),
	KEY(BETWEEN, streams, "GATEWAY_STREAMS", "600", 1, 13107, "of them: open event streams at most"),
	KEY(TEXT, trusted_proxies, "PARLEY_TRUSTED_PROXIES", "",
	    "addresses or networks whose X-Forwarded-For counts"),
	KEY(TEXT, cors_origins, "CORS_ORIGINS", "",
	    "web origins that may use the API: https://app.example.com, http://localhost:*; localhost: any of this machine"),
	KEY(SECRET, metrics_token, "METRICS_TOKEN", "",
	    "bearer token of the public /metrics; none: not served there"),
	KEY(ONE_OF, log_level, "LOG_LEVEL", "info", CONFIG_LEVELS, "debug, info, warn or error"),
};
enum { OWN_KEYS = sizeof keys / sizeof keys[0], KEYS = OWN_KEYS + SERVICES };

/* Its own, and where each service is. */
static void all_keys(struct config_key all[KEYS], struct arena *a)
{
	memcpy(all, keys, sizeof keys);
	for (int i = 0; i < SERVICES; i++)
		all[OWN_KEYS + i] =
		    rpc_address_key(&services[i], offsetof(struct gateway_settings, addresses[i]), a);
}

void settings_print(void)
{
	struct config_key all[KEYS];
	struct arena a;

	arena_init(&a, 0);
	all_keys(all, &a);
	puts("gateway: Parley's public side. Its settings are environment variables:\n");
	config_print(all, KEYS);
	arena_done(&a);
}

/* What the kinds do not say. */
static int check(const struct gateway_settings *set, struct arena *a, struct error *err)
{
	int rc = 0;

	if (set->threads && set->streams > set->threads * 4 / 5)
		rc = config_refuse(err, a, "GATEWAY_STREAMS",
		                   "GATEWAY_STREAMS must be at most four fifths of GATEWAY_THREADS");
	for (int i = 0; i < SERVICES; i++) {
		struct error bad = { 0 };

		if (rpc_check_addresses(services[i].name, set->addresses[i], &bad) < 0)
			rc = config_refuse(err, a, services[i].name, "%s", bad.message);
	}
	return rc;
}

/* http://localhost:8000 unless somebody says how clients really come. */
static void complete_url(struct gateway_settings *set, struct arena *a)
{
	const char *port = strrchr(set->listen, ':');
	const char *url = *set->public_url
	                      ? set->public_url
	                      : arena_printf(a, "http://localhost:%s", port ? port + 1 : set->listen);

	set->public_url = url;
	url = strstr(url, "://") + 3;
	set->host = arena_strndup(a, url, strcspn(url, "/:"));
}

int settings_load(struct gateway_settings *set, struct arena *a, struct error *err)
{
	struct config_key all[KEYS];

	all_keys(all, a);
	if ((config_load(all, KEYS, set, a, err) | check(set, a, err)) < 0)
		return -1;
	set->level = config_level(set->log_level);
	complete_url(set, a);
	return 0;
}
