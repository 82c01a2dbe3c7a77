/*
 * settings: what the environment says, read once at the start. --help prints the table.
 */
#ifndef PARLEY_SETTINGS_H
#define PARLEY_SETTINGS_H

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/rpc/rpc.h"
#include "services.h"

struct gateway_settings {
	const char *listen, *admin, *public_url, *secret, *trusted_proxies, *cors_origins, *metrics_token,
	    *log_level;
	const char *host;                /* of public_url */
	const char *addresses[SERVICES]; /* in the order of services[] */
	int64_t threads, streams;
	enum log_level level;
};

/* -1: a sentence for each setting that cannot be, in err->fields. Strings live in the arena. */
int settings_load(struct gateway_settings *set, struct arena *a, struct error *err) CHECKED;
void settings_print(void);

#endif
