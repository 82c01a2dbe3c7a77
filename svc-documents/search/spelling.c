#include "svc-documents/search/spelling.h"

#include <string.h>

#include "svc-documents/search/index.h"

enum { SWAPPED_LEAST = 4, CHANGED_LEAST = 5 /* bytes of a word that may have letters swapped; changed */ };

/* One letter more in `longer`. */
static bool one_more(const char *longer, const char *shorter, size_t size)
{
	size_t i = 0;

	while (i < size && longer[i] == shorter[i])
		i++;
	return memcmp(longer + i + 1, shorter + i, size - i) == 0;
}

bool spelling_near(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0, longer = a_size > b_size ? a_size : b_size;

	if (longer < SWAPPED_LEAST || longer > a_size + 1 || longer > b_size + 1)
		return false;
	if (a_size != b_size)
		return longer >= CHANGED_LEAST &&
		       (a_size > b_size ? one_more(a, b, b_size) : one_more(b, a, a_size));
	while (i < a_size && a[i] == b[i])
		i++;
	if (i == a_size)
		return false; /* the same */
	if (i + 1 < a_size && a[i] == b[i + 1] && a[i + 1] == b[i] &&
	    memcmp(a + i + 2, b + i + 2, a_size - i - 2) == 0)
		return true;
	return a_size >= CHANGED_LEAST && memcmp(a + i + 1, b + i + 1, a_size - i - 1) == 0;
}

bool spelling_doubtful(const struct query_term *t)
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

size_t spelling_look(struct query *q, const bool *doubtful, const char *vocabulary, enum language language,
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
