/* Streams: order, gathering, resuming, the end, who may read, and readers that wait. */
#include "common/stream/stream.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"

static const char *const reader = "0192f3a0-0000-7000-8000-000000000001";

/* What a reader was given. */
struct given {
	sem_t there;
	int events, holes;
	int64_t first, last, at;
	bool end;
	char name[32];
};

static void take(void *token, const Rpc__NextReply *reply)
{
	struct given *g = token;

	g->events = (int)reply->n_events;
	g->end = reply->end;
	g->at = clock_mono_ms();
	if (reply->n_events) {
		g->first = reply->events[0]->sequence;
		g->last = reply->events[reply->n_events - 1]->sequence;
		snprintf(g->name, sizeof g->name, "%s", reply->events[0]->name);
		for (size_t i = 1; i < reply->n_events; i++)
			g->holes += reply->events[i]->sequence != reply->events[i - 1]->sequence + 1;
	}
	sem_post(&g->there);
}

static int ask(struct stream_hub *hub, const char *who, const char *id, int64_t after, int wait,
               struct given *g)
{
	Rpc__NextRequest in = RPC__NEXT_REQUEST__INIT;
	struct error err = { 0 };

	memset(g, 0, sizeof *g);
	sem_init(&g->there, 0, 0);
	in.stream = (char *)id;
	in.has_after = in.has_wait = 1;
	in.after = after;
	in.wait = wait;
	return stream_next(hub, who, &in, (struct stream_waiter){ g, take }, &err);
}

static bool there(struct given *g, int within_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += within_ms / 1000;
	until.tv_nsec += within_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return sem_timedwait(&g->there, &until) == 0;
}

struct fixture {
	struct stream_hub *hub;
	struct stream *s;
	char id[STREAM_ID];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = { 0 };

	f->hub = stream_hub_new(0xabcdef);
	assert_int_equal(stream_open(f->hub, reader, &f->s, &err), 0);
	snprintf(f->id, sizeof f->id, "%s", stream_id(f->s));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stream_hub_free(f->hub);
	free(f);
	return 0;
}

static void test_id_names_the_replica(void **state)
{
	struct fixture *f = *state;

	assert_memory_equal(f->id, "0000000000abcdef-", 17);
	assert_true(strlen(f->id) >= 17 + 32);
}

static void test_first_event_at_once_later_ones_gathered(void **state)
{
	struct fixture *f = *state;
	struct given g;
	int64_t began;

	assert_int_equal(ask(f->hub, reader, f->id, 0, 5000, &g), 0);
	assert_false(there(&g, 30));
	began = clock_mono_ms();
	stream_append(f->s, "delta", "{}");
	assert_true(there(&g, 1000));
	assert_int_equal(g.events, 1);

	assert_int_equal(ask(f->hub, reader, f->id, 1, 5000, &g), 0);
	for (int i = 0; i < 10; i++)
		stream_append(f->s, "delta", "{}");
	assert_true(there(&g, 1000));
	assert_int_equal(g.events, 10);
	assert_int_equal(g.first, 2);
	assert_in_range(g.at - began, 20, 900);
	assert_false(g.end);
	stream_close(f->s);
}

static void test_many_appends_while_only_the_expiry_is_awaited(void **state)
{
	struct fixture *f = *state;
	struct given g;

	stream_append(f->s, "delta", "{}");
	assert_int_equal(ask(f->hub, reader, f->id, 0, 5000, &g), 0);
	assert_true(there(&g, 1000));
	assert_int_equal(ask(f->hub, reader, f->id, 1, 5000, &g), 0);
	usleep(5 * 1000); /* the hub has looked, and sleeps for long */
	stream_append(f->s, "delta", "{}");
	assert_true(there(&g, 1000));
	assert_int_equal(g.last, 2);
	stream_close(f->s);
}

static void test_the_end_is_not_gathered(void **state)
{
	struct fixture *f = *state;
	struct given g;

	stream_append(f->s, "delta", "{}");
	assert_int_equal(ask(f->hub, reader, f->id, 0, 5000, &g), 0);
	assert_true(there(&g, 0));
	assert_int_equal(ask(f->hub, reader, f->id, 1, 5000, &g), 0);
	stream_append(f->s, "done", "{}");
	stream_close(f->s);
	assert_true(there(&g, 0));
	assert_true(g.end);
	assert_string_equal(g.name, "done");
}

