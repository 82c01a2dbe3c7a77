/*
 * process: what every program of ours does to itself before its first thread: scheduling, memory, signals.
 *
 * It also narrows what NNG sees of the machine. NNG starts several threads per processor of sysconf(), which costs
 * memory and makes a call hop between more threads; so this program's own sysconf() tells one processor online.
 * Whoever needs the number of processors takes process_cores().
 */
#ifndef PARLEY_PROCESS_H
#define PARLEY_PROCESS_H

/* Call first in main(): SIGTERM, SIGINT and SIGPIPE are blocked or ignored in every thread made after it; no other
 * process of this user may look into this one (/proc/PID, ptrace), but for the sanitizers' builds. */
void process_start(void);

/* Waits for SIGTERM or SIGINT for up to ms; 1 when one came. */
int process_wait_signal(int ms);

/*
 * Ends the program without closing or freeing what NNG still uses: closing a socket of NNG 1.5.2 while a message
 * arrives can hang for ever (its recv callback forgets the waiting aio; mended in 1.6), and exit() would take OpenSSL
 * from under its threads. What had to be finished is finished before.
 */
void process_exit(int status) __attribute__((noreturn));

int process_cores(void);

#endif
