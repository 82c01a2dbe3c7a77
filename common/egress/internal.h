/*
 * internal: what the files of egress share.
 *
 *	address.c   which addresses are allowed
 *	exchange.c  one exchange with libcurl
 *	http.c      HTTP in it
 *	loop.c      many of them at once, on one thread
 *	transfer.c  one of those, from that thread's side
 *	stream.c    one of those, from its reader's side
 *	mail.c      SMTP
 */
#ifndef PARLEY_EGRESS_INTERNAL_H
#define PARLEY_EGRESS_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/egress/egress.h"

enum { EGRESS_KEPT = 16, EGRESS_RANGES = 64, LOOP_KEPT = 64 };

struct address_range {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	int bits;
};

/* A transfer handle and, in its multi handle, the connections that it keeps. */
struct line {
	CURLM *multi;
	CURL *easy;
};

struct egress {
	struct address_range allowed[EGRESS_RANGES];
	int allowed_count;
	pthread_mutex_t lock;
	struct line kept[EGRESS_KEPT]; /* idle ones, the last used first */
	int kept_count;
	struct loop *loop; /* made at first use; see loop.c */
};

/* One transfer. */
struct exchange {
	struct egress *egress;
	struct line line;
	char host[256];     /* for sentences */
	int64_t deadline;   /* monotonic ms; 0: none */
	int idle_ms;        /* 0: no such bound */
	int64_t last_heard; /* monotonic ms: kept up by the callbacks */
	const atomic_bool *cancelled;
	const atomic_llong *more_ms; /* beyond the deadline, from more_from on; NULL: none */
	int64_t more_from;
	const int64_t *end_by;
	bool refused, opened; /* of the addresses tried in this hop: one was not allowed; one was */
	char refused_address[64];
	enum { ENDED_BY_PEER, ENDED_BY_TIME, ENDED_BY_CANCEL, ENDED_BY_END } ended;
};

int egress_parse_ranges(struct egress *e, const char *allow, struct error *err);

/* A line with every safety option set for this exchange; give it back with exchange_close(). */
int exchange_open(struct exchange *x, struct egress *e, const char *url, const char *protocols,
                  struct error *err);
CURLcode exchange_run(struct exchange *x);
void exchange_close(struct exchange *x);
/* The same on a handle of the caller's. */
int exchange_set(struct exchange *x, struct egress *e, CURL *easy, const char *url, const char *protocols,
                 struct error *err);
/* true when it is over for a reason of ours; now: monotonic ms. */
bool exchange_ended_by_us(struct exchange *x, int64_t now);
/* Says in err why it failed; returns -1. */
int exchange_failed(const struct exchange *x, CURLcode code, struct error *err);

/* An exchange in HTTP. */
struct fetch {
	struct exchange x;
	const struct egress_request *req;
	struct egress_response *ret;
	struct arena *arena;
	struct curl_slist *headers;
	struct text body;
	size_t max_bytes, received, header_bytes, header_room;
	size_t sent;                /* of a body that is for once */
	bool (*is_full)(void *arg); /* of req->arg: no more for now; may be NULL */
	bool told;                  /* on_headers was called */
	bool satisfied;             /* a callback has had enough */
	bool too_large;
};
/* easy: the handle to use; NULL takes one of those that are kept. */
int fetch_open(struct fetch *f, struct egress *e, const struct egress_request *req,
               struct egress_response *ret, CURL *easy, struct arena *a, struct error *err);
int fetch_conclude(struct fetch *f, CURLcode code, struct error *err);

/* One of those that the loop has. */
struct egress_stream {
	struct loop *loop;
	struct arena arena; /* of the request and the response */
	struct egress_request req;
	struct egress_response response;
	struct fetch fetch;
	void (*wake)(void *arg);
	void *arg;
	int64_t end_by; /* the thread's */
	bool running;   /* the thread's: its handle is in the multi handle */
	bool gone;      /* the thread's: its reader has closed it, and posts it no more */
	bool lingering; /* the thread's: gone, and may come to its end */
	struct egress_stream *next, **before; /* of those that run */

	struct egress_stream *next_in; /* in the inbox, guarded by its lock */
	bool in, closed;               /* closed: with this post its reader is gone */

	pthread_mutex_t lock; /* guards what follows */
	char *queue;
	size_t size, room;
	int status;
	bool paused, over, closing, sent;
	int64_t linger_until, end_soon;
	int64_t more_ms; /* that it may take beyond its time, since that was looked at last */
	int result;
	struct error err;
};

struct loop {
	struct egress *egress;
	CURLM *multi;
	int epoll, event;
	int64_t timer_at, looked_at; /* monotonic ms; timer_at -1: none */
	bool quiet;                  /* nothing came when it waited last */
	int64_t round_at;            /* when sockets were last looked at, */
	int round_events;            /* and how many of them since had something */
	struct egress_stream *running;
	int running_count;
	CURL *kept[LOOP_KEPT];
	int kept_count;
	pthread_t thread;
	pthread_mutex_t lock;                     /* guards what follows */
	struct egress_stream *inbox, **inbox_end; /* the oldest first */
	bool stop, rests;                         /* rests: it waits until it is woken, however long */
};

/* --- transfer.c; for the loop's thread --------------------------------------------------------------------------- */

/* What somebody wants of it: to begin, to go on, to end. It may be freed. */
void transfer_attend(struct loop *loop, struct egress_stream *s);
void transfer_end(struct egress_stream *s, CURLcode code); /* so its transfer has ended */
bool transfer_is_full(void *stream);                       /* its reader has much to read: its peer waits */
void transfer_leave(struct egress_stream *s);              /* it runs no more, and its handle is free */
void transfer_free(struct egress_stream *s);

/* --- loop.c ------------------------------------------------------------------------------------------------------- */

/* The process's loop, made at first use. */
struct loop *loop_of(struct egress *e);
/* The thread shall look at the stream: now, or else the next time that it looks at deadlines or something comes. last: its
 * reader will not touch it again, and the thread frees it. */
void loop_post(struct egress_stream *s, bool last, bool now);
void loop_close(struct loop *loop);

#endif
