#include "gateway/server.h"

#include <assert.h>
#include <civetweb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "gateway/answer.h"
#include "gateway/guard.h"

enum {
	QUEUE = 5000, /* accepted connections that wait for a thread */
	SPARE = 512,  /* descriptors for all else: sockets to the services, logs, listeners */
	FEWEST = 64,  /* with less room for connections there is no point in starting */
};

enum { ARENAS_KEPT = 32 };

struct server {
	struct server_config config;
	struct mg_context *civetweb;
	struct guard *guard;
	atomic_int running;
	atomic_bool draining;
	struct metric *by_class[6]; /* answers, by status / 100 */
	struct metric *seconds, *connections, *refused;
	pthread_mutex_t lock; /* of what follows */
	struct arena arenas
	    [ARENAS_KEPT]; /* of earlier requests: the last one's memory is still in the processor's cache */
	int arena_count;
};

static struct server *server_of(const struct mg_connection *conn)
{
	return mg_get_user_data(mg_get_context(conn));
}

/* --- Connections ---------------------------------------------------------------------------------------------- */

static int on_connection(const struct mg_connection *conn, void **slot)
{
	struct server *s = server_of(conn);

	*slot = guard_open(s->guard, conn);
	metric_add(s->connections, 1);
	return 0;
}

/* --- Requests ------------------------------------------------------------------------------------------------- */

static void count(struct server *s, const struct request *req)
{
	int class = req->status / 100;

	metric_add(s->by_class[class > 0 && class < 6 ? class : 5], 1);
	if (!req->streams)
		metric_observe(s->seconds, clock_mono_us() - req->began_us);
}

static void log_access(const struct request *req)
{
	/* ours is 500 alone; what others failed at (a user's address that nobody answers) is no alarm */
	enum log_level level = req->status == 500 ? LOG_ERROR : req->status >= 502 ? LOG_WARN : LOG_INFO;

	log_line(level, req->err.code ? req->err.message : "answered", LOG_TEXT("request", req->id),
	         LOG_TEXT("verb", req->info->request_method), LOG_TEXT("path", req->path),
	         LOG_INT("status", req->status), LOG_TEXT("method", req->method), LOG_TEXT("user", req->user),
	         LOG_TEXT("ip", req->ip), LOG_INT("bytes", req->sent),
	         LOG_INT("us", clock_mono_us() - req->began_us), LOG_TEXT("detail", req->err.detail));
}

static int serve(struct server *s, struct request *req)
{
	if (guard_full(s->guard))
		req->close = true;
	if (atomic_load(&s->draining)) {
		req->close = true;
		return error_busy(&req->err, 2, "this gateway is shutting down");
	}
	return s->config.handle(s->config.arg, req);
}

static struct arena take_arena(struct server *s)
{
	struct arena arena;

	arena_init(&arena, 0);
	pthread_mutex_lock(&s->lock);
	if (s->arena_count)
		arena = s->arenas[--s->arena_count];
	pthread_mutex_unlock(&s->lock);
	return arena;
}

static void give_arena(struct server *s, struct arena *arena)
{
	bool kept;

	arena_reset(arena);
	pthread_mutex_lock(&s->lock);
	kept = s->arena_count < ARENAS_KEPT;
	if (kept)
		s->arenas[s->arena_count++] = *arena;
	pthread_mutex_unlock(&s->lock);
	if (!kept)
		arena_done(arena);
}

static int on_request(struct mg_connection *conn)
{
	struct server *s = server_of(conn);
	struct arena arena = take_arena(s);
	struct request req;

	guard_busy(mg_get_user_connection_data(conn));
	atomic_fetch_add(&s->running, 1);
	if (request_open(&req, conn, s->config.proxies, &arena) < 0 || serve(s, &req) < 0)
		answer_error(&req, NULL);
	count(s, &req);
	log_access(&req);
	request_finish(&req);
	atomic_fetch_sub(&s->running, 1);
	give_arena(s, &arena);
	return 200; /* any number from 1 to 999: done */
}

enum { TOO_LARGE = 413 };

