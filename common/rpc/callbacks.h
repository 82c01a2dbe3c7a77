/*
 * callbacks: those of NNG that it would lose.
 *
 * NNG reads a message in two parts or more and writes a large one so. Where a connection is closed between two of them, the
 * next is refused, 1.5.2 forgets that somebody waits for it, and its only thread for clearing away stands still for ever: no
 * connection of the process is made anew, nng_close() does not return. The end of a busy service did that now and then.
 * Here such a part comes to its end, as a failure.
 */
#ifndef PARLEY_CALLBACKS_H
#define PARLEY_CALLBACKS_H

/* Whoever opens sockets calls it, so that what stands in front of NNG is linked; does nothing when it is called again. */
void callbacks_start(void);

#endif
