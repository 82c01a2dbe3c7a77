/*
 * bare_civetweb: a civetweb that answers a constant: what HTTP alone costs on this machine, as a bar for `make bench`.
 * Configured as the gateway is. usage: bare_civetweb PORT
 */
#include <civetweb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
                             "Connection: keep-alive\r\n\r\n{\"status\":\"ok\"}";

static int begin_request(struct mg_connection *conn)
{
	mg_write(conn, answer, sizeof answer - 1);
	return 200;
}

int main(int argc, char **argv)
{
	struct mg_callbacks callbacks = { .begin_request = begin_request };
	char listen[64];
	const char *options[] = { "listening_ports",
		                  listen,
		                  "num_threads",
		                  "1024",
		                  "connection_queue",
		                  "5000",
		                  "listen_backlog",
		                  "4096",
		                  "enable_keep_alive",
		                  "yes",
		                  "keep_alive_timeout_ms",
		                  "5000",
		                  "tcp_nodelay",
		                  "1",
		                  "decode_url",
		                  "no",
		                  NULL };
	struct mg_context *server;
	sigset_t stop;
	int got;

	if (argc != 2) {
		fputs("usage: bare_civetweb PORT\n", stderr);
		return 2;
	}
	snprintf(listen, sizeof listen, "127.0.0.1:%s", argv[1]);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	server = mg_start(&callbacks, NULL, options);
	if (!server) {
		fprintf(stderr, "cannot listen on %s\n", listen);
		return 1;
	}
	sigwait(&stop, &got);
	mg_stop(server);
	return 0;
}
