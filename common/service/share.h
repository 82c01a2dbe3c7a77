/*
 * share: what one owner has of a lane (lane.h says what is fair). The lane's lock is held in all of these.
 */
#ifndef PARLEY_SHARE_H
#define PARLEY_SHARE_H

#include "common/service/lane.h"

struct share {
	uint64_t owner;
	int busy, queued;
	struct lane_job *first, **end;
	struct share *next_waiting, *next;
};

struct share **share_place(struct lane *lane, uint64_t owner); /* the link to it, or to NULL */
struct share *share_of(struct lane *lane, uint64_t owner);     /* made where there is none */
void share_forget(struct lane *lane, struct share *s); /* when it holds nothing and waits for nothing */
void shares_free(struct lane *lane);

/* May it have one more of the places now? */
bool share_allowed(const struct lane *lane, const struct share *s);
/* Whose turn it is: the link to it, or to NULL. */
struct share **share_pick(struct lane *lane);
/* Is there room in the queue for one more of this owner's? */
bool share_may_wait(struct lane *lane, const struct share *s);

void share_count(struct lane *lane, int more); /* of jobs queued, those of no share included */
void share_enqueue(struct lane *lane, struct share *s, struct lane_job *job);
/* The first job of the share that this link leads to; its owner goes to the end of those who wait. */
struct lane_job *share_dequeue(struct lane *lane, struct share **at);
/* Out of the queue of its owner; false: it is not there. */
bool share_take_back(struct lane *lane, struct share *s, const struct lane_job *job);

#endif
