#include "svc-documents/search/respell.h"

#include <string.h>

#include "common/text/spelling.h"
#include "svc-documents/search/index.h"

bool respell_lone(const struct query_term *t)
{
	return !t->common && !t->term.joined;
}

bool respell_doubtful(const struct query_term *t)
{
	if (!respell_lone(t) || t->term.word_size < INDEX_WORD_LEAST || t->term.word_size > INDEX_WORD_MOST)
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

	if (t->near_count == QUERY_SPELLED)
		return 0;
	terms_init(&terms, word, size, stemmers, language);
	if (!terms_next(&terms, &as))
		return 0;
	for (size_t i = 0; i < t->near_count; i++)
		if (t->near[i] == as.hash)
			return 0;
	t->near[t->near_count++] = as.hash;
	t->spelled = t->near_count;
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

/* Of a name: the phone of iPhone, which no telephone answers. */
static bool is_part(const struct query *q, const struct term *t)
{
	for (size_t i = 0; i < q->count; i++) {
		const struct term *name = &q->terms[i].term;

		if (name->joined && name->start <= t->start && t->end <= name->end)
			return true;
	}
	return false;
}

size_t respell_mean(struct query *q, const bool *unknown, unsigned spoken, struct stemmers *stemmers)
{
	size_t found = 0, n;

	for (size_t i = 0; i < q->count; i++) {
		struct query_term *t = &q->terms[i];

		if (!unknown[i] || is_part(q, &t->term))
			continue;
		/* QUERY_SPELLED are there at most. */
		n = synonyms_find(t->term.word, t->term.word_size, q->language, spoken, stemmers,
		                  t->near + t->near_count);
		t->near_count += n;
		found += n;
	}
	return found;
}

void respell_keep(struct query *q, bool (*has)(const void *arg, uint64_t hash), const void *arg)
{
	for (size_t i = 0; i < q->count; i++) {
		struct query_term *t = &q->terms[i];
		size_t kept = 0, spelled = 0;

		for (size_t k = 0; k < t->near_count; k++) {
			if (!has(arg, t->near[k]))
				continue;
			spelled += k < t->spelled;
			t->near[kept++] = t->near[k];
		}
		t->near_count = kept;
		t->spelled = spelled;
	}
}
