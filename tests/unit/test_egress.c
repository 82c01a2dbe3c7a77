/* links: -lz */
#include "common/egress/egress.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/base/clock.h"

static int port; /* of the little web server that the tests talk to */

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		int want;
	} cases[] = {
		{ "93.184.216.34", 1 },
		{ "8.8.8.8", 1 },
		{ "127.0.0.1", 0 },
		{ "127.255.255.254", 0 },
		{ "0.0.0.0", 0 },
		{ "10.1.2.3", 1 }, /* allowed below */
		{ "10.2.0.1", 0 },
		{ "100.64.0.1", 0 },
		{ "100.128.0.1", 1 },
		{ "169.254.169.254", 0 },
		{ "172.15.255.255", 1 },
		{ "172.16.0.1", 0 },
		{ "172.31.255.255", 0 },
		{ "172.32.0.1", 1 },
		{ "192.168.1.1", 0 },
		{ "198.19.255.255", 0 },
		{ "224.0.0.1", 0 },
		{ "255.255.255.255", 0 },
		{ "2606:2800:220:1::1", 1 },
		{ "::1", 0 },
		{ "::", 0 },
		{ "::ffff:127.0.0.1", 0 },
		{ "::ffff:8.8.8.8", 1 },
		{ "64:ff9b::7f00:1", 0 },
		{ "64:ff9b::808:808", 1 },
		{ "64:ff9b:1::1", 0 },
		{ "fe80::1", 0 },
		{ "fd00::1", 1 }, /* allowed below */
		{ "fc00::1", 0 },
		{ "ff02::1", 0 },
		{ "2001:db8::1", 0 },
		{ "2001::1", 0 },
		{ "2002:7f00:1::", 0 },
	};
	struct error err = { 0 };
	struct egress *e;

	(void)state;
	assert_int_equal(egress_open("10.1.0.0/16, fd00::/16", &e, &err), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		const struct sockaddr *to = (void *)&v4;

		print_message("%s\n", cases[i].address);
		if (inet_pton(AF_INET, cases[i].address, &v4.sin_addr) != 1) {
			assert_int_equal(inet_pton(AF_INET6, cases[i].address, &v6.sin6_addr), 1);
			to = (void *)&v6;
		}
		assert_int_equal(egress_allows(e, to), cases[i].want);
	}
	egress_close(e);
}

static void test_bad_allow_lists(void **state)
{
	static const char *const lists[] = { "nonsense", "10.0.0.0/33", "10.0.0.0/",   "10.0.0/8",
		                             "::1/129",  "1.2.3.4/-1",  "127.0.0.1/8x" };

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct error err = { 0 };
		struct egress *e = NULL;

		assert_int_equal(egress_open(lists[i], &e, &err), -1);
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.message, "EGRESS_ALLOW"));
	}
}

/* --- A web server that behaves as told by its path ---------------------------------------------------------------- */

static void serve_bomb(struct mg_connection *conn)
{
	static unsigned char zeros[1 << 20], packed[1 << 16];
	z_stream z = {
		.next_in = zeros, .avail_in = sizeof zeros, .next_out = packed, .avail_out = sizeof packed
	};

	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	mg_printf(
	    conn,
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\nConnection: close\r\n\r\n",
	    z.total_out);
	mg_write(conn, packed, z.total_out);
	deflateEnd(&z);
}

