/*
 * synonyms: words of which one may stand for the other when people ask: "terminate" for "cancel", "Kaution" for
 * "deposit". Small, and of what is asked of those who sell, let, repair and employ: prices, hours, contracts, faults.
 *
 * It is a guess, so it is made for words that the texts do not have themselves. A group has words of several languages:
 * so a question finds something in a text of another one.
 */
#ifndef PARLEY_SYNONYMS_H
#define PARLEY_SYNONYMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/text/language.h"

enum { SYNONYMS_MAX = 48 };

/* What a word (folded, of this language, in any of its forms) may be replaced by: the hashes (terms.h) that the words have
 * in texts of the languages in `spoken` (bit i: language i). How many. */
size_t synonyms_find(const char *word, size_t size, enum language language, unsigned spoken,
                     struct stemmers *stemmers, uint64_t ret[SYNONYMS_MAX]);

#endif
