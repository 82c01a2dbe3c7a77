/*
 * throttle: how often something may be tried, counted in PostgreSQL, so that it holds over replicas and restarts. Exact:
 * the times themselves are kept, as many as the limit asks for, and the window slides.
 */
#ifndef PARLEY_AUTH_THROTTLE_H
#define PARLEY_AUTH_THROTTLE_H

#include "common/db/db.h"

struct throttle {
	const char *name; /* of what is counted: "sign-in" */
	int limit;        /* so many ... */
	int window;       /* ... in so many seconds ... */
	int gap; /* ... and so many seconds between two; 0: none. Only throttle_take() looks at it. */
};

/* Failures: ask before, note after. 0, or ERROR_TOO_MANY with the seconds to wait. who NULL: nobody, never throttled. */
int throttle_check(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                   struct error *err) CHECKED;
int throttle_note(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err) CHECKED;
int throttle_forget(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                    struct error *err) CHECKED;

/* Attempts: 1 allowed and counted, 0 not now. */
int throttle_take(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err) CHECKED;

/* What counts as one client: an IPv4 address, or the /64 that an IPv6 address is of. NULL stays NULL. */
char *throttle_client(const char *ip, struct arena *a);

#endif