static int serve(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	const char *path = info->request_uri;

	if (strcmp(path, "/hello") == 0) {
		mg_printf(conn, "HTTP/1.1 200 OK\r\nX-Thing:  two words \r\nContent-Length: 5\r\n\r\nhello");
	} else if (strcmp(path, "/redirect") == 0) {
		mg_printf(conn, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 3\r\n\r\nbye",
		          info->query_string);
	} else if (strcmp(path, "/bomb") == 0) {
		serve_bomb(conn);
	} else if (strcmp(path, "/trailer") == 0) {
		mg_printf(conn,
		          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: HTTP/1.1 500\r\n\r\n"
		          "5\r\nhello\r\n0\r\nHTTP/1.1 500 No: x\r\n\r\n");
	} else if (strcmp(path, "/cut") == 0) {
		mg_printf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf");
	} else if (strcmp(path, "/slow") == 0) {
		mg_printf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		for (int i = 0; i < 40 && mg_write(conn, ".", i == 0 ? 1 : 0) >= 0; i++)
			usleep(100000);
	} else if (strcmp(path, "/quiet") == 0) { /* headers at once, then nothing for a while */
		mg_printf(conn,
		          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
		sleep(3);
	} else if (strcmp(path, "/length") == 0) {
		const char *length = mg_get_header(conn, "Content-Length"),
		           *expect = mg_get_header(conn, "Expect");
		char body[1000];

		while (mg_read(conn, body, sizeof body) > 0)
			;
		mg_printf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s%s",
		          strlen(length ? length : "none") + strlen(expect ? expect : ""),
		          length ? length : "none", expect ? expect : "");
	} else if (strcmp(path, "/headers") == 0) {
		mg_printf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
		for (int i = 0; i < 1000; i++)
			mg_printf(conn, "X-Filler-%d: %d\r\n", i, i);
		mg_printf(conn, "\r\n");
	} else if (strcmp(path, "/echo") == 0) {
		char body[100];
		int size = mg_read(conn, body, sizeof body);

		mg_printf(conn, "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n%s %.*s",
		          strlen(info->request_method) + 1 + (size_t)size, info->request_method, size, body);
	} else {
		mg_printf(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	}
	return 1;
}

/* --- Fetching ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name, *allow, *method, *url, *body; /* %d: the port */
	int redirects, timeout_ms, idle_ms;
	size_t max_bytes;
	enum error_code want_code;
	int want_status;
	const char *want_body; /* of a failure: what its sentence has, or NULL */
} fetches[] = {
	{ "a page", "127.0.0.1", "GET", "http://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 100, ERROR_NONE, 200,
	  "hello" },
	{ "a trailer that looks like an answer", "127.0.0.1", "GET", "http://127.0.0.1:%d/trailer", NULL, 0,
	  5000, 0, 100, ERROR_NONE, 200, "hello" },
	{ "a 404 is an answer", "127.0.0.1", "GET", "http://127.0.0.1:%d/no", NULL, 0, 5000, 0, 100,
	  ERROR_NONE, 404, "" },
	{ "POST", "127.0.0.1", "POST", "http://127.0.0.1:%d/echo", "abc", 0, 5000, 0, 100, ERROR_NONE, 201,
	  "POST abc" },
	{ "another verb", "127.0.0.1", "DELETE", "http://127.0.0.1:%d/echo", "", 0, 5000, 0, 100, ERROR_NONE,
	  201, "DELETE " },
	{ "loopback is refused", "", "GET", "http://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 100, ERROR_INVALID,
	  0, NULL },
	{ "by its name too", "", "GET", "http://localhost:%d/hello", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0,
	  NULL },
	{ "as a number", "", "GET", "http://2130706433:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "in octal", "", "GET", "http://0177.0.0.1:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "shortened", "", "GET", "http://127.1:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "as zero", "", "GET", "http://0:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "mapped into IPv6", "", "GET", "http://[::ffff:127.0.0.1]:%d/", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, NULL },
	{ "a redirect followed", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?/hello", NULL, 3, 5000, 0,
	  100, ERROR_NONE, 200, "hello" },
	{ "a redirect as an answer", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?/hello", NULL, 0, 5000,
	  0, 100, ERROR_NONE, 302, "bye" },
	{ "a redirect to what is refused", "127.0.0.1", "GET",
	  "http://127.0.0.1:%d/redirect?http://127.0.0.2/", NULL, 3, 5000, 0, 100, ERROR_INVALID, 0,
	  "127.0.0.2 has" },
	{ "a redirect to where nobody is", "127.0.0.1,127.0.0.2", "GET",
	  "http://127.0.0.1:%d/redirect?http://127.0.0.2:1/", NULL, 3, 5000, 0, 100, ERROR_UPSTREAM, 0,
	  "127.0.0.2 does" },
	{ "a redirect to a file", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?file:///etc/passwd", NULL,
	  3, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "redirects without end", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?/redirect?x", NULL, 3,
	  5000, 0, 100, ERROR_NONE, 404, "" },
	{ "one redirect too many", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?/redirect?/redirect?x",
	  NULL, 1, 5000, 0, 100, ERROR_UPSTREAM, 0, NULL },
	{ "a redirect to another scheme", "127.0.0.1", "GET",
	  "http://127.0.0.1:%d/redirect?gopher://127.0.0.1/", NULL, 3, 5000, 0, 100, ERROR_INVALID, 0,
	  "127.0.0.1: redirects" },
	{ "a redirect with credentials", "127.0.0.1", "GET",
	  "http://127.0.0.1:%d/redirect?http://me:secret@127.0.0.1/", NULL, 3, 5000, 0, 100, ERROR_INVALID, 0,
	  NULL },
	{ "a redirect to a host that is no text", "127.0.0.1", "GET",
	  "http://127.0.0.1:%d/redirect?http://%ff.invalid/", NULL, 3, 5000, 0, 100, ERROR_INVALID, 0,
	  "127.0.0.1: this is" },
	{ "a host that is no text", "127.0.0.1", "GET", "http://%ff.invalid/", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, "no host" },
	{ "a redirect to a number", "127.0.0.1", "GET", "http://127.0.0.1:%d/redirect?http://2130706434/",
	  NULL, 3, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "a body of nothing", "127.0.0.1", "POST", "http://127.0.0.1:%d/length", NULL, 0, 5000, 0, 100,
	  ERROR_NONE, 200, "0" },
	{ "too many headers", "127.0.0.1", "GET", "http://127.0.0.1:%d/headers", NULL, 0, 5000, 0, 100,
	  ERROR_TOO_LARGE, 0, NULL },
	{ "hexadecimal", "", "GET", "http://0x7f000001:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "link-local", "", "GET", "http://[fe80::1]:%d/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "metadata", "", "GET", "http://169.254.169.254/latest/meta-data/", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, NULL },
	{ "an odd method", "127.0.0.1", "GET /x\r\nY:", "http://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, NULL },
	{ "ftp", "127.0.0.1", "GET", "ftp://127.0.0.1/", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "a piece of a scheme", "127.0.0.1", "GET", "htt://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, NULL },
	{ "its last letter", "127.0.0.1", "GET", "s://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 100,
	  ERROR_INVALID, 0, NULL },
	{ "too large", "127.0.0.1", "GET", "http://127.0.0.1:%d/hello", NULL, 0, 5000, 0, 4, ERROR_TOO_LARGE,
	  0, NULL },
	{ "inflated bytes count", "127.0.0.1", "GET", "http://127.0.0.1:%d/bomb", NULL, 0, 5000, 0, 100000,
	  ERROR_TOO_LARGE, 0, NULL },
	{ "cut off", "127.0.0.1", "GET", "http://127.0.0.1:%d/cut", NULL, 0, 5000, 0, 100, ERROR_UPSTREAM, 0,
	  NULL },
	{ "too slow", "127.0.0.1", "GET", "http://127.0.0.1:%d/slow", NULL, 0, 300, 0, 100,
	  ERROR_UNKNOWN_OUTCOME, 0, NULL },
	{ "silent", "127.0.0.1", "GET", "http://127.0.0.1:%d/slow", NULL, 0, 0, 500, 100,
	  ERROR_UNKNOWN_OUTCOME, 0, NULL },
	{ "nobody there", "127.0.0.1", "GET", "http://127.0.0.1:1/", NULL, 0, 5000, 0, 100, ERROR_UPSTREAM, 0,
	  NULL },
	{ "a file", "127.0.0.1", "GET", "file:///etc/passwd", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "no URL", "127.0.0.1", "GET", "nonsense", NULL, 0, 5000, 0, 100, ERROR_INVALID, 0, NULL },
	{ "credentials in the URL", "127.0.0.1", "GET", "http://me:secret@127.0.0.1:%d/hello", NULL, 0, 5000,
	  0, 100, ERROR_INVALID, 0, NULL },
	{ "a line end in the URL", "127.0.0.1", "GET", "http://127.0.0.1:%d/hello\r\nX: y", NULL, 0, 5000, 0,
	  100, ERROR_INVALID, 0, NULL },
};

static void test_fetch(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fetches / sizeof *fetches; i++) {
		struct egress_request req = { .method = fetches[i].method,
			                      .body = fetches[i].body,
			                      .body_size = fetches[i].body ? strlen(fetches[i].body) : 0,
			                      .max_redirects = fetches[i].redirects,
			                      .timeout_ms = fetches[i].timeout_ms,
			                      .idle_ms = fetches[i].idle_ms,
			                      .max_bytes = fetches[i].max_bytes };
		struct egress_response got;
		struct error err = { 0 };
		struct egress *e;
		struct arena a;

		print_message("%s\n", fetches[i].name);
		arena_init(&a, 0);
		assert_int_equal(egress_open(fetches[i].allow, &e, &err), 0);
		req.url = arena_strdup(&a, fetches[i].url);
		if (strstr(fetches[i].url, "%d")) {
			const char *hole = strstr(fetches[i].url, "%d");

			req.url = arena_printf(&a, "%.*s%d%s", (int)(hole - fetches[i].url), fetches[i].url,
			                       port, hole + 2);
		}
		assert_int_equal(egress_fetch(e, &req, &got, &a, &err), fetches[i].want_code ? -1 : 0);
		assert_int_equal(err.code, fetches[i].want_code);
		if (!err.code) {
			assert_int_equal(got.status, fetches[i].want_status);
			assert_string_equal(got.body, fetches[i].want_body);
		} else if (fetches[i].want_body && !strstr(err.message, fetches[i].want_body)) {
			fail_msg("\"%s\" has no \"%s\"", err.message, fetches[i].want_body);
		}
		egress_close(e);
		arena_done(&a);
	}
}

static int stop_at_once(void *arg, const char *bytes, size_t size)
{
	*(size_t *)arg += size;
	return bytes[0] == '.';
}

static int stop_by_status(void *arg, int status)
{
	(void)arg;
	return status == 200;
}

static void test_streams_can_be_ended(void **state)
{
	static const char *const header[] = { "X-Bad: a\r\nX-Worse: b", NULL };
	char url[100];
	size_t seen = 0;
	atomic_bool cancelled = true;
	struct egress_request req = {
		.method = "GET", .url = url, .on_data = stop_at_once, .arg = &seen, .timeout_ms = 5000
	};
	struct egress_response got;
	struct error err = { 0 };
	struct egress *e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(egress_open("127.0.0.1", &e, &err), 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/slow", port);
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), 0);
	assert_int_equal(got.status, 200);
	assert_int_equal(seen, 1);

	req.on_headers = stop_by_status;
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), 0);
	assert_int_equal(seen, 1); /* ended before the first byte */

	req.on_headers = NULL;
	req.cancelled = &cancelled;
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), -1);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);

	error_clear(&err);
	req.cancelled = NULL;
	req.headers = header;
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), -1);
	assert_int_equal(err.code, ERROR_INVALID);
	egress_close(e);
	arena_done(&a);
}

