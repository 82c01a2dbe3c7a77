#include "svc-documents/search/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each observation counts for beside BM25's own score. */
static const double weight_sentence = 1.2, weight_pairs = 0.4, weight_akin = 1.0, weight_document = 1.2,
                    weight_title = 0.8;
static const double weight_kind = 1.25; /* of a sentence with what the question asks for: a number, a name */
static const double sentence_length = 0.02; /* what a word more costs a sentence */
static const double usual_length = 20;      /* words */
enum { KIN_LEAST = 4 /* letters in common */ };

/* Most words of a text are none of the question's: a bit for each of its hashes, and of the beginnings of its words, says so
 * without going through its terms, which are large. */
enum { SIEVE_BITS = 1024, SIEVE_WORD = 64 };
struct sieve {
	uint64_t hashes[SIEVE_BITS / SIEVE_WORD], starts[SIEVE_BITS / SIEVE_WORD];
};

static void put(uint64_t *bits, uint64_t hash)
{
	bits[hash % SIEVE_BITS / SIEVE_WORD] |= (uint64_t)1 << hash % SIEVE_WORD;
}

static bool may_have(const uint64_t *bits, uint64_t hash)
{
	return bits[hash % SIEVE_BITS / SIEVE_WORD] >> hash % SIEVE_WORD & 1;
}

/* Of a word's first KIN_LEAST letters. */
static uint64_t start_of(const char *word)
{
	uint32_t letters;

	_Static_assert(sizeof letters == KIN_LEAST, "they are one number");
	memcpy(&letters, word, sizeof letters);
	return letters * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static struct sieve sieve_of(const struct query *q)
{
	struct sieve s = { 0 };

	for (size_t i = 0; i < q->count; i++) {
		const struct query_term *t = &q->terms[i];

		for (int l = 0; l < LANGUAGES; l++)
			put(s.hashes, t->hashes[l]);
		for (size_t k = 0; k < t->near_count; k++)
			put(s.hashes, t->near[k]);
		if (t->term.size >= KIN_LEAST)
			put(s.starts, start_of(t->term.text));
	}
	return s;
}

/* What the words of a text say about a question. */
struct findings {
	double found[QUERY_TERMS]; /* by term of the query: 1, less for a word spelled otherwise */
	double here[QUERY_TERMS];  /* in the sentence being read */
	bool
	    paired[QUERY_TERMS * 4]; /* by place in the question: this word and the next stood side by side */
	double akin[QUERY_TERMS];    /* for a term: how far a word of the text agrees with it, 0 to 1 */
	uint8_t kinds;               /* of words in the sentence being read that are not the question's */
	double best_sentence;
};

/* The share of its longer that two words have in common at their start. */
static double kinship(const struct term *a, const char *b, size_t size)
{
	size_t longer = a->size > size ? a->size : size, n = 0;

	while (n < a->size && n < size && a->text[n] == b[n])
		n++;
	return n >= KIN_LEAST ? (double)n / (double)longer : 0;
}

static void note_kin(const struct query *q, const struct sieve *s, struct findings *f, const char *word,
                     size_t size)
{
	if (size < KIN_LEAST || !may_have(s->starts, start_of(word)))
		return;
	for (size_t i = 0; i < q->count; i++) {
		const struct term *asked = &q->terms[i].term;

		if (asked->size >= KIN_LEAST && memcmp(asked->text, word, KIN_LEAST) == 0)
			f->akin[i] = fmax(f->akin[i], kinship(asked, word, size));
	}
}

static void note_pair(const struct query *q, struct findings *f, int before, int now)
{
	for (size_t i = 0; i + 1 < q->length; i++)
		if ((int)q->order[i] == before && (int)q->order[i + 1] == now)
			f->paired[i] = true;
}

static void end_sentence(const struct query *q, struct findings *f, size_t words)
{
	double sum = 0;

	for (size_t i = 0; i < q->count; i++)
		sum += f->here[i] * q->terms[i].idf;
	if (q->wants & f->kinds)
		sum *= weight_kind;
	memset(f->here, 0, q->count * sizeof *f->here);
	f->kinds = 0;
	f->best_sentence = fmax(f->best_sentence, sum / (1 + sentence_length * (double)words));
}

static void read_words(const struct query *q, const struct sieve *s, struct findings *f,
                       const struct words *w, enum language language)
{
	size_t length = 0;
	int before = -1;

	for (size_t k = 0; k < w->count; k++) {
		const struct word *word = &w->at[k];
		double worth;
		int i = may_have(s->hashes, word->hash) ? query_find(q, word->hash, language, &worth) : -1;

		if (k > 0 && word->sentence != word[-1].sentence) {
			end_sentence(q, f, length);
			length = 0;
		}
		if (i >= 0) {
			f->found[i] = fmax(f->found[i], worth);
			f->here[i] = fmax(f->here[i], worth);
			if (before >= 0)
				note_pair(q, f, before, i);
		} else {
			f->kinds |= word->flags;
			note_kin(q, s, f, w->pool + word->text, word->size);
		}
		if (word->flags & WORD_JOINED)
			continue;
		length++;
		before = i;
	}
	end_sentence(q, f, length);
}

static double pair_worth(const struct query *q, size_t i)
{
	double a = q->terms[q->order[i]].idf, b = q->terms[q->order[i + 1]].idf;

	return fmin(a, b) + 0.3 * fmax(a, b);
}

static double pairs(const struct query *q, const struct findings *f)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < q->length; i++)
		if (f->paired[i])
			sum += pair_worth(q, i);
	return sum;
}

