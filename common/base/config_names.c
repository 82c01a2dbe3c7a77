#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"

/* All there are, ended by NULL: made by the build from the tables of all programs (common/build/settings.sh). */
extern const char *const config_names[];
extern const char *const config_services[]; /* "AUTH_" and so on: what those of each service begin with */

enum { SLIP_MAX = 3, NAME_MAX_LENGTH = 63 };

/* How many letters must be put in, taken out, exchanged or swapped with their neighbour; more than SLIP_MAX: many. */
static int distance(const char *a, const char *b)
{
	int rows[3][NAME_MAX_LENGTH + 2];
	int *two = rows[0], *one = rows[1], *now = rows[2], n = (int)strlen(a), m = (int)strlen(b);

	if (n > NAME_MAX_LENGTH || m > NAME_MAX_LENGTH)
		return SLIP_MAX + 1;
	for (int j = 0; j <= m; j++)
		one[j] = j;
	for (int i = 1; i <= n; i++) {
		int *spare = two;

		now[0] = i;
		for (int j = 1; j <= m; j++) {
			int best = one[j - 1] + (a[i - 1] != b[j - 1]);

			best = one[j] + 1 < best ? one[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			now[j] = best;
		}
		two = one;
		one = now;
		now = spare;
	}
	return one[m];
}

const char *config_nearest(const char *given)
{
	const char *nearest = NULL;
	int least = SLIP_MAX + 1;

	for (const char *const *name = config_names; *name; name++) {
		int d = distance(given, *name);

		if (d < least) {
			least = d;
			nearest = *name;
		}
	}
	return nearest;
}

/* Known, also as NAME_FILE. */
static bool is_known(const char *name, size_t length)
{
	static const char file[] = "_FILE";
	size_t stem =
	    length > sizeof file - 1 && !strncmp(name + length - (sizeof file - 1), file, sizeof file - 1)
	        ? length - (sizeof file - 1)
	        : length;

	for (const char *const *known = config_names; *known; known++)
		if ((strlen(*known) == length || strlen(*known) == stem) &&
		    !strncmp(*known, name, strlen(*known)))
			return true;
	return false;
}

static bool begins_with_one(const char *const *list, const char *name)
{
	while (*list && strncmp(*list, name, strlen(*list)) != 0)
		list++;
	return *list != NULL;
}

static bool begins_like_ours(const char *name)
{
	static const char *const ours[] = { "PARLEY_", "GATEWAY_", "EMBEDDING_", "EGRESS_",
		                            "SMTP_",   "CORS_",    "SERVICE_",   NULL };

	return begins_with_one(ours, name) || begins_with_one(config_services, name);
}

/* Kubernetes and Docker tell each container of its neighbours: CHAT_PORT_8004_TCP_ADDR, CHAT_SERVICE_HOST. */
static bool is_an_orchestrators(const char *name)
{
	return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") || strstr(name, "_PORT_") ||
	       (strlen(name) > 5 && !strcmp(name + strlen(name) - 5, "_PORT"));
}

void config_warn_unknown(void)
{
	for (char **at = environ; *at; at++) {
		size_t length = strcspn(*at, "=");
		char name[128];
		char said[320];
		const char *nearest;

		if (length >= sizeof name || is_known(*at, length))
			continue;
		memcpy(name, *at, length);
		name[length] = '\0';
		if (!begins_like_ours(name) || is_an_orchestrators(name))
			continue;
		nearest = config_nearest(name);
		snprintf(said, sizeof said, "%s is no setting%s%s%s", name, nearest ? "; is " : "",
		         nearest ? nearest : "", nearest ? " meant?" : "");
		log_line(LOG_WARN, said);
	}
}
