/*
 * rpc_echo: what a call costs beyond NNG itself. 32 threads call an echo of about 1 KB in another process over
 * tcp, once through rpc and service (envelope, MAC, protobuf, lanes, log and metrics), once with NNG alone in the same
 * shape (contexts on callbacks, one semaphore per call, 4 connections). Interleaved rounds, medians: calls a second,
 * CPU per call of both processes, and voluntary context switches per call, which a noisy machine does not change.
 *
 *     build/release/tests/bench/rpc_echo [ROUNDS [SECONDS [THREADS [PORT]]]], of which it takes two
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/thread.h"
#include "common/service/internal.h"

enum { SIZE = 1024, ROUNDS_MAX = 15, THREADS_MAX = 256 };

static const struct secret secret = { "the secret of this bench........" };

static int echo(struct call *call, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	((Rpc__Message *)out)->message = arena_strdup(call->arena, ((const Rpc__Message *)in)->message);
	return 0;
}

static const struct method methods[] = { { .name = "bench.echo",
	                                   .id = 1,
	                                   .access = ACCESS_PUBLIC,
	                                   .in = &rpc__message__descriptor,
	                                   .out = &rpc__message__descriptor,
	                                   .handler = echo,
	                                   .reads = true } };

/* --- The other process --------------------------------------------------------------------------------------------- */

struct bare_slot {
	nng_ctx ctx;
	nng_aio *aio;
	bool sending;
};

static void bare_step(void *arg)
{
	struct bare_slot *slot = arg;

	if (nng_aio_result(slot->aio))
		return;
	slot->sending = !slot->sending;
	if (slot->sending) /* the message that came goes back */
		nng_ctx_send(slot->ctx, slot->aio);
	else
		nng_ctx_recv(slot->ctx, slot->aio);
}

static void serve_bare(const char *address)
{
	nng_socket socket;

	if (nng_rep0_open(&socket))
		abort();
	for (int i = 0; i < 256; i++) {
		struct bare_slot *slot = calloc(1, sizeof *slot);

		if (nng_ctx_open(&slot->ctx, socket) || nng_aio_alloc(&slot->aio, bare_step, slot))
			abort();
		nng_ctx_recv(slot->ctx, slot->aio);
	}
	if (nng_listen(socket, address, NULL, 0))
		abort();
}

static void serve(const char *address)
{
	static const struct contract contract = { .name = "bench", .methods = methods };
	static const struct service_config config = { .contract = &contract };
	struct service_settings set = { .workers = 8, .contexts = 256, .listen = address };
	struct service *s = service_new(&config, &set, &secret);
	struct error err = { 0 };

	if (slots_open(s, &err) < 0)
		abort();
}

static pid_t start_server(bool bare, const char *address)
{
	pid_t pid = fork();

	if (!pid)
		execl("/proc/self/exe", "rpc_echo", "--serve", bare ? "bare" : "rpc", address, NULL);
	return pid;
}

/* --- The calling side ------------------------------------------------------------------------------------------------ */

struct caller {
	struct peer *peer; /* or NULL: NNG alone */
	nng_socket socket;
	int64_t until; /* monotonic us */
	int calls;
	pthread_t thread;
	nng_ctx ctx;
	nng_aio *aio;
	sem_t done;
	bool receiving;
};

static void call_step(void *arg)
{
	struct caller *c = arg;

	if (nng_aio_result(c->aio))
		abort();
	c->receiving = !c->receiving;
	if (c->receiving)
		nng_ctx_recv(c->ctx, c->aio);
	else
		sem_post(&c->done);
}

static void call_bare(struct caller *c)
{
	nng_msg *msg;

	if (nng_msg_alloc(&msg, SIZE))
		abort();
	nng_aio_set_msg(c->aio, msg);
	nng_aio_set_timeout(c->aio, 5000);
	nng_ctx_send(c->ctx, c->aio);
	sem_wait(&c->done);
	nng_msg_free(nng_aio_get_msg(c->aio));
}

static void call_rpc(struct caller *c, struct arena *a, char *text)
{
	Rpc__Message in = RPC__MESSAGE__INIT;
	struct error err = { 0 };
	ProtobufCMessage *out;
	struct rpc_context ctx = { .arena = a,
		                   .err = &err,
		                   .request_id = "0192f3a0-0000-7000-8000-000000000001",
		                   .deadline = clock_unix_ms() + 5000 };

	in.message = text;
	if (rpc_call(c->peer, &ctx, &methods[0], &in.base, &out) < 0) {
		fprintf(stderr, "%s %s\n", err.message, err.detail);
		exit(1);
	}
	arena_reset(a);
}

static void *run(void *arg)
{
	struct caller *c = arg;
	char text[SIZE + 1];
	struct arena a;

	arena_init(&a, 0);
	memset(text, 'x', SIZE);
	text[SIZE] = '\0';
	sem_init(&c->done, 0, 0);
	if (!c->peer && (nng_ctx_open(&c->ctx, c->socket) || nng_aio_alloc(&c->aio, call_step, c)))
		abort();
	for (c->calls = 0; clock_mono_us() < c->until; c->calls++) {
		if (c->peer)
			call_rpc(c, &a, text);
		else
			call_bare(c);
	}
	if (!c->peer) {
		nng_ctx_close(c->ctx);
		nng_aio_free(c->aio);
	}
	arena_done(&a);
	return NULL;
}

