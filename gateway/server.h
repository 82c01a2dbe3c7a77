/*
 * server: civetweb, set up so that it serves thousands: many threads, one write per answer, no file or URL handling of
 * its own, its own errors in our form, and connections closed after each answer when threads become scarce (a
 * kept-alive connection pins its thread).
 *
 * Every request comes to `handle` on the thread of its connection; when that returns without having answered, the
 * server answers what req->err says. The server writes the access log.
 */
#ifndef PARLEY_SERVER_H
#define PARLEY_SERVER_H

#include "common/base/error.h"
#include "common/base/metrics.h"
#include "gateway/proxies.h"
#include "gateway/request.h"

struct server;

struct server_config {
	const char *listen; /* "127.0.0.1:8000"; port 0: any free one */
	const char *host;   /* our name in absolute addresses: "localhost" */
	int threads;
	const struct proxies *proxies;
	struct metrics *metrics;
	/* 0: answered; -1: answer req->err. */
	int (*handle)(void *arg, struct request *req);
	void *arg;
};

/* *ret is set before the first request is handled, which may be before this returns. */
int server_start(const struct server_config *config, struct server **ret, struct error *err) CHECKED;
int server_port(const struct server *s);

/* From now on requests are refused with 503; returns when none is under way, or after patience_ms. */
void server_drain(struct server *s, int patience_ms);
bool server_draining(const struct server *s);

void server_stop(struct server *s); /* ends all threads: cuts off what is still under way */
void server_free(struct server *s);

#endif
