#include "common/base/process.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "common/base/log.h"

/* PR_FUTEX_HASH, which the headers of Debian do not know yet. */
enum { FUTEX_HASH = 78, FUTEX_HASH_SET_SLOTS = 1, FUTEX_SLOTS = 1024 };

/* glibc's own; our definition below stands in front of it for this program and its libraries. ThreadSanitizer calls it
 * before it can be told of anything. */
extern long
__sysconf(int name); // NOLINT(readability-redundant-declaration): only Debian 12's headers show it

__attribute__((visibility("default"), no_sanitize("thread"))) long sysconf(int name)
{
	return name == _SC_NPROCESSORS_ONLN ? 1 : __sysconf(name);
}

static void ending_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void process_start(void)
{
	struct sched_param none = { .sched_priority = 0 };
	sigset_t ending;

	ending_signals(&ending);
	pthread_sigmask(SIG_BLOCK, &ending, NULL);
	signal(SIGPIPE, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which look at themselves */
	/* Our memory, environment and descriptors are nobody else's business, whoever runs as the same user. */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	/* Fewer preemptions when a thread wakes another: a third of the CPU of a request. Needs no privilege. */
	sched_setscheduler(0, SCHED_BATCH, &none);
	/* Linux 6.16 gives each process sixteen buckets for its sleeping threads. The gateway's thousand idle ones sleep in
	 * one of them, and every wake-up that meets it looks at them all: a tenth of what a read costs. Of the buckets that
	 * all processes share (some hundred; older kernels have no others) each gateway on the machine spoils one: where
	 * such a one is met, wake-ups were a third of what a read costs. */
	prctl(FUTEX_HASH, FUTEX_HASH_SET_SLOTS, FUTEX_SLOTS, 0, 0);
	/* Per-thread heaps would multiply what an idle process holds. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int process_wait_signal(int ms)
{
	struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t ending;

	ending_signals(&ending);
	return sigtimedwait(&ending, NULL, &wait) > 0;
}

void process_exit(int status)
{
#ifdef __SANITIZE_ADDRESS__
	__lsan_do_leak_check();
#endif
	log_flush();
	fflush(stdout);
	_exit(status);
}

int process_cores(void)
{
	cpu_set_t usable;

	return sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : get_nprocs();
}
