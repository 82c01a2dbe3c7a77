/*
 * jail: what holds a process that reads hostile bytes. Every step ends the program (VERDICT_CANNOT_RUN) when it fails.
 *
 * Root becomes nobody; nothing new is gained by executing; memory, processor time and open files are bounded; the
 * process dies with its parent. Then one of two allow-lists of system calls: a *reader* computes, reads and writes what
 * it has open already, and nothing else; a *program* (poppler's) is executed by descriptor and may open, for reading,
 * only what lies below jail_readable. Landlock sees to the latter; where the kernel has none, a process between it and us
 * opens the files on its behalf (broker.c), after looking at their names.
 */
#ifndef PARLEY_DOCUMENTS_JAIL_H
#define PARLEY_DOCUMENTS_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct jail {
	int seconds;      /* of processor time */
	int megabytes;    /* of memory */
	bool no_landlock; /* as on a kernel without it: for tests */
};

/* Bounds and an unprivileged user: before anything else. */
void jail_enter(const struct jail *jail);
/* From now on a reader. Everything it needs is open and loaded. */
void jail_read(const struct jail *jail);

/* Where a program of poppler-utils is. */
const char *jail_find(const char *name);
/* A program in a jail of its own, with our standard input and error; `out` is the end of a pipe that it writes to. */
struct jailed {
	pid_t pid;
	int out;
};
/* We are a reader from then on: what the program writes is as hostile as what it reads. */
void jail_start(const struct jail *jail, const char *program, char *const argv[], struct jailed *ret);
/* Whatever it writes goes to the sink as it comes; *status: how it ended, as wait() tells. */
typedef void jail_sink(void *arg, const char *bytes, size_t size);
void jail_finish(struct jailed *p, jail_sink *sink, void *arg, int *status);

/* "Landlock 7, seccomp, user 65534": what it rests on here. */
void jail_describe(char *text, size_t size);

/* --- Its parts ---------------------------------------------------------------------------------------------------- */

extern const char *const jail_readable[]; /* ended by NULL */

int landlock_version(void); /* 0: none */
/* program: the file that may be executed, with its loader; NULL for a reader, which opens nothing at all. */
void landlock_restrict(int version, const char *program);

int broker_socket(
    void); /* where the program's side is handed over: a descriptor that no program can make again */
void broker_send(int listener);   /* in the child, once its filter is in force */
int broker_receive(int socket);   /* in the parent; -1: it ended first */
void broker_answer(int listener); /* one request of the program's, open or refused */

#endif
