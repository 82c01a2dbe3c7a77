#include "svc-auth/password.h"

#include <argon2.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/process.h"
#include "common/base/thread.h"

enum { PASSES = 2, MEMORY_KIB = 19456, LANES = 1, SALT_SIZE = 16, HASH_SIZE = 32, PHC_MAX = 160 };
enum { THREADS_MAX = 64, WORK_US = 500, REST_US = 250 };

/* --- Hashing ----------------------------------------------------------------------------------------------------- */

/* One request, on the stack of who asks. */
struct task {
	const char *phc; /* to check against; NULL: make one */
	const char *password;
	char made[PHC_MAX];
	int result; /* libargon2's */
	bool taken, done;
	struct task *next;
};

struct hasher {
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	struct task *first, **last;
	int waiting, queue, threads;
	bool stopping;
	pthread_t thread[THREADS_MAX];
};

static void run(struct task *t)
{
	unsigned char salt[SALT_SIZE];

	if (t->phc) {
		t->result = argon2id_verify(t->phc, t->password, strlen(t->password));
		return;
	}
	random_bytes(salt, sizeof salt);
	t->result = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, t->password, strlen(t->password), salt,
	                                  sizeof salt, HASH_SIZE, t->made, sizeof t->made);
}

/* --- Breaks ------------------------------------------------------------------------------------------------------ */

/* Of one thread. */
struct breaks {
	timer_t timer;
	volatile sig_atomic_t wanted; /* a signal may come late, when there is nothing to rest from */
};

static void set_timer(const struct breaks *b, int us)
{
	const struct itimerspec when = { .it_value.tv_nsec = us * 1000 };

	timer_settime(b->timer, 0, &when, NULL);
}

/* On a hashing thread, in the middle of a hash: who waits for this processor gets it now. */
static void rest(int signal, siginfo_t *info, void *context)
{
	static const struct timespec pause = { .tv_nsec = REST_US * 1000 };
	const struct breaks *b = info->si_value.sival_ptr;
	int saved = errno;

	(void)signal;
	(void)context;
	if (!b->wanted)
		return;
	nanosleep(&pause, NULL);
	set_timer(b, WORK_US);
	errno = saved;
}

/* A timer that sends the calling thread to rest. */
static void make_timer(struct breaks *b)
{
	struct sigaction action = { .sa_sigaction = rest, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };

	event.sigev_value.sival_ptr = b;
	event._sigev_un._tid = gettid(); /* glibc has no public name for it */
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGRTMIN, &action, NULL) < 0 || timer_create(CLOCK_MONOTONIC, &event, &b->timer) < 0)
		abort();
}

/* --- Threads ----------------------------------------------------------------------------------------------------- */

/* Takes the first task, works, reports. Enters and leaves with the lock held. */
static void work_once(struct hasher *h, struct breaks *b)
{
	struct task *t = h->first;

	h->first = t->next;
	if (!h->first)
		h->last = &h->first;
	h->waiting--;
	t->taken = true;
	pthread_mutex_unlock(&h->lock);
	b->wanted = 1;
	set_timer(b, WORK_US);
	run(t);
	b->wanted = 0;
	set_timer(b, 0);
	pthread_mutex_lock(&h->lock);
	t->done = true;
	pthread_cond_broadcast(&h->finished);
}

