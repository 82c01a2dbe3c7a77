#include "common/base/thread.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define SEEN(sem)       \
	__tsan_acquire( \
	    sem) /* its sem_clockwait() is not known to it: what came before the post is seen now */
#else
#define SEEN(sem)
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STACK_SIZE = 2048 * 1024 };
#else
enum { STACK_SIZE = 256 * 1024 };
#endif

int thread_try(pthread_t *ret, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	int failed;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	failed = pthread_create(ret, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return failed ? -1 : 0;
}

pthread_t thread_start(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	if (thread_try(&thread, run, arg) < 0) {
		fputs("no memory for a thread\n", stderr);
		abort();
	}
	return thread;
}

void thread_trim_stack(void)
{
	enum { FRAME = 1024 /* of madvise(), at the very most */, DEPTH = 16 * 1024 };
	uintptr_t page = (uintptr_t)getpagesize(),
	          end = ((uintptr_t)__builtin_frame_address(0) - FRAME) & ~(page - 1);

	(void)madvise((void *)(end - DEPTH), DEPTH, MADV_DONTNEED);
}

void cond_init_monotonic(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t mono_ms)
{
	struct timespec until = { .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };

	if (mono_ms == INT64_MAX)
		return pthread_cond_wait(cond, lock);
	return pthread_cond_timedwait(cond, lock, &until) ? -1 : 0;
}

int sem_wait_until(sem_t *sem, int64_t mono_ms)
{
	struct timespec until = { .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };

	while ((mono_ms == INT64_MAX ? sem_wait(sem) : sem_clockwait(sem, CLOCK_MONOTONIC, &until)) < 0)
		if (errno == ETIMEDOUT)
			return -1;
	SEEN(sem);
	return 0;
}
