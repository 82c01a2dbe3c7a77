/*
 * chunk: a text cut into the passages that are found and cited.
 *
 * Cut by structure: headings, then paragraphs, then sentences. A chunk is about CHUNK_SIZE characters, never more than
 * that unless one sentence is; short paragraphs of one section share a chunk; a long paragraph becomes several that
 * overlap by its last sentences, so that a fact told over the border is whole in one of them. A sentence longer than
 * CHUNK_MAX is cut at a blank, or anywhere when it has none. Chunks are in order and cover all of the text but white
 * space. Headings are Markdown's (# and underlined) and short lines standing alone in plain text; a chunk begins
 * with the heading it stands under when that is next to it, and knows the path of headings above it.
 */
#ifndef PARLEY_DOCUMENTS_CHUNK_H
#define PARLEY_DOCUMENTS_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "svc-documents/ingest/normalise.h"

enum {
	CHUNK_SIZE = 800,    /* characters aimed at */
	CHUNK_MAX = 1200,    /* never more: a source's limit */
	CHUNK_LEAST = 300,   /* shorter paragraphs share a chunk with the next */
	CHUNK_OVERLAP = 150, /* at most so many shared with the chunk before */
};

struct chunk {
	size_t start, end;   /* bytes of the text */
	int64_t first, last; /* the same in characters; last is one behind */
	int page;            /* where it starts, from 1; 0 without pages */
	const char *heading; /* "Part II / Warranty", or NULL */
};

/* Returns how many; *ret in the arena. */
size_t chunk_text(const struct clean *text, struct chunk **ret, struct arena *a);

#endif
