/*
 * passage: from the ranked chunks to the sources that are shown: each is its chunk, grown by whole sentences of what
 * stands beside it (of its own paragraph first) up to PASSAGE_MAX characters. What a better source already holds is
 * not shown twice: a chunk inside it is left out, one that begins or ends in it begins after or ends before it.
 */
#ifndef PARLEY_DOCUMENTS_PASSAGE_H
#define PARLEY_DOCUMENTS_PASSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "svc-documents/search/rank.h"

enum { PASSAGE_MAX = 1200, PASSAGE_REACH = 2 /* chunks before and after that are looked at */ };

/* A chunk as it is stored: its text runs on to the start of the next. */
struct stored_chunk {
	size_t document;
	uint32_t number;
	const char *id;
	const char *heading; /* the path above it, or NULL */
	int page;
	int64_t first, last; /* characters of the document's text */
	const char *text;
	size_t size;
};

struct passage {
	const struct stored_chunk *chunk;
	const struct candidate *candidate;
	int64_t first, last;
	const char *text;    /* NUL-terminated, in the arena */
	const char *heading; /* in force where it begins, or NULL */
	double score;
};

/* ranked: best first. stored: sorted by document and number; has the candidates and their neighbours as far as they
 * exist. Returns how many passages, at most `limit`. */
size_t passages_make(const struct candidate *ranked, size_t count, const struct stored_chunk *stored,
                     size_t stored_count, size_t limit, struct passage **ret, struct arena *a);

#endif
