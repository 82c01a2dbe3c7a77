/*
 * The gateway: HTTP in, calls out. Reads the environment, serves until SIGTERM, then finishes what is under way.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "gateway/gateway.h"

enum { FOREVER_MS = 60 * 60 * 1000 };

static int fail(const struct error *err)
{
	config_tell("gateway", err);
	return 1;
}

int main(int argc, char **argv)
{
	struct gateway g = { 0 };
	struct error err = { 0 };
	struct arena a;

	process_start();
	log_open("gateway", LOG_INFO);
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		settings_print();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("gateway " PARLEY_VERSION);
		return 0;
	}
	arena_init(&a, 0);
	if (argc > 1) {
		error_set(&err, ERROR_INVALID, "there is no argument \"%s\"; --help prints the settings",
		          argv[1]);
		return fail(&err);
	}
	config_warn_unknown();
	if (settings_load(&g.settings, &a, &err) < 0)
		return fail(&err);
	log_open("gateway", g.settings.level);
	log_background();
	if (gateway_open(&g, &a, &err) < 0) /* threads of half a start are not worth ending one by one */
		return fail(&err);
	log_line(LOG_INFO, "ready", LOG_TEXT("listen", g.settings.listen),
	         LOG_TEXT("url", g.settings.public_url));
	while (!process_wait_signal(FOREVER_MS))
		;
	log_line(LOG_INFO, "stopping");
	gateway_close(&g);
	log_line(LOG_INFO, "stopped");
	log_flush();
	arena_done(&a);
	return 0;
}
