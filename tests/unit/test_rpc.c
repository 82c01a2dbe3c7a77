/* links: tests/unit/rpc_rig.c tests/unit/middle.c */
/* Calls over several replicas: fair shares, death in every way, at most once, draining, and what the caller is told. */
#include "common/rpc/rpc.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <netdb.h>

#include "common/base/clock.h"
#include "common/rpc/internal.h"
#include "tests/unit/middle.h"
#include "tests/unit/rpc_rig.h"

/* Two replicas in processes of their own. */
struct fixture {
	int ports[3];
	pid_t pids[2];
	struct metrics *metrics;
	struct peer *peer;
	struct arena arena;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	memset(rig_counts, 0, sizeof *rig_counts);
	for (int i = 0; i < 2; i++) {
		f->ports[i] = rig_free_port();
		f->pids[i] = rig_fork(f->ports[i]);
	}
	for (int i = 0; i < 2; i++) /* before anybody dials, who would wait before he tries again */
		rig_wait_listening(f->ports[i]);
	f->metrics = metrics_new("parley");
	f->peer = rig_peer(f->metrics, f->ports);
	rig_wait_ready(f->peer, 2, 10000);
	arena_init(&f->arena, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		if (f->pids[i])
			rig_kill(f->pids[i], SIGKILL);
	}
	rig_close(f->peer);
	metrics_free(f->metrics);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static char *call(struct fixture *f, enum rig_method m, const char *text, int ms)
{
	error_clear(&f->err);
	return rig_call(f->peer, m, "user", text, ms, &f->arena, &f->err);
}

/* A thread that makes calls; what became of them. */
struct caller {
	struct fixture *f;
	enum rig_method method;
	const char *text;
	int calls, ms, pause_ms;
	int by_code[ERROR_CODES];
	int64_t longest;
	pthread_t thread;
};

static void *run(void *arg)
{
	struct caller *c = arg;
	struct arena a;

	arena_init(&a, 0);
	for (int i = 0; i < c->calls; i++) {
		int64_t began = clock_mono_ms();
		struct error err = { 0 };

		(void)rig_call(c->f->peer, c->method, "user", c->text, c->ms, &a, &err);
		c->by_code[err.code]++;
		if (clock_mono_ms() - began > c->longest)
			c->longest = clock_mono_ms() - began;
		arena_reset(&a);
		usleep((unsigned)c->pause_ms * 1000);
	}
	arena_done(&a);
	return NULL;
}

static void start(struct caller *all, int n, struct caller like)
{
	for (int i = 0; i < n; i++) {
		all[i] = like;
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
}

/* Waits for them; their sums are in all[0]. */
static struct caller *finish(struct caller *all, int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
	for (int i = 1; i < n; i++) {
		for (int code = 0; code < ERROR_CODES; code++)
			all[0].by_code[code] += all[i].by_code[code];
		if (all[i].longest > all[0].longest)
			all[0].longest = all[i].longest;
	}
	return &all[0];
}

static int64_t counter(struct fixture *f, int replica, const char *result)
{
	char labels[160];

	snprintf(
	    labels, sizeof labels,
	    "parley_rpc_client_calls_total{service=\"rig\",replica=\"tcp://127.0.0.1:%d\",result=\"%s\"} ",
	    f->ports[replica], result);
	struct text out;
	text_init(&out, &f->arena);
	metrics_print(f->metrics, &out);
	const char *at = strstr(out.at, labels);
	return at ? atoll(at + strlen(labels)) : 0;
}

/* --- While all is well ----------------------------------------------------------------------------------------------------- */

static void test_fair_shares(void **state)
{
	struct fixture *f = *state;
	struct caller callers[8];

	start(callers, 8,
	      (struct caller){ .f = f, .method = RIG_READ, .text = "1", .calls = 50, .ms = 10000 });
	assert_int_equal(finish(callers, 8)->by_code[ERROR_NONE], 400);
	/* Half each, but for a replica that a busy machine lets stand still for a moment. */
	assert_true(counter(f, 0, "ok") > 60);
	assert_true(counter(f, 1, "ok") > 60);
	assert_int_equal(counter(f, 0, "ok") + counter(f, 1, "ok"), 400);
}

/* One replica is busy with long calls: the other gets the short ones. */
static void test_least_busy_first(void **state)
{
	struct fixture *f = *state;
	struct peer *first = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	struct caller long_ones[4], short_ones;
	struct peer *both = f->peer;

	rig_wait_ready(first, 1, 5000);
	start(long_ones, 4,
	      (struct caller){ .f = f, .method = RIG_READ, .text = "800", .calls = 1, .ms = 5000 });
	usleep(100 * 1000); /* two on each */
	start(&short_ones, 1,
	      (struct caller){ .f = f, .method = RIG_READ, .text = "0", .calls = 20, .ms = 5000 });
	assert_int_equal(finish(&short_ones, 1)->by_code[ERROR_NONE], 20);
	assert_true(short_ones.longest < 500);
	finish(long_ones, 4);
	assert_ptr_equal(both, f->peer);
	rig_close(first);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "tcp://127.0.0.1:8001", 0 },
		{ "tcp://127.0.0.1:8001,tcp://[::1]:8002", 0 },
		{ "tcp://svc-documents:8001", 1 },
		{ "tcp://127.0.0.1:8001, tcp://svc:1", 1 },
		{ "ipc:///run/x", -1 },
		{ "", -1 },
		{ ",", -1 },
		{ "127.0.0.1:8001", -1 },
		{ "http://127.0.0.1:8001", -1 },
		{ "tcp://127.0.0.1", -1 },
		{ "tcp://:8001", -1 },
		{ "tcp://host:", -1 },
		{ "tcp://host:port", -1 },
		{ "tcp://host:123456", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };

		print_message("  \"%s\"\n", cases[i].text);
		assert_int_equal(rpc_check_addresses("x", cases[i].text, &err), cases[i].want);
	}
}

