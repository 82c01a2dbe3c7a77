/*
 * job: long work that must not be lost: a row in the schema's table `job`, done by any replica.
 *
 * A job is added in the caller's transaction. Workers take due rows with FOR UPDATE SKIP LOCKED, hold a lease that
 * they renew while the handler runs, and delete the row when it returns 0. On -1 it is tried again after a growing
 * pause, until attempts run out: then it stays as `failed` with the error's message. A killed worker's lease ends and
 * another takes over, so a handler must be safe to run twice. NOTIFY wakes idle workers.
 *
 * call->cancelled is set when the lease is lost, the job is cancelled or the process ends: a handler that fails then is
 * handed back (if there is still something to hand back), and does not count as an attempt. Calls that a job makes have
 * 10 minutes. Jobs that failed are forgotten after 30 days.
 *
 * Fair shares: of the owners that wait, the one with the fewest jobs of the runner's kinds running (in all replicas) comes first, and the last
 * of a runner's several threads goes only to an owner that has none running. Of one kind and key one runs at a time.
 *
 * A process that was frozen past its lease may wake in the middle of a handler while another does the job, or has done
 * it. So what a handler writes on its way must be fenced: rows keep (number, attempt) of the job that writes them, a
 * handler begins by writing its own where it is greater or the same, and names it in the WHERE of all that follows.
 */
#ifndef PARLEY_JOB_H
#define PARLEY_JOB_H

#include "common/db/db.h"
#include "common/service/call.h"

struct job {
	const char *id;       /* stays the same over attempts: good for idempotency at peers */
	int64_t number;       /* greater for one that was added later */
	const char *kind;     /* "ingest" */
	const char *owner_id; /* or NULL */
	const char *payload;  /* JSON object */
	int attempt;          /* 1 for the first */
	bool last;            /* no attempt follows this one */
};

struct job_kind {
	const char *kind;
	/* Runs on a job thread. 0 done, -1 with call->err: try again (ERROR_INVALID and its like: give up at once). */
	int (*run)(struct call *call, const struct job *job);
	/* When given up: tell the user. May be NULL. Same transaction as the row's end is not promised. */
	void (*give_up)(struct call *call, const struct job *job, const struct error *why);
	int attempts;       /* 1 to 20 */
	int first_pause_ms; /* doubles, with some chance in it, up to an hour */
	int lease_ms;
};

extern const struct db_stmt job_statements[]; /* goes into the service's list */

struct job_runner;
int job_runner_start(struct service *s, const struct job_kind *kinds, size_t count, int threads,
                     struct job_runner **ret, struct error *err) CHECKED;
void job_runner_stop(
    struct job_runner
        *r); /* finishes or hands back what runs; nothing new is taken once the service drains */

/* For jobs that wait for strangers' servers: from now on an owner is given a thread only while he has fewer jobs running than are idle.
 * So the first takes half of them at most, the second half of what is left, and however slow theirs are, another's go on. */
void job_runner_halve(struct job_runner *r);

/* A job was added by a statement of the service's own that notifies nobody (a transaction with NOTIFY waits until all others of that
 * kind are on disk): this replica looks now, the others within half a minute. */
void job_runner_wake(struct job_runner *r);

/* In the caller's transaction. `key`: at most one waiting job of that kind and key (NULL: no such bound).
 * delay in seconds from now. */
int job_add(struct db *db, const char *kind, const char *owner_id, const char *key, const char *payload_json,
            int delay, struct error *err) CHECKED;
/* What there is of that kind, owner and key, waiting or running, goes; who runs it is told at once. In the caller's
 * transaction. */
int job_cancel(struct db *db, const char *kind, const char *owner_id, const char *key,
               struct error *err) CHECKED;

#endif
