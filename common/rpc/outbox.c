#include "common/rpc/outbox.h"

#include <stdlib.h>

nng_msg *outbox_message(size_t size)
{
	nng_msg *msg;

	if (nng_msg_alloc(&msg, size))
		abort();
	return msg;
}

void outbox_init(struct outbox *box)
{
	*box = (struct outbox){ .sending = false };
	box->end = &box->first;
	pthread_mutex_init(&box->lock, NULL);
}

void outbox_done(struct outbox *box)
{
	pthread_mutex_destroy(&box->lock);
}

void outbox_send(struct outbox *box, struct outgoing *item)
{
	item->next = NULL;
	pthread_mutex_lock(&box->lock);
	*box->end = item;
	box->end = &item->next;
	if (box->sending) {
		pthread_mutex_unlock(&box->lock);
		return;
	}
	box->sending = true;
	while ((item = box->first) != NULL) {
		box->first = item->next;
		if (!box->first)
			box->end = &box->first;
		pthread_mutex_unlock(&box->lock);
		item->send(item);
		pthread_mutex_lock(&box->lock);
	}
	box->sending = false;
	pthread_mutex_unlock(&box->lock);
}