/* An upgrade is under way: one replica has a method that the other has not. */
static void test_a_method_that_one_replica_does_not_know(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	pid_t old = rig_spawn_like(port, NULL, "6"); /* RIG_WRITE is the eighth */
	struct peer *mixed = rig_peer(NULL, (int[]){ port, f->ports[0], 0 });

	rig_wait_ready(mixed, 2, 5000);
	for (int i = 0; i < 10; i++)
		assert_non_null(rig_call(mixed, RIG_WRITE, NULL, "0", 5000, &f->arena, &f->err));
	assert_int_equal(atomic_load(&rig_counts->writes), 10);
	rig_close(mixed);
	rig_kill(old, SIGKILL);
}

/* A container's address went to another service: nothing is sent there. */
static void test_another_service_at_the_address(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	pid_t other = rig_spawn_like(port, "another", NULL);
	struct peer *alone = rig_peer(NULL, (int[]){ port, 0 });
	struct peer *both = rig_peer(NULL, (int[]){ port, f->ports[0], 0 });

	rig_wait_ready(both, 1, 5000);
	while (!alone->replicas[0]->other_service)
		usleep(1000);
	assert_null(rig_call(alone, RIG_ECHO, NULL, "who is there?", 5000, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_string_equal(f->err.message, "rig is not reachable right now");
	assert_int_equal(peer_ready(alone), 0);
	for (int i = 0; i < 4; i++)
		assert_non_null(rig_call(both, RIG_ECHO, NULL, "x", 5000, &f->arena, &f->err));
	rig_close(alone);
	rig_close(both);
	rig_kill(other, SIGKILL);
}

/* DNS as it can be: this program's own getaddrinfo(). */
static atomic_bool resolver_hangs;
static atomic_int resolvers_hanging;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!real)
		real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))(
		    uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(host, "svc-rig") != 0)
		return real(host, port, hints, ret);
	if (hints && hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	if (atomic_load(&resolver_hangs)) {
		atomic_fetch_add(&resolvers_hanging, 1);
		while (atomic_load(&resolver_hangs))
			usleep(10 * 1000);
	}
	return EAI_AGAIN;
}

/* While DNS hangs, a replica that is frozen is found out all the same. */
static void test_dns_that_hangs(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KEY_SIZE];
	static const struct rpc_pace hasty = {
		.ask_every = 200, .ask_wait = 300, .grace = 300, .revival = 1000
	};
	char addresses[128];
	struct peer *named;
	int64_t began;

	secret_derive(&rig_secret, RPC_KEY_PURPOSE, key);
	snprintf(addresses, sizeof addresses, "tcp://127.0.0.1:%d,tcp://127.0.0.1:%d,tcp://svc-rig:1",
	         f->ports[0], f->ports[1]);
	assert_int_equal(
	    peer_open(
	        &(struct peer_config){ .service = "rig", .addresses = addresses, .key = key, .pace = &hasty },
	        &named, &f->err),
	    0);
	rig_wait_ready(named, 2, 5000);
	atomic_store(&resolver_hangs, true);
	while (!atomic_load(&resolvers_hanging))
		usleep(1000);
	rig_kill(f->pids[0], SIGSTOP);
	began = clock_mono_ms();
	for (int i = 0; i < 4; i++)
		assert_non_null(rig_call(named, RIG_READ, NULL, "0", 20000, &f->arena, &f->err));
	assert_in_range(clock_mono_ms() - began, 0, 3000);
	atomic_store(&resolver_hangs, false);
	rig_close(named);
}

