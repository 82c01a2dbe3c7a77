/* words: a chunk's words as ranking looks at them, read and stemmed once and then kept in memory (cache.h). */
#ifndef PARLEY_DOCUMENTS_WORDS_H
#define PARLEY_DOCUMENTS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/text/terms.h"

enum { WORD_JOINED = 1, WORD_NUMBER = 2, WORD_NAME = 4 /* a capital, not at a sentence's start */ };

struct word {
	uint64_t hash;     /* of the stem */
	uint32_t text;     /* where the stem begins in `pool`, size bytes */
	uint16_t sentence; /* of the chunk, from 0 */
	uint8_t size, flags;
};
struct words {
	struct word *at; /* malloc'ed, with the pool behind it: free() that */
	size_t count;
	const char *pool;
	size_t bytes; /* of all of it */
};

void words_read(const char *text, size_t size, struct stemmers *stemmers, enum language language,
                struct words *ret);

#endif
