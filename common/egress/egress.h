/*
 * egress: the one way out. Every request to the outside (pages, models, MCP, OAuth, Slack, S3, mail) goes through here.
 *
 * The address that a socket is about to connect to is judged after every DNS answer and redirect: private, loopback,
 * link-local, CGN, ULA, multicast, mapped and metadata addresses are refused (ERROR_INVALID) unless EGRESS_ALLOW
 * ("127.0.0.1/32,10.0.0.0/8") lists them. Only http and https (smtp and smtps for mail); size and time are capped.
 */
#ifndef PARLEY_EGRESS_H
#define PARLEY_EGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

struct egress; /* the allow-list, and connections kept for the next request; serves every thread */

int egress_open(const char *allow, struct egress **ret,
                struct error *err) CHECKED; /* -1: a bad list, named */
void egress_close(struct egress *e);

struct egress_request {
	const char *method; /* "GET" */
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
	const void *body;
	size_t body_size;
	int timeout_ms;         /* of the whole exchange; for a stream: 0, and idle_ms counts */
	int connect_timeout_ms; /* 0: 10 s */
	int idle_ms;            /* nothing received for so long: over; 0: no such bound */
	size_t max_bytes;       /* of the answer, inflated; ERROR_TOO_LARGE above; 0: 16 MiB */
	/* On a connection of its own: on a kept one that dies libcurl sends anew what may have been done. */
	bool once;
	int max_redirects;            /* GET and HEAD only; 0: a redirect is an answer like any other */
	const atomic_bool *cancelled; /* looked at a few times a second; may be NULL */
	/* Monotonic ms that a callback may set: all that matters is there, so an end that has not come by then is none too
	 * early. 0 or NULL: no such time. */
	const int64_t *end_by;
	/* For streams: called with each piece as it comes; non-zero ends the transfer (not an error). NULL: gather. */
	int (*on_data)(void *arg, const char *bytes, size_t size);
	/* Called once, when the headers of the final answer are there, in *ret too; non-zero ends the transfer. */
	int (*on_headers)(void *arg, int status);
	void *arg;
};

struct egress_header {
	const char *name, *value; /* name in lower case */
};
struct egress_response {
	int status;
	const char *url; /* where the answer came from, after redirects */
	struct egress_header *headers;
	size_t header_count;
	char *body; /* gathered; NUL-terminated */
	size_t body_size;
};

/* 0 for any HTTP answer; -1: ERROR_INVALID (address or URL refused), ERROR_UPSTREAM (no connection, TLS, cut off),
 * ERROR_TOO_LARGE, ERROR_UNKNOWN_OUTCOME (time is up), ERROR_UNAVAILABLE (cancelled). */
int egress_fetch(struct egress *e, const struct egress_request *req, struct egress_response *ret,
                 struct arena *a, struct error *err) CHECKED;
const char *egress_header(const struct egress_response *r,
                          const char *name); /* lower case; NULL when not there */

/* A mail as it shall travel (RFC 5322, CRLF). reply_code: the server's last, for 4xx/5xx decisions; may be NULL. */
struct egress_mail {
	const char *server;          /* "smtp://mail.example.com:587" or smtps:// */
	const char *user, *password; /* NULL: no AUTH */
	const char *ca_file;         /* NULL: the system's */
	bool require_tls;            /* STARTTLS or nothing */
	const char *from, *to;
	const char *message;
	size_t message_size;
	int timeout_ms;
};
int egress_send_mail(struct egress *e, const struct egress_mail *mail, int *reply_code,
                     struct error *err) CHECKED;

/* Judge an address (struct sockaddr) without connecting: 1 allowed, 0 refused. For tests and for listeners. */
struct sockaddr;
int egress_allows(const struct egress *e, const struct sockaddr *address);

#endif