/* A name is resolved to all of its addresses. */
static void test_by_name(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KEY_SIZE];
	char address[64];
	struct peer *named;

	secret_derive(&rig_secret, RPC_KEY_PURPOSE, key);
	snprintf(address, sizeof address, "tcp://localhost:%d", f->ports[0]);
	assert_int_equal(
	    peer_open(&(struct peer_config){ .service = "rig", .addresses = address, .key = key }, &named,
	              &f->err),
	    0);
	rig_wait_ready(named, 1, 10000);
	assert_string_equal(rig_call(named, RIG_ECHO, NULL, "by name", 5000, &f->arena, &f->err), "by name");
	rig_close(named);
}

/* --- Death -------------------------------------------------------------------------------------------------------------------- */

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	struct peer *alone = rig_peer(NULL, (int[]){ rig_free_port(), 0 });
	int64_t began = clock_mono_ms();

	assert_null(rig_call(alone, RIG_WRITE, NULL, "0", 20000, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_string_equal(f->err.message, "rig is not reachable right now");
	assert_int_equal(f->err.retry_after, 1);
	assert_in_range(clock_mono_ms() - began, 800, 2500);
	rig_close(alone);
}

static void test_a_call_waits_for_a_start(void **state)
{
	struct fixture *f = *state;
	struct peer *early;
	struct caller one;
	struct peer *both = f->peer;

	rig_kill(f->pids[0], SIGKILL);
	early = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	f->peer = early;
	start(&one, 1, (struct caller){ .f = f, .method = RIG_READ, .text = "0", .calls = 8, .ms = 5000 });
	f->pids[0] = rig_spawn(f->ports[0]);
	finish(&one, 1);
	assert_true(one.by_code[ERROR_NONE] >= 5);
	f->peer = both;
	rig_close(early);
}

/* A replica is killed under load: no read fails, a write is done at most once. */
static void test_killed_under_load(void **state)
{
	struct fixture *f = *state;
	struct caller readers[8], writers[8], *got;
	int64_t before;
	int done, unknown, before_return;

	start(readers, 8,
	      (struct caller){
	          .f = f, .method = RIG_READ, .text = "5", .calls = 150, .ms = 10000, .pause_ms = 2 });
	start(writers, 8,
	      (struct caller){
	          .f = f, .method = RIG_WRITE, .text = "5", .calls = 150, .ms = 10000, .pause_ms = 2 });
	usleep(200 * 1000);
	rig_kill(f->pids[0], SIGKILL);
	usleep(200 * 1000);
	before_return = (int)counter(f, 0, "ok");
	f->pids[0] = rig_spawn(f->ports[0]);

	got = finish(readers, 8);
	assert_int_equal(got->by_code[ERROR_NONE], 8 * 150);
	got = finish(writers, 8);
	done = got->by_code[ERROR_NONE];
	unknown = got->by_code[ERROR_UNKNOWN_OUTCOME];
	print_message("  writes: %d done, %d unknown, %d certainly not\n", done, unknown,
	              got->by_code[ERROR_UNAVAILABLE]);
	assert_int_equal(done + unknown + got->by_code[ERROR_UNAVAILABLE], 8 * 150);
	assert_true(unknown <= 8); /* those that were with it */
	assert_in_range(atomic_load(&rig_counts->writes), done, done + unknown);

	/* Back: load on both again. */
	rig_wait_ready(f->peer, 2, 5000);
	before = counter(f, 0, "ok");
	assert_true(before >= before_return);
	start(readers, 8,
	      (struct caller){ .f = f, .method = RIG_READ, .text = "1", .calls = 30, .ms = 10000 });
	assert_int_equal(finish(readers, 8)->by_code[ERROR_NONE], 240);
	assert_true(counter(f, 0, "ok") - before > 80);
}

static void test_killed_while_it_writes(void **state)
{
	struct fixture *f = *state;
	struct caller writers[4], *got;

	start(writers, 4,
	      (struct caller){ .f = f, .method = RIG_WRITE, .text = "1000", .calls = 1, .ms = 10000 });
	while (atomic_load(&rig_counts->writes) < 4)
		usleep(1000);
	rig_kill(f->pids[0], SIGKILL);
	f->pids[0] = 0;
	got = finish(writers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 2);
	assert_int_equal(got->by_code[ERROR_UNKNOWN_OUTCOME], 2);
	assert_int_equal(atomic_load(&rig_counts->writes), 4); /* none was begun again elsewhere */
}

/* A replica that is stopped answers nothing and keeps its connections: it is left out, and comes back. */
static void test_hung_and_back(void **state)
{
	struct fixture *f = *state;
	struct caller readers[4], *got;
	struct peer *usual = f->peer;
	int64_t until;

	f->peer = rig_hasty_peer(f->ports);
	rig_wait_ready(f->peer, 2, 5000);
	rig_kill(f->pids[0], SIGSTOP);
	start(readers, 4,
	      (struct caller){
	          .f = f, .method = RIG_READ, .text = "0", .calls = 40, .ms = 20000, .pause_ms = 50 });
	got = finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 160); /* those that were with it were asked elsewhere */
	print_message("  longest %lld ms\n", (long long)got->longest);
	assert_in_range(got->longest, 0, 2500); /* at the usual pace: 4.5 s */
	assert_int_equal(peer_ready(f->peer), 1);
	until = clock_mono_ms() + 500;
	for (int i = 0; i < 20; i++)
		assert_non_null(call(f, RIG_READ, "0", 1000));
	assert_true(clock_mono_ms() < until); /* none of them waited for the one that is stopped */

	rig_kill(f->pids[0], SIGCONT);
	rig_wait_ready(f->peer, 2, 5000);
	rig_close(f->peer);
	f->peer = usual;
}

