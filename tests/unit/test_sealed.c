/* links: tests/unit/rpc_rig.c tests/unit/middle.c */
/* Calls as somebody on the network sees them, and calls while sessions, processes and clocks change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <signal.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/rpc/internal.h"
#include "tests/unit/middle.h"
#include "tests/unit/rpc_rig.h"

enum { CROWD = 1000 };

/* The wall clock as RIG_CLOCK_AHEAD seconds would have it: this program's own clock_gettime(). */
int clock_gettime(clockid_t id, struct timespec *at)
{
	static atomic_int ahead = -1;
	const char *set;

	if (ahead < 0) {
		set = getenv("RIG_CLOCK_AHEAD");
		ahead = set ? atoi(set) : 0;
	}
	if (syscall(SYS_clock_gettime, id, at) < 0)
		return -1;
	if (id == CLOCK_REALTIME)
		at->tv_sec += ahead;
	return 0;
}

struct fixture {
	struct service *service;
	struct middle *middle;
	struct peer *peer; /* through the middle */
	struct arena arena;
	struct error err;
	int port;
};

static void many_places(struct service_settings *set)
{
	set->contexts = CROWD + 100;
	set->workers = 4;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	memset(rig_counts, 0, sizeof *rig_counts);
	f->port = rig_free_port();
	f->service = rig_start(f->port, many_places);
	f->middle = middle_open(f->port);
	f->peer = rig_peer(NULL, (int[]){ middle_port(f->middle), 0 });
	arena_init(&f->arena, 0);
	rig_wait_ready(f->peer, 1, 10000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rig_close(f->peer);
	middle_close(f->middle);
	rig_stop(f->service);
	arena_done(&f->arena);
	free(f);
	return 0;
}

/* --- Who listens -------------------------------------------------------------------------------------------------------- */

static void test_a_captured_conversation_tells_nothing(void **state)
{
	static const char *const words[] = { "the safe", "is blue", "rig", "eyJhbGciOi", "0192f3a0", "7f3a" };
	struct fixture *f = *state;
	Rpc__Caller caller = rig_caller("user");
	Rpc__Message in = RPC__MESSAGE__INIT;
	struct rpc_context ctx = {
		.arena = &f->arena, .err = &f->err, .caller = &caller, .request_id = "7f3a"
	};
	ProtobufCMessage *out;
	size_t all = 0;

	caller.token = (char *)"eyJhbGciOiJIUzI1NiJ9.a-token.of-somebody";
	in.message = (char *)"where is the key of the safe, and why is blue its colour?";
	assert_int_equal(rpc_call(f->peer, &ctx, &rig_methods[RIG_ECHO], &in.base, &out), 0);
	assert_string_equal(((Rpc__Message *)out)->message, in.message);
	for (int i = 0; i < 2 * middle_connections(f->middle); i++) {
		size_t size;
		const unsigned char *heard = middle_heard(f->middle, i / 2, i % 2, &size, &f->arena);

		all += size;
		for (size_t j = 0; j < sizeof words / sizeof *words; j++)
			assert_null(memmem(heard, size, words[j], strlen(words[j])));
		assert_null(memmem(heard, size, f->service->key, 8));
		assert_null(memmem(heard, size, f->peer->replicas[0]->session.request, 8));
	}
	assert_true(all > 2 * strlen(in.message));
}

static int64_t refused(struct fixture *f)
{
	static const char name[] = "\nparley_rpc_refused_total ";
	struct text out;
	const char *at;

	text_init(&out, &f->arena);
	metrics_print(f->service->metrics, &out);
	at = strstr(out.at, name);
	return at ? atoll(at + strlen(name)) : 0;
}

/* Everything that was ever sent, sent once more over a connection of somebody else's. */
static void test_a_repeated_conversation_runs_nothing(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct fixture *f = *state;
	int64_t before, until;
	int fds[8];

	for (int i = 0; i < 10; i++)
		assert_non_null(rig_call(f->peer, RIG_WRITE, "user", "0", 5000, &f->arena, &f->err));
	assert_int_equal(atomic_load(&rig_counts->writes), 10);
	before = refused(f);
	at.sin_port = htons((unsigned short)f->port);
	for (int i = 0; i < middle_connections(f->middle); i++) {
		size_t size;
		const unsigned char *heard = middle_heard(f->middle, i, 0, &size, &f->arena);

		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&at, sizeof at), 0);
		assert_int_equal(send(fds[i], heard, size, MSG_NOSIGNAL), size);
	}
	until = clock_mono_ms() + 5000;
	while (refused(f) < before + 10 && clock_mono_ms() < until)
		usleep(1000);
	assert_int_equal(refused(f), before + 10);
	for (int i = 0; i < middle_connections(f->middle); i++)
		close(fds[i]);
	assert_int_equal(atomic_load(&rig_counts->writes), 10);
	assert_non_null(rig_call(f->peer, RIG_WRITE, "user", "0", 5000, &f->arena, &f->err));
}

