#include "svc-documents/ingest/parts.h"

#include "common/base/thread.h"

static void *make(void *arg)
{
	struct part *part = arg;

	part->p->index_part(part->p, part->number, &part->index, &part->arena);
	return NULL;
}

void part_start(struct part *part, const struct prepared *p, int number)
{
	*part = (struct part){ .p = p, .number = number };
	arena_init(&part->arena, 0);
	part->apart = thread_try(&part->thread, make, part) == 0;
}

void part_wait(struct part *part)
{
	if (part->apart)
		pthread_join(part->thread, NULL);
	else
		make(part);
}

void part_drop(struct part *part)
{
	arena_done(&part->arena);
}
