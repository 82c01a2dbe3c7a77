/*
 * outbox: the messages of many threads leave through one at a time.
 *
 * NNG holds a socket's lock while it writes to the network, so threads that send at the same time sleep and wake each
 * other for that lock: a fifth of what a small call costs. Here whoever comes first sends, and also what others leave
 * meanwhile; they go on with their own work.
 */
#ifndef PARLEY_OUTBOX_H
#define PARLEY_OUTBOX_H

#include <nng/nng.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Embedded in what is to be sent; free again once send() is called. */
struct outgoing {
	void (*send)(struct outgoing *item); /* must not wait for anything */
	struct outgoing *next;
};

struct outbox {
	pthread_mutex_t lock;
	struct outgoing *first, **end;
	bool sending; /* somebody is at it */
};

/* Room for a message of so many bytes; it is NNG's once it is sent. */
nng_msg *outbox_message(size_t size);

void outbox_init(struct outbox *box);
void outbox_done(struct outbox *box);
/* Calls item->send(), now or soon, on this thread or another; in the order of the calls. */
void outbox_send(struct outbox *box, struct outgoing *item);

#endif
