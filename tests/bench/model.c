/*
 * model: a stand-in for a model: answers every POST with 60 tokens and "[1]" at once, as OpenAI streams them, and keeps
 * connections. GET /connections says how many there were, GET /models that it has one.
 *
 *     build/release/tests/bench/model PORT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/base/thread.h"

static atomic_int connections;
static struct text stream; /* made before there is a thread */

static void make_stream(void)
{
	static struct arena a;
	struct text body;

	arena_init(&a, 0);
	text_init(&body, &a);
	text_init(&stream, &a);
	for (int i = 0; i <= 60; i++)
		text_addf(
		    &body,
		    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"stand-in\",\"choices\":"
		    "[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}\n\n",
		    i < 60 ? "word " : "[1]");
	text_adds(&body,
	          "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	          "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":900,\"completion_tokens\":61}}\n\n"
	          "data: [DONE]\n\n");
	text_addf(
	    &stream,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
	    body.length);
	text_add(&stream, body.at, body.length);
	text_adds(&stream, "\r\n0\r\n\r\n");
}

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

static bool answer(int fd, const char *request)
{
	char body[64], whole[256];
	int n;

	if (strncmp(request, "POST ", 5) == 0)
		return send_all(fd, stream.at, stream.length);
	if (strncmp(request, "GET /connections", 16) == 0)
		snprintf(body, sizeof body, "%d", connections - 1); /* but for the one that asks */
	else
		snprintf(body, sizeof body, "{\"data\":[{\"id\":\"stand-in\"}]}");
	n = snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
	             body);
	return send_all(fd, whole, (size_t)n);
}

/* The bytes of the request at the buffer's beginning; 0: it is not whole yet. */
static size_t whole_request(const char *buffer, size_t have)
{
	const char *end = strstr(buffer, "\r\n\r\n"), *length = strcasestr(buffer, "content-length:");
	size_t size;

	if (!end)
		return 0;
	size = (size_t)(end + 4 - buffer) + (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
	return have >= size ? size : 0;
}

static void *serve(void *arg)
{
	enum { ROOM = 1 << 20 };
	int fd = (int)(intptr_t)arg;
	char *buffer = malloc(ROOM + 1);
	size_t have = 0, size;
	ssize_t n;

	if (!buffer)
		abort();
	while ((n = recv(fd, buffer + have, ROOM - have, 0)) > 0) {
		have += (size_t)n;
		buffer[have] = '\0';
		size = whole_request(buffer, have);
		if (!size)
			continue;
		if (!answer(fd, buffer))
			break;
		have -= size;
		memmove(buffer, buffer + size, have + 1);
	}
	close(fd);
	free(buffer);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;

	address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	make_stream();
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0) {
		perror("model");
		return 1;
	}
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		pthread_t thread;

		connections++;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (thread_try(&thread, serve, (void *)(intptr_t)fd) < 0)
			return 1;
		pthread_detach(thread);
	}
	return 0;
}
