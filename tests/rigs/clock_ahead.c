/*
 * Preloaded (LD_PRELOAD) into a program, this puts its wall clock CLOCK_AHEAD seconds ahead, as on a host whose clock is
 * wrong. There the kernel's clock is as wrong as the program's, so a wait until a time of that clock (all timers of NNG are
 * such waits) ends when it should: pthread_cond_timedwait() takes the seconds off again.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* No host has been up for so long: what is later is of the wall clock. */
enum { WALL_CLOCK_FROM = 1000 * 1000 * 1000 };

static int ahead(void)
{
	const char *set = getenv("CLOCK_AHEAD");

	return set ? atoi(set) : 0;
}

int clock_gettime(clockid_t id, struct timespec *at)
{
	if (syscall(SYS_clock_gettime, id, at) < 0)
		return -1;
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		at->tv_sec += ahead();
	return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *at)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (at)
		*at = now.tv_sec;
	return now.tv_sec;
}

/* Which clock a condition variable goes by cannot be asked; the time says it. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict until)
{
	struct timespec at = *until;

	if (at.tv_sec < WALL_CLOCK_FROM)
		return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &at);
	at.tv_sec -= ahead();
	return pthread_cond_clockwait(cond, lock, CLOCK_REALTIME, &at);
}