static int note_time(void *arg, int status)
{
	*(int64_t *)arg = clock_mono_ms();
	return status != 200;
}

static void *cancel_later(void *arg)
{
	usleep(300 * 1000);
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

/* A model that thinks: headers come at once, then nothing. */
static void test_silence_is_cut_short(void **state)
{
	int64_t told = 0, start = clock_mono_ms();
	atomic_bool cancelled = false;
	char url[100];
	struct egress_request req = {
		.method = "GET", .url = url, .on_headers = note_time, .arg = &told, .cancelled = &cancelled
	};
	struct egress_response got;
	struct error err = { 0 };
	struct egress *e;
	struct arena a;
	pthread_t other;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(egress_open("127.0.0.1", &e, &err), 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/quiet", port);
	pthread_create(&other, NULL, cancel_later, &cancelled);
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), -1);
	pthread_join(other, NULL);
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - start, 300, 2500);
	assert_in_range(told - start, 0, 2500); /* headers do not wait for a body */
	assert_int_equal(got.status, 200);

	error_clear(&err);
	req.cancelled = NULL;
	req.timeout_ms = 400;
	start = clock_mono_ms();
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), -1);
	assert_int_equal(err.code, ERROR_UNKNOWN_OUTCOME);
	assert_in_range(clock_mono_ms() - start, 400, 2500);
	egress_close(e);
	arena_done(&a);
}

