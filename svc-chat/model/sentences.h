/*
 * sentences: text taken apart into sentences and words, for quoting and comparing.
 *
 * A sentence ends at . ! ? (or their East Asian forms) before a blank, at an empty line, or before the item of a list;
 * not after an initial ("J. Smith") or a common abbreviation. A word is a run of letters and digits, folded to lower
 * case (Latin, Greek, Cyrillic) without its plural or verb ending where it is plain English; an East Asian character
 * is a word of its own. Text is valid UTF-8.
 */
#ifndef PARLEY_CHAT_SENTENCES_H
#define PARLEY_CHAT_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

enum { WORD_MAX = 48 }; /* bytes, with the NUL; the rest of a longer word is dropped */

/* 1 with the next sentence, without blanks around it; 0 at the end. *at moves on. */
int sentence_next(const char **at, const char **sentence, size_t *size);

/* 1 with the next word, folded; 0 at the end. *at moves on, to end at most. */
int word_next(const char **at, const char *end, char word[WORD_MAX]);

#endif