static pid_t spawn_with(const char *name, const char *value, int port)
{
	pid_t pid;

	setenv(name, value, 1);
	pid = rig_spawn(port);
	unsetenv(name);
	return pid;
}

/* --- A thousand calls while things change ------------------------------------------------------------------------------ */

struct crowd {
	struct peer *peer;
	int calls, ms;
	const char *text;
	atomic_int by_code[ERROR_CODES], silent;
	char why[1024]; /* the first was refused */
};

static void *call_on(void *arg)
{
	struct crowd *crowd = arg;
	struct arena a;

	arena_init(&a, 0);
	for (int i = 0; i < crowd->calls; i++) {
		struct error err = { 0 };

		(void)rig_call(crowd->peer, RIG_WRITE, "user", crowd->text, crowd->ms, &a, &err);
		if (atomic_fetch_add(&crowd->by_code[err.code], 1) == 0 && err.code == ERROR_UNAVAILABLE)
			snprintf(crowd->why, sizeof crowd->why, ": %s (%s)", err.message, err.detail);
		if (strstr(err.message, "did not answer in time"))
			atomic_fetch_add(&crowd->silent, 1);
		arena_reset(&a);
	}
	arena_done(&a);
	return NULL;
}

static void start(struct crowd *crowd, pthread_t *threads)
{
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(thread_try(&threads[i], call_on, crowd), 0);
}

static int answered(struct crowd *crowd)
{
	int all = 0;

	for (int i = 0; i < ERROR_CODES; i++)
		all += atomic_load(&crowd->by_code[i]);
	return all;
}

static void finish(struct crowd *crowd, pthread_t *threads)
{
	int done, unknown, refused;

	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	done = atomic_load(&crowd->by_code[ERROR_NONE]);
	unknown = atomic_load(&crowd->by_code[ERROR_UNKNOWN_OUTCOME]);
	refused = atomic_load(&crowd->by_code[ERROR_UNAVAILABLE]);
	print_message("  %d done, %d nobody knows, %d refused%s\n", done, unknown, refused, crowd->why);
	assert_int_equal(done + unknown + refused, CROWD * crowd->calls);
	assert_int_equal(atomic_load(&crowd->silent), 0); /* each was told, none was lost in silence */
	assert_in_range(atomic_load(&rig_counts->writes), done, done + unknown);
}

/* The receiver forgets sessions while calls are under way: they are opened anew, and nobody notices. Three times, for so
 * often a call is sent anew, and one that a busy machine leaves lying meets every time. */
static void test_sessions_are_forgotten_under_load(void **state)
{
	struct fixture *f = *state;
	struct crowd crowd = { .peer = f->peer, .calls = 5, .ms = 30000, .text = "1" };
	pthread_t threads[CROWD];

	/* A busy machine may take long to open a session, and to take a thousand messages. */
	f->peer->pace.grace = f->peer->pace.send = crowd.ms;
	start(&crowd, threads);
	for (int i = 1; i <= 3; i++) {
		while (answered(&crowd) < i * CROWD / 2) /* that many there are, however long we sleep */
			usleep(1000);
		sessions_forget(f->service->sessions);
	}
	finish(&crowd, threads);
	assert_int_equal(atomic_load(&crowd.by_code[ERROR_NONE]), CROWD * crowd.calls);
}

static void test_the_receiver_is_restarted_under_load(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	pid_t pid = spawn_with("RIG_CONTEXTS", "1100", port);
	struct crowd crowd = {
		.peer = rig_peer(NULL, (int[]){ port, 0 }), .calls = 3, .ms = 30000, .text = "1"
	};
	pthread_t threads[CROWD];

	rig_wait_ready(crowd.peer, 1, 5000);
	start(&crowd, threads);
	while (atomic_load(&rig_counts->writes) < 100)
		usleep(1000);
	rig_kill(pid, SIGKILL);
	pid = spawn_with("RIG_CONTEXTS", "1100", port);
	finish(&crowd, threads);
	rig_wait_ready(crowd.peer, 1, 5000);
	assert_non_null(rig_call(crowd.peer, RIG_WRITE, "user", "0", 5000, &f->arena, &f->err));
	rig_close(crowd.peer);
	rig_kill(pid, SIGKILL);
}

struct busy {
	struct peer *peer;
	atomic_bool enough;
};

