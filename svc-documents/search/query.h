/*
 * query: a question as the lexical search sees it: its distinct terms, their order, and what each is worth.
 *
 * A word is looked up as each document's own language stems it. Function words (`common`) are not looked up, unless the
 * question has nothing else. In a long message the sentence that asks counts, the talk around it little.
 */
#ifndef PARLEY_DOCUMENTS_QUERY_H
#define PARLEY_DOCUMENTS_QUERY_H

#include "common/base/arena.h"
#include "common/text/synonyms.h"
#include "common/text/terms.h"

enum { QUERY_CROWD = 64, QUERY_SPELLED = 8, QUERY_NEAR = QUERY_SPELLED + SYNONYMS_MAX };
enum { QUERY_TERMS = 96 }; /* distinct ones; what a longer question has beyond them is not looked at */

struct query_term {
	struct term term; /* as the question's language has it */
	uint64_t hashes[LANGUAGES];
	uint64_t near
	    [QUERY_NEAR]; /* of words that may be meant, when the documents have none spelled so (respell.h) */
	size_t near_count, spelled; /* the first `spelled` are one letter off, the others mean the same */
	bool common;
	double worth; /* of its place: 1 where the question is asked, less in the talk around it */
	double idf;   /* in the documents searched: filled by bm25() */
	double
	    telling; /* the same among QUERY_CROWD chunks at least: in a handful, a word that all have still tells
	                 * something */
};

struct query {
	struct query_term *terms;
	size_t count;
	size_t *order; /* the terms as they stand in the question, names read as one left out */
	size_t length;
	enum language language;
	unsigned
	    wants; /* WORD_NUMBER ("when", "how many"), WORD_NAME ("who", "where"): what the answer has */
};

/* spoken: bit i is set when documents of language i are searched; the question is taken to be in the most spoken one
 * (`mostly`) unless its function words tell otherwise. */
void query_parse(const char *text, struct stemmers *stemmers, unsigned spoken, enum language mostly,
                 struct query *ret, struct arena *a);
/* Every spelling that is looked up, each once; with `near`, those of words that may be meant. ret has room for
 * QUERY_HASHES. */
enum { QUERY_HASHES = QUERY_TERMS * ((int)LANGUAGES > QUERY_NEAR ? (int)LANGUAGES : QUERY_NEAR) };
size_t query_hashes(const struct query *q, bool near, uint64_t *ret);
/* The place of a document's term in the query, or -1; *worth is 1, less for a word that is only nearly the same. */
int query_find(const struct query *q, uint64_t hash, enum language language, double *worth);

#endif