struct usage {
	double cpu_us, switches, served;
};

/* Voluntary context switches of all threads that a process has now. */
static double switches_of(pid_t pid)
{
	char path[300], line[256];
	struct dirent *task;
	double sum = 0, n;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (task = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, task->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof line, file)) {
			if (sscanf(line, "voluntary_ctxt_switches: %lf", &n) == 1)
				sum += n;
		}
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static struct usage usage_of(pid_t server)
{
	struct rusage self;
	struct usage u;
	char path[64], line[512], *at;
	unsigned long user = 0, kernel = 0;
	FILE *file;

	getrusage(RUSAGE_SELF, &self);
	u.cpu_us = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec) * 1e6 +
	           (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec);
	u.switches = (double)self.ru_nvcsw;
	u.served = switches_of(server);
	snprintf(path, sizeof path, "/proc/%d/stat", server);
	file = fopen(path, "r");
	if (file && fgets(line, sizeof line, file) && (at = strrchr(line, ')')))
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
	if (file)
		fclose(file);
	u.cpu_us += (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
	return u;
}

struct figures {
	double rate, cpu_us, switches, served;
};

static struct figures measure(struct peer *peer, nng_socket socket, pid_t server, int threads, int seconds)
{
	static struct caller callers[THREADS_MAX];
	struct usage before = usage_of(server), after;
	int64_t began = clock_mono_us();
	double calls = 0;

	for (int i = 0; i < threads; i++) {
		callers[i] = (struct caller){ .peer = peer,
			                      .socket = socket,
			                      .until = began + seconds * INT64_C(1000000) };
		callers[i].thread = thread_start(run, &callers[i]);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(callers[i].thread, NULL);
		calls += callers[i].calls;
	}
	after = usage_of(server);
	return (struct figures){ calls / ((double)(clock_mono_us() - began) / 1e6),
		                 (after.cpu_us - before.cpu_us) / calls,
		                 (after.switches - before.switches) / calls,
		                 (after.served - before.served) / calls };
}

static int ascending(const void *a, const void *b)
{
	double x = ((const struct figures *)a)->rate, y = ((const struct figures *)b)->rate;

	return (x > y) - (x < y);
}

static struct figures median(struct figures *all, int n)
{
	qsort(all, (size_t)n, sizeof *all, ascending);
	return all[n / 2];
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, seconds = argc > 2 ? atoi(argv[2]) : 2,
	    threads = argc > 3 ? atoi(argv[3]) : 32, port = argc > 4 ? atoi(argv[4]) : 8190;
	struct figures bare[ROUNDS_MAX], ours[ROUNDS_MAX], b, o;
	unsigned char key[KEY_SIZE];
	char bare_address[64], address[64];
	struct error err = { 0 };
	struct peer *peer;
	nng_socket socket;
	pid_t servers[2];

	process_start();
	log_open("rpc_echo", LOG_WARN);
	if (argc > 3 && !strcmp(argv[1], "--serve")) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!strcmp(argv[2], "bare"))
			serve_bare(argv[3]);
		else
			serve(argv[3]);
		for (;;)
			pause();
	}
	if (rounds < 1 || rounds > ROUNDS_MAX || seconds < 1 || threads < 1 || threads > THREADS_MAX)
		return 2;
	snprintf(bare_address, sizeof bare_address, "tcp://127.0.0.1:%d", port);
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port + 1);
	servers[0] = start_server(true, bare_address);
	servers[1] = start_server(false, address);
	secret_derive(&secret, RPC_KEY_PURPOSE, key);
	if (nng_req0_open(&socket) ||
	    nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE))
		abort();
	for (int i = 0; i < 4; i++)
		nng_dial(socket, bare_address, NULL, NNG_FLAG_NONBLOCK);
	if (peer_open(&(struct peer_config){ .service = "bench", .addresses = address, .key = key }, &peer,
	              &err) < 0)
		abort();
	while (!peer_ready(peer))
		usleep(10000);
	usleep(500 * 1000);
	for (int i = 0; i < rounds; i++) {
		bare[i] = measure(NULL, socket, servers[0], threads, seconds);
		ours[i] = measure(peer, socket, servers[1], threads, seconds);
	}
	b = median(bare, rounds);
	o = median(ours, rounds);
	printf("%d threads           calls/s   CPU us/call   switches/call: calling  serving\n", threads);
	printf("  NNG alone      %10.0f    %10.1f      %16.2f %8.2f\n", b.rate, b.cpu_us, b.switches,
	       b.served);
	printf("  rpc + service  %10.0f    %10.1f      %16.2f %8.2f\n", o.rate, o.cpu_us, o.switches,
	       o.served);
	printf("  ratio          %10.2f    %10.2f\n", o.rate / b.rate, o.cpu_us / b.cpu_us);
	for (int i = 0; i < 2; i++)
		kill(servers[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	process_exit(0);
}
