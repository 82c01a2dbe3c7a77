/* Many answers read as they come, on one thread. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/egress/egress.h"

/* --- A server: a thread a connection ------------------------------------------------------------------------------ */

static int listener, port;
static atomic_int connections, sent_kb, told;
static atomic_bool gone; /* somebody has hung up on /hang */

static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

#define HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Odd:  a b \r\n\r\n"

/* nth: request of its connection. */
static void answer(int fd, const char *path, int nth)
{
	static char kilobyte[1024];
	char request[256];

	if (strncmp(path, "/five", 5) == 0) {
		send_all(fd, HEAD, strlen(HEAD));
		for (int i = 0; i < 5; i++) {
			send_all(fd, "2\r\nab\r\n", 7);
			usleep(2000);
		}
		send_all(fd, "0\r\n\r\n", 5);
	} else if (strncmp(path, "/moved", 6) == 0) {
		snprintf(request, sizeof request,
		         "HTTP/1.1 302 Found\r\nLocation: /five\r\nContent-Length: 0\r\n\r\n");
		send_all(fd, request, strlen(request));
	} else if (strncmp(path, "/late", 5) == 0) { /* its end comes a little later */
		send_all(fd, HEAD "4\r\nDONE\r\n", strlen(HEAD) + 9);
		usleep(30 * 1000);
		send_all(fd, "0\r\n\r\n", 5);
	} else if (strncmp(path, "/hang", 5) == 0) {
		send_all(fd, HEAD "4\r\nDONE\r\n", strlen(HEAD) + 9);
		while (recv(fd, request, sizeof request, 0) > 0)
			;
		gone = true;
	} else if (strncmp(path, "/long", 5) == 0) {
		memset(kilobyte, 'x', sizeof kilobyte);
		send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n", 46);
		for (sent_kb = 0; sent_kb < 16384 && send_all(fd, kilobyte, sizeof kilobyte); sent_kb++)
			;
	} else if (strncmp(path, "/tell", 5) == 0) { /* a kept connection dies when it is used again */
		told++;
		if (nth == 1)
			send_all(fd, HEAD "0\r\n\r\n", strlen(HEAD) + 5);
		else
			shutdown(fd, SHUT_RDWR);
	} else if (strncmp(path, "/cut", 4) == 0) {
		send_all(fd, HEAD "4\r\nab", strlen(HEAD) + 5);
		shutdown(fd, SHUT_RDWR);
	}
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char request[4096];
	size_t have = 0;
	int nth = 0;

	for (;;) {
		char *end;
		ssize_t n = recv(fd, request + have, sizeof request - 1 - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
		request[have] = '\0';
		end = strstr(request, "\r\n\r\n");
		if (!end)
			continue;
		have = 0;
		answer(fd, strchr(request, ' ') + 1, ++nth);
	}
	close(fd);
	return NULL;
}

static void *serve(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		pthread_t thread;

		connections++;
		if (thread_try(&thread, serve_one, (void *)(intptr_t)fd) < 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

static int start(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) < 0)
		return -1;
	port = ntohs(address.sin_port);
	pthread_detach(thread_start(serve, NULL));
	return 0;
}

/* --- A reader ----------------------------------------------------------------------------------------------------- */

struct reader {
	struct egress_stream *s;
	struct arena arena;
	struct text text;
	struct error err;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int woken;
};

static void wake(void *arg)
{
	struct reader *r = arg;

	pthread_mutex_lock(&r->lock);
	r->woken++;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
}

static void ask_for(struct reader *r, struct egress *e, const char *path, struct egress_request request)
{
	char url[128];

	*r = (struct reader){ .lock = PTHREAD_MUTEX_INITIALIZER };
	cond_init_monotonic(&r->cond);
	arena_init(&r->arena, 0);
	text_init(&r->text, &r->arena);
	snprintf(url, sizeof url, strstr(path, "://") ? "%s%s" : "http://127.0.0.1:%s%s",
	         strstr(path, "://") ? "" : arena_printf(&r->arena, "%d", port), path);
	if (!request.method)
		request.method = "GET";
	request.url = url;
	r->s = egress_stream_start(e, &request, wake, r);
}

static void ask(struct reader *r, struct egress *e, const char *path, int idle_ms, int timeout_ms)
{
	ask_for(
	    r, e, path,
	    (struct egress_request){ .idle_ms = idle_ms, .timeout_ms = timeout_ms, .max_bytes = 64 << 20 });
}

/* Waits until it is woken; true while more may come. */
static bool read_some(struct reader *r)
{
	int64_t until = clock_mono_ms() + 60 * 1000;

	pthread_mutex_lock(&r->lock);
	while (!r->woken)
		assert_int_equal(cond_wait_until(&r->cond, &r->lock, until), 0);
	r->woken = 0;
	pthread_mutex_unlock(&r->lock);
	return egress_stream_read(r->s, &r->text);
}

static int read_all(struct reader *r)
{
	while (read_some(r))
		;
	return egress_stream_result(r->s, &r->err);
}

static void read_well(struct reader *r)
{
	if (read_all(r) < 0)
		fail_msg("%s (%s)", r->err.message, r->err.detail);
}

static void done(struct reader *r, int64_t linger_ms)
{
	egress_stream_close(r->s, linger_ms);
	arena_done(&r->arena);
	pthread_cond_destroy(&r->cond);
}

static struct egress *open_egress(void)
{
	struct egress *e;
	struct error err = { 0 };

	assert_int_equal(egress_open("127.0.0.1/32", &e, &err), 0);
	return e;
}

/* --- Tests -------------------------------------------------------------------------------------------------------- */

static void test_many_at_once(void **state)
{
	static struct reader readers[100];
	struct egress *e = open_egress();

	(void)state;
	connections = 0;
	for (int i = 0; i < 100; i++)
		ask(&readers[i], e, "/five", 60000, 120000);
	for (int i = 0; i < 100; i++) {
		read_well(&readers[i]);
		assert_string_equal(readers[i].text.at, "ababababab");
		assert_int_equal(egress_stream_response(readers[i].s)->status, 200);
		assert_string_equal(egress_header(egress_stream_response(readers[i].s), "x-odd"), "a b");
		done(&readers[i], 0);
	}
	assert_in_range(connections, 1, 100);
	egress_close(e);
}

/* Whoever has all that matters goes, and the connection serves the next one all the same. */
static void test_one_connection_for_many_answers(void **state)
{
	struct egress *e = open_egress();
	struct reader r;

	(void)state;
	connections = 0;
	for (int i = 0; i < 20; i++) {
		ask(&r, e, "/late", 5000, 20000);
		while (strcmp(r.text.at, "DONE") != 0)
			read_some(&r);
		done(&r, 2000);
		usleep(60 * 1000);
	}
	assert_in_range(connections, 1, 10); /* on a busy machine an end may come too late for the next */
	egress_close(e);
}

static void test_one_that_is_closed_hangs_up(void **state)
{
	struct egress *e = open_egress();
	int64_t until = clock_mono_ms() + 5000;
	struct reader r;

	(void)state;
	gone = false;
	ask(&r, e, "/hang", 0, 0);
	while (strcmp(r.text.at, "DONE") != 0)
		read_some(&r);
	done(&r, 0);
	while (!gone && clock_mono_ms() < until)
		usleep(5000);
	assert_true(gone);
	ask(&r, e, "/hang", 0, 0); /* and one that lingers goes in time, or with the module */
	read_some(&r);
	done(&r, 60 * 1000);
	egress_close(e);
}

static void test_an_end_that_need_not_come(void **state)
{
	struct egress *e = open_egress();
	int64_t began = clock_mono_ms();
	struct reader r;

	(void)state;
	ask(&r, e, "/hang", 0, 20000);
	while (strcmp(r.text.at, "DONE") != 0)
		read_some(&r);
	egress_stream_end_soon(r.s, 200);
	read_well(&r);
	assert_in_range(clock_mono_ms() - began, 150, 3000);
	done(&r, 0);
	egress_close(e);
}

/* A reader that does not read costs a bounded amount of memory, and is no idle peer. */
static void test_a_slow_reader_slows_its_peer(void **state)
{
	struct egress *e = open_egress();
	struct reader r;

	(void)state;
	ask(&r, e, "/long", 5000, 120000);
	usleep(5500 * 1000);
	assert_in_range(sent_kb, 100, 14000); /* what sockets hold, and our queue */
	read_well(&r);
	assert_int_equal(r.text.length, 16 << 20);
	done(&r, 0);
	egress_close(e);
}

/* Whole, it wakes at its end alone, and has a bound. */
static void test_a_whole_one(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		enum error_code code;
	} cases[] = {
		{ "/five", 10, ERROR_NONE },
		{ "/five", 9, ERROR_TOO_LARGE },
		{ "/moved", 10, ERROR_NONE },
		{ "/cut", 10, ERROR_UPSTREAM },
		{ "http://10.0.0.1/", 10, ERROR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct egress *e = open_egress();
		const struct egress_response *got;
		struct reader r;

		print_message("%s\n", cases[i].path);
		ask_for(
		    &r, e, cases[i].path,
		    (struct egress_request){
		        .whole = true, .timeout_ms = 5000, .max_redirects = 1, .max_bytes = cases[i].max });
		assert_false(read_some(&r));
		assert_true(egress_stream_ended(r.s));
		assert_int_equal(r.text.length, 0);
		assert_int_equal(egress_stream_result(r.s, &r.err), cases[i].code ? -1 : 0);
		assert_int_equal(r.err.code, cases[i].code);
		got = egress_stream_response(r.s);
		if (!cases[i].code) {
			assert_int_equal(got->status, 200);
			assert_string_equal(got->body, "ababababab");
			assert_non_null(strstr(got->url, "/five"));
			assert_string_equal(egress_header(got, "x-odd"), "a b");
		}
		done(&r, 0);
		egress_close(e);
	}
}

static void test_what_fails(void **state)
{
	static const struct {
		const char *path;
		int idle_ms, timeout_ms;
		enum error_code code;
		bool sent;
	} cases[] = {
		{ "http://10.0.0.1/", 0, 5000, ERROR_INVALID, false },
		{ "tp://127.0.0.1/", 0, 5000, ERROR_INVALID, false },
		{ "http://127.0.0.1:1/", 0, 5000, ERROR_UPSTREAM, false },
		{ "/cut", 0, 5000, ERROR_UPSTREAM, true },
		{ "/hang", 300, 0, ERROR_UNKNOWN_OUTCOME, true },
		{ "/hang", 0, 300, ERROR_UNKNOWN_OUTCOME, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct egress *e = open_egress();
		struct reader r;

		print_message("%s\n", cases[i].path);
		ask(&r, e, cases[i].path, cases[i].idle_ms, cases[i].timeout_ms);
		assert_int_equal(read_all(&r), -1);
		assert_int_equal(r.err.code, cases[i].code);
		assert_int_equal(egress_stream_sent(r.s), cases[i].sent);
		done(&r, 0);
		egress_close(e);
	}
}

static int post(struct reader *r, struct egress *e, bool once)
{
	ask_for(r, e, "/tell",
	        (struct egress_request){
	            .method = "POST", .body = "x", .body_size = 1, .timeout_ms = 5000, .once = once });
	return read_all(r);
}

/* libcurl would send it anew. */
static void test_what_is_for_once_is_sent_once_though_its_connection_dies(void **state)
{
	(void)state;
	for (int once = 0; once < 2; once++) {
		struct egress *e = open_egress();
		struct reader r;

		told = 0;
		assert_int_equal(post(&r, e, true), 0);
		done(&r, 0);
		assert_int_equal(post(&r, e, once), once ? -1 : 0);
		if (once)
			assert_int_equal(r.err.code, ERROR_UPSTREAM);
		done(&r, 0);
		assert_int_equal(told, once ? 2 : 3); /* the connection was kept both times */
		egress_close(e);
	}
}

static void test_what_is_only_told_arrives(void **state)
{
	struct egress *e = open_egress();
	int64_t until = clock_mono_ms() + 5000;
	char url[64];

	(void)state;
	told = 0;
	snprintf(url, sizeof url, "http://127.0.0.1:%d/tell", port);
	egress_tell(e, &(struct egress_request){ .method = "DELETE", .url = url, .timeout_ms = 5000 });
	egress_tell(e, &(struct egress_request){ .method = "tp", .url = "no URL", .timeout_ms = 5000 });
	while (!told && clock_mono_ms() < until)
		usleep(1000);
	assert_int_equal(told, 1);
	egress_close(e);
}

static void test_one_that_gets_more_time(void **state)
{
	struct egress *e = open_egress();
	int64_t began = clock_mono_ms();
	struct reader r;

	(void)state;
	ask(&r, e, "/hang", 0, 400);
	while (strcmp(r.text.at, "DONE") != 0)
		read_some(&r);
	egress_stream_more_time(r.s, 10 * 1000);
	egress_stream_more_time(r.s, -9700);
	assert_int_equal(read_all(&r), -1);
	assert_in_range(clock_mono_ms() - began, 650, 5000);
	done(&r, 0);
	egress_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_one_connection_for_many_answers),
		cmocka_unit_test(test_one_that_is_closed_hangs_up),
		cmocka_unit_test(test_an_end_that_need_not_come),
		cmocka_unit_test(test_a_slow_reader_slows_its_peer),
		cmocka_unit_test(test_a_whole_one),
		cmocka_unit_test(test_what_fails),
		cmocka_unit_test(test_what_is_for_once_is_sent_once_though_its_connection_dies),
		cmocka_unit_test(test_what_is_only_told_arrives),
		cmocka_unit_test(test_one_that_gets_more_time),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