/* A read that begins in the moment in which its replica is left out. */
static void test_a_read_that_begins_as_its_replica_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct peer *alone = rig_hasty_peer((int[]){ f->ports[0], 0 });
	Rpc__Request request = RPC__REQUEST__INIT;
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err };
	struct call_out out = { .peer = alone, .ctx = &ctx, .method = &rig_methods[RIG_READ] };
	int64_t began;
	struct exchange *x;

	rig_wait_ready(alone, 1, 5000);
	out.began = clock_mono_ms();
	out.until = out.began + 30000;
	x = begin_try(&out);
	assert_non_null(x);
	rig_kill(f->pids[0], SIGSTOP);
	rig_wait_ready(alone, 0, 5000); /* and only now it is sent */
	request.has_method = request.has_deadline = true;
	request.method = rig_methods[RIG_READ].id;
	began = clock_mono_ms();
	exchange_start(x, &request, 1000, out.until);
	while (sem_wait(&x->wake) < 0)
		;
	assert_in_range(clock_mono_ms() - began, 0, 3000);
	assert_int_not_equal(x->result, 0);
	end_try(&out, x, NULL, false, true, ERROR_UNAVAILABLE);
	rig_close(alone);
}

/* Connections that carry nothing any more (its own address changed, say) are closed and made anew. */
static void test_dead_connections_are_dialled_anew(void **state)
{
	struct fixture *f = *state;
	struct middle *middle = middle_open(f->ports[0]);
	struct peer *peer = rig_hasty_peer((int[]){ middle_port(middle), 0 });
	int64_t began;

	rig_wait_ready(peer, 1, 5000);
	middle_freeze(middle);
	began = clock_mono_ms();
	while (!rig_call(peer, RIG_READ, NULL, "0", 30000, &f->arena, &f->err)) {
		assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
		error_clear(&f->err);
	}
	print_message("  back after %lld ms\n", (long long)(clock_mono_ms() - began));
	assert_in_range(clock_mono_ms() - began, 0, 5000); /* at the usual pace: 9 s */
	rig_wait_ready(peer, 1, 1000);
	rig_close(peer);
	middle_close(middle);
}

static void test_slow_methods_do_not_eject(void **state)
{
	struct fixture *f = *state;
	struct caller impatient[6], *got;

	start(impatient, 6,
	      (struct caller){
	          .f = f, .method = RIG_SLOW, .text = "600", .calls = 3, .ms = 300, .pause_ms = 10 });
	got = finish(impatient, 6);
	assert_true(got->by_code[ERROR_UNKNOWN_OUTCOME] > 0);
	assert_int_equal(peer_ready(f->peer), 2);
}