static void test_large_bodies_do_not_wait(void **state)
{
	size_t size = 3 << 20;
	struct egress_request req = { .method = "PUT", .timeout_ms = 5000, .body_size = size };
	struct egress_response got;
	struct error err = { 0 };
	struct egress *e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	req.body = arena_alloc(&a, size);
	req.url = arena_printf(&a, "http://127.0.0.1:%d/length", port);
	assert_int_equal(egress_open("127.0.0.1", &e, &err), 0);
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), 0);
	assert_string_equal(got.body, "3145728"); /* and no Expect */
	egress_close(e);
	arena_done(&a);
}

static void test_the_environment_names_no_proxy(void **state)
{
	struct egress_request req = { .method = "GET", .timeout_ms = 5000 };
	struct egress_response got;
	struct error err = { 0 };
	struct egress *e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	req.url = arena_printf(&a, "http://127.0.0.1:%d/hello", port);
	assert_int_equal(egress_open("127.0.0.1", &e, &err), 0);
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	egress_close(e);
	arena_done(&a);
}

struct fetcher {
	struct egress *egress;
	int failed;
};

static void *fetch_often(void *arg)
{
	struct fetcher *fetcher = arg;
	struct egress_request req = { .method = "GET", .timeout_ms = 5000 };
	struct arena a;

	arena_init(&a, 0);
	for (int i = 0; i < 50; i++) {
		struct egress_response got;
		struct error err = { 0 };

		arena_reset(&a);
		req.url = arena_printf(&a, "http://127.0.0.1:%d/hello", port);
		if (egress_fetch(fetcher->egress, &req, &got, &a, &err) < 0 || strcmp(got.body, "hello") != 0)
			fetcher->failed++;
	}
	arena_done(&a);
	return NULL;
}

