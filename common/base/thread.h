/*
 * thread: threads of ours, and waits that no change of the wall clock shortens or draws out.
 */
#ifndef PARLEY_THREAD_H
#define PARLEY_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "common/base/error.h"

/* A thread with a stack of 256 KiB (more for the sanitizers' larger frames): 0, or -1 when the system gives none. */
int thread_try(pthread_t *ret, void *(*run)(void *), void *arg) CHECKED;
/* The same at the start of a process, where one that is not to be had ends it. */
pthread_t thread_start(void *(*run)(void *), void *arg);

/* Gives back the memory that earlier, deeper calls of this thread have left under its stack: up to 16 KiB. */
void thread_trim_stack(void);

void cond_init_monotonic(pthread_cond_t *cond);
/* For a condition of that kind. 0 woken (or for no reason), -1 when the time was up first; INT64_MAX waits for ever. */
int cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t mono_ms);

/* The same of a semaphore. */
int sem_wait_until(sem_t *sem, int64_t mono_ms);

#endif