/* What civetweb refuses by itself, since it cannot read it as a request: its status, and ours. */
static const struct refusal {
	int theirs, ours;
	const char *reason, *detail;
} refusals[] = {
	{ 505, 505, "HTTP Version Not Supported", "only HTTP/1.0 and HTTP/1.1 are spoken here" },
	{ TOO_LARGE, 431, "Request Header Fields Too Large",
	  "the address and header are larger than 16 KB together" },
	{ 0, 400, "Bad Request", "this is not an HTTP request" }, /* whatever else */
};
static const struct refusal too_slow = { 0, 408, "Request Timeout",
	                                 "the header of the request came too slowly" };
static const struct refusal no_path = { 0, 400, "Bad Request", "the path must start with a slash" };
static const struct refusal elsewhere = { 0, 421, "Misdirected Request",
	                                  "this is not the server of that address" };
/* RFC 9110, 9.3.7: whether there is a server at all. */
static const struct refusal as_a_whole = { 0, 204, "No Content", NULL };

/* Whose page it is was not read; there is nothing in the answer that it may not see. */
static void refuse(struct mg_connection *conn, const struct refusal *why, const char *message)
{
	struct server *s = server_of(conn);
	unsigned char random[8];
	char id[2 * sizeof random + 1], rest[256], answer[512];
	int size;

	random_bytes(random, sizeof random);
	hex_encode(id, random, sizeof random);
	if (why->detail)
		snprintf(rest, sizeof rest,
		         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n{\"detail\":\"%s\"}",
		         strlen(why->detail) + strlen("{\"detail\":\"\"}"), why->detail);
	else
		snprintf(rest, sizeof rest, "Allow: DELETE, GET, HEAD, OPTIONS, POST, PUT\r\n\r\n");
	size = snprintf(answer, sizeof answer,
	                "HTTP/1.1 %d %s\r\nX-Request-Id: %s\r\nAccess-Control-Allow-Origin: *\r\n"
	                "Connection: close\r\n%s",
	                why->ours, why->reason, id, rest);
	guard_answer(mg_get_user_connection_data(conn), clock_mono_ms() + GUARD_GRACE_MS);
	mg_write(conn, answer, (size_t)size);
	metric_add(s->refused, 1);
	log_line(LOG_INFO, why->detail ? why->detail : "answered", LOG_TEXT("request", id),
	         LOG_INT("status", why->ours), LOG_TEXT("detail", message));
}

static int on_error(struct mg_connection *conn, int status, const char *message)
{
	struct guard_slot *slot = mg_get_user_connection_data(conn);
	const struct refusal *why = refusals;

	if (guard_expired(slot))
		why = &too_slow;
	else if (status == 400 && guard_unread(slot))
		status = TOO_LARGE; /* its buffer is full, and it takes that for the end */
	while (why != &too_slow && why->theirs && why->theirs != status)
		why++;
	refuse(conn, why, message);
	return 0;
}

/* What is a request, but for no path of this server: civetweb closes the connection then, and tells nobody. */
static const struct refusal *left_alone(const struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);

	if (!info || !info->request_uri || info->local_uri_raw ||
	    guard_answering(mg_get_user_connection_data(conn)))
		return NULL;
	if (strcmp(info->request_uri, "*") != 0)
		return &elsewhere;
	return strcmp(info->request_method, "OPTIONS") ? &no_path : &as_a_whole;
}

static void on_close(const struct mg_connection *conn)
{
	struct server *s = server_of(conn);
	const struct refusal *why = left_alone(conn);

	if (why)
		refuse((struct mg_connection *)conn, why, "");
	metric_add(s->connections, -1);
	guard_close(s->guard, mg_get_user_connection_data(conn));
}

/* Most of a thousand threads wait for a connection that may never come; what civetweb's first steps used of their stacks is
 * not needed for that. */
static void *on_thread(const struct mg_context *ctx, int type)
{
	(void)ctx;
	(void)type;
	thread_trim_stack();
	return NULL;
}

static int on_message(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	log_line(LOG_WARN, message);
	return 1;
}

/* --- Start and stop ------------------------------------------------------------------------------------------- */

