/*
 * reader: streams answers at once, a thread for each session, and reads each to its end (which closes the connection).
 * Sessions and questions come a line each from files. Prints "RESULT rate p50_us p99_us bad" as the wrk scripts do.
 *
 *     build/release/tests/bench/reader PORT TOKEN SESSIONS QUESTIONS SECONDS
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/thread.h"

enum { CLIENTS_MAX = 64, LINES_MAX = 4096, TIMES_MAX = 100000, ANSWER_MAX = 1 << 20 };

struct client {
	pthread_t thread;
	const char *session;
	unsigned seed;
	int count, bad;
	int64_t *times; /* microseconds */
};

static uint16_t port;
static const char *token;
static char *questions[LINES_MAX];
static int question_count;
static int64_t until;

static int read_lines(const char *path, char **lines, int most)
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	int n = 0;

	if (!file)
		exit(1);
	for (; n < most && getline(&lines[n], &room, file) > 0; n++, room = 0)
		lines[n][strcspn(lines[n], "\n")] = '\0';
	fclose(file);
	return n;
}

static bool ask(const struct client *c, const char *question, char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons(port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t have = 0;
	char request[8192];
	ssize_t n = 0;
	int size = snprintf(
	    request, sizeof request,
	    "POST /api/chat/sessions/%s/messages/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
	    "Content-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
	    c->session, token, strlen(question), question);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    send(fd, request, (size_t)size, MSG_NOSIGNAL) == size)
		while (have < ANSWER_MAX && (n = recv(fd, answer + have, ANSWER_MAX - have, 0)) > 0)
			have += (size_t)n;
	answer[have] = '\0';
	close(fd);
	return strstr(answer, "event: done") != NULL;
}

static void *run(void *arg)
{
	struct client *c = arg;
	char *answer = malloc(ANSWER_MAX + 1);

	while (answer && clock_mono_ms() < until && c->count < TIMES_MAX) {
		int64_t start = clock_mono_us();

		if (!ask(c, questions[rand_r(&c->seed) % question_count], answer) && c->bad++ == 0)
			fprintf(stderr, "a bad answer: %.400s\n", answer);
		c->times[c->count++] = clock_mono_us() - start;
	}
	free(answer);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static struct client clients[CLIENTS_MAX];
	char *sessions[CLIENTS_MAX] = { NULL };
	int64_t *times = calloc((size_t)CLIENTS_MAX * TIMES_MAX, sizeof *times);
	int count, all = 0, bad = 0;

	if (argc < 6 || !times)
		return 1;
	port = (uint16_t)atoi(argv[1]);
	token = argv[2];
	count = read_lines(argv[3], sessions, CLIENTS_MAX);
	question_count = read_lines(argv[4], questions, LINES_MAX);
	until = clock_mono_ms() + 1000 * atoi(argv[5]);
	for (int i = 0; i < count; i++) {
		clients[i] = (struct client){ .session = sessions[i],
			                      .seed = (unsigned)i,
			                      .times = times + (size_t)i * TIMES_MAX };
		clients[i].thread = thread_start(run, &clients[i]);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(clients[i].thread, NULL);
		memmove(times + all, clients[i].times, (size_t)clients[i].count * sizeof *times);
		all += clients[i].count;
		bad += clients[i].bad;
	}
	qsort(times, (size_t)all, sizeof *times, by_time);
	if (!all)
		return 1;
	printf("RESULT %f %lld %lld %d\n", all / (double)atoi(argv[5]), (long long)times[all / 2],
	       (long long)times[all * 99 / 100], bad);
	return 0;
}
