/*
 * password: Argon2id (RFC 9106; 19 MiB, two passes, one lane, as OWASP recommends), a bounded number at a time.
 *
 * A hash costs 20 ms of a processor and 19 MiB. So a few threads of their own make them, one per processor, and each
 * rests after every half millisecond: a storm of logins delays logins, not requests. (Priorities would not do: they do
 * not count between control groups, which is what containers and sessions are, and a starved thread holds its process's
 * memory map.) A full queue is ERROR_UNAVAILABLE.
 */
#ifndef PARLEY_AUTH_PASSWORD_H
#define PARLEY_AUTH_PASSWORD_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

struct hasher;

struct hasher *hasher_start(int queue); /* how many may wait */
void hasher_stop(struct hasher *h);     /* NULL is fine */

/* The password's hash in PHC form, with a fresh salt. deadline: Unix milliseconds. */
int password_hash(struct hasher *h, const char *password, int64_t deadline, char **ret, struct arena *a,
                  struct error *err) CHECKED;

/* 1 right, 0 wrong. Without a phc (no such user, no password) it takes as long and is wrong. */
int password_check(struct hasher *h, const char *phc, const char *password, int64_t deadline,
                   struct error *err) CHECKED;

/* 1 when it is one of the 10,000 most common ones (data/README.md), in whatever case. */
int password_common(const char *password);

#endif
