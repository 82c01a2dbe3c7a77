/*
 * internal: what the files of job share: job.c adds jobs, and starts and stops a runner, schedule.c hands them out, run.c
 * does one.
 */
#ifndef PARLEY_JOB_INTERNAL_H
#define PARLEY_JOB_INTERNAL_H

#include <pthread.h>

#include "common/base/id.h"
#include "common/job/job.h"

/* A thread that does one job at a time. */
struct worker {
	struct job_runner *runner;
	pthread_t thread;
	bool
	    busy; /* with the lock: has a job. kind, job and arena are the worker's while busy, the scheduler's otherwise */
	const struct job_kind *kind;
	struct job job;
	struct arena arena;           /* of the job's strings and its call */
	_Atomic int64_t leased_until; /* monotonic ms */
	atomic_bool cancelled;
};

struct job_runner {
	struct service *service;
	const struct job_kind *kinds;
	size_t count;
	char id[UUID_TEXT];              /* whose leases they are */
	const char *kind_names, *leases; /* as SQL arrays */
	struct arena arena;              /* of these two */
	struct db_listener *listener;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a job handed out, a worker idle, something that may be due, the end */
	bool woken;             /* something may be due */
	bool doubt;             /* or one that runs was cancelled */
	bool halves;            /* job_runner_halve() */
	bool stopping;          /* nothing new is taken */
	bool closed;            /* and what ran is done */
	pthread_t scheduler;
	struct worker *workers;
	int threads;
	int patience_ms; /* at the stop */
};

/* The scheduler's thread; arg is the runner. */
void *job_schedule(void *runner);
/* NULL: a kind of another service. */
const struct job_kind *job_find_kind(const struct job_runner *r, const char *name);
/* The lock is held. */
bool job_all_idle(const struct job_runner *r);

/* Do the worker's job and settle what becomes of it. */
void job_run(struct worker *w);

#endif
