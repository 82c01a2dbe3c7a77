/*
 * dispatch: a request from its path to the module that serves it: the route, CORS, limits, who is calling.
 */
#ifndef PARLEY_DISPATCH_H
#define PARLEY_DISPATCH_H

#include "gateway/gateway.h"

/* For struct server_config: arg is the gateway. 0: answered; -1: req->err says what to answer. */
int dispatch(void *arg, struct request *req);

#endif
