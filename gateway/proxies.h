/*
 * proxies: whose word about the client's address counts.
 *
 * X-Forwarded-For is a list that every proxy appends to; anybody can send one. Only what trusted proxies
 * (PARLEY_TRUSTED_PROXIES, "127.0.0.1, 10.0.0.0/8, fd00::/8") appended is believed: the client is the rightmost
 * address that is not a trusted proxy.
 */
#ifndef PARLEY_PROXIES_H
#define PARLEY_PROXIES_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum { PROXIES_MAX = 64 };

struct proxies {
	struct proxy_range {
		unsigned char network[16]; /* an IPv4 network as ::ffff:a.b.c.d */
		int bits;
	} ranges[PROXIES_MAX];
	int count;
};

int proxies_parse(struct proxies *ret, const char *list,
                  struct error *err) CHECKED; /* -1: names the bad entry */

bool proxies_trust(const struct proxies *p, const char *ip);

/* peer: who is connected; forwarded: the X-Forwarded-For header or NULL. The answer is peer or in the arena. */
const char *proxies_client(const struct proxies *p, const char *peer, const char *forwarded, struct arena *a);

#endif
