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
#include "common/base/text.h"

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
	const char *sign, *sign_key; /* libcurl's SigV4: "aws:amz:REGION:s3" and "KEY:SECRET"; NULL: none */
	int timeout_ms;              /* of the whole exchange; for a stream: 0, and idle_ms counts */
	int connect_timeout_ms;      /* 0: 10 s */
	int idle_ms;                 /* nothing received for so long: over; 0: no such bound */
	size_t max_bytes;            /* of the answer, inflated; ERROR_TOO_LARGE above; 0: 16 MiB */
	/* Never sent anew, as libcurl does where a kept connection dies: that of a request a few seconds ago will do, an older
	 * one will not. */
	bool once;
	bool whole;                   /* of a stream: gathered as by egress_fetch(), and only its end wakes */
	int max_redirects;            /* GET and HEAD only; 0: a redirect is an answer like any other */
	const atomic_bool *cancelled; /* looked at a few times a second; may be NULL */
	const atomic_llong *more_ms;  /* by what it grows from now on timeout_ms is longer; may be NULL */
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

/*
 * The same without a thread that waits: all streams of a process share one thread, its connections and its timers. What
 * has come is read by whoever is woken for it; a reader that does not keep up slows its peer down. The request is copied;
 * on_data, on_headers, cancelled and more_ms of it are not used.
 *
 * wake(arg) says that there is something new to read, from the shared thread: it must be quick and call nothing of a
 * stream. It comes at least once before the end, and never after egress_stream_close().
 */
struct egress_stream;
struct egress_stream *egress_stream_start(struct egress *e, const struct egress_request *req,
                                          void (*wake)(void *arg), void *arg);
/* Adds what has come to ret; true while more may come. Once false, egress_stream_result() is known. */
bool egress_stream_read(struct egress_stream *s, struct text *ret);
bool egress_stream_ended(const struct egress_stream *s); /* of a whole one, which is not read */
/* Status (0 until the headers have come) and headers, of a whole one at its end also where it came from and its body; they
 * live as long as the stream. */
const struct egress_response *egress_stream_response(const struct egress_stream *s);
/* 0, or -1 as egress_fetch() has it. */
int egress_stream_result(const struct egress_stream *s, struct error *err);
/* Of one that has ended: its peer may have got the request. */
bool egress_stream_sent(const struct egress_stream *s);
/* All that matters is there: the rest may come for so long, and not coming is no failure. */
void egress_stream_end_soon(struct egress_stream *s, int64_t ms);
/* It may take so much longer than timeout_ms; less, where that is negative. */
void egress_stream_more_time(struct egress_stream *s, int64_t ms);
/* Ends it and frees it. linger_ms: the answer may come to its end by itself in that time, unread, so that the connection
 * can be used again; 0 cuts it off. NULL is fine. */
void egress_stream_close(struct egress_stream *s, int64_t linger_ms);
/* A request whose answer nobody waits for; it has timeout_ms. */
void egress_tell(struct egress *e, const struct egress_request *req);

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

/* Whether a URL of http or https can be kept for later: 0, or ERROR_INVALID with a sentence: what is no such URL, or
 * leads to an address that is refused as things are. Asks the DNS. Each request is judged again. */
int egress_judge(const struct egress *e, const char *url, struct error *err) CHECKED;

/* Judge an address (struct sockaddr) without connecting: 1 allowed, 0 refused. For tests and for listeners. */
struct sockaddr;
int egress_allows(const struct egress *e, const struct sockaddr *address);

#endif