static double title(const struct query *q, const struct corpus_document *d, struct stemmers *stemmers)
{
	bool seen[QUERY_TERMS] = { 0 };
	struct terms terms;
	double sum = 0, worth;

	terms_init(&terms, d->name, strlen(d->name), stemmers, d->language);
	for (struct term t; terms_next(&terms, &t);) {
		int i = query_find(q, t.hash, d->language, &worth);

		if (i < 0 || seen[i])
			continue;
		seen[i] = true;
		sum += worth * q->terms[i].idf;
	}
	return sum;
}

/* What a passage would have that says all of it in one sentence. */
static double ideal(const struct query *q)
{
	double words = 0, side_by_side = 0;

	for (size_t i = 0; i < q->count; i++)
		words += q->terms[i].term.joined ? 0 : q->terms[i].idf;
	for (size_t i = 0; i + 1 < q->length; i++)
		side_by_side += pair_worth(q, i);
	return words + weight_sentence * words / (1 + sentence_length * usual_length) +
	       weight_pairs * side_by_side;
}

/* A name read as one word is only another way to find its parts. */
static double share_covered(const struct query *q, const struct findings *f)
{
	double have = 0, all = 0;

	for (size_t i = 0; i < q->count; i++) {
		const struct query_term *t = &q->terms[i];

		if (t->common || (t->term.joined && f->found[i] == 0))
			continue;
		all += t->telling;
		have += t->telling * f->found[i];
	}
	return all > 0 ? have / all : 0;
}

static void look(const struct query *q, const struct sieve *s, const struct corpus *c, struct candidate *k,
                 struct stemmers *stemmers)
{
	const struct corpus_document *d = &c->documents[k->document];
	struct findings f = { 0 };
	double kin = 0;

	read_words(q, s, &f, k->words, d->language);
	for (size_t i = 0; i < q->count; i++)
		kin += (1 - f.found[i]) * q->terms[i].idf * f.akin[i];
	k->covered = share_covered(q, &f);
	k->lexical = k->bm25 + weight_sentence * f.best_sentence + weight_pairs * pairs(q, &f) +
	             weight_akin * kin + weight_document * d->affinity + weight_title * title(q, d, stemmers);
}

void rank_lexical(const struct query *q, const struct corpus *c, struct candidate *list, size_t count,
                  struct stemmers *stemmers)
{
	double all = ideal(q);
	struct sieve s = sieve_of(q);

	for (size_t i = 0; i < count; i++) {
		look(q, &s, c, &list[i], stemmers);
		list[i].lexical = all > 0 ? list[i].lexical / all : 0;
	}
}

/* --- Fusing ----------------------------------------------------------------------------------------------------- */

static int by_score(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	if (a->document != b->document)
		return a->document > b->document ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

void rank_fuse(struct candidate *list, size_t count, double vector_weight)
{
	for (size_t i = 0; i < count; i++)
		list[i].score =
		    (1 - vector_weight) * list[i].lexical + vector_weight * fmax(0, list[i].cosine);
	qsort(list, count, sizeof *list, by_score);
	for (size_t i = 0; i < count; i++)
		list[i].score = fmin(1, list[i].score);
}
