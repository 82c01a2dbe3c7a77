/*
 * limits: how much of the gateway one client, or all of them together, may take.
 *
 * A gate bounds how many are inside at once (open streams, requests whose body is being read, uploads). A rate bounds
 * how often one client address may call one thing: a token bucket that holds a minute's worth. The buckets live in a
 * table of fixed size: when a row is full, the bucket that restrains its client least makes room.
 */
#ifndef PARLEY_LIMITS_H
#define PARLEY_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
	atomic_int inside;
	int room;
};

bool gate_enter(struct gate *g); /* false: full, and nothing was taken */
void gate_leave(struct gate *g);

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates *r);

/*
 * One more call by the client at `ip` of the thing numbered `what`. 0: go on; else the seconds to wait.
 * An IPv6 client counts by its /64, which is what one customer has.
 */
int rates_take(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms);

/* What was taken is not to count after all. */
void rates_give(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms);

#endif
