#include "svc-documents/search/respell.h"

#include <string.h>

#include "common/text/spelling.h"
#include "svc-documents/search/index.h"

bool respell_doubtful(const struct query_term *t)
{
	if (t->common || t->term.joined || t->term.word_size < INDEX_WORD_LEAST ||
	    t->term.word_size > INDEX_WORD_MOST)
		return false;
	for (size_t i = 0; i < t->term.word_size; i++)
		if (t->term.word[i] >= '0' && t->term.word[i] <= '9')
			return false;
	return true;
}

static size_t take(struct query_term *t, const char *word, size_t size, enum language language,
                   struct stemmers *stemmers)
{
	struct terms terms;
	struct term as;

	if (t->near_count == QUERY_NEAR)
		return 0;
	terms_init(&terms, word, size, stemmers, language);
	if (!terms_next(&terms, &as))
		return 0;
	for (size_t i = 0; i < t->near_count; i++)
		if (t->near[i] == as.hash)
			return 0;
	t->near[t->near_count++] = as.hash;
	return 1;
}

size_t respell_look(struct query *q, const bool *doubtful, const char *vocabulary, enum language language,
                    struct stemmers *stemmers)
{
	size_t found = 0;

	for (const char *word = vocabulary, *end; *word; word = *end ? end + 1 : end) {
		size_t size;

		end = strchrnul(word, ' ');
		size = (size_t)(end - word);
		for (size_t i = 0; i < q->count; i++) {
			const struct term *t = &q->terms[i].term;

			if (doubtful[i] && spelling_near(t->word, t->word_size, word, size))
				found += take(&q->terms[i], word, size, language, stemmers);
		}
	}
	return found;
}
