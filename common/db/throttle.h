/*
 * throttle: how often something may be tried, counted in PostgreSQL, so that it holds over replicas and restarts. Of what is
 * rare (a sign-in) the times themselves are kept, as many as the limit asks for, and the window slides. What comes often (a
 * visitor's message) flows: as many at once as the limit says, then one whenever its share of a minute has passed; one
 * time is kept. (What a single gateway may count in its memory, it does: gateway/limits.h.)
 *
 * The rows are in the service's own table `tries`; throttle_statements go into its list, and throttle_sweep() among what
 * it does now and then. Clients are counted by common/base/client.h.
 */
#ifndef PARLEY_THROTTLE_H
#define PARLEY_THROTTLE_H

#include "common/db/db.h"

extern const struct db_stmt throttle_statements[];

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

/* What counts under several keys at once, each with so many a minute. Refused by one, it counts under none. */
struct throttle_flow {
	const char *key; /* "chatbot/<id>" */
	int per_minute;
};
enum { THROTTLE_FLOWS = 4 };
/* 1 allowed and counted, 0 not now: *wait seconds. */
int throttle_flow(struct db *db, const struct throttle_flow *flows, size_t count, int *wait, struct arena *a,
                  struct error *err) CHECKED;

/* What no window reaches any more. */
int throttle_sweep(struct db *db, struct error *err) CHECKED;

#endif
