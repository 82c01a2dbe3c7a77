#include "svc-documents/search/small.h"

#include <endian.h>
#include <string.h>

enum { HEAD = 4, TERM = 8, END = 2 };

static void put(uint8_t *out, uint64_t n, int size)
{
	for (int i = 0; i < size; i++)
		out[i] = (uint8_t)(n >> 8 * i);
}

static int64_t term_at(const uint8_t *terms, size_t i)
{
	uint64_t n;

	memcpy(&n, terms + i * TERM, TERM);
	return (int64_t)le64toh(n);
}

static uint64_t get(const uint8_t *at, int size)
{
	uint64_t n = 0;

	for (int i = 0; i < size; i++)
		n |= (uint64_t)at[i] << 8 * i;
	return n;
}

bool small_pack(const struct index *x, ProtobufCBinaryData *ret, struct arena *a)
{
	size_t size = HEAD, at = 0, lists;
	uint8_t *out;

	for (size_t i = 0; i < x->count && size <= SMALL_MAX; i++)
		size += TERM + END + x->lists[i].size;
	if (size > SMALL_MAX)
		return false;
	out = arena_alloc(a, size);
	lists = HEAD + x->count * (TERM + END);
	put(out, x->count, HEAD);
	for (size_t i = 0; i < x->count; i++) {
		memcpy(out + lists + at, x->lists[i].packed, x->lists[i].size);
		at += x->lists[i].size;
		put(out + HEAD + i * TERM, x->lists[i].term, TERM);
		put(out + HEAD + x->count * TERM + i * END, at, END);
	}
	*ret = (ProtobufCBinaryData){ size, out };
	return true;
}

size_t small_count(const uint8_t *block, size_t size)
{
	size_t n = size < HEAD ? 0 : (size_t)get(block, HEAD);

	return n && n <= (size - HEAD) / (TERM + END) ? n : 0;
}

struct index_list small_list(const uint8_t *block, size_t size, size_t i)
{
	size_t count = small_count(block, size), lists = HEAD + count * (TERM + END);
	const uint8_t *ends = block + HEAD + count * TERM;
	size_t from = i ? (size_t)get(ends + (i - 1) * END, END) : 0, to = (size_t)get(ends + i * END, END);
	bool sound = from <= to && to <= size - lists;

	return (struct index_list){ get(block + HEAD + i * TERM, TERM), block + lists + (sound ? from : 0),
		                    sound ? to - from : 0 };
}

/* Of the first term that is not less; count: all are. Terms are hashes, so the place of one is nearly known: from there it is
 * bracketed in steps that double, which look at few other lines of memory. */
static size_t lower_bound(const uint8_t *terms, size_t count, int64_t term)
{
	uint64_t share = ((uint64_t)term ^ (uint64_t)INT64_MIN) >> 32;
	size_t low = (size_t)(share * count >> 32), high = low, step = 1;

	while (low > 0 && term_at(terms, low) >= term) {
		high = low;
		low = low > step ? low - step : 0;
		step *= 2;
	}
	for (step = 1; high < count && term_at(terms, high) < term; step *= 2) {
		low = high + 1;
		high = high + step < count ? high + step : count;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (term_at(terms, middle) < term)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool small_find(const uint8_t *block, size_t size, uint64_t term, struct index_list *ret)
{
	size_t count = small_count(block, size),
	       at = count ? lower_bound(block + HEAD, count, (int64_t)term) : 0;

	if (at == count || term_at(block + HEAD, at) != (int64_t)term)
		return false;
	*ret = small_list(block, size, at);
	return true;
}
