#include "common/rpc/callbacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <sched.h>

#include "common/base/process.h"

enum { CALLBACKS = 8, TIMES = 10 };

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

/* That the program ends afterwards is a test, too: NNG waits for its threads then. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_come_one_after_the_other),
	};

	process_start();
	callbacks_on_one_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
