/*
 * client: what counts as one client of a limit: an IPv4 address, or the /64 that an IPv6 address is of, which is what one
 * customer has. (An IPv4 address in IPv6's clothes, ::ffff:a.b.c.d, is that IPv4 address.) Guessing passwords is bounded
 * by wider networks, too, since addresses of one house are cheap: /24 and /64.
 */
#ifndef PARLEY_CLIENT_H
#define PARLEY_CLIENT_H

#include <stdint.h>

#include "common/base/arena.h"

/* As a number, never 0; all that are no addresses are one client. */
uint64_t client_number(const char *ip);

/* As text: "192.0.2.1", "2001:db8:1:2::/64"; what is no address stays as it is, NULL too. */
char *client_name(const char *ip, struct arena *a);

/* The network that it shares with its neighbours: "192.0.2.0/24", "2001:db8:1:2::/64". */
char *client_network(const char *ip, struct arena *a);

#endif
