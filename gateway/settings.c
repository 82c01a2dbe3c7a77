#include "gateway/settings.h"

#include <stdio.h>
#include <string.h>

const char *const gateway_services[GATEWAY_SERVICES] = { "auth", "documents", "chatbots", "chat",
	                                                 "integrations" };

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
	KEY(TEXT, addresses[0], "AUTH_ADDRESS", "tcp://127.0.0.1:8001",
	    "svc-auth: addresses, or a DNS name of all replicas"),
	KEY(TEXT, addresses[1], "DOCUMENTS_ADDRESS", "tcp://127.0.0.1:8002", "svc-documents"),
	KEY(TEXT, addresses[2], "CHATBOTS_ADDRESS", "tcp://127.0.0.1:8003", "svc-chatbots"),
	KEY(TEXT, addresses[3], "CHAT_ADDRESS", "tcp://127.0.0.1:8004", "svc-chat"),
	KEY(TEXT, addresses[4], "INTEGRATIONS_ADDRESS", "tcp://127.0.0.1:8005", "svc-integrations"),
};
enum { KEYS = sizeof keys / sizeof keys[0] };

void settings_print(void)
{
	puts("gateway: Parley's public side. Its settings are environment variables:\n");
	config_print(keys, KEYS);
}

/* What the kinds do not say. */
static int check(const struct gateway_settings *set, struct arena *a, struct error *err)
{
	int rc = 0;

	if (set->threads && set->streams > set->threads * 4 / 5)
		rc = config_refuse(err, a, "GATEWAY_STREAMS",
		                   "GATEWAY_STREAMS must be at most four fifths of GATEWAY_THREADS");
	for (int i = 0; i < GATEWAY_SERVICES; i++) {
		struct error bad = { 0 };

		if (rpc_check_addresses(gateway_services[i], set->addresses[i], &bad) < 0)
			rc = config_refuse(err, a, gateway_services[i], "%s", bad.message);
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
	if ((config_load(keys, KEYS, set, a, err) | check(set, a, err)) < 0)
		return -1;
	set->level = config_level(set->log_level);
	complete_url(set, a);
	return 0;
}