static void test_resume_by_cursor(void **state)
{
	static const struct {
		int64_t after;
		int want_events;
		int64_t want_first;
	} cases[] = { { 0, 100, 1 }, { 1, 99, 2 },   { 57, 43, 58 }, { 99, 1, 100 },
		      { 100, 0, 0 }, { 5000, 0, 0 }, { -3, 100, 1 } };
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++)
		stream_append(f->s, "delta", "{}");
	stream_close(f->s);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct given g;

		assert_int_equal(ask(f->hub, reader, f->id, cases[i].after, 5000, &g), 0);
		assert_true(there(&g, 0));
		assert_int_equal(g.events, cases[i].want_events);
		assert_int_equal(g.first, cases[i].want_first);
		assert_true(g.end);
	}
}

static void test_waiting_ends_with_nothing(void **state)
{
	struct fixture *f = *state;
	struct given g;

	assert_int_equal(ask(f->hub, reader, f->id, 0, 50, &g), 0);
	assert_true(there(&g, 2000));
	assert_int_equal(g.events, 0);
	assert_false(g.end);
	assert_int_equal(ask(f->hub, reader, f->id, 0, 0, &g), 0);
	assert_true(there(&g, 0));
	stream_close(f->s);
}

static void test_only_its_reader(void **state)
{
	struct fixture *f = *state;
	struct given g;

	assert_int_equal(ask(f->hub, "0192f3a0-0000-7000-8000-000000000002", f->id, 0, 0, &g), -1);
	assert_int_equal(ask(f->hub, "", f->id, 0, 0, &g), -1);
	assert_int_equal(ask(f->hub, reader, "0000000000abcdef-00", 0, 0, &g), -1);
	assert_int_equal(ask(f->hub, reader, "", 0, 0, &g), -1);
	assert_int_equal(ask(f->hub, reader, NULL, 0, 0, &g), -1);
	stream_close(f->s);
}

static void test_readers_of_callers(void **state)
{
	Rpc__Caller user = RPC__CALLER__INIT, visitor = RPC__CALLER__INIT, process = RPC__CALLER__INIT;

	(void)state;
	user.owner_id = (char *)reader;
	user.session_id = visitor.session_id = (char *)"s";
	process.kind = RPC__CALLER__KIND__SERVICE;
	assert_string_equal(stream_reader(&user), reader);
	assert_string_equal(stream_reader(&visitor), "s");
	assert_string_equal(stream_reader(&process), "");
	assert_string_equal(stream_reader(NULL), "?");
}

static void test_large_logs_come_in_pieces(void **state)
{
	static char big[400 * 1024], huge[2 << 20];
	struct fixture *f = *state;
	struct given g;
	int64_t after = 0;
	int replies = 0;

	memset(big, 'x', sizeof big - 1);
	memset(huge, 'x', sizeof huge - 1);
	for (int i = 0; i < 9; i++)
		stream_append(f->s, "tool_result", big);
	stream_append(f->s, "tool_result", huge);
	stream_close(f->s);
	do {
		assert_int_equal(ask(f->hub, reader, f->id, after, 0, &g), 0);
		assert_true(there(&g, 0));
		assert_int_equal(g.first, after + 1);
		assert_int_equal(g.holes, 0);
		assert_true(g.events <= 3);
		after = g.last;
		replies++;
	} while (!g.end);
	assert_int_equal(after, 10);
	assert_true(replies >= 5);
}

static void test_feed_tells_who_missed_something(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	struct stream *feed;
	struct given g;

	assert_int_equal(stream_open_feed(f->hub, 5, &feed, &err), 0);
	for (int i = 0; i < 5; i++)
		stream_append(feed, "revoked", "{}");
	assert_int_equal(ask(f->hub, "", stream_id(feed), 0, 0, &g), 0);
	assert_int_equal(g.events, 5);
	for (int i = 0; i < 3; i++)
		stream_append(feed, "revoked", "{}");
	assert_int_equal(ask(f->hub, "", stream_id(feed), 2, 0, &g), 0);
	assert_int_equal(g.events, 1);
	assert_string_equal(g.name, "reset");
	assert_int_equal(g.first, 8);
	assert_int_equal(ask(f->hub, "", stream_id(feed), 3, 0, &g), 0);
	assert_int_equal(g.events, 5);
	assert_int_equal(g.first, 4);
	assert_int_equal(ask(f->hub, reader, stream_id(feed), 3, 0, &g), -1);
	stream_close(feed);
	stream_close(f->s);
}

static void test_stop_answers_everybody(void **state)
{
	struct fixture *f = *state;
	struct given g[10];

	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(f->hub, reader, f->id, 0, 15000, &g[i]), 0);
	stream_hub_stop(f->hub);
	for (int i = 0; i < 10; i++)
		assert_true(there(&g[i], 0));
	assert_int_equal(ask(f->hub, reader, f->id, 0, 15000, &g[0]), 0);
	assert_true(there(&g[0], 0));
	stream_close(f->s);
}

