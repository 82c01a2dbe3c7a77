/* egress_internal: what the files of egress share: the pool of handles, and how every one of them is set up. */
#ifndef PARLEY_EGRESS_INTERNAL_H
#define PARLEY_EGRESS_INTERNAL_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>

#include "common/egress.h"

struct egress_net { /* an IPv4 net is kept as ::ffff:a.b.c.d */
	unsigned char bytes[16];
	int bits;
};

enum { EGRESS_NETS = 64, EGRESS_IDLE = 16 };

struct egress {
	struct egress_net allowed[EGRESS_NETS];
	int allowed_count;
	pthread_mutex_t lock;
	CURL *idle[EGRESS_IDLE]; /* last used last: its connections are the likeliest to be alive */
	int idle_count;
};

/* "127.0.0.1/32, ::1/128" into e->allowed. */
int egress_parse_allow(struct egress *e, const char *list, struct error *err) CHECKED;

/* One transfer's view of the gate. */
struct egress_gate {
	const struct egress *egress;
	char refused[INET6_ADDRSTRLEN]; /* the last address refused; "" when none was */
};

/* A handle with everything that all transfers have in common: protocols, the gate, no proxy, no signals. */
CURL *egress_take(struct egress *e, struct egress_gate *gate, const char *protocols);
void egress_give(struct egress *e, CURL *handle);

/* A failed transfer, in our words. */
int egress_failed(CURLcode code, const struct egress_gate *gate, const char *what, struct error *err);

#endif
