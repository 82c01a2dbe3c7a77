/*
 * callbacks: NNG's come on one thread, and none is lost.
 *
 * NNG has two threads for callbacks at least, and each callback that is due wakes one that sleeps, also where it is the other
 * one that makes it due and would come to it a moment later: then a thread is woken, finds nothing, and sleeps again. A call
 * makes some eight of them due, sends and receives of headers and bodies, here and at its service: with one thread, a read
 * costs a fifth less processor time, and half as many threads go to sleep and wake. No callback may wait for another.
 *
 * NNG reads a message in two parts or more and writes a large one so. Where a connection is closed between two of them, the
 * next is refused, 1.5.2 forgets that somebody waits for it, and its only thread for clearing away stands still for ever: no
 * connection of the process is made anew, nng_close() does not return. The end of a busy service did that now and then.
 * Here such a part comes to its end, as a failure.
 */
#ifndef PARLEY_CALLBACKS_H
#define PARLEY_CALLBACKS_H

/* Before the first socket of NNG's and after process_start(), by which it has no more than two of those threads; does nothing
 * when it is called again. */
void callbacks_start(void);

#endif
