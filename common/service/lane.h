/*
 * lane: threads for one kind of wait, made on demand round a bounded queue, and shared fairly among owners.
 *
 * A lane has so many places. Its queue is not first come, first served: owners take turns, and one that holds a quarter
 * of the places lets others before it. The last place is for an owner that holds none. Where work waits for long, places
 * must also stay free for those who come later: there one that has its quarter takes another only while at least as many
 * stay free. Owner 0 is ourselves: what we do for nobody in particular knows no share.
 */
#ifndef PARLEY_LANE_H
#define PARLEY_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/metrics.h"
#include "common/db/ahead.h"

/* What one owner has of a lane; the lane's. */
struct share;

/*
 * Work for a lane; embedded in what it works on. run() is given an empty arena, which is reset afterwards. On a brief
 * lane also what it is to read ahead (common/db/ahead.h): when it leaves that waiting, it is run again, with the same.
 */
struct lane_job {
	void (*run)(struct lane_job *job, struct arena *a, struct db_ahead *ahead);
	uint64_t owner;
	struct lane_job *next;
};

struct lane_config {
	const char *name; /* of its threads and metrics */
	int places, queue;
	bool waits_long;
	bool brief; /* a thread holds several jobs at a time: brief.c */
	int working; /* threads that may work at a time, those that are away not counted; 0: as many as there are places */
};

enum { LANE_HEADS = 64 };

struct lane {
	struct lane_config config;
	int threads_max;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct idler *idlers; /* idler.h */
	struct share *heads[LANE_HEADS], *waiting,
	    **waiting_end;                         /* waiting: owners with queued jobs, in turn */
	struct lane_job *promised, **promised_end; /* jobs whose place is held already */
	int queued, busy, idle, threads;
	int away;    /* threads that wait for others: lane_away() */
	bool waking; /* a thread was woken and has not looked yet */
	bool stopping;
	struct metric *gauge_queued, *gauge_threads;
};

void lane_init(struct lane *lane, const struct lane_config *config, struct metrics *m);
void lane_done(struct lane *lane);

/* 0, or -1 when there is no place in the queue for this owner, or no thread to be had. */
int lane_push(struct lane *lane, struct lane_job *job) CHECKED;

/* Out of the queue again, where it is: false when it is not there any more. */
bool lane_remove(struct lane *lane, struct lane_job *job);

/* A place without a thread, now or not at all (NULL): for a job that comes later, or to be released. */
struct share *lane_hold(struct lane *lane, uint64_t owner);
void lane_release(struct lane *lane, struct share *held);
int lane_push_held(struct lane *lane, struct lane_job *job,
                   struct share *held) CHECKED; /* -1: no thread; still held */

/* For the thread that runs a job, before it returns: the job keeps its place, for lane_push_again(), which cannot fail: where
 * no thread is to be had, it waits for one that is made later. */
void lane_keep(struct lane *lane, struct share *held);
void lane_push_again(struct lane *lane, struct lane_job *job, struct share *held);
/* The thread that runs a job waits for something slow: another may work meanwhile. */
void lane_away(struct lane *lane);
void lane_back(struct lane *lane);

/* For a lane's threads: a job, and whose place it has; NULL when there is none, and the thread need not (or shall not)
 * wait for one. */
struct lane_job *lane_take(struct lane *lane, bool waits, struct share **ret);
void lane_leave(struct lane *lane, struct share *held); /* through; the thread takes the next one itself */
void brief_work(struct lane *lane);                     /* what a thread of a brief lane does until it ends */

int lane_busy(struct lane *lane); /* jobs running or queued, places held */
/* Ends the threads once the queue is empty and no place is held; 0, or -1 when that took longer than ms. */
int lane_stop(struct lane *lane, int ms);

#endif
