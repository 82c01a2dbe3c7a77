/*
 * limits: how often one client may call one thing (how many at once is a gate's affair): a token bucket that holds a
 * minute's worth. The buckets live in a table of fixed size: when a row is full, the bucket that restrains its client
 * least makes room.
 */
#ifndef PARLEY_LIMITS_H
#define PARLEY_LIMITS_H

#include <stdint.h>

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates *r);

/* One more call by the client at `ip` of the thing numbered `what`. 0: go on; else the seconds to wait. */
int rates_take(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms);

/* What was taken is not to count after all. */
void rates_give(struct rates *r, const char *ip, unsigned what, int per_minute, int64_t now_ms);

/* The same for whoever bears that name: an API key's number, a session's id. */
int rates_take_named(struct rates *r, const char *who, unsigned what, int per_minute, int64_t now_ms);

#endif
