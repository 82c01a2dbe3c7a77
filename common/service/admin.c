#include "common/service/admin.h"

#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

/* Who operates it asks now and then: a few threads, short waits, nothing kept open. */
static const char *const options[] = { "num_threads",
	                               "3",
	                               "request_timeout_ms",
	                               "3000",
	                               "enable_keep_alive",
	                               "no",
	                               "decode_url",
	                               "no",
	                               "access_control_allow_origin",
	                               "",
	                               NULL };

enum { OPTION_ROOM = sizeof options / sizeof *options + 2 };

struct admin {
	struct mg_context *server;
	struct metrics *metrics;
	int (*ready)(void *arg, char *why, size_t size);
	void *arg;
};

static void answer(struct mg_connection *conn, const char *status, const char *body, size_t size)
{
	struct arena a;
	struct text out;

	arena_init(&a, 0);
	text_init(&out, &a);
	text_addf(&out,
	          "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
	          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	          status, size);
	text_add(&out, body, size);
	mg_write(conn, out.at, out.length);
	arena_done(&a);
}

static void answer_ready(const struct admin *admin, struct mg_connection *conn)
{
	char why[200] = "ready\n";
	int ready = admin->ready(admin->arg, why, sizeof why);

	answer(conn, ready ? "200 OK" : "503 Service Unavailable", why, strlen(why));
}

static void answer_metrics(const struct admin *admin, struct mg_connection *conn)
{
	struct arena a;
	struct text out;

	arena_init(&a, 0);
	text_init(&out, &a);
	metrics_print(admin->metrics, &out);
	metrics_print_process(&out);
	answer(conn, "200 OK", out.at, out.length);
	arena_done(&a);
}

static int handle(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	const struct admin *admin = info->user_data;

	if (strcmp(info->request_method, "GET") != 0)
		answer(conn, "405 Method Not Allowed", "only GET\n", 9);
	else if (strcmp(info->request_uri, "/healthz") == 0)
		answer(conn, "200 OK", "ok\n", 3);
	else if (strcmp(info->request_uri, "/readyz") == 0)
		answer_ready(admin, conn);
	else if (strcmp(info->request_uri, "/metrics") == 0)
		answer_metrics(admin, conn);
	else
		answer(conn, "404 Not Found", "/healthz, /readyz or /metrics\n", 30);
	return 1;
}

int admin_start(const char *listen, struct metrics *m, int (*ready)(void *arg, char *why, size_t size),
                void *arg, struct admin **ret, struct error *err)
{
	static const struct mg_callbacks callbacks = { .begin_request = handle };
	const char *all[OPTION_ROOM] = { "listening_ports", listen };
	struct admin *admin = calloc(1, sizeof *admin);

	if (!admin)
		abort();
	memcpy(all + 2, options, sizeof options);
	*admin = (struct admin){ .metrics = m, .ready = ready, .arg = arg };
	admin->server = mg_start(&callbacks, admin, all);
	if (!admin->server) {
		free(admin);
		return error_set(err, ERROR_INTERNAL, "the admin port cannot listen on %s: is it in use?",
		                 listen);
	}
	*ret = admin;
	return 0;
}

void admin_stop(struct admin *admin)
{
	if (!admin)
		return;
	mg_stop(admin->server);
	free(admin);
}
