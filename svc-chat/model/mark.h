/*
 * mark: one bracket by which a model may cite passages, in any of the spellings that models have for it.
 *
 * "[1]", "[2, 5]", "[1-3]", "[^1]", "[[1]]", "[passage 1]", "[Source 1 and 2]", "[1, p. 4]", "[2 §4.1]", "【1】", "【1†source】", "［1］",
 * "[see source 1: The pump]", "【1:0†source】", with digits of any script. Whether such a bracket is meant as a citation
 * where it stands, citations.h judges.
 */
#ifndef PARLEY_CHAT_MARK_H
#define PARLEY_CHAT_MARK_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MARK_NUMBERS = 64, /* in one mark, ranges spread out */
	MARK_BYTES = 160,  /* a longer bracket is none */
};

struct mark {
	size_t size;  /* bytes, brackets and all */
	bool plain;   /* ASCII and bare numbers: what an index, a list or an interval looks like, too */
	bool several; /* more than one number */
	int count;
	int numbers[MARK_NUMBERS]; /* 0 to 999 */
};

enum mark_found { MARK_NONE, MARK_FOUND, MARK_MORE /* the bytes end before it can be told */ };

/* The mark that begins at `at`. final: no bytes will follow these, so that the answer is never MARK_MORE. */
enum mark_found mark_read(const char *at, const char *end, bool final, struct mark *ret);

/* The length of the opening bracket at `at`, of any kind; 0 when there is none. MARK_MORE is not told: see end. */
size_t mark_opens(const char *at, const char *end);

#endif
