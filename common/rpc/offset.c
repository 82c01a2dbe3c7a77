#include "common/rpc/offset.h"

void offset_measured(struct offset *o, int64_t asked, int64_t theirs, int64_t answered)
{
	unsigned at = o->count++ % OFFSETS;

	o->last[at].took = answered - asked;
	o->last[at].ahead = theirs - asked; /* as if the question had taken no time: never too little */
}

int64_t offset_ahead(const struct offset *o)
{
	unsigned best = 0, known = o->count < OFFSETS ? o->count : OFFSETS;

	for (unsigned i = 1; i < known; i++) {
		if (o->last[i].took < o->last[best].took)
			best = i;
	}
	return o->last[best].ahead;
}
