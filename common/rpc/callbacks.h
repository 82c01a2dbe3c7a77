/*
 * callbacks: those of NNG come on one thread.
 *
 * NNG has two threads for callbacks at least, and each callback that is due wakes one that sleeps, also where it is the other
 * one that makes it due and would come to it a moment later: then a thread is woken, finds nothing, and sleeps again. A call
 * makes some eight of them due, sends and receives of headers and bodies, here and at its service: with one thread, a read
 * costs a fifth less processor time, and half as many threads go to sleep and wake. No callback may wait for another.
 */
#ifndef PARLEY_CALLBACKS_H
#define PARLEY_CALLBACKS_H

/* Once in a process, before anything else of NNG, and after process_start(), by which there are no more than two. */
void callbacks_on_one_thread(void);

#endif
