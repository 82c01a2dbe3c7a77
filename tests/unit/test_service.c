/* links: tests/unit/rpc_rig.c */
/* What a service does with a request: access, errors, deadlines, sizes, strangers, slow work, streams, stopping. */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/rpc/internal.h"
#include "rpc.client.h"
#include "tests/unit/rpc_rig.h"

struct fixture {
	struct service *service;
	struct peer *peer;
	struct arena arena;
	struct error err;
	struct stream *silent;
	int port;
	atomic_bool enough;
	atomic_int refused;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	memset(rig_counts, 0, sizeof *rig_counts);
	f->port = rig_free_port();
	f->service = rig_start(f->port, NULL);
	f->peer = rig_peer(NULL, (int[]){ f->port, 0 });
	arena_init(&f->arena, 0);
	rig_wait_ready(f->peer, 1, 10000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	peer_close(f->peer);
	rig_stop(f->service);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static int late_teardown(void **state)
{
	usleep(150 * 1000); /* NNG 1.5.2 may hang when an answer arrives during a close */
	return teardown(state);
}

static char *call(struct fixture *f, enum rig_method m, const char *caller, const char *text)
{
	error_clear(&f->err);
	return rig_call(f->peer, m, caller, text, 10000, &f->arena, &f->err);
}

static void test_echo(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(call(f, RIG_ECHO, NULL, "h\u00e9llo"), "h\u00e9llo");
	assert_string_equal(call(f, RIG_ECHO, "user", ""), "");
}

static void test_access(void **state)
{
	static const struct {
		enum rig_method method;
		const char *caller;
		enum error_code want;
	} cases[] = {
		{ RIG_WHO, NULL, ERROR_UNAUTHENTICATED },
		{ RIG_WHO, "nobody", ERROR_UNAUTHENTICATED },
		{ RIG_WHO, "visitor", ERROR_UNAUTHENTICATED },
		{ RIG_WHO, "user", ERROR_NONE },
		{ RIG_WHO, "service", ERROR_NONE },
		{ RIG_ADMIN, "user", ERROR_FORBIDDEN },
		{ RIG_ADMIN, "nobody", ERROR_UNAUTHENTICATED },
		{ RIG_ADMIN, "service", ERROR_FORBIDDEN },
		{ RIG_ADMIN, "admin", ERROR_NONE },
		{ RIG_INTERNAL, "user", ERROR_NONE },

		{ RIG_INTERNAL, "service", ERROR_NONE },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *got = call(f, cases[i].method, cases[i].caller, "");

		print_message("  %s as %s\n", rig_methods[cases[i].method].name, cases[i].caller);
		assert_int_equal(f->err.code, cases[i].want);
		if (got)
			assert_string_equal(got, "0192f3a0-0000-7000-8000-000000000001");
	}
}

static void test_errors_travel(void **state)
{
	struct fixture *f = *state;

	assert_null(call(f, RIG_REFUSE, NULL, "fields"));
	assert_int_equal(f->err.code, ERROR_INVALID);
	assert_string_equal(f->err.message, "email: is required");
	assert_string_equal(f->err.fields->where, "body");
	assert_string_equal(f->err.fields->field, "email");
	assert_string_equal(f->err.fields->type, "missing");
	assert_string_equal(f->err.fields->next->field, "name");
	assert_string_equal(f->err.fields->next->msg, "is too long");
	assert_null(f->err.fields->next->next);

	assert_null(call(f, RIG_REFUSE, NULL, "busy"));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_int_equal(f->err.retry_after, 7);

	assert_null(call(f, RIG_REFUSE, NULL, "silent"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
}

static void test_details_stay_inside(void **state)
{
	struct fixture *f = *state;

	assert_null(call(f, RIG_REFUSE, NULL, "internal"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(strstr(f->err.message, "SELECT"));
	assert_null(strstr(f->err.detail, "SELECT"));
}

static void test_extra_travels(void **state)
{
	struct fixture *f = *state;
	Rpc__Message in = RPC__MESSAGE__INIT;
	ProtobufCMessage *out;
	char *extra = NULL;
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .extra = &extra };

	in.message = (char *)"extra";
	assert_int_equal(rpc_call(f->peer, &ctx, &rig_methods[RIG_REFUSE], &in.base, &out), -1);
	assert_string_equal(extra, "\"oauth_required\":true");
}

static void test_unknown_method(void **state)
{
	struct fixture *f = *state;
	struct method other = rig_methods[RIG_ECHO];
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err };
	Rpc__Message in = RPC__MESSAGE__INIT;
	ProtobufCMessage *out;

	other.id = 4711;
	assert_int_equal(rpc_call(f->peer, &ctx, &other, &in.base, &out), -1);
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE); /* another replica might know it */
	assert_string_equal(f->err.message, "rig does not know this method");
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	size_t size = RPC_MESSAGE_MAX + 1;
	char *text = malloc(size);

	memset(text, 'x', size);
	text[size - 1] = '\0';
	assert_null(call(f, RIG_ECHO, NULL, text)); /* with the envelope it is over the limit */
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
	text[RPC_MESSAGE_MAX - 1000] = '\0';
	assert_string_equal(call(f, RIG_ECHO, NULL, text), text);
	free(text);

	assert_null(call(f, RIG_BIG, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
	assert_string_equal(call(f, RIG_ECHO, NULL, "still here"), "still here");
}

static void test_time_is_up(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();

	assert_null(rig_call(f->peer, RIG_READ, NULL, "300", 200, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNKNOWN_OUTCOME);
	assert_in_range(clock_mono_ms() - began, 150, 1500);
	error_clear(&f->err);
	assert_null(rig_call(f->peer, RIG_READ, NULL, "0", -1, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE); /* it was certainly not sent */
	assert_string_equal(f->err.message, "time was up before rig was asked");
	assert_int_equal(atomic_load(&rig_counts->reads), 1);
	usleep(200 * 1000); /* its late answer is thrown away */
	assert_string_equal(call(f, RIG_ECHO, NULL, "the next one"), "the next one");
}

static void *write_briefly(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	(void)rig_call(f->peer, RIG_WRITE, NULL, "300", 100, &a, &err);
	arena_done(&a);
	return NULL;
}

/* Three of four workers sleep (the last is for somebody else); what waits behind them for longer than its 100 ms is never
 * begun. */
static void test_expired_requests_are_dropped(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[20];

	for (int i = 0; i < 20; i++)
		pthread_create(&threads[i], NULL, write_briefly, f);
	for (int i = 0; i < 20; i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(call(f, RIG_ECHO, NULL, "after them"), "after them");
	assert_int_equal(atomic_load(&rig_counts->writes), 3);
}

/* --- Strangers ------------------------------------------------------------------------------------------------------------- */

enum { NO_ANSWER = -1 };

/* Send these bytes to the port: the kind of the answer, or NO_ANSWER. */
static int send_raw(int port, const void *bytes, size_t size)
{
	char address[64];
	nng_socket raw;
	nng_msg *msg;
	int kind = NO_ANSWER;

	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	assert_int_equal(nng_req0_open(&raw), 0);
	nng_socket_set_ms(raw, NNG_OPT_RECVTIMEO, 200);
	assert_int_equal(nng_dial(raw, address, NULL, 0), 0);
	assert_int_equal(nng_msg_alloc(&msg, 0), 0);
	nng_msg_append(msg, bytes, size);
	assert_int_equal(nng_sendmsg(raw, msg, 0), 0);
	if (nng_recvmsg(raw, &msg, 0) == 0) {
		kind = envelope_kind(nng_msg_body(msg), nng_msg_len(msg));
		nng_msg_free(msg);
	}
	nng_close(raw);
	return kind;
}

static void test_strangers_learn_nothing(void **state)
{
	static const unsigned char other[KEY_SIZE] = "another key.....................";
	unsigned char bytes[256], sender[SESSION_SENDER] = { 1 };
	struct fixture *f = *state;
	Rpc__HelloRequest hello = RPC__HELLO_REQUEST__INIT;
	Rpc__Request request = RPC__REQUEST__INIT;
	struct hello_keys keys;
	struct session session;
	size_t size;

	memset(bytes, 0x42, sizeof bytes);
	assert_int_equal(send_raw(f->port, "", 0), NO_ANSWER);
	assert_int_equal(send_raw(f->port, "x", 1), NO_ANSWER);
	assert_int_equal(send_raw(f->port, bytes, sizeof bytes), NO_ANSWER);
	/* A request under another key: in a session that is not known, and in one that is. */
	request.has_method = request.has_deadline = true;
	request.method = rig_methods[RIG_WRITE].id;
	request.deadline = clock_mono_ms() + 10000;
	session_derive(other, sender, 4711, &session);
	size = envelope_size(&request.base);
	envelope_seal(ENVELOPE_REQUEST, &session, 1, &request.base, bytes, size);
	assert_int_equal(send_raw(f->port, bytes, size), ENVELOPE_UNKNOWN);
	session_derive(other, sender, f->peer->replicas[0]->session.id, &session);
	envelope_seal(ENVELOPE_REQUEST, &session, 1000, &request.base, bytes, size);
	assert_int_equal(send_raw(f->port, bytes, size), NO_ANSWER);
	/* Hello: the one thing that is answered in clear. */
	hello_keys_derive(other, sender, &keys);
	size = envelope_hello_size(&hello);
	envelope_hello(&keys, &hello, bytes, size);
	assert_int_equal(send_raw(f->port, bytes, size), ENVELOPE_OTHER_KEY);
	assert_int_equal(atomic_load(&rig_counts->writes), 0);
	assert_string_equal(call(f, RIG_ECHO, NULL, "still here"), "still here");
}

static void test_a_peer_with_another_key(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	struct peer *stranger;
	char address[64];
	int64_t began;

	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", f->port);
	assert_int_equal(
	    peer_open(
	        &(struct peer_config){ .service = "rig",
	                               .addresses = address,
	                               .key = (const unsigned char *)"another key....................." },
	        &stranger, &err),
	    0);
	began = clock_mono_ms();
	assert_null(rig_call(stranger, RIG_WRITE, "service", "0", 300, &f->arena, &err));
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - began, 0, 3000);
	assert_int_equal(atomic_load(&rig_counts->writes), 0);
	assert_int_equal(peer_ready(stranger), 0);
	rig_close(stranger);
}

/* --- Slow work -------------------------------------------------------------------------------------------------------------- */

static void *call_slow(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	(void)rig_call(f->peer, RIG_SLOW, NULL, "150", 10000, &a, &err);
	arena_done(&a);
	return (void *)(intptr_t)err.code;
}

static void test_slow_work_is_bounded_and_delays_nobody(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[10];
	int64_t began;
	int refused = 0;

	for (int i = 0; i < 10; i++)
		pthread_create(&threads[i], NULL, call_slow, f);
	while (atomic_load(&rig_counts->running) < 2)
		usleep(1000);
	began = clock_mono_ms();
	assert_string_equal(call(f, RIG_ECHO, NULL, "quick"), "quick");
	assert_in_range(clock_mono_ms() - began, 0, 140);
	for (int i = 0; i < 10; i++) {
		void *code;

		pthread_join(threads[i], &code);
		refused += (intptr_t)code == ERROR_UNAVAILABLE;
	}
	/* of 4 places and 4 in the queue one client has half of the places, and all of the queue but its last */
	assert_int_equal(refused, 3);
	assert_int_equal(atomic_load(&rig_counts->most_running), 2);
}

/* --- Streams ----------------------------------------------------------------------------------------------------------------- */

static int follow(struct fixture *f, const char *caller, const char *stream, int64_t after, int wait,
                  Rpc__NextReply **got)
{
	Rpc__Caller who = rig_caller(caller);
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &who };

	error_clear(&f->err);
	return rpc_next(f->peer, &ctx, stream, after, wait, got);
}

static void test_stream_to_its_end(void **state)
{
	struct fixture *f = *state;
	char *stream = call(f, RIG_STREAM, "user", "200");
	Rpc__NextReply *got;
	int64_t after = 0;
	int replies = 0;

	do {
		assert_int_equal(follow(f, "user", stream, after, 5000, &got), 0);
		for (size_t i = 0; i < got->n_events; i++)
			assert_int_equal(got->events[i]->sequence, ++after);
		replies++;
	} while (!got->end);
	assert_int_equal(after, 201);
	assert_true(replies < 50); /* gathered: one by one it would be 201 */

	assert_int_equal(follow(f, "user", stream, 150, 0, &got), 0); /* resumed */
	assert_int_equal(got->n_events, 51);
	assert_string_equal(got->events[0]->data, "{\"text\":\"151\"}");
	assert_true(got->end);
	assert_int_equal(follow(f, "nobody", stream, 0, 0, &got),
	                 0); /* the rig's nobody has the same owner */
}

static void test_streams_of_others(void **state)
{
	struct fixture *f = *state;
	char *stream = call(f, RIG_STREAM, "user", "1");
	Rpc__Caller other = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &other };
	Rpc__NextReply *got;

	other.owner_id = (char *)"0192f3a0-0000-7000-8000-000000000002";
	assert_int_equal(rpc_next(f->peer, &ctx, stream, 0, 0, &got), -1);
	assert_int_equal(f->err.code, ERROR_NOT_FOUND);
	assert_int_equal(follow(f, "user", "nonsense", 0, 0, &got), -1);
	assert_int_equal(f->err.code, ERROR_NOT_FOUND);
	assert_int_equal(follow(f, "user", "ffffffffffffffff-none", 0, 0, &got), -1);
	assert_int_equal(f->err.code, ERROR_NOT_FOUND);
}

static void test_streams_from_the_store(void **state)
{
	struct fixture *f = *state;
	Rpc__NextReply *got;
	int64_t began;

	assert_int_equal(follow(f, "user", "ffffffffffffffff-old", 1, 5000, &got), 0);
	assert_int_equal(got->n_events, 2);
	assert_string_equal(got->events[1]->name, "done");
	assert_true(got->end);
	began = clock_mono_ms();
	assert_int_equal(follow(f, "user", "ffffffffffffffff-old-unfinished", 1, 5000, &got), 0);
	assert_int_equal(got->n_events, 0);
	assert_false(got->end);
	assert_in_range(clock_mono_ms() - began, 900, 3000); /* so that nobody spins */
}

static void *wait_for_events(void *arg)
{
	struct fixture *f = arg;
	Rpc__Caller who = rig_caller("user");
	struct error err = { 0 };
	struct arena a;
	struct rpc_context ctx = { .arena = &a, .err = &err, .caller = &who };
	Rpc__NextReply *got;
	int rc;

	arena_init(&a, 0);
	rc = rpc_next(f->peer, &ctx, stream_id(f->silent), 0, 10000, &got);
	arena_done(&a);
	atomic_fetch_add(&f->refused, rc < 0);
	return (void *)(intptr_t)(rc ? (int)err.code : 0);
}

/* More readers than there are places: one user has half of them, others find one, and ordinary calls go on. */
static void test_readers_are_bounded_and_leave_places_for_others(void **state)
{
	struct fixture *f = *state;
	Rpc__Caller other = rig_caller("user");
	struct rpc_context ctx = { .arena = &f->arena, .err = &f->err, .caller = &other };
	struct stream *theirs;
	Rpc__NextReply *got;
	pthread_t threads[100];
	int refused = 0, waited = 0;

	other.owner_id = (char *)"0192f3a0-0000-7000-8000-000000000002";
	assert_int_equal(
	    stream_open(f->service->hub, "0192f3a0-0000-7000-8000-000000000001", &f->silent, &f->err), 0);
	assert_int_equal(stream_open(f->service->hub, other.owner_id, &theirs, &f->err), 0);
	for (int i = 0; i < 100; i++)
		pthread_create(&threads[i], NULL, wait_for_events, f);
	while (lane_busy(&f->service->parked) < 48 || atomic_load(&f->refused) < 52)
		usleep(1000);
	assert_string_equal(call(f, RIG_ECHO, NULL, "beside them"), "beside them");
	assert_int_equal(rpc_next(f->peer, &ctx, stream_id(theirs), 0, 10, &got), 0);
	stream_close(f->silent); /* all that wait are answered */
	for (int i = 0; i < 100; i++) {
		void *code;

		pthread_join(threads[i], &code);
		refused += (intptr_t)code == ERROR_UNAVAILABLE;
		waited += code == NULL;
	}
	assert_int_equal(refused + waited, 100);
	assert_in_range(waited, 48, 48); /* half of three quarters of 128 slots */
	stream_close(theirs);
}

/* --- Waiting for an event ---------------------------------------------------------------------------------------------------- */

static void *call_park_once(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;
	char *said;

	arena_init(&a, 0);
	said = rig_call(f->peer, RIG_PARK, NULL, "5000", 10000, &a, &err);
	said = said ? strdup(said) : NULL;
	arena_done(&a);
	return said;
}

static void park_many(struct fixture *f, pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, call_park_once, f);
	while (lane_busy(&f->service->parked) < count)
		usleep(1000);
}

static int how_many_heard(const char *what, const pthread_t *threads, int count)
{
	int n = 0;
	void *said;

	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], &said);
		n += said && !strcmp(said, what);
		free(said);
	}
	return n;
}

/* Ten times as many as there are workers. */
static void test_calls_that_wait_for_an_event_hold_no_thread(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[40];

	park_many(f, threads, 40);
	assert_string_equal(call(f, RIG_ECHO, NULL, "beside them"), "beside them");
	assert_string_equal(call(f, RIG_WAKE, NULL, ""), "40");
	assert_int_equal(how_many_heard("woken", threads, 40), 40);
	assert_int_equal(lane_busy(&f->service->parked), 0);
}

static void test_an_event_that_does_not_come(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();

	assert_string_equal(call(f, RIG_PARK, NULL, "50"), "time is up");
	assert_in_range(clock_mono_ms() - began, 50, 2000);
	assert_string_equal(call(f, RIG_PARK, NULL, "-50"), "time is up");
	assert_null(
	    rig_call(f->peer, RIG_PARK, NULL, "5000", 100, &f->arena, &f->err)); /* its caller has gone */
	error_clear(&f->err);
	began = clock_mono_ms();
	while (lane_busy(&f->service->parked) && clock_mono_ms() < began + 2000)
		usleep(1000);
	assert_int_equal(lane_busy(&f->service->parked), 0);
}

static void *wake_all_the_time(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	while (!atomic_load(&f->enough)) {
		(void)rig_call(f->peer, RIG_WAKE, NULL, "", 5000, &a, &err);
		arena_reset(&a);
	}
	arena_done(&a);
	return NULL;
}

/* The event comes before the call sleeps, while it does, when it has just ended: each call is answered once, and what
 * the slot does next is not disturbed. */
static void test_an_event_that_comes_at_any_moment(void **state)
{
	struct fixture *f = *state;
	pthread_t waker;
	int answered = 0;

	atomic_store(&f->enough, false);
	pthread_create(&waker, NULL, wake_all_the_time, f);
	for (int i = 0; i < 300; i++) {
		const char *said = call(f, RIG_PARK, NULL, i % 3 ? "1000" : "0");

		answered += said && (!strcmp(said, "woken") || !strcmp(said, "time is up"));
		arena_reset(&f->arena);
	}
	atomic_store(&f->enough, true);
	pthread_join(waker, NULL);
	assert_int_equal(answered, 300);
	assert_string_equal(call(f, RIG_ECHO, NULL, "after all that"), "after all that");
}

static void test_stopping_answers_those_who_wait(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[10];
	int64_t began;

	park_many(f, threads, 10);
	atomic_store(&f->service->asked_at, 0); /* it need not listen for a second whether anybody asks */
	began = clock_mono_ms();
	assert_int_equal(service_stop(f->service, 5000), 0);
	assert_int_equal(how_many_heard("time is up", threads, 10), 10);
	assert_in_range(clock_mono_ms() - began, 0, 2000);
}

/* --- What must never be ------------------------------------------------------------------------------------------------------ */

static void test_nobody_asks_another_service_from_a_worker_or_a_transaction(void **state)
{
	struct fixture *f = *state;

	assert_null(call(f, RIG_ASK, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(call(f, RIG_ASK_WITHIN, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
}

/* It was done, and its caller was told to ask for less. */
static void test_a_write_whose_answer_is_too_large_is_our_mistake(void **state)
{
	struct fixture *f = *state;

	assert_null(call(f, RIG_BIG_WRITE, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(call(f, RIG_BIG, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
}

/* --- Stopping ---------------------------------------------------------------------------------------------------------------- */

static void *write_for_a_while(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;
	bool answered;

	arena_init(&a, 0);
	answered = rig_call(f->peer, RIG_WRITE, NULL, "300", 10000, &a, &err) != NULL;
	arena_done(&a);
	return (void *)(intptr_t)answered;
}

static void *stop(void *arg)
{
	struct fixture *f = arg;

	return (void *)(intptr_t)service_stop(f->service, 5000);
}

static void test_stopping_finishes_what_runs(void **state)
{
	struct fixture *f = *state;
	char *stream = call(f, RIG_STREAM, "user", "300");
	pthread_t reader, stopper;
	Rpc__NextReply *got;
	int64_t after = 0;
	void *answered, *left;

	pthread_create(&reader, NULL, write_for_a_while, f);
	while (!atomic_load(&rig_counts->writes))
		usleep(1000);
	pthread_create(&stopper, NULL, stop, f);
	usleep(50 * 1000);
	assert_null(rig_call(f->peer, RIG_ECHO, NULL, "too late", 300, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_true(f->err.retry_after > 0);
	do { /* the stream is still written and read */
		assert_int_equal(follow(f, "user", stream, after, 5000, &got), 0);
		after += (int64_t)got->n_events;
	} while (!got->end);
	assert_int_equal(after, 301);
	pthread_join(reader, &answered);
	pthread_join(stopper, &left);
	assert_true(answered != NULL);
	assert_null(left);
	assert_int_equal(atomic_load(&rig_counts->cancelled), 0);
}

static void test_stopping_loses_patience(void **state)
{
	struct fixture *f = *state;
	pthread_t reader;

	pthread_create(&reader, NULL, call_slow, f);
	while (!atomic_load(&rig_counts->slows))
		usleep(1000);
	assert_int_equal(service_stop(f->service, 50), 0);
	pthread_join(reader, NULL);
	assert_int_equal(atomic_load(&rig_counts->cancelled), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH_LATE_ANSWERS(name) cmocka_unit_test_setup_teardown(name, setup, late_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo),
		TEST(test_access),
		TEST(test_errors_travel),
		TEST(test_details_stay_inside),
		TEST(test_extra_travels),
		TEST(test_unknown_method),
		TEST(test_sizes),
		TEST_WITH_LATE_ANSWERS(test_time_is_up),
		TEST_WITH_LATE_ANSWERS(test_expired_requests_are_dropped),
		TEST(test_strangers_learn_nothing),
		TEST(test_a_peer_with_another_key),
		TEST(test_slow_work_is_bounded_and_delays_nobody),
		TEST(test_stream_to_its_end),
		TEST(test_streams_of_others),
		TEST(test_streams_from_the_store),
		TEST(test_readers_are_bounded_and_leave_places_for_others),
		TEST(test_calls_that_wait_for_an_event_hold_no_thread),
		TEST_WITH_LATE_ANSWERS(test_an_event_that_does_not_come),
		TEST(test_an_event_that_comes_at_any_moment),
		TEST(test_stopping_answers_those_who_wait),
		TEST(test_nobody_asks_another_service_from_a_worker_or_a_transaction),
		TEST(test_a_write_whose_answer_is_too_large_is_our_mistake),
		TEST(test_stopping_finishes_what_runs),
		TEST_WITH_LATE_ANSWERS(test_stopping_loses_patience),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
