/*
 * model: a stand-in for a model: answers every POST with 60 tokens and "[1]" at once, as OpenAI streams them, and keeps
 * connections; one that says "~pace RATE COUNT" with so many "~ " as so many a second. GET /connections says how many there
 * were, GET /models that it has one.
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

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/thread.h"

static const char head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
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
	text_addf(&stream, "%s%zx\r\n", head, body.length);
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

/* --- At a pace: one thread for all -------------------------------------------------------------------------------- */

enum { PACED_MAX = 4096, LOOK_US = 1000 };

#define CHUNK \
	"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"stand-in\",\"choices\":"

/* An answer that is told at a pace. */
struct paced {
	int fd, left;
	int64_t every, next; /* microseconds */
	bool done, failed;
	pthread_cond_t ended;
};

static pthread_mutex_t pace_lock = PTHREAD_MUTEX_INITIALIZER;
static struct paced *paced[PACED_MAX];
static int paced_count;

static bool send_chunk(int fd, const char *text, const char *behind)
{
	char chunk[512];
	int n = snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n%s", strlen(text), text, behind);

	return send_all(fd, chunk, (size_t)n);
}

/* The lock is held. */
static bool tell_next(struct paced *p)
{
	if (p->left-- > 0)
		return send_chunk(
		    p->fd, CHUNK "[{\"index\":0,\"delta\":{\"content\":\"~ \"},\"finish_reason\":null}]}\n\n",
		    "");
	p->done = true;
	return send_chunk(p->fd,
	                  "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	                  "data: [DONE]\n\n",
	                  "0\r\n\r\n");
}

static void *pace(void *arg)
{
	(void)arg;
	for (;;) {
		int64_t now = clock_mono_us();

		pthread_mutex_lock(&pace_lock);
		for (int i = 0; i < paced_count; i++) {
			struct paced *p = paced[i];

			if (p->next > now)
				continue;
			p->next += p->every;
			p->failed = !tell_next(p);
			if (!p->done && !p->failed)
				continue;
			paced[i--] = paced[--paced_count];
			p->done = true;
			pthread_cond_signal(&p->ended);
		}
		pthread_mutex_unlock(&pace_lock);
		usleep(LOOK_US);
	}
	return NULL;
}

static bool answer_at_a_pace(int fd, int rate, int count)
{
	struct paced p = { .fd = fd,
		           .left = count,
		           .every = 1000000 / rate,
		           .next = clock_mono_us(),
		           .ended = PTHREAD_COND_INITIALIZER };

	if (!send_all(fd, head, sizeof head - 1))
		return false;
	pthread_mutex_lock(&pace_lock);
	if (paced_count == PACED_MAX)
		abort();
	paced[paced_count++] = &p;
	while (!p.done)
		pthread_cond_wait(&p.ended, &pace_lock);
	pthread_mutex_unlock(&pace_lock);
	return !p.failed;
}

/* --- Any answer --------------------------------------------------------------------------------------------------- */

static bool answer(int fd, const char *request)
{
	const char *wish = strstr(request, "~pace ");
	char body[64], whole[256], *rest;
	int n;

	if (strncmp(request, "POST ", 5) == 0 && wish) {
		int rate = (int)strtol(wish + 6, &rest, 10), count = (int)strtol(rest, NULL, 10);

		return answer_at_a_pace(fd, rate > 0 ? rate : 1, count);
	}
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
	enum { ROOM = 256 << 10 };
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
	pthread_t pacer;

	address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	make_stream();
	if (thread_try(&pacer, pace, NULL) < 0)
		return 1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
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