/* As many descriptors as threads and queue can use; the queue shrinks to what the system gives. */
static int make_room(int threads, int *queue, struct error *err)
{
	struct rlimit limit;
	rlim_t want = (rlim_t)(threads + QUEUE + SPARE);

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_internal(err, "getrlimit failed");
	if (limit.rlim_cur < want) {
		limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			return error_internal(err, "setrlimit failed");
	}
	if (limit.rlim_cur < (rlim_t)(threads + FEWEST + SPARE))
		return error_set(err, ERROR_INVALID,
		                 "only %llu open files are allowed (ulimit -n); %d threads need %d",
		                 (unsigned long long)limit.rlim_cur, threads, threads + FEWEST + SPARE);
	*queue = limit.rlim_cur < want ? (int)limit.rlim_cur - threads - SPARE : QUEUE;
	return 0;
}

static struct mg_context *start_civetweb(struct server *s, int queue)
{
	static const struct mg_callbacks callbacks = {
		.begin_request = on_request,
		.http_error = on_error,
		.log_message = on_message,
		.init_thread = on_thread,
		.init_connection = on_connection,
		.connection_close = on_close,
	};
	char threads[16], length[16];
	const char *options[] = {
		"listening_ports",
		s->config.listen,
		"num_threads",
		threads,
		"connection_queue",
		length,
		"listen_backlog",
		"4096",
		"tcp_nodelay",
		"1",
		"enable_keep_alive",
		"yes",
		"keep_alive_timeout_ms",
		"5000",
		"request_timeout_ms",
		"10000",
		"decode_url",
		"no",
		"enable_auth_domain_check",
		"no",
		"authentication_domain", /* whose absolute addresses are ours (RFC 9112, 3.2.2) */
		s->config.host,
		NULL,
	};

	snprintf(threads, sizeof threads, "%d", s->config.threads);
	snprintf(length, sizeof length, "%d", queue);
	return mg_start(&callbacks, s, options);
}

static void make_metrics(struct server *s)
{
	struct metrics *m = s->config.metrics;
	char label[32];

	for (int i = 1; i < 6; i++) {
		snprintf(label, sizeof label, "status=\"%dxx\"", i);
		s->by_class[i] =
		    metrics_get(m, METRIC_COUNTER, "http_answers_total", label, "Answers by status");
	}
	s->seconds = metrics_get(m, METRIC_HISTOGRAM, "http_request_seconds", NULL,
	                         "From the header to the answer; streams are left out");
	s->connections =
	    metrics_get(m, METRIC_GAUGE, "http_connections", NULL, "Open connections with a thread");
	s->refused = metrics_get(m, METRIC_COUNTER, "http_refused_total", NULL, "Bytes that were no request");
}

int server_start(const struct server_config *config, struct server **ret, struct error *err)
{
	struct server *s = calloc(1, sizeof *s);
	int queue = 0;

	if (!s)
		abort();
	s->config = *config;
	pthread_mutex_init(&s->lock, NULL);
	if (make_room(config->threads, &queue, err) < 0) {
		pthread_mutex_destroy(&s->lock);
		free(s);
		return -1;
	}
	make_metrics(s);
	mg_init_library(0);
	s->guard = guard_new(config->threads, config->threads + queue + SPARE, config->proxies);
	*ret = s; /* the first request may come before we return */
	s->civetweb = start_civetweb(s, queue);
	if (!s->civetweb) {
		*ret = NULL;
		server_free(s);
		return error_set(err, ERROR_INVALID, "cannot listen on %s", config->listen);
	}
	return 0;
}

int server_port(const struct server *s)
{
	struct mg_server_port port;

	return mg_get_server_ports(s->civetweb, 1, &port) == 1 ? port.port : 0;
}

void server_drain(struct server *s, int patience_ms)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000000L };
	int64_t until = clock_mono_ms() + patience_ms;

	atomic_store(&s->draining, true);
	while (atomic_load(&s->running) > 0 && clock_mono_ms() < until)
		nanosleep(&pause, NULL);
}

bool server_draining(const struct server *s)
{
	return atomic_load(&s->draining);
}

void server_stop(struct server *s)
{
	mg_stop(s->civetweb);
	assert(atomic_load(&s->running) == 0); /* every thread has been joined */
	s->civetweb = NULL;
}

void server_free(struct server *s)
{
	guard_free(s->guard);
	mg_exit_library();
	while (s->arena_count)
		arena_done(&s->arenas[--s->arena_count]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
