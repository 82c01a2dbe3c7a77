#include "tests/unit/middle.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 32, PIECE = 65536 };

struct middle {
	int listener, port, to_port;
	int sides[PAIRS][2]; /* client, server */
	atomic_int pairs;
	int frozen; /* so many of them carry nothing */
	atomic_bool freeze, stop;
	pthread_t thread;
	pthread_mutex_t lock; /* of what was heard */
	unsigned char *heard[PAIRS][2];
	size_t size[PAIRS][2];
};

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = htons((unsigned short)port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void accept_one(struct middle *m)
{
	struct sockaddr_in to = loopback(m->to_port);
	int client = accept(m->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);

	if (client < 0 || m->pairs == PAIRS || connect(server, (struct sockaddr *)&to, sizeof to) < 0) {
		close(server);
		close(client);
		return;
	}
	m->sides[m->pairs][0] = client;
	m->sides[m->pairs++][1] = server;
}

static void hear(struct middle *m, int pair, int from, const unsigned char *piece, size_t n)
{
	unsigned char **heard = &m->heard[pair][from];
	size_t *size = &m->size[pair][from];

	pthread_mutex_lock(&m->lock);
	*heard = realloc(*heard, *size + n);
	assert(*heard);
	memcpy(*heard + *size, piece, n);
	*size += n;
	pthread_mutex_unlock(&m->lock);
}

/* What has come on one side goes to the other; it was heard before anybody can answer it. */
static void pass(struct middle *m, int pair, int from)
{
	int *sides = m->sides[pair];
	unsigned char piece[PIECE];
	ssize_t n = recv(sides[from], piece, sizeof piece, 0);

	if (n > 0)
		hear(m, pair, from, piece, (size_t)n);
	if (n <= 0 || send(sides[!from], piece, (size_t)n, MSG_NOSIGNAL) != n) {
		close(sides[0]);
		close(sides[1]);
		sides[0] = sides[1] = -1;
	}
}

static void *run(void *arg)
{
	struct middle *m = arg;

	while (!atomic_load(&m->stop)) {
		struct pollfd polls[1 + 2 * PAIRS] = { { .fd = m->listener, .events = POLLIN } };
		int pairs = m->pairs;

		if (atomic_exchange(&m->freeze, false))
			m->frozen = pairs;
		for (int i = 0; i < 2 * pairs; i++)
			polls[1 + i] = (struct pollfd){ .fd = i / 2 < m->frozen ? -1 : m->sides[i / 2][i % 2],
				                        .events = POLLIN };
		if (poll(polls, (nfds_t)(1 + 2 * pairs), 5) <= 0)
			continue;
		if (polls[0].revents)
			accept_one(m);
		for (int i = 0; i < 2 * pairs; i++) {
			if (polls[1 + i].revents && m->sides[i / 2][i % 2] >= 0)
				pass(m, i / 2, i % 2);
		}
	}
	return NULL;
}

struct middle *middle_open(int to_port)
{
	struct middle *m = calloc(1, sizeof *m);
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof at;
	int rc;

	assert(m);
	pthread_mutex_init(&m->lock, NULL);
	m->to_port = to_port;
	m->listener = socket(AF_INET, SOCK_STREAM, 0);
	rc = bind(m->listener, (struct sockaddr *)&at, size) |
	     getsockname(m->listener, (struct sockaddr *)&at, &size) | listen(m->listener, PAIRS);
	assert(!rc);
	m->port = ntohs(at.sin_port);
	rc = pthread_create(&m->thread, NULL, run, m);
	assert(!rc);
	return m;
}

int middle_port(const struct middle *m)
{
	return m->port;
}

void middle_freeze(struct middle *m)
{
	atomic_store(&m->freeze, true);
	while (atomic_load(&m->freeze))
		usleep(1000);
}

int middle_connections(const struct middle *m)
{
	return m->pairs;
}

const unsigned char *middle_heard(struct middle *m, int connection, int direction, size_t *size,
                                  struct arena *a)
{
	const unsigned char *heard;

	pthread_mutex_lock(&m->lock);
	*size = m->size[connection][direction];
	heard = arena_memdup(a, m->heard[connection][direction], *size);
	pthread_mutex_unlock(&m->lock);
	return heard;
}

void middle_close(struct middle *m)
{
	atomic_store(&m->stop, true);
	pthread_join(m->thread, NULL);
	for (int i = 0; i < m->pairs; i++) {
		close(m->sides[i][0]);
		close(m->sides[i][1]);
		free(m->heard[i][0]);
		free(m->heard[i][1]);
	}
	close(m->listener);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
