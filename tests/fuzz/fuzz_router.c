/* links: gateway/router.c build/gen/routes.c */
/* Any bytes as "VERB path". A match must be complete, its parameters clean; a refusal must say why. */
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "gateway/router.h"

static void check_match(const struct route_match *match, const char *verb)
{
	if (strcmp(match->route->verb, verb) != 0 &&
	    (strcmp(verb, "HEAD") != 0 || strcmp(match->route->verb, "GET") != 0))
		abort();
	for (int i = 0; i < match->param_count; i++) {
		const char *value = match->params[i].value;

		if (!match->params[i].name || !*value || !utf8_valid(value, strlen(value)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct router *router;
	struct arena a;
	struct error err = { 0 };
	struct route_match match;
	char *text, *path;

	if (!router)
		router = router_new(routes, route_count);
	arena_init(&a, 0);
	text = arena_strndup(&a, (const char *)data, size);
	path = strchr(text, ' ');
	if (path) {
		*path++ = '\0';
		if (router_match(router, text, path, &match, &a, &err) == 0)
			check_match(&match, text);
		else if (err.code != ERROR_NOT_FOUND && err.code != ERROR_MALFORMED &&
		         err.code != ERROR_METHOD)
			abort();
		if (err.code == ERROR_METHOD && !*match.allow)
			abort();
	}
	arena_done(&a);
	return 0;
}
