#include "common/rpc/callbacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/process.h"

enum { CALLBACKS = 8, TIMES = 10, PATIENCE_MS = 10000 };

struct counted {
	nng_aio *aio;
	int times;
	pthread_t thread;
	int strangers; /* other threads that it came on */
};

/* Makes the next one due itself, as a message's header does with its body. */
static void count(void *arg)
{
	struct counted *c = arg;

	if (c->times && !pthread_equal(c->thread, pthread_self()))
		c->strangers++;
	c->thread = pthread_self();
	sched_yield(); /* so that another one would get its turn */
	if (++c->times < TIMES)
		nng_sleep_aio(0, c->aio);
}

static void test_they_come_one_after_the_other(void **state)
{
	struct counted all[CALLBACKS] = { 0 };

	(void)state;
	for (int i = 0; i < CALLBACKS; i++)
		assert_int_equal(nng_aio_alloc(&all[i].aio, count, &all[i]), 0);
	for (int i = 0; i < CALLBACKS; i++)
		nng_sleep_aio(0, all[i].aio);
	for (int i = 0; i < CALLBACKS; i++) {
		while (nng_aio_wait(all[i].aio), all[i].times < TIMES)
			sched_yield();
		nng_aio_free(all[i].aio);
		assert_int_equal(all[i].strangers, 0);
		assert_true(pthread_equal(all[i].thread, all[0].thread));
	}
}

/* --- A connection that closes in the middle of a message --------------------------------------------------------------- */

/* A REQ socket whose service is this test, byte by byte. */
struct fixture {
	int listener, peer;
	nng_socket socket;
	atomic_int pipe;
	nng_aio *held;
	sem_t holding, go_on;
};

static void connected(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct fixture *f = arg;

	(void)event;
	atomic_store(&f->pipe, nng_pipe_id(pipe));
}

static void hold(void *arg)
{
	struct fixture *f = arg;

	sem_post(&f->holding);
	sem_wait(&f->go_on);
}

/* The next connection, with what either side says first. */
static int meet(struct fixture *f)
{
	static const unsigned char rep[8] = { 0, 'S', 'P', 0, 0, 0x31, 0, 0 };
	struct pollfd comes = { .fd = f->listener, .events = POLLIN };
	unsigned char theirs[8];
	int fd;

	atomic_store(&f->pipe, 0);
	if (poll(&comes, 1, PATIENCE_MS) <= 0)
		return -1;
	fd = accept(f->listener, NULL, NULL);
	assert_int_equal(recv(fd, theirs, sizeof theirs, MSG_WAITALL), sizeof theirs);
	assert_int_equal(send(fd, rep, sizeof rep, MSG_NOSIGNAL), sizeof rep);
	for (int ms = 0; !atomic_load(&f->pipe) && ms < PATIENCE_MS; ms++)
		usleep(1000);
	assert_int_not_equal(atomic_load(&f->pipe), 0);
	return fd;
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct fixture *f = &fixture;
	socklen_t size = sizeof at;
	char url[64];

	*f = (struct fixture){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_int_equal(bind(f->listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(f->listener, 8), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &size), 0);
	snprintf(url, sizeof url, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
	sem_init(&f->holding, 0, 0);
	sem_init(&f->go_on, 0, 0);
	assert_int_equal(nng_aio_alloc(&f->held, hold, f), 0);
	assert_int_equal(nng_req0_open(&f->socket), 0);
	assert_int_equal(nng_socket_set_ms(f->socket, NNG_OPT_RECONNMINT, 10), 0);
	assert_int_equal(nng_socket_set_ms(f->socket, NNG_OPT_RECONNMAXT, 10), 0);
	assert_int_equal(nng_socket_set_ms(f->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), 0);
	assert_int_equal(nng_pipe_notify(f->socket, NNG_PIPE_EV_ADD_POST, connected, f), 0);
	assert_int_equal(nng_dial(f->socket, url, NULL, NNG_FLAG_NONBLOCK), 0);
	f->peer = meet(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nng_close(f->socket);
	nng_aio_free(f->held);
	close(f->peer);
	close(f->listener);
	sem_destroy(&f->holding);
	sem_destroy(&f->go_on);
	return 0;
}

/* No callback comes until close_and_go_on(). */
static void hold_callbacks(struct fixture *f)
{
	nng_sleep_aio(0, f->held);
	sem_wait(&f->holding);
}

/* Another connection takes the place of the one that was closed. */
static void close_and_go_on(struct fixture *f)
{
	nng_pipe pipe = { .id = (uint32_t)atomic_load(&f->pipe) };
	int next;

	assert_int_equal(nng_pipe_close(pipe), 0);
	sem_post(&f->go_on);
	next = meet(f);
	assert_true(next >= 0);
	close(next);
}

static void test_a_connection_closes_between_header_and_body(void **state)
{
	static const unsigned char header[8] = { [7] = 100 };
	struct fixture *f = *state;

	hold_callbacks(f);
	assert_int_equal(send(f->peer, header, sizeof header, MSG_NOSIGNAL), sizeof header);
	usleep(100 * 1000); /* until it is read */
	close_and_go_on(f);
}

static void test_a_connection_closes_when_half_a_body_has_come(void **state)
{
	static const unsigned char start[8 + 50] = { [7] = 100 };
	struct fixture *f = *state;

	assert_int_equal(send(f->peer, start, 8, MSG_NOSIGNAL), 8);
	usleep(100 * 1000);
	hold_callbacks(f);
	assert_int_equal(send(f->peer, start + 8, 50, MSG_NOSIGNAL), 50);
	usleep(100 * 1000);
	close_and_go_on(f);
}

static void test_a_connection_closes_when_half_a_message_is_sent(void **state)
{
	struct fixture *f = *state;
	nng_msg *msg;

	hold_callbacks(f);
	assert_int_equal(nng_msg_alloc(&msg, 64 << 20), 0);
	assert_int_equal(nng_sendmsg(f->socket, msg, NNG_FLAG_NONBLOCK), 0);
	close_and_go_on(f);
}

/* That the program ends afterwards is a test, too: NNG waits for its threads then. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_come_one_after_the_other),
		cmocka_unit_test_setup_teardown(test_a_connection_closes_between_header_and_body, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_a_connection_closes_when_half_a_body_has_come, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(test_a_connection_closes_when_half_a_message_is_sent, setup,
		                                teardown),
	};

	process_start();
	callbacks_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