static void *call_always(void *arg)
{
	struct busy *busy = arg;
	char text[8 << 10];
	struct arena a;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	arena_init(&a, 0);
	while (!atomic_load(&busy->enough)) {
		struct error err = { 0 };

		(void)rig_call(busy->peer, RIG_ECHO, "user", text, 1000, &a, &err);
		arena_reset(&a);
	}
	arena_done(&a);
	return NULL;
}

/* Connections are lost in the middle of messages, in both directions; each time there are new ones. */
static void test_the_receiver_is_restarted_again_and_again(void **state)
{
	enum { TIMES = 8, CALLERS = 32 };
	int port = rig_free_port();
	struct busy busy = { .peer = rig_hasty_peer((int[]){ port, 0 }) };
	pthread_t threads[CALLERS];

	(void)state;
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(thread_try(&threads[i], call_always, &busy), 0);
	for (int i = 0; i < TIMES; i++) {
		pid_t pid = rig_spawn(port);

		rig_wait_ready(busy.peer, 1, 20000);
		usleep(50 * 1000);
		rig_kill(pid, SIGKILL);
	}
	atomic_store(&busy.enough, true);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	rig_close(busy.peer);
}

static void test_the_sender_is_restarted(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;

	for (int i = 0; i < 5; i++) { /* each has bytes of its own, and begins to count anew */
		struct peer *sender = rig_peer(NULL, (int[]){ f->port, 0 });

		rig_wait_ready(sender, 1, 5000);
		assert_non_null(rig_call(sender, RIG_WRITE, "user", "0", 5000, &f->arena, &f->err));
		assert_true(sender->replicas[0]->session.id != last);
		last = sender->replicas[0]->session.id;
		rig_close(sender);
	}
	assert_int_equal(atomic_load(&rig_counts->writes), 5);
}

/* --- Time ----------------------------------------------------------------------------------------------------------------- */

/* A replica whose clock is two minutes ahead serves like any other. */
static void test_a_clock_two_minutes_ahead(void **state)
{
	struct fixture *f = *state;
	int port = rig_free_port();
	struct peer *peer;
	pid_t pid;

	pid = spawn_with("RIG_CLOCK_AHEAD", "120", port);
	peer = rig_peer(NULL, (int[]){ port, 0 });
	rig_wait_ready(peer, 1, 5000);
	for (int i = 0; i < 10; i++)
		assert_non_null(rig_call(peer, RIG_WRITE, "user", "0", 2000, &f->arena, &f->err));
	rig_close(peer);
	rig_kill(pid, SIGKILL);
}

/* What says over there that its time is up is not begun, whatever time it is here. */
static void test_deadlines_are_of_the_receivers_clock(void **state)
{
	struct fixture *f = *state;
	struct replica *r = f->peer->replicas[0];

	pthread_mutex_lock(&f->peer->lock);
	r->offset = (struct offset){ .count = OFFSETS };
	for (int i = 0; i < OFFSETS; i++)
		r->offset.last[i].ahead = -120 * INT64_C(1000000);
	pthread_mutex_unlock(&f->peer->lock);
	assert_null(rig_call(f->peer, RIG_WRITE, "user", "0", 5000, &f->arena, &f->err));
	assert_string_equal(f->err.message, "time was up before this was begun");
	assert_int_equal(atomic_load(&rig_counts->writes), 0);
}

static void test_a_request_without_a_deadline(void **state)
{
	struct fixture *f = *state;
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err };
	struct call_out out = { .peer = f->peer, .ctx = &ctx, .method = &rig_methods[RIG_WRITE] };
	Rpc__Request request = RPC__REQUEST__INIT;
	Rpc__Reply *reply = NULL;
	struct exchange *x;

	out.began = clock_mono_ms();
	out.until = out.began + 5000;
	x = begin_try(&out);
	assert_non_null(x);
	request.has_method = true;
	request.method = rig_methods[RIG_WRITE].id;
	exchange_start(x, &request, 1000, out.until);
	while (sem_wait(&x->wake) < 0)
		;
	assert_int_equal(exchange_reply(x, &f->arena, &reply), REPLY_GOOD);
	assert_int_equal(reply->code, ERROR_MALFORMED);
	assert_string_equal(reply->message, "a request without a deadline");
	assert_int_equal(atomic_load(&rig_counts->writes), 0);
	end_try(&out, x, reply, false, false, ERROR_MALFORMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_captured_conversation_tells_nothing),
		TEST(test_a_repeated_conversation_runs_nothing),
		TEST(test_sessions_are_forgotten_under_load),
		TEST(test_the_receiver_is_restarted_under_load),
		TEST(test_the_receiver_is_restarted_again_and_again),
		TEST(test_the_sender_is_restarted),
		TEST(test_a_clock_two_minutes_ahead),
		TEST(test_deadlines_are_of_the_receivers_clock),
		TEST(test_a_request_without_a_deadline),
	};

	rig_main(argc, argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
