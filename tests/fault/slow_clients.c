/*
 * slow_clients: do clients that take their time keep others out?
 *
 *	slow_clients [-t SECONDS] [-p PATH] [-k N] [-s N] [-b N] [-n N] [-l LIMIT] PORT ADMIN_PORT
 *
 * For so many seconds: -k keep-alive clients that ask once a second (2,000), -s clients that send their header a byte at
 * a time (200) and -b that send the body of a POST so (50), all coming back when they are cut off; and -n new clients a
 * second (50), each with a connection of its own. Exit 0 when 99.9 % of the new clients were answered within a second, and the
 * admin port's /healthz always.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 5, BYTE_EVERY_MS = 500, ANSWER_MAX = 8192, LATE_MS = 1000, GIVE_UP_MS = 10000 };
enum kind { KEEP_ALIVE, SLOW_HEADER, SLOW_BODY, NEW_CLIENT, ADMIN, KINDS };
static const char *const names[KINDS] = { "keep-alive", "slow header", "slow body", "new clients",
	                                  "admin /healthz" };

struct client {
	enum kind kind;
	int fd;          /* -1: not connected */
	bool writable;   /* the connection stands */
	bool waiting;    /* for an answer, since asked_ms */
	int64_t next_ms; /* of the next thing to do */
	int64_t asked_ms;
	size_t sent, got;
	char answer[ANSWER_MAX + 1];
};

static struct {
	int64_t asked, answered, late, failed, cut, worst_ms;
	int64_t times[20001]; /* by ms */
} stats[KINDS];

static int poller, port, admin_port;
static const char *path = "/health";
static char request[512], admin_request[256], slow_header[1024], slow_body[512];

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->writable = c->waiting = false;
	c->sent = c->got = 0;
}

static void dial(struct client *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)(c->kind == ADMIN ? admin_port : port)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		perror("socket");
		exit(2);
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
		hang_up(c);
		return;
	}
	epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void failed(struct client *c)
{
	if (c->waiting)
		stats[c->kind].failed++;
	stats[c->kind].cut++;
	hang_up(c);
}

