/*
 * spelling: is it the same word but for one letter? A letter too many, one missing, another one, or two neighbours
 * changed places: that is how people mistype. Short words have too many neighbours to guess.
 */
#ifndef PARLEY_SPELLING_H
#define PARLEY_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

/* Both folded (terms.h). The same word is not near itself. */
bool spelling_near(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
