/*
 * crowd: reads many streams at once, each from its first word to its end. The model is asked for so many words ("~") a
 * second, for so many seconds. Sessions come from a file: "SESSION TOKEN", one a line.
 *
 *     build/release/tests/bench/crowd PORT SESSIONS RATE SECONDS
 *
 * Prints "RESULT streams lost gap_p50_ms gap_p99_ms gap_max_ms first_p50_ms first_p99_ms": lost are those that did not end
 * with every word and "done"; a gap lies between two arrivals of words in one stream.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

enum {
	STREAMS_MAX = 4096,
	LINE_ROOM = 4096,
	STARTS_A_SECOND = 200,
	PATIENCE_MS = 30 * 1000,
	GAPS_MAX = 5000
};

struct stream {
	int fd;
	char session[64], token[1024];
	int64_t asked, heard; /* monotonic ms; heard: words, 0: none yet */
	int64_t first;
	int words;
	bool delta, done, closed;
	char line[LINE_ROOM];
	size_t length; /* of the line so far; more than fits is not kept */
};

static struct stream streams[STREAMS_MAX];
static int64_t gaps[GAPS_MAX + 1], gap_count; /* how many of so many milliseconds */
static int poll_fd, port, rate, seconds;

static int read_sessions(const char *path)
{
	FILE *file = fopen(path, "r");
	int n = 0;

	if (!file)
		exit(1);
	while (n < STREAMS_MAX && fscanf(file, "%63s %1023s", streams[n].session, streams[n].token) == 2)
		n++;
	fclose(file);
	return n;
}

static void start(struct stream *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons((uint16_t)port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = s };
	char body[64], request[2048];
	int size;

	snprintf(body, sizeof body, "{\"content\":\"~pace %d %d\"}", rate, rate * seconds);
	size = snprintf(request, sizeof request,
	                "POST /api/chat/sessions/%s/messages/stream HTTP/1.1\r\nHost: x\r\n"
	                "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
	                "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
	                s->session, s->token, strlen(body), body);
	s->asked = clock_mono_ms();
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(s->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    send(s->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
		perror("crowd");
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, s->fd, &event);
}

static int take_line(struct stream *s)
{
	int words = 0;

	s->line[s->length < LINE_ROOM ? s->length : LINE_ROOM - 1] = '\0';
	if (strncmp(s->line, "event: ", 7) == 0) {
		s->delta = strncmp(s->line + 7, "delta", 5) == 0;
		s->done |= strncmp(s->line + 7, "done", 4) == 0;
	} else if (s->delta && strncmp(s->line, "data: ", 6) == 0) {
		for (const char *c = s->line; *c; c++)
			words += *c == '~';
	}
	s->length = 0;
	return words;
}

static void count_gap(int64_t ms)
{
	gaps[ms < GAPS_MAX ? ms : GAPS_MAX]++;
	gap_count++;
}

static void take(struct stream *s, const char *bytes, ssize_t size)
{
	int64_t now = clock_mono_ms();
	int words = 0;

	for (ssize_t i = 0; i < size; i++) {
		if (bytes[i] == '\n')
			words += take_line(s);
		else if (s->length++ < LINE_ROOM)
			s->line[s->length - 1] = bytes[i];
	}
	if (!words)
		return;
	if (s->words)
		count_gap(now - s->heard);
	else
		s->first = now - s->asked;
	s->words += words;
	s->heard = now;
}

/* True when it is over. */
static bool hear(struct stream *s)
{
	static char bytes[256 << 10];
	ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);

	if (n > 0) {
		take(s, bytes, n);
		return false;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(s->fd);
	return s->closed = true;
}

static int64_t gap_at(double part)
{
	int64_t before = 0, ms = 0;

	while (ms < GAPS_MAX && before + gaps[ms] < (int64_t)((double)gap_count * part))
		before += gaps[ms++];
	return ms;
}

static int by_first(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void report(int count)
{
	int lost = 0;

	for (int i = 0; i < count; i++)
		if (!streams[i].done || streams[i].words != rate * seconds) {
			if (lost++ < 3)
				fprintf(stderr,
				        "crowd: session %s: %d of %d words%s%s, last line \"%.200s\"\n",
				        streams[i].session, streams[i].words, rate * seconds,
				        streams[i].done ? ", done" : "", streams[i].closed ? ", closed" : "",
				        streams[i].line);
		}
	qsort(streams, (size_t)count, sizeof *streams, by_first);
	printf("RESULT %d %d %lld %lld %lld %lld %lld\n", count, lost, (long long)gap_at(0.5),
	       (long long)gap_at(0.99), (long long)gap_at(1.0), (long long)streams[count / 2].first,
	       (long long)streams[count * 99 / 100].first);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	int count, begun = 0, over = 0;
	int64_t began, until;

	if (argc < 5)
		return 1;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	port = atoi(argv[1]);
	count = read_sessions(argv[2]);
	rate = atoi(argv[3]);
	seconds = atoi(argv[4]);
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	began = clock_mono_ms();
	until = began + count * 1000LL / STARTS_A_SECOND + seconds * 1000LL + PATIENCE_MS;
	while (over < count && clock_mono_ms() < until) {
		struct epoll_event events[256];
		int n;

		while (begun < count && (clock_mono_ms() - began) * STARTS_A_SECOND / 1000 >= begun)
			start(&streams[begun++]);
		n = epoll_wait(poll_fd, events, 256, begun < count ? 2 : 1000);
		for (int i = 0; i < n; i++)
			over += hear(events[i].data.ptr);
	}
	report(count);
	return 0;
}
