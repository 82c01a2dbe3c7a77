/* links: gateway/server.c gateway/request.c gateway/wire.c gateway/answer.c gateway/error_form.c gateway/guard.c gateway/gate.c gateway/proxies.c */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "gateway/answer.h"
#include "gateway/gate.h"
#include "gateway/server.h"

/* A server whose handler answers with the number of bytes in the body; everything here goes over a real socket. */
enum { BODY_LIMIT = 1000 };
static struct gate *bodies;

static int handle(void *arg, struct request *req)
{
	const char *body, *answer;
	size_t size;

	(void)arg;
	if (!strcmp(req->path, "/refuse"))
		return error_field(&req->err, req->arena, "body", "settings.tags.3", "type_error",
		                   "must be \"text\"");
	if (!strcmp(req->path, "/slow"))
		usleep(300 * 1000);
	if (request_body(req, bodies, BODY_LIMIT, &body, &size) < 0)
		return -1;
	answer = arena_printf(req->arena, "%s %s %zu", req->verb, req->path, size);
	if (!strcmp(req->path, "/ip"))
		answer = req->ip;
	answer_send(req, &(struct answer){ 200, "text/plain", answer, strlen(answer), NULL });
	return 0;
}

struct fixture {
	struct server *server;
	struct metrics *metrics;
	struct proxies proxies;
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = { 0 };

	if (!f)
		return -1;
	f->metrics = metrics_new("test");
	if (proxies_parse(&f->proxies, "127.0.0.1", &err) < 0 ||
	    server_start(&(struct server_config){ .listen = "127.0.0.1:0",
	                                          .host = "our.example",
	                                          .threads = 8,
	                                          .proxies = &f->proxies,
	                                          .metrics = f->metrics,
	                                          .handle = handle },
	                 &f->server, &err) < 0)
		return -1;
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	server_drain(f->server, 1000);
	server_stop(f->server);
	server_free(f->server);
	metrics_free(f->metrics);
	free(f);
	return 0;
}

static int dial(const struct fixture *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)server_port(f->server)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* Everything the server says until it closes, or, once it has begun, until it is quiet for 200 ms. */
static size_t hear(int fd, char *answer, size_t room)
{
	struct timeval patience = { .tv_sec = 20 }, quiet = { .tv_usec = 200 * 1000 };
	size_t got = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while ((n = recv(fd, answer + got, room - 1 - got, 0)) > 0) {
		got += (size_t)n;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet);
	}
	answer[got] = '\0';
	return got;
}

