/*
 * The receiver's table against a slow twin: each pair of bytes opens, takes or forgets; the same is done with a plain
 * list of everything that was ever taken.
 */
#include <stdlib.h>
#include <string.h>

#include "common/rpc/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENDERS = 6, PLACES = 4, COUNTERS = 4096 };

struct twin {
	uint64_t id, newest;
	uint64_t taken[COUNTERS];
	size_t count;
};

static bool was_taken(const struct twin *t, uint64_t counter)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->taken[i] == counter)
			return true;
	}
	return false;
}

static void take(struct sessions *table, struct twin *t, uint64_t counter)
{
	enum session_take got = sessions_take(table, t->id, counter);
	bool old = !counter || (t->newest >= SESSION_WINDOW && counter <= t->newest - SESSION_WINDOW);
	struct session s;

	if (got == SESSION_UNKNOWN) {
		if (t->id && sessions_find(table, t->id, &s))
			abort();
		return;
	}
	if ((got == SESSION_TAKEN) != (!old && !was_taken(t, counter)))
		abort();
	if (got == SESSION_TAKEN && t->count < COUNTERS)
		t->taken[t->count++] = counter;
	if (got == SESSION_TAKEN && counter > t->newest)
		t->newest = counter;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char key[KEY_SIZE];
	struct sessions *table = sessions_new(key, PLACES);
	struct twin *twins = calloc(SENDERS, sizeof *twins);

	if (size > 2 * COUNTERS)
		size = 2 * COUNTERS;
	for (size_t i = 0; i + 1 < size; i += 2) {
		struct twin *t = &twins[data[i] % SENDERS];
		unsigned char sender[SESSION_SENDER] = { (unsigned char)(data[i] % SENDERS) };
		uint64_t id;

		switch (data[i] >> 5) {
		case 0:
			id = sessions_open(table, sender);
			if (id != t->id)
				*t = (struct twin){ .id = id };
			break;
		case 1: take(table, t, t->newest + 1 + (uint64_t)data[i + 1] * 1021); break; /* ahead */
		case 2: take(table, t, t->newest - (uint64_t)data[i + 1] * 257); break;      /* behind */
		case 3:
			if (data[i + 1] == 0)
				sessions_forget(table);
			break;
		default: take(table, t, t->newest + data[i + 1] - 128); break;
		}
	}
	free(twins);
	sessions_free(table);
	return 0;
}