/* The only replica is restarted: reads wait for the next one instead of failing. */
static void test_reads_wait_out_a_restart(void **state)
{
	struct fixture *f = *state;
	struct peer *both = f->peer, *alone = rig_peer(NULL, (int[]){ f->ports[0], 0 });
	struct caller readers[4], *got;

	rig_wait_ready(alone, 1, 5000);
	f->peer = alone;
	start(readers, 4,
	      (struct caller){
	          .f = f, .method = RIG_READ, .text = "5", .calls = 200, .ms = 20000, .pause_ms = 5 });
	usleep(100 * 1000);
	rig_kill(f->pids[0], SIGTERM);
	f->pids[0] = rig_spawn(f->ports[0]);
	got = finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 800);
	f->peer = both;
	rig_close(alone);
}

/* SIGTERM: what runs is finished, what comes is taken by the other one. Nobody notices. */
static void test_drained_under_load(void **state)
{
	struct fixture *f = *state;
	struct caller readers[4], writers[4], *got;

	start(readers, 4,
	      (struct caller){
	          .f = f, .method = RIG_READ, .text = "20", .calls = 60, .ms = 10000, .pause_ms = 1 });
	start(writers, 4,
	      (struct caller){
	          .f = f, .method = RIG_WRITE, .text = "20", .calls = 60, .ms = 10000, .pause_ms = 1 });
	usleep(300 * 1000);
	rig_kill(f->pids[0], SIGTERM);
	f->pids[0] = 0;
	got = finish(readers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 240);
	got = finish(writers, 4);
	assert_int_equal(got->by_code[ERROR_NONE], 240);
	assert_int_equal(atomic_load(&rig_counts->writes), 240);
}

/* --- Streams live where they were started ------------------------------------------------------------------------------------ */

static void test_streams_are_followed_at_their_replica(void **state)
{
	struct fixture *f = *state;
	Rpc__Caller user = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &user };

	for (int i = 0; i < 3; i++) {
		char *stream = call(f, RIG_STREAM, "20", 5000);
		struct peer *gateway = rig_peer(NULL, f->ports); /* one that has just started */
		Rpc__NextReply *got;
		int64_t after = 0;

		assert_non_null(stream);
		do {
			assert_int_equal(rpc_next(gateway, &ctx, stream, after, 5000, &got), 0);
			after += (int64_t)got->n_events;
		} while (!got->end);
		assert_int_equal(after, 21);
		rig_close(gateway);
	}
}

static void test_a_stream_whose_replica_died(void **state)
{
	struct fixture *f = *state;
	Rpc__Caller user = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &user };
	Rpc__NextReply *got;
	char id[17], *stream;
	int dead;

	stream = call(f, RIG_STREAM, "5000", 5000);
	assert_non_null(stream);
	assert_int_equal(rpc_next(f->peer, &ctx, stream, 0, 5000, &got), 0);
	snprintf(id, sizeof id, "%.16s", stream);
	dead = 0;
	pthread_mutex_lock(&f->peer->lock);
	for (int i = 0; i < 2; i++) {
		if (f->peer->replicas[i]->id == strtoull(id, NULL, 16))
			dead = i;
	}
	pthread_mutex_unlock(&f->peer->lock);
	rig_kill(f->pids[dead], SIGKILL);
	f->pids[dead] = 0;
	assert_int_equal(rpc_next(f->peer, &ctx, stream, 0, 5000, &got),
	                 -1); /* the other knows nothing of it */
	assert_int_equal(f->err.code, ERROR_NOT_FOUND);
	error_clear(&f->err);
	assert_int_equal(rpc_next(f->peer, &ctx, "ffffffffffffffff-old", 0, 5000, &got),
	                 0); /* but of what is stored */
	assert_true(got->end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fair_shares),
		TEST(test_least_busy_first),
		cmocka_unit_test(test_addresses),
		TEST(test_by_name),
		TEST(test_dns_that_hangs),
		TEST(test_a_method_that_one_replica_does_not_know),
		TEST(test_another_service_at_the_address),
		TEST(test_nobody_there),
		TEST(test_a_call_waits_for_a_start),
		TEST(test_killed_under_load),
		TEST(test_killed_while_it_writes),
		TEST(test_hung_and_back),
		TEST(test_a_read_that_begins_as_its_replica_is_left_out),
		TEST(test_dead_connections_are_dialled_anew),
		TEST(test_slow_methods_do_not_eject),
		TEST(test_reads_wait_out_a_restart),
		TEST(test_drained_under_load),
		TEST(test_streams_are_followed_at_their_replica),
		TEST(test_a_stream_whose_replica_died),
	};

	rig_main(argc, argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* test_rpc test_hung*: that one alone */
	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