static void say(int fd, const char *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

#define HOST "Host: x\r\n"
#define POST "POST /p HTTP/1.1\r\n" HOST

static const struct {
	const char *name, *bytes;
	const char *want; /* the answer starts so */
	const char *also; /* and holds this; NULL: nothing more */
} cases[] = {
	{ "a request", "GET /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n", "GET /a 0" },
	{ "two in one packet", "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
	  "HTTP/1.1 200 OK\r\n", "GET /b 0" },
	{ "HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Connection: close\r\n" },
	{ "HEAD", "HEAD /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 8\r\n\r\n" },
	{ "a body", POST "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\n", "POST /p 3" },
	{ "chunks", POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	  "HTTP/1.1 200 OK\r\n", "POST /p 5" },
	{ "a request after chunks",
	  POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /n HTTP/1.1\r\n" HOST "\r\n",
	  "HTTP/1.1 200 OK\r\n", "GET /n 0" },
	{ "empty body announced", POST "Content-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "POST /p 0" },
	{ "expects 100", POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", "POST /p 3" },
	{ "a client's request id", "GET /a HTTP/1.1\r\n" HOST "X-Request-Id: abc-1\r\n\r\n",
	  "HTTP/1.1 200 OK\r\n", "X-Request-Id: abc-1\r\n" },
	{ "the client behind a proxy",
	  "GET /ip HTTP/1.1\r\n" HOST
	  "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, 127.0.0.1\r\n\r\n",
	  "HTTP/1.1 200 OK\r\n", "2.2.2.2" },
	{ "an error with fields", "GET /refuse HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 422 ",
	  "{\"detail\":\"settings.tags.3: must be \\\"text\\\"\",\"errors\":[{\"loc\":[\"body\",\"settings\",\"tags\",3],"
	  "\"msg\":\"must be \\\"text\\\"\",\"type\":\"type_error\"}]}" },
	{ "too large", POST "Content-Length: 1001\r\n\r\n", "HTTP/1.1 413 ", "\"detail\"" },
	{ "too large, asking first", POST "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n",
	  "HTTP/1.1 413 ", "Connection: close" },
	{ "chunks too large", POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n%X\r\n0\r\n\r\n",
	  "HTTP/1.1 413 ", NULL },
	{ "a chunk of 2^64", POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nabc", "HTTP/1.1 4",
	  NULL },
	{ "a negative chunk", POST "Transfer-Encoding: chunked\r\n\r\n-5\r\nabc", "HTTP/1.1 400 ", NULL },
	{ "no chunk size", POST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 400 ", "chunks" },

	/* What smuggling is made of. */
	{ "length and chunks", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  "HTTP/1.1 400 ", "more than once" },
	{ "chunks and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
	  "HTTP/1.1 400 ", "more than once" },
	{ "two lengths", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 400 ",
	  "more than once" },
	{ "two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  "HTTP/1.1 400 ", NULL },
	{ "length 3x", POST "Content-Length: 3x\r\n\r\nabc", "HTTP/1.1 400 ", "not a number" },
	{ "length 3, 3", POST "Content-Length: 3, 3\r\n\r\nabc", "HTTP/1.1 400 ", "not a number" },
	{ "length +3", POST "Content-Length: +3\r\n\r\nabc", "HTTP/1.1 400 ", "not a number" },
	{ "length -3", POST "Content-Length: -3\r\n\r\nabc", "HTTP/1.1 400 ", NULL },
	{ "length 0x3", POST "Content-Length: 0x3\r\n\r\nabc", "HTTP/1.1 400 ", NULL },
	{ "empty length", POST "Content-Length: \r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "length of 30 digits", POST "Content-Length: 000000000000000000000000000003\r\n\r\nabc",
	  "HTTP/1.1 400 ", NULL },
	{ "gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "identity", POST "Transfer-Encoding: identity\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "chunks in 1.0", "POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400 ",
	  NULL },
	{ "a folded line hides a length", POST "X-A: b\r\n c\r\nContent-Length: 3\r\n\r\nabc",
	  "HTTP/1.1 400 ", NULL },
	{ "a folded first line", "GET /a HTTP/1.1\r\n X: b\r\n" HOST "\r\n", "HTTP/1.1 400 ", NULL },
	{ "space before the colon", POST "Content-Length : 3\r\n\r\nabc", "HTTP/1.1 400 ", NULL },
	{ "odd name", POST "X(A): b\r\n\r\n", "HTTP/1.1 400 ", "name" },
	{ "a line without a colon", POST "abc\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "bare LF", "GET /a HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400 ", NULL },
	{ "bare LF in one line", "GET /a HTTP/1.1\r\n" HOST "X-A: b\nX-B: c\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "bare LF at the end", "GET /a HTTP/1.1\r\n" HOST "X-A: b\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "NUL in a value", "GET /a HTTP/1.1\r\n" HOST "X-A: b%0c\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "no Host", "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "Host" },
	{ "two Hosts", "GET /a HTTP/1.1\r\n" HOST HOST "\r\n", "HTTP/1.1 400 ", "Host" },
	{ "two tokens", "GET /a HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: b\r\n\r\n",
	  "HTTP/1.1 400 ", "Authorization" },
	{ "expects else", POST "Content-Length: 3\r\nExpect: tea\r\n\r\nabc", "HTTP/1.1 400 ",
	  "100-continue" },

	/* What is no HTTP at all: civetweb refuses it, in our form. */
	{ "not HTTP", "hello\r\n\r\n", "HTTP/1.1 400 ", "{\"detail\":\"" },
	{ "TLS", "\x16\x03\x01\x02%0\x01%0\x01\xfc\x03\x03", "HTTP/1.1 400 ", "X-Request-Id: " },
	{ "an unknown verb", "BREW /a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ", NULL },
	{ "HTTP/2.0", "GET /a HTTP/2.0\r\n" HOST "\r\n", "HTTP/1.1 505 ", NULL },
	{ "the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ", NULL },
	{ "a header of 20 KB", "GET /a HTTP/1.1\r\n" HOST "X-A: %L\r\n\r\n",
	  "HTTP/1.1 431 Request Header Fields Too Large\r\n", "Access-Control-Allow-Origin: *\r\n" },
	{ "a path of 20 KB", "GET /%L HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 431 ", "16 KB" },
	{ "absolute form, of another host", "GET http://x/a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 421 ",
	  "not the server of that address" },
	{ "the server as a whole", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 204 ",
	  "Allow: DELETE, GET, HEAD, OPTIONS, POST, PUT\r\n" },
	{ "the same after another request",
	  "GET /a HTTP/1.1\r\n" HOST "\r\nOPTIONS * HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 ",
	  "HTTP/1.1 204 " },
	{ "anything else of it", "GET * HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ", "slash" },
	{ "a relative path", "GET a HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ", NULL },
};

/* A case's bytes: "%0" is NUL, "%X" a thousand x, "%L" twenty thousand. */
static size_t expand(const char *text, char *bytes)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text != '%') {
			bytes[n++] = *text;
		} else if (*++text == '0') {
			bytes[n++] = '\0';
		} else {
			size_t length = *text == 'L' ? 20000 : 1001;

			memset(bytes + n, 'x', length);
			n += length;
		}
	}
	return n;
}

static void test_what_is_said_to(void **state)
{
	static char bytes[32768], answer[8192];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = dial(*state);

		say(fd, bytes, expand(cases[i].bytes, bytes));
		shutdown(fd, SHUT_WR); /* so that a server which waits for more does not wait long */
		hear(fd, answer, sizeof answer);
		close(fd);
		if (strncmp(answer, cases[i].want, strlen(cases[i].want)) ||
		    (cases[i].also && !strstr(answer, cases[i].also)))
			fail_msg("%s: wanted %s and %s, got:\n%s", cases[i].name, cases[i].want,
			         cases[i].also ? cases[i].also : "no more", answer);
		if (!strncmp(cases[i].want, "HTTP/1.1 4", 10) && strstr(answer + 1, "HTTP/1.1 "))
			fail_msg("%s: refused twice:\n%s", cases[i].name, answer);
	}
}

static void test_64_header_lines_are_fine_and_65_are_not(void **state)
{
	static char bytes[8192], answer[4096];

	for (int lines = 64; lines <= 65; lines++) {
		int fd = dial(*state);

		strcpy(bytes, "GET /a HTTP/1.1\r\n" HOST);
		for (int i = 1; i < lines; i++)
			strcat(bytes, "X-A: b\r\n");
		strcat(bytes, "\r\n");
		say(fd, bytes, strlen(bytes));
		hear(fd, answer, sizeof answer);
		close(fd);
		assert_int_equal(strncmp(answer, lines == 64 ? "HTTP/1.1 200 " : "HTTP/1.1 400 ", 13), 0);
	}
}

static void test_an_absolute_address_of_ours_is_a_path(void **state)
{
	struct fixture *f = *state;
	char bytes[200], answer[4096];
	int fd = dial(f);

	snprintf(bytes, sizeof bytes, "GET http://our.example:%d/a?b=c HTTP/1.1\r\nHost: our.example\r\n\r\n",
	         server_port(f->server));
	say(fd, bytes, strlen(bytes));
	hear(fd, answer, sizeof answer);
	close(fd);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	assert_non_null(strstr(answer, "GET /a 0"));
}

static void test_refused_request_ends_the_connection(void **state)
{
	static const char smuggled[] = POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	                                    "GET /smuggled HTTP/1.1\r\n" HOST "\r\n";
	char answer[4096];
	int fd = dial(*state);

	say(fd, smuggled, sizeof smuggled - 1);
	hear(fd, answer, sizeof answer);
	close(fd);
	assert_non_null(strstr(answer, "Connection: close\r\n"));
	assert_null(strstr(answer, "/smuggled"));
}

/* Of the greediest, and the slowest of theirs: who was there before them, and is as slow, is left alone. */
static void test_half_sent_bodies_of_one_client_keep_no_other_out(void **state)
{
	static const char patient[] = POST "X-Forwarded-For: 192.0.2.2\r\nContent-Length: 3\r\n\r\na",
	                  greedy[] = POST "X-Forwarded-For: 192.0.2.1\r\nContent-Length: 3\r\n\r\na",
	                  other[] = "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	int64_t began = clock_mono_ms();
	char answer[4096];
	int fd[8], last;

	for (int i = 0; i < 8; i++) {
		fd[i] = dial(*state);
		say(fd[i], i ? greedy : patient, (i ? sizeof greedy : sizeof patient) - 1);
		usleep(10 * 1000);
	}
	last = dial(*state);
	say(last, other, sizeof other - 1);
	hear(last, answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	assert_in_range(clock_mono_ms() - began, 0, 4500);
	hear(fd[1], answer, sizeof answer);
	assert_non_null(strstr(answer, "the body came too slowly"));
	say(fd[0], "bc", 2);
	hear(fd[0], answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	close(last);
}

static void test_crowded_server_ends_unfinished_headers_first(void **state)
{
	int64_t began = clock_mono_ms();
	char answer[4096];
	int slow[8], fd;

	for (int i = 0; i < 8; i++) { /* every thread waits for a header that does not come */
		slow[i] = dial(*state);
		say(slow[i], "GET /a HTTP/1.1\r\nX", 18);
	}
	fd = dial(*state);
	say(fd, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 47);
	hear(fd, answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	assert_in_range(clock_mono_ms() - began, 800, 4500);
	hear(slow[0], answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 408 ", 13), 0);
	for (int i = 0; i < 8; i++)
		close(slow[i]);
	close(fd);
}

static void test_draining_finishes_what_runs_and_refuses_the_rest(void **state)
{
	static const char slow[] = "GET /slow HTTP/1.1\r\n" HOST "\r\n",
	                  quick[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
	struct fixture *f = *state;
	char answer[4096];
	int fd = dial(f), late = dial(f);

	say(fd, slow, sizeof slow - 1);
	usleep(200 * 1000);
	server_drain(f->server, 5000);
	say(late, quick, sizeof quick - 1);
	hear(fd, answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	hear(late, answer, sizeof answer);
	assert_int_equal(strncmp(answer, "HTTP/1.1 503 ", 13), 0);
	close(fd);
	close(late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_said_to),
		cmocka_unit_test(test_64_header_lines_are_fine_and_65_are_not),
		cmocka_unit_test(test_an_absolute_address_of_ours_is_a_path),
		cmocka_unit_test(test_refused_request_ends_the_connection),
		cmocka_unit_test_setup_teardown(test_half_sent_bodies_of_one_client_keep_no_other_out, start,
		                                stop),
		cmocka_unit_test_setup_teardown(test_crowded_server_ends_unfinished_headers_first, start,
		                                stop),
		cmocka_unit_test_setup_teardown(test_draining_finishes_what_runs_and_refuses_the_rest, start,
		                                stop),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