static void push(struct client *c, const char *bytes, size_t size)
{
	if (send(c->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		failed(c);
	else
		c->sent += size;
}

/* The time to do the next thing has come. */
static void act(struct client *c, int64_t now)
{
	const char *slow = c->kind == SLOW_HEADER ? slow_header : slow_body;
	size_t quick = c->kind == SLOW_BODY ? (size_t)(strstr(slow_body, "\r\n\r\n") - slow_body) + 4 : 1;

	if (c->waiting) {
		if (now - c->asked_ms > GIVE_UP_MS)
			failed(c);
		return;
	}
	if (c->kind == KEEP_ALIVE || c->kind == NEW_CLIENT || c->kind == ADMIN) {
		c->waiting = true;
		c->asked_ms = now;
		c->got = 0;
		c->next_ms = now + 1000;
		stats[c->kind].asked++;
		if (c->fd < 0)
			dial(c);
		else
			push(c, request, strlen(request));
		return;
	}
	c->next_ms = now + BYTE_EVERY_MS;
	if (c->fd < 0)
		dial(c);
	else if (c->writable && c->sent < strlen(slow))
		push(c, slow + c->sent, c->sent ? 1 : quick);
}

/* Is the answer complete? */
static bool complete(const struct client *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *length = strstr(c->answer, "Content-Length: ");

	return end && length && length < end &&
	       (size_t)(end + 4 - c->answer) + (size_t)atoll(length + 16) <= c->got;
}

static void answered(struct client *c)
{
	int64_t took = now_ms() - c->asked_ms;
	bool good = !strncmp(c->answer, "HTTP/1.1 200", 12);

	c->waiting = false;
	stats[c->kind].answered += good;
	stats[c->kind].failed += !good;
	stats[c->kind].late += good && took > LATE_MS;
	stats[c->kind].times[took > 20000 ? 20000 : took]++;
	if (took > stats[c->kind].worst_ms)
		stats[c->kind].worst_ms = took;
	if (c->kind != KEEP_ALIVE || strstr(c->answer, "Connection: close"))
		hang_up(c);
}

static void readable(struct client *c)
{
	ssize_t n;

	while (c->fd >= 0) {
		n = recv(c->fd, c->answer + c->got, ANSWER_MAX - c->got, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			failed(c);
			return;
		}
		c->got += (size_t)n;
		c->answer[c->got] = '\0';
		if (c->waiting && complete(c))
			answered(c);
		else if (c->got == ANSWER_MAX)
			c->got = 0;
	}
}

static void on_event(struct client *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if ((events & EPOLLOUT) && !c->writable) {
		c->writable = true;
		if (c->kind == ADMIN)
			push(c, admin_request, strlen(admin_request));
		else if (c->kind == KEEP_ALIVE || c->kind == NEW_CLIENT)
			push(c, request, strlen(request));
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		readable(c);
}

static int64_t percentile(enum kind kind, double share)
{
	int64_t left = (int64_t)((double)(stats[kind].answered) * share);

	for (int ms = 0; ms < 20000; ms++)
		if ((left -= stats[kind].times[ms]) <= 0)
			return ms;
	return 20000;
}

static double report(enum kind kind)
{
	int64_t good = stats[kind].answered - stats[kind].late;
	double share = stats[kind].asked ? 100.0 * (double)good / (double)stats[kind].asked : 0;

	if (kind == SLOW_HEADER || kind == SLOW_BODY)
		printf("%-15s cut off %lld times\n", names[kind], (long long)stats[kind].cut);
	else
		printf(
		    "%-15s asked %7lld  within 1 s %8.3f %%  late %lld  failed %lld  p50 %lld ms  p99 %lld ms  worst %lld ms\n",
		    names[kind], (long long)stats[kind].asked, share, (long long)stats[kind].late,
		    (long long)stats[kind].failed, (long long)percentile(kind, 0.5),
		    (long long)percentile(kind, 0.99), (long long)stats[kind].worst_ms);
	return share;
}

static void run(struct client *clients, int count, int seconds)
{
	int64_t start = now_ms(), stop = start + seconds * 1000LL, now = start;
	struct epoll_event events[512];

	/* For the last second and a half nobody asks anew, so that every answer can arrive. */
	while (now < stop) {
		int n = epoll_wait(poller, events, 512, TICK_MS);

		for (int i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
		now = now_ms();
		for (int i = 0; i < count; i++) {
			bool asks = clients[i].kind != SLOW_HEADER && clients[i].kind != SLOW_BODY;

			if (clients[i].next_ms <= now && (clients[i].waiting || !asks || now < stop - 1500))
				act(&clients[i], now);
		}
	}
	for (int i = 0; i < count; i++)
		if (clients[i].waiting)
			stats[clients[i].kind].failed++;
}

int main(int argc, char **argv)
{
	int wanted[KINDS] = { 2000, 200, 50, 50, 10 }, seconds = 60, count = 0, option;
	double limit = 99.9, new_share, admin_share;
	struct rlimit files;
	struct client *clients;
	int64_t now = now_ms();

	while ((option = getopt(argc, argv, "t:p:k:s:b:n:l:")) >= 0) {
		switch (option) {
		case 't': seconds = atoi(optarg); break;
		case 'p': path = optarg; break;
		case 'k': wanted[KEEP_ALIVE] = atoi(optarg); break;
		case 's': wanted[SLOW_HEADER] = atoi(optarg); break;
		case 'b': wanted[SLOW_BODY] = atoi(optarg); break;
		case 'n': wanted[NEW_CLIENT] = atoi(optarg); break;
		case 'l': limit = atof(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind != 2 || seconds < 3) {
		fprintf(
		    stderr,
		    "slow_clients [-t SECONDS (3 or more)] [-p PATH] [-k|-s|-b|-n N] [-l LIMIT] PORT ADMIN_PORT\n");
		return 2;
	}
	port = atoi(argv[optind]);
	admin_port = atoi(argv[optind + 1]);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	snprintf(admin_request, sizeof admin_request,
	         "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	snprintf(slow_header, sizeof slow_header,
	         "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Slow: %0900d\r\n\r\n", path, 0);
	snprintf(slow_body, sizeof slow_body,
	         "POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	         "Content-Length: 300\r\n\r\n%0300d",
	         0);

	poller = epoll_create1(EPOLL_CLOEXEC);
	for (int k = 0; k < KINDS; k++)
		count += wanted[k];
	clients = calloc((size_t)count, sizeof *clients);
	if (!clients)
		return 2;
	for (int k = 0, i = 0; k < KINDS; k++) /* spread over the first second */
		for (int j = 0; j < wanted[k]; j++, i++)
			clients[i] = (struct client){ .kind = (enum kind)k,
				                      .fd = -1,
				                      .next_ms = now + j * 1000 / wanted[k] };
	run(clients, count, seconds);
	for (int k = 0; k < NEW_CLIENT; k++)
		report((enum kind)k);
	new_share = report(NEW_CLIENT);
	admin_share = wanted[ADMIN] && admin_port ? report(ADMIN) : 100;
	free(clients);
	return new_share >= limit && admin_share >= limit ? 0 : 1;
}
