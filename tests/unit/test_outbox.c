/* Many threads, one at a time, in each one's order. */
#include "common/rpc/outbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

enum { THREADS = 8, EACH = 5000 };

struct letter {
	struct outgoing outgoing;
	int sender, number;
};

static struct outbox box;
static struct letter letters[THREADS][EACH];
static int next_of[THREADS], sent, disorder; /* of whoever sends: no lock, and TSan looks */
static atomic_int at_it, together;

static void send_letter(struct outgoing *item)
{
	struct letter *l = (struct letter *)((char *)item - offsetof(struct letter, outgoing));

	if (atomic_fetch_add(&at_it, 1) != 0)
		atomic_fetch_add(&together, 1);
	disorder += l->number != next_of[l->sender]++;
	sent++;
	atomic_fetch_sub(&at_it, 1);
}

static void *write_letters(void *arg)
{
	struct letter *mine = arg;

	for (int i = 0; i < EACH; i++)
		outbox_send(&box, &mine[i].outgoing);
	return NULL;
}

static void test_one_at_a_time(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	outbox_init(&box);
	for (int t = 0; t < THREADS; t++) {
		for (int i = 0; i < EACH; i++)
			letters[t][i] = (struct letter){ { send_letter, NULL }, t, i };
		pthread_create(&thread[t], NULL, write_letters, letters[t]);
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	assert_int_equal(sent, THREADS * EACH);
	assert_int_equal(disorder, 0);
	assert_int_equal(together, 0);
	outbox_done(&box);
}

struct again {
	struct outgoing outgoing;
	int left;
};

/* What is sent may be sent again at once, from within: NNG may call back before it returns. */
static void send_again(struct outgoing *item)
{
	struct again *a = (struct again *)((char *)item - offsetof(struct again, outgoing));

	if (a->left-- > 0)
		outbox_send(&box, item);
}

static void test_again_from_within(void **state)
{
	struct again a = { { send_again, NULL }, 3 };

	(void)state;
	outbox_init(&box);
	outbox_send(&box, &a.outgoing);
	assert_int_equal(a.left, -1);
	outbox_done(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_again_from_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