static void *work(void *arg)
{
	struct hasher *h = arg;
	struct breaks breaks = { .wanted = 0 };

	make_timer(&breaks);
	pthread_mutex_lock(&h->lock);
	while (!h->stopping || h->first) {
		if (h->first)
			work_once(h, &breaks);
		else
			pthread_cond_wait(&h->work, &h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	timer_delete(breaks.timer);
	return NULL;
}

struct hasher *hasher_start(int queue)
{
	struct hasher *h = calloc(1, sizeof *h);
	int cores = process_cores();

	if (!h)
		abort();
	pthread_mutex_init(&h->lock, NULL);
	cond_init_monotonic(&h->work);
	cond_init_monotonic(&h->finished);
	h->last = &h->first;
	h->queue = queue;
	h->threads = cores < THREADS_MAX ? cores : THREADS_MAX;
	for (int i = 0; i < h->threads; i++)
		h->thread[i] = thread_start(work, h);
	return h;
}

void hasher_stop(struct hasher *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_broadcast(&h->work);
	pthread_mutex_unlock(&h->lock);
	for (int i = 0; i < h->threads; i++)
		pthread_join(h->thread[i], NULL);
	pthread_cond_destroy(&h->work);
	pthread_cond_destroy(&h->finished);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Take a task that nobody has begun out of the queue again. */
static void withdraw(struct hasher *h, struct task *t)
{
	struct task **at = &h->first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!*at)
		h->last = at;
	h->waiting--;
}

/* Waits until the task is done; one that is begun is waited for, whatever the time. */
static int wait_for(struct hasher *h, struct task *t, int64_t deadline, struct error *err)
{
	int64_t until = clock_mono_ms() + deadline - clock_unix_ms();

	while (!t->done) {
		if (t->taken)
			pthread_cond_wait(&h->finished, &h->lock);
		else if (cond_wait_until(&h->finished, &h->lock, until) < 0 && !t->taken) {
			withdraw(h, t);
			return error_busy(err, 2, "too many people are signing in just now");
		}
	}
	return 0;
}

static int hash(struct hasher *h, struct task *t, int64_t deadline, struct error *err)
{
	int result;

	pthread_mutex_lock(&h->lock);
	if (h->waiting >= h->queue || deadline <= clock_unix_ms()) {
		pthread_mutex_unlock(&h->lock);
		return error_busy(err, 2, "too many people are signing in just now");
	}
	*h->last = t;
	h->last = &t->next;
	h->waiting++;
	pthread_cond_signal(&h->work);
	result = wait_for(h, t, deadline, err);
	pthread_mutex_unlock(&h->lock);
	return result;
}

int password_hash(struct hasher *h, const char *password, int64_t deadline, char **ret, struct arena *a,
                  struct error *err)
{
	struct task t = { .password = password };

	if (hash(h, &t, deadline, err) < 0)
		return -1;
	if (t.result != ARGON2_OK)
		return error_internal(err, "argon2: %s", argon2_error_message(t.result));
	*ret = arena_strdup(a, t.made);
	return 0;
}

int password_check(struct hasher *h, const char *phc, const char *password, int64_t deadline,
                   struct error *err)
{
	/* Of no password: costs what a real one costs. */
	static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$bm8gc3VjaCB1c2VyLi4$"
	                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct task t = { .phc = phc ? phc : nobody, .password = password };

	if (hash(h, &t, deadline, err) < 0)
		return -1;
	if (t.result != ARGON2_OK && t.result != ARGON2_VERIFY_MISMATCH)
		return error_internal(err, "argon2: %s", argon2_error_message(t.result));
	return phc && t.result == ARGON2_OK;
}

/* --- Common passwords -------------------------------------------------------------------------------------------- */

/* The file as it is: sorted lines, each ended by a line feed. */
__asm__(".section .rodata\n"
        "common_passwords:\n"
        ".incbin \"svc-auth/data/common-passwords.txt\"\n"
        "common_passwords_end:\n"
        ".previous\n");
extern const char common_passwords[] __attribute__((visibility("hidden")));
extern const char common_passwords_end[] __attribute__((visibility("hidden")));

int password_common(const char *password)
{
	const char *low = common_passwords, *high = common_passwords_end;
	size_t length = strlen(password);

	while (low < high) { /* both at the start of a line, or at the end */
		const char *line = low + (high - low) / 2, *end;
		size_t size;
		int order;

		while (line > low && line[-1] != '\n')
			line--;
		end = memchr(line, '\n', (size_t)(high - line));
		size = (size_t)(end - line);
		order = strncasecmp(password, line, size);
		if (order == 0 && length == size)
			return 1;
		if (order < 0 || (order == 0 && length < size))
			high = line;
		else
			low = end + 1;
	}
	return 0;
}
