#include "gateway/settings.h"

#include <stdio.h>
#include <string.h>

const char *const gateway_services[GATEWAY_SERVICES] = { "auth", "documents", "chatbots", "chat",
	                                                 "integrations" };

#define TEXT(member, name, fallback, about) \
	CONFIG_TEXT(struct gateway_settings, member, name, fallback, about)
#define INT(member, name, fallback, about) CONFIG_INT(struct gateway_settings, member, name, fallback, about)
static const struct config_key keys[] = {
	TEXT(listen, "PARLEY_LISTEN", "127.0.0.1:8000", "where the public API listens"),
	TEXT(admin, "GATEWAY_ADMIN", "127.0.0.1:8010",
	     "health, readiness and metrics for those who operate it"),
	TEXT(public_url, "PUBLIC_URL", "", "how clients reach it; http://localhost and the port by default"),
	TEXT(secret, "PARLEY_SECRET", NULL, "the file with the secret that all processes share"),
	INT(threads, "GATEWAY_THREADS", "1024", "connections served at once"),
	INT(streams, "GATEWAY_STREAMS", "600", "of them: open event streams at most"),
	TEXT(trusted_proxies, "PARLEY_TRUSTED_PROXIES", "",
	     "addresses or networks whose X-Forwarded-For counts"),
	TEXT(cors_origins, "CORS_ORIGINS", "",
	     "web origins that may use the API: https://app.example.com, http://localhost:*"),
	TEXT(metrics_token, "METRICS_TOKEN", "",
	     "bearer token of the public /metrics; none: not served there"),
	TEXT(log_level, "LOG_LEVEL", "info", "debug, info, warn or error"),
	TEXT(addresses[0], "AUTH_ADDRESS", "tcp://127.0.0.1:8001",
	     "svc-auth: addresses, or a DNS name of all replicas"),
	TEXT(addresses[1], "DOCUMENTS_ADDRESS", "tcp://127.0.0.1:8002", "svc-documents"),
	TEXT(addresses[2], "CHATBOTS_ADDRESS", "tcp://127.0.0.1:8003", "svc-chatbots"),
	TEXT(addresses[3], "CHAT_ADDRESS", "tcp://127.0.0.1:8004", "svc-chat"),
	TEXT(addresses[4], "INTEGRATIONS_ADDRESS", "tcp://127.0.0.1:8005", "svc-integrations"),
};
enum { KEYS = sizeof keys / sizeof keys[0] };

void settings_print(void)
{
	puts("gateway: Parley's public side. Its settings are environment variables:\n");
	config_print(keys, KEYS);
}

static int check_level(struct gateway_settings *set, struct error *err)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };

	for (int i = 0; i < 4; i++) {
		if (!strcmp(set->log_level, levels[i])) {
			set->level = (enum log_level)i;
			return 0;
		}
	}
	return error_set(err, ERROR_INVALID, "LOG_LEVEL must be debug, info, warn or error");
}

static int check_numbers(const struct gateway_settings *set, struct error *err)
{
	if (set->threads < 16 || set->threads > 16384)
		return error_set(err, ERROR_INVALID, "GATEWAY_THREADS must be 16 to 16384");
	if (set->streams < 1 || set->streams > set->threads * 4 / 5)
		return error_set(err, ERROR_INVALID,
		                 "GATEWAY_STREAMS must be at most four fifths of GATEWAY_THREADS");
	return 0;
}

static int check_addresses(const struct gateway_settings *set, struct error *err)
{
	for (int i = 0; i < GATEWAY_SERVICES; i++)
		if (rpc_check_addresses(gateway_services[i], set->addresses[i], err) < 0)
			return -1;
	return 0;
}

/* http://localhost:8000 unless somebody says how clients really come. */
static void complete_url(struct gateway_settings *set, struct arena *a)
{
	const char *port = strrchr(set->listen, ':');
	char *url = *set->public_url ? arena_strdup(a, set->public_url)
	                             : arena_printf(a, "http://localhost:%s", port ? port + 1 : set->listen);
	size_t length = strlen(url);

	if (length && url[length - 1] == '/')
		url[length - 1] = '\0';
	set->public_url = url;
}

int settings_load(struct gateway_settings *set, struct arena *a, struct error *err)
{
	if (config_load(keys, KEYS, set, a, err) < 0 || check_level(set, err) < 0 ||
	    check_numbers(set, err) < 0 || check_addresses(set, err) < 0)
		return -1;
	complete_url(set, a);
	return 0;
}
