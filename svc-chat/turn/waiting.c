#include "svc-chat/turn/keeper.h"

static struct writer *oldest(const struct keeper *k)
{
	struct writer *oldest = NULL;

	for (struct writer *writer = k->first; writer; writer = writer->next)
		if (writer->queued && !writer->rests && writer->round_of_looks != k->rounds_of_looks &&
		    (!oldest || writer->since <= oldest->since))
			oldest = writer;
	return oldest;
}

size_t keeper_waiting(struct keeper *k, struct writer **ret, size_t most)
{
	size_t n = 0;

	while (n < most && (ret[n] = oldest(k)) != NULL)
		ret[n++]->round_of_looks = k->rounds_of_looks;
	if (n < most) /* that were all */
		k->rounds_of_looks++;
	return n;
}
