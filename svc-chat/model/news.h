/*
 * news: what of a piece is new, where some servers tell the whole text so far with each piece, or once more at its end.
 *
 * Pieces that go on are told from those that repeat by what they begin with: all that was said. So that nobody's stutter is
 * taken away ("ha", "haha", 1, 11; a line that is asked for ten times), short beginnings count only where no text could go on
 * so, and what is nothing but the first piece again does not. Needs no memory of the text.
 */
#ifndef PARLEY_CHAT_NEWS_H
#define PARLEY_CHAT_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct news {
	size_t said;   /* bytes */
	uint64_t hash; /* of them */
	int pieces;    /* that were new */
	bool repeats;  /* some were seen to */
};

/* The piece begins with all that was said, which is something. */
bool news_begins(const struct news *n, const char *piece, size_t size);
/* The end of the piece that is new; its size is *size less. snapshot: the piece is known to tell all. */
const char *news_of(struct news *n, const char *piece, size_t *size, bool snapshot);

#endif
