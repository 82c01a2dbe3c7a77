/*
 * journal: the events of a stream in the order of their sequences, in as little memory as they take: name and data, each
 * with its NUL, one after the other in blocks. The sequences of a block follow one upon the other, so none is kept with its event.
 *
 * It has no lock: its stream's is held.
 */
#ifndef PARLEY_STREAM_JOURNAL_H
#define PARLEY_STREAM_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc.pb-c.h"

struct journal {
	struct journal_block **blocks; /* the oldest first */
	size_t count, room;
	size_t events, bytes; /* how many; of memory */
	int64_t last;         /* sequence; 0: there was no event yet */
};

/* A place between two events. */
struct journal_place {
	size_t block;
	uint32_t event;
	const char *at;
};

void journal_add(struct journal *j, int64_t sequence, const char *name, const char *data);
/* Before the first event behind that sequence. */
struct journal_place journal_after(const struct journal *j, int64_t sequence);
/* The event there, and the place behind it; false: there is none. Its strings are the journal's. */
bool journal_next(const struct journal *j, struct journal_place *place, Rpc__Event *ret);
/* The next n events from there, which there are; free() it. */
Rpc__Event **journal_view(const struct journal *j, struct journal_place place, size_t n);
/* Of those up to that sequence the memory may be freed. */
void journal_drop(struct journal *j, int64_t sequence);
void journal_done(struct journal *j);

#endif
