/*
 * terms: the words of a text, as the index, the ranking and the built-in answers know them.
 *
 * A word is a run of letters and digits, folded: lower case, no diacritics (NFKD without marks), one way of writing
 * apostrophes and grouped numbers ("1,500" is 1500), then stemmed as the text's language does it. The parts of a name
 * (max_retries, maxRetries, e-mail, CV-3342) are words, and they are followed by the name as one word, marked `joined`. Scripts
 * written without spaces (Han, Kana, Thai, ...) give overlapping pairs of characters.
 *
 *	struct terms t;
 *	terms_init(&t, text, size, stemmers, language);
 *	for (struct term w; terms_next(&t, &w);) ...
 *
 * The text must be valid UTF-8. Whoever changes what comes out raises TERMS_VERSION: documents indexed before are then
 * indexed anew.
 */
#ifndef PARLEY_TERMS_H
#define PARLEY_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text/language.h"

enum { TERMS_VERSION = 2, TERM_MAX = 64 /* bytes kept of a term; longer words differ by their hash */ };

struct term {
	char text[TERM_MAX + 8]; /* folded and stemmed, NUL-terminated */
	char word[TERM_MAX + 8]; /* folded only */
	size_t size, word_size;  /* of text and word */
	uint64_t hash;           /* of the stem: what the index keeps */
	size_t start, end;       /* bytes of the source */
	bool joined;             /* the words before it, read as one */
};

struct terms {
	const char *text;
	size_t size, at;
	struct stemmers *stemmers; /* NULL: words as they are */
	enum language language;
	uint32_t pair; /* the character before, in a run without spaces; 0: none */
	size_t pair_at;
	bool pair_used;
	struct compound {
		char text[TERM_MAX];
		size_t size, start, end, parts;
		bool letters, spoilt, due;
	} compound; /* the name being read */
};

void terms_init(struct terms *t, const char *text, size_t size, struct stemmers *stemmers,
                enum language language);
int terms_next(struct terms *t, struct term *ret); /* 1, or 0 at the end */

#endif
