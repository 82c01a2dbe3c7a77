/*
 * preferences: the settings object of /api/settings: what the user chose (theme, notifications, and whatever else a
 * frontend keeps there) beside what is so (address, key, usage, plan), which cannot be changed here.
 */
#ifndef PARLEY_AUTH_PREFERENCES_H
#define PARLEY_AUTH_PREFERENCES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "svc-auth/store.h"

enum { PREFERENCES_MAX = 65536 };

/*
 * Lay a patch (a JSON object) over the stored choices: objects merge, arrays replace, null resets; what is protected is
 * passed over. *ret is to be stored; *display_name is set when the patch names a new one, else NULL. A known key of the
 * wrong shape is ERROR_INVALID, more than 64 KiB in all ERROR_TOO_LARGE.
 */
int preferences_merge(const char *stored, const char *patch, const char **ret, const char **display_name,
                      struct arena *a, struct error *err) CHECKED;

/* How much of each thing one user may have; the services that keep them see to it. */
struct limits {
	int64_t documents, bytes, chatbots, integrations, servers, keys;
};

struct usage {
	bool has_messages, has_documents; /* or that service cannot be asked just now: null */
	int64_t messages, documents, bytes;
};
/* The whole object. api_key: masked, or NULL. */
int preferences_view(const struct account *who, const char *api_key, const struct usage *usage,
                     const struct limits *limits, const char **ret, struct arena *a,
                     struct error *err) CHECKED;

#endif
