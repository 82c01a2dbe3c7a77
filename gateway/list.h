/*
 * list: routes that answer a plain array. A service answers as many rows as fit a message well, and a cursor; the gateway
 * asks again until it has `limit` of them, or without a limit all (at most LIST_MAX). What fits in one reply is
 * answered in one piece; a longer list is sent as it comes, so that its size does not count here.
 */
#ifndef PARLEY_LIST_H
#define PARLEY_LIST_H

#include "gateway/gateway.h"

enum { LIST_MAX = 10000 };

bool list_is(const struct route *route); /* its reply has rows and `next`, its request `limit` and `cursor` */
int list_serve(struct exchange *x) CHECKED;

#endif
