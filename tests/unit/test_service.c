/* links: tests/unit/service_rig.c tests/unit/rpc_rig.c */
/* What a service does with a request: access, errors, deadlines, sizes, strangers. */
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

static void test_echo(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "h\u00e9llo"), "h\u00e9llo");
	assert_string_equal(service_rig_call(f, RIG_ECHO, "user", ""), "");
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
		char *got = service_rig_call(f, cases[i].method, cases[i].caller, "");

		print_message("  %s as %s\n", rig_methods[cases[i].method].name, cases[i].caller);
		assert_int_equal(f->err.code, cases[i].want);
		if (got)
			assert_string_equal(got, "0192f3a0-0000-7000-8000-000000000001");
	}
}

static void test_errors_travel(void **state)
{
	struct fixture *f = *state;

	assert_null(service_rig_call(f, RIG_REFUSE, NULL, "fields"));
	assert_int_equal(f->err.code, ERROR_INVALID);
	assert_string_equal(f->err.message, "email: is required");
	assert_string_equal(f->err.fields->where, "body");
	assert_string_equal(f->err.fields->field, "email");
	assert_string_equal(f->err.fields->type, "missing");
	assert_string_equal(f->err.fields->next->field, "name");
	assert_string_equal(f->err.fields->next->msg, "is too long");
	assert_null(f->err.fields->next->next);

	assert_null(service_rig_call(f, RIG_REFUSE, NULL, "busy"));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE);
	assert_int_equal(f->err.retry_after, 7);

	assert_null(service_rig_call(f, RIG_REFUSE, NULL, "silent"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
}

static void test_details_stay_inside(void **state)
{
	struct fixture *f = *state;

	assert_null(service_rig_call(f, RIG_REFUSE, NULL, "internal"));
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
	assert_null(service_rig_call(f, RIG_ECHO, NULL, text)); /* with the envelope it is over the limit */
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
	text[RPC_MESSAGE_MAX - 1000] = '\0';
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, text), text);
	free(text);

	assert_null(service_rig_call(f, RIG_BIG, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "still here"), "still here");
}

static void test_time_is_up(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_mono_ms();

	assert_null(rig_call(f->peer, RIG_READ, NULL, "300", 200, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNKNOWN_OUTCOME);
	assert_in_range(clock_mono_ms() - began, 150, 10000);
	error_clear(&f->err);
	assert_null(rig_call(f->peer, RIG_READ, NULL, "0", -1, &f->arena, &f->err));
	assert_int_equal(f->err.code, ERROR_UNAVAILABLE); /* it was certainly not sent */
	assert_string_equal(f->err.message, "time was up before rig was asked");
	assert_int_equal(atomic_load(&rig_counts->reads), 1);
	usleep(200 * 1000); /* its late answer is thrown away */
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "the next one"), "the next one");
}

struct burst {
	struct fixture *f;
	pthread_barrier_t together;
};

static void *write_briefly(void *arg)
{
	struct burst *b = arg;
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	pthread_barrier_wait(&b->together);
	(void)rig_call(b->f->peer, RIG_WRITE, NULL, "2500", 500, &a, &err);
	arena_done(&a);
	return NULL;
}

/* Three of four workers sleep (the last is for somebody else); what waits behind them for longer than its 500 ms is never
 * begun. */
static void test_expired_requests_are_dropped(void **state)
{
	struct fixture *f = *state;
	struct burst burst = { .f = f };
	pthread_t threads[20];

	pthread_barrier_init(&burst.together, NULL, 20);
	for (int i = 0; i < 20; i++)
		pthread_create(&threads[i], NULL, write_briefly, &burst);
	for (int i = 0; i < 20; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&burst.together);
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "after them"), "after them");
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
	assert_string_equal(service_rig_call(f, RIG_ECHO, NULL, "still here"), "still here");
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
	assert_in_range(clock_mono_ms() - began, 0, 15000);
	assert_int_equal(atomic_load(&rig_counts->writes), 0);
	assert_int_equal(peer_ready(stranger), 0);
	rig_close(stranger);
}

/* --- What must never be ------------------------------------------------------------------------------------------------------ */

static void test_nobody_asks_others_from_a_worker_or_a_transaction(void **state)
{
	struct fixture *f = *state;

	assert_null(service_rig_call(f, RIG_ASK, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(service_rig_call(f, RIG_ASK_WITHIN, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(service_rig_call(f, RIG_FETCH, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(service_rig_call(f, RIG_FETCH_AMONG_PEERS, NULL, "x"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
}

/* It was done, and its caller was told to ask for less. */
static void test_a_write_whose_answer_is_too_large_is_our_mistake(void **state)
{
	struct fixture *f = *state;

	assert_null(service_rig_call(f, RIG_BIG_WRITE, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_INTERNAL);
	assert_null(service_rig_call(f, RIG_BIG, NULL, "5000000"));
	assert_int_equal(f->err.code, ERROR_TOO_LARGE);
}

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
		TEST(test_nobody_asks_others_from_a_worker_or_a_transaction),
		TEST(test_a_write_whose_answer_is_too_large_is_our_mistake),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
