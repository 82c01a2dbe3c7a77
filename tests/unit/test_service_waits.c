/* links: tests/unit/service_rig.c tests/unit/rpc_rig.c */
/* How a service waits: slow work, streams, events that calls wait for, stopping. */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "rpc.client.h"
#include "tests/unit/service_rig.h"

/* --- Slow work -------------------------------------------------------------------------------------------------------------- */

static void *call_slow(void *arg)
{
	struct fixture *f = arg;
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	(void)rig_call(f->peer, RIG_SLOW, NULL, "1200", 30000, &a, &err);
	arena_done(&a);
	return (void *)(intptr_t)err.code;
}

static void test_slow_work_is_bounded_and_delays_nobody(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[10];
	int refused = 0;

	for (int i = 0; i < 10; i++)
		pthread_create(&threads[i], NULL, call_slow, f);
	while (atomic_load(&rig_counts->running) < 2)
		usleep(1000);
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "quick"), "quick");
	assert_int_equal(atomic_load(&rig_counts->slows), 2); /* the first are still at work */
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
	char *stream = service_rig_call(f, RIG_STREAM, "user", "200");
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
	char *stream = service_rig_call(f, RIG_STREAM, "user", "1");
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
	assert_in_range(clock_mono_ms() - began, 900, 4500); /* so that nobody spins */
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
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "beside them"), "beside them");
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
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "beside them"), "beside them");
	assert_string_equal(service_rig_call(f, RIG_WAKE, NULL, ""), "40");
	assert_int_equal(how_many_heard("woken", threads, 40), 40);
	assert_int_equal(lane_busy(&f->service->parked), 0);
}

static void test_an_event_that_does_not_come(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();
	const char *said;

	assert_string_equal(service_rig_call(f, RIG_PARK, NULL, "50"), "time is up");
	assert_in_range(clock_mono_ms() - began, 50, 5000);
	assert_string_equal(service_rig_call(f, RIG_PARK, NULL, "-50"), "time is up");
	/* Its caller has gone; or not quite, when this thread runs late: both times end with the call's. */
	said = rig_call(f->peer, RIG_PARK, NULL, "5000", 100, &f->arena, &f->err);
	assert_true(!said || !strcmp(said, "time is up"));
	error_clear(&f->err);
	began = clock_mono_ms();
	while (lane_busy(&f->service->parked) && clock_mono_ms() < began + 10000)
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
		const char *said = service_rig_call(f, RIG_PARK, NULL, i % 3 ? "1000" : "0");

		answered += said && (!strcmp(said, "woken") || !strcmp(said, "time is up"));
		arena_reset(&f->arena);
	}
	atomic_store(&f->enough, true);
	pthread_join(waker, NULL);
	assert_int_equal(answered, 300);
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "after all that"), "after all that");
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
	assert_in_range(clock_mono_ms() - began, 0, 4500);
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
	char *stream = service_rig_call(f, RIG_STREAM, "user", "300");
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slow_work_is_bounded_and_delays_nobody),
		TEST(test_stream_to_its_end),
		TEST(test_streams_of_others),
		TEST(test_streams_from_the_store),
		TEST(test_readers_are_bounded_and_leave_places_for_others),
		TEST(test_calls_that_wait_for_an_event_hold_no_thread),
		TEST_WITH_LATE_ANSWERS(test_an_event_that_does_not_come),
		TEST(test_an_event_that_comes_at_any_moment),
		TEST(test_stopping_answers_those_who_wait),
		TEST(test_stopping_finishes_what_runs),
		TEST_WITH_LATE_ANSWERS(test_stopping_loses_patience),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests_name("service waits", tests, NULL, NULL);
}
