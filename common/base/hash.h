/* hash: FNV-1a of 32 bits: method ids, and places in tables whose keys are ours. */
#ifndef PARLEY_HASH_H
#define PARLEY_HASH_H

#include <stdint.h>

static inline uint32_t fnv1a(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

#endif
