/*
 * terms: the words of a text, as the lexical index and the built-in vectors know them.
 *
 * A word is a run of letters and digits, folded: lower case, no diacritics (NFKD without marks), one way of writing
 * apostrophes and grouped numbers ("1,500" is 1500), then stemmed (Snowball's English stemmer; other languages lose
 * little by it and match by their whole words). Scripts written without spaces (Han, Kana, Thai, ...) give
 * overlapping pairs of characters. Common function words are marked, and count for little in ranking.
 *
 *	struct terms t;
 *	terms_init(&t, text, size, stemmer);
 *	for (struct term w; terms_next(&t, &w);) ...
 *
 * The text must be valid UTF-8. A stemmer serves one thread at a time.
 */
#ifndef PARLEY_DOCUMENTS_TERMS_H
#define PARLEY_DOCUMENTS_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sb_stemmer;

struct sb_stemmer *stemmer_new(void);
void stemmer_free(struct sb_stemmer *s);

enum { TERM_MAX = 64 }; /* bytes of a term; longer words are cut */

struct term {
	char text[TERM_MAX + 8]; /* folded and stemmed, NUL-terminated */
	char word[TERM_MAX + 8]; /* folded only */
	size_t size;             /* of text */
	uint64_t hash;           /* of text: what the index keeps */
	size_t start, end;       /* bytes of the source */
	bool common;             /* a function word: "the", "what" */
};

struct terms {
	const char *text;
	size_t size, at;
	struct sb_stemmer *stemmer;
	uint32_t pair; /* the character before, in a run without spaces; 0: none */
	size_t pair_at;
	bool pair_used;
};

void terms_init(struct terms *t, const char *text, size_t size, struct sb_stemmer *stemmer);
int terms_next(struct terms *t, struct term *ret); /* 1, or 0 at the end */

#endif