static void test_log_holds_everything(void **state)
{
	struct fixture *f = *state;
	ProtobufCBinaryData packed;
	Rpc__NextReply *all;
	struct arena a;

	arena_init(&a, 0);
	stream_append(f->s, "delta", "{\"text\":\"a\"}");
	stream_append(f->s, "done", "{}");
	packed = stream_log(f->s, &a);
	all = rpc__next_reply__unpack(NULL, packed.len, packed.data);
	assert_int_equal(all->n_events, 2);
	assert_string_equal(all->events[0]->data, "{\"text\":\"a\"}");
	assert_true(all->end);
	rpc__next_reply__free_unpacked(all, NULL);
	arena_done(&a);
	stream_close(f->s);
}

/* Where who goes on with a dead writer's stream has left sequences out, they are found like all others, however many there are. */
static void test_every_place_is_found(void **state)
{
	enum { RUNS = 40, EACH = 50, GAP = 100000, LARGE = 20000 };
	struct fixture *f = *state;
	char *large = malloc(LARGE), text[32];
	struct given g;

	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\0';
	for (int run = 0; run < RUNS; run++) {
		for (int i = 0; i < EACH; i++) {
			snprintf(text, sizeof text, "{\"text\":\"%d.%d\"}", run, i);
			stream_append(f->s, "delta", i == EACH / 2 ? large : text);
		}
		stream_skip(f->s, stream_last(f->s) + GAP);
	}
	free(large);
	for (int64_t run = 0; run < RUNS; run++) {
		int64_t first = run * (EACH + GAP) + 1;

		for (int64_t i = 0; i < EACH; i++) {
			assert_int_equal(ask(f->hub, reader, f->id, first + i - 1, 0, &g), 0);
			assert_int_equal(g.first, first + i);
		}
		assert_int_equal(ask(f->hub, reader, f->id, first + EACH + GAP / 2, 0, &g), 0);
		assert_int_equal(g.events ? g.first : -1, run + 1 < RUNS ? first + EACH + GAP : -1);
	}
	assert_int_equal(ask(f->hub, reader, f->id, 0, 0, &g), 0);
	assert_int_equal(g.events, RUNS * EACH);
	assert_int_equal(g.holes, RUNS - 1);
	stream_close(f->s);
}

/* One producer and one reader per stream, many at once: every event exactly once, in order. */
enum { PAIRS = 8, EVENTS = 2000 };

static void *produce(void *arg)
{
	struct stream *s = arg;

	for (int i = 0; i < EVENTS; i++) {
		stream_append(s, "delta", "{\"text\":\"word \"}");
		if (i % 100 == 0)
			usleep(2000);
	}
	stream_close(s);
	return NULL;
}

struct follower {
	struct stream_hub *hub;
	char id[STREAM_ID];
	int64_t got;
};

static void *follow(void *arg)
{
	struct follower *me = arg;
	struct given g;

	do {
		if (ask(me->hub, reader, me->id, me->got, 5000, &g) < 0 || !there(&g, 10000))
			return NULL;
		if (g.events && (g.first != me->got + 1 || g.holes))
			return NULL;
		if (g.events)
			me->got = g.last;
	} while (!g.end);
	return NULL;
}

