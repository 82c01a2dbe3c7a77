/* links: svc-chat/tools/idle.c svc-chat/mcp/http.c svc-chat/mcp/rpc.c svc-chat/mcp/steps.c svc-chat/mcp/open.c svc-chat/mcp/side.c svc-chat/mcp/header.c svc-chat/mcp/tools.c svc-chat/mcp/pause.c */
/* Sessions that wait for another call, and end when none comes. */
#include "svc-chat/tools/idle.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/thread.h"

/* --- A server that is told ------------------------------------------------------------------------------------------ */

static int listener, port;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char told[4096]; /* the first lines of all requests, and their sessions */

static void note(const char *request)
{
	const char *session = strcasestr(request, "mcp-session-id: ");

	pthread_mutex_lock(&lock);
	if (session)
		snprintf(told + strlen(told), sizeof told - strlen(told), "%.6s %.*s\n", request,
		         (int)strcspn(session + 16, "\r\n"), session + 16);
	pthread_mutex_unlock(&lock);
}

static void *serve(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	int fd;

	(void)arg;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		char request[4096];
		size_t have = 0;
		ssize_t n;

		do {
			n = recv(fd, request + have, sizeof request - 1 - have, 0);
			have += n > 0 ? (size_t)n : 0;
			request[have] = '\0';
		} while (n > 0 && !strstr(request, "\r\n\r\n"));
		note(request);
		(void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static bool was_told(const char *words)
{
	bool found;

	pthread_mutex_lock(&lock);
	found = strstr(told, words) != NULL;
	pthread_mutex_unlock(&lock);
	return found;
}

static void await(const char *words)
{
	int64_t until = clock_mono_ms() + 20 * 1000;

	while (!was_told(words) && clock_mono_ms() < until)
		usleep(5000);
	assert_true(was_told(words));
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

/* --- Those who keep ------------------------------------------------------------------------------------------------- */

struct fixture {
	struct egress *egress;
	struct idle *idle;
	struct arena arena;
	const char *url;
};

static void open_idle(struct fixture *f, int64_t ms)
{
	struct error err = { 0 };

	arena_init(&f->arena, 0);
	assert_int_equal(egress_open("127.0.0.1/32", &f->egress, &err), 0);
	f->idle = idle_open(f->egress, ms);
	f->url = arena_printf(&f->arena, "http://127.0.0.1:%d/mcp", port);
}

static void close_idle(struct fixture *f)
{
	idle_close(f->idle);
	egress_close(f->egress);
	arena_done(&f->arena);
}

static void keep(struct fixture *f, const char *key, const char *session)
{
	struct server_row row = { .id = 1, .uri = f->url };
	struct mcp m = { .egress = f->egress,
		         .arena = &f->arena,
		         .url = f->url,
		         .era = MCP_SESSIONS,
		         .version = "2025-06-18",
		         .session = session };

	idle_keep(f->idle, idle_key(key, &row, NULL, NULL, &f->arena), &m);
	assert_null(m.session);
}

static const char *take(struct fixture *f, const char *key)
{
	struct server_row row = { .id = 1, .uri = f->url };
	struct mcp m = { .egress = f->egress, .arena = &f->arena, .url = f->url, .era = MCP_SESSIONS };

	idle_take(f->idle, idle_key(key, &row, NULL, NULL, &f->arena), &m);
	return m.session;
}

static void one_that_nobody_uses_is_ended_though_no_other_comes(void **state)
{
	struct fixture f;

	(void)state;
	open_idle(&f, 20);
	keep(&f, "ada", "of-ada");
	await("DELETE of-ada");
	assert_null(take(&f, "ada"));
	keep(&f, "bob", "of-bob"); /* and the next one, too */
	await("DELETE of-bob");
	close_idle(&f);
}

static void one_that_is_used_is_not(void **state)
{
	struct fixture f;

	(void)state;
	open_idle(&f, 60 * 60 * 1000);
	keep(&f, "ada", "first");
	keep(&f, "bob", "second");
	assert_null(take(&f, "eve"));
	assert_string_equal(take(&f, "ada"), "first");
	assert_null(take(&f, "ada"));
	for (int i = 0; i < IDLE_EACH; i++)
		keep(&f, "bob", arena_printf(&f.arena, "more-%d", i));
	await("DELETE second"); /* the oldest of too many */
	assert_false(was_told("DELETE first"));
	close_idle(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_nobody_uses_is_ended_though_no_other_comes),
		cmocka_unit_test(one_that_is_used_is_not),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