static void test_threads_share_one_egress(void **state)
{
	struct fetcher fetchers[4] = { 0 };
	pthread_t threads[4];
	struct error err = { 0 };
	struct egress *e;

	(void)state;
	assert_int_equal(egress_open("127.0.0.1", &e, &err), 0);
	for (int i = 0; i < 4; i++) {
		fetchers[i].egress = e;
		pthread_create(&threads[i], NULL, fetch_often, &fetchers[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(fetchers[i].failed, 0);
	}
	egress_close(e);
}

static void test_headers(void **state)
{
	struct egress_request req = { .method = "GET", .timeout_ms = 5000 };
	struct egress_response got;
	struct error err = { 0 };
	char url[100];
	struct egress *e;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/hello", port);
	req.url = url;
	assert_int_equal(egress_open("127.0.0.0/8", &e, &err), 0);
	assert_int_equal(egress_fetch(e, &req, &got, &a, &err), 0);
	assert_string_equal(egress_header(&got, "x-thing"), "two words");
	assert_null(egress_header(&got, "x-other"));
	assert_string_equal(got.url, url);
	egress_close(e);
	arena_done(&a);
}

static void test_mail_addresses_are_checked(void **state)
{
	struct egress_mail mail = {
		.server = "smtp://127.0.0.1:1", .from = "a@example.com", .message = "x", .message_size = 1
	};
	static const char *const bad[] = { "a@b>\r\nRCPT TO:<c@d", "a b@c", "", "<a@b>" };
	struct error err = { 0 };
	struct egress *e;

	(void)state;
	assert_int_equal(egress_open("", &e, &err), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		error_clear(&err);
		mail.to = bad[i];
		assert_int_equal(egress_send_mail(e, &mail, NULL, &err), -1);
		assert_int_equal(err.code, ERROR_INVALID);
	}
	error_clear(&err);
	mail.to = "b@example.com";
	assert_int_equal(egress_send_mail(e, &mail, NULL, &err), -1);
	assert_non_null(strstr(err.message, "EGRESS_ALLOW"));
	egress_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bad_allow_lists),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_streams_can_be_ended),
		cmocka_unit_test(test_silence_is_cut_short),
		cmocka_unit_test(test_large_bodies_do_not_wait),
		cmocka_unit_test(test_the_environment_names_no_proxy),
		cmocka_unit_test(test_threads_share_one_egress),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_mail_addresses_are_checked),
	};
	static const char *const options[] = { "listening_ports", "127.0.0.1:0", "num_threads", "8", NULL };
	static const struct mg_callbacks callbacks = { .begin_request = serve };
	struct mg_context *server = mg_start(&callbacks, NULL, (const char **)options);
	struct mg_server_port ports[1];
	int failed;

	if (!server || mg_get_server_ports(server, 1, ports) < 1)
		return 1;
	port = ports[0].port;
	failed = cmocka_run_group_tests_name("egress", tests, NULL, NULL);
	mg_stop(server);
	return failed;
}