static void test_pairs_at_once(void **state)
{
	struct fixture *f = *state;
	struct follower followers[PAIRS] = { 0 };
	pthread_t threads[2 * PAIRS];
	struct error err = { 0 };

	for (int i = 0; i < PAIRS; i++) {
		struct stream *s;

		assert_int_equal(stream_open(f->hub, reader, &s, &err), 0);
		followers[i].hub = f->hub;
		snprintf(followers[i].id, STREAM_ID, "%s", stream_id(s));
		pthread_create(&threads[2 * i], NULL, follow, &followers[i]);
		pthread_create(&threads[2 * i + 1], NULL, produce, s);
	}
	for (int i = 0; i < 2 * PAIRS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(followers[i].got, EVENTS);
	stream_close(f->s);
}

static void leave(struct fixture *f, const char *who)
{
	Rpc__NextRequest in = RPC__NEXT_REQUEST__INIT;
	struct error err = { 0 };
	struct given g = { 0 };

	sem_init(&g.there, 0, 0);
	in.stream = (char *)stream_id(f->s);
	in.has_leaves = in.leaves = 1;
	if (stream_next(f->hub, who, &in, (struct stream_waiter){ &g, take }, &err) == 0)
		assert_true(there(&g, 1000));
}

/* Where nobody else can ask for an answer, its model need not go on. */
static void test_a_producer_hears_that_its_reader_left(void **state)
{
	struct fixture *f = *state;
	atomic_bool stop = false;

	stream_stop_when_left(f->s, &stop);
	leave(f, "somebody else");
	assert_false(atomic_load(&stop));
	leave(f, reader);
	assert_true(atomic_load(&stop));
	atomic_store(&stop, false);
	stream_close(f->s);
	leave(f, reader);
	assert_false(atomic_load(&stop)); /* the producer may be gone */
}

static void test_bounded(void **state)
{
	struct fixture *f = *state;
	struct stream *open[4096];
	struct error err = { 0 };
	int n = 0;

	while (n < 4096 && stream_open(f->hub, reader, &open[n], &err) == 0)
		n++;
	assert_int_equal(n, 4095); /* and the fixture's */
	assert_int_equal(err.code, ERROR_UNAVAILABLE);
	assert_true(err.retry_after > 0);
	stream_close(open[0]);
	error_clear(&err);
	assert_int_equal(stream_open(f->hub, reader, &open[0], &err), 0);
	for (int i = 0; i < n; i++)
		stream_close(open[i]);
	stream_close(f->s);
}

/* It goes on elsewhere, some day. */
static void test_one_that_is_forgotten_has_no_end(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	struct given g;

	stream_append(f->s, "delta", "{}");
	assert_int_equal(ask(f->hub, reader, f->id, 1, 5000, &g), 0);
	stream_forget(f->s);
	assert_true(there(&g, 1000));
	assert_int_equal(g.events, 0);
	assert_false(g.end);
	assert_int_equal(ask(f->hub, reader, f->id, 1, 0, &g), -1);
	assert_int_equal(stream_open_as(f->hub, f->id, reader, &f->s, &err), 0);
	stream_append(f->s, "delta", "{}");
	assert_int_equal(ask(f->hub, reader, f->id, 0, 1000, &g), 0);
	assert_true(there(&g, 1000));
	assert_int_equal(g.events, 1);
	stream_close(f->s);
}

/* A reader that is led to it need not ask for what there is, and then gets what is next at once. */
static void test_what_there_is_goes_with_its_beginning(void **state)
{
	struct fixture *f = *state;
	Rpc__Started started = RPC__STARTED__INIT;
	struct given g;
	struct arena a;

	arena_init(&a, 0);
	stream_append(f->s, "user", "{\"n\":1}");
	stream_append(f->s, "assistant", "{\"n\":2}");
	started.stream = f->id;
	stream_so_far(f->hub, "?", &started, &a);
	assert_int_equal(started.n_events, 0);
	stream_so_far(f->hub, reader, &started, &a);
	assert_int_equal(started.n_events, 2);
	assert_int_equal(started.events[1]->sequence, 2);
	assert_string_equal(started.events[1]->name, "assistant");
	assert_string_equal(started.events[1]->data, "{\"n\":2}");
	assert_int_equal(ask(f->hub, reader, f->id, 2, 10000, &g), 0);
	stream_append(f->s, "delta", "{\"n\":3}");
	assert_true(there(&g, 0));
	assert_int_equal(g.first, 3);
	started.after = 2;
	stream_so_far(f->hub, reader, &started, &a);
	assert_int_equal(started.n_events, 1);
	started.stream = (char *)"elsewhere";
	started.n_events = 0;
	stream_so_far(f->hub, reader, &started, &a);
	assert_int_equal(started.n_events, 0);
	stream_close(f->s);
	arena_done(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_there_is_goes_with_its_beginning),
		TEST(test_id_names_the_replica),
		TEST(test_first_event_at_once_later_ones_gathered),
		TEST(test_many_appends_while_only_the_expiry_is_awaited),
		TEST(test_the_end_is_not_gathered),
		TEST(test_resume_by_cursor),
		TEST(test_waiting_ends_with_nothing),
		TEST(test_only_its_reader),
		TEST(test_readers_of_callers),
		TEST(test_large_logs_come_in_pieces),
		TEST(test_feed_tells_who_missed_something),
		TEST(test_stop_answers_everybody),
		TEST(test_log_holds_everything),
		TEST(test_every_place_is_found),
		TEST(test_pairs_at_once),
		TEST(test_a_producer_hears_that_its_reader_left),
		TEST(test_bounded),
		TEST(test_one_that_is_forgotten_has_no_end),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
