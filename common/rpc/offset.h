/*
 * offset: how far another host's monotonic clock is ahead of ours. Deadlines travel in the receiver's clock, so that
 * hosts whose wall clocks differ understand each other, and what lay in a socket for minutes is still too late.
 *
 * Measured by questions whose answer carries their clock. Of the last OFFSETS the one with the shortest way is believed.
 * It errs by less than that way took, and only to one side: a deadline is never over too early over there.
 */
#ifndef PARLEY_OFFSET_H
#define PARLEY_OFFSET_H

#include <stdint.h>

enum { OFFSETS = 8 };

/* Empty: all zero. */
struct offset {
	struct {
		int64_t took, ahead;
	} last[OFFSETS];
	unsigned count; /* ever */
};

/* Asked and answered by our clock, theirs by theirs: monotonic microseconds. */
void offset_measured(struct offset *o, int64_t asked, int64_t theirs, int64_t answered);
/* Microseconds that theirs is ahead; 0 as long as nothing was measured. */
int64_t offset_ahead(const struct offset *o);

#endif
