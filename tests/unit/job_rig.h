/*
 * job_rig: what job.c asks of a service, with a database alone, and kinds of jobs that write down in a table `seen` what
 * became of them: "ok" succeeds, "bad" and "final" fail, "hang" (the first time), "linger", "hold" until it is let go.
 */
#ifndef PARLEY_TESTS_JOB_RIG_H
#define PARLEY_TESTS_JOB_RIG_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/job/internal.h"
#include "tests/unit/pg.h"

struct service {
	struct db_pool *pool;
	struct metrics *metrics;
};
extern struct service service;

/* What the last runner wants to hear of a drain. */
extern struct job_rig_drains {
	void (*fn)(void *arg);
	void *arg;
} job_rig_drains;

extern atomic_bool job_rig_let_go; /* those that hold */

int job_rig_fresh(void **state);
int job_rig_done(void **state);
#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, job_rig_fresh, job_rig_done)

struct db_pool *job_rig_pool(void); /* another one */
struct job_runner *job_rig_start(struct service *s, int threads);
void job_rig_add_for(const char *owner, const char *kind, const char *key, const char *payload, int delay);
void job_rig_add(const char *kind, const char *key, const char *payload, int delay); /* for nobody */
int64_t job_rig_number(const char *sql);
int job_rig_becomes(const char *sql, int64_t want); /* 1, or 0 after ten seconds */

#endif
