#include "svc-documents/search/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/ingest/chunk.h"

/* What each observation counts for beside BM25's own score. */
static const double weight_sentence = 1.2, weight_pairs = 0.4, weight_akin = 1.0, weight_document = 1.2,
                    weight_title = 0.8;
static const double reciprocal_k = 60;

/* What the words of a text say about a question. */
struct findings {
	bool *found;  /* by term of the query */
	bool *here;   /* in the sentence being read */
	bool *paired; /* by place in the question: this word and the next stood side by side */
	double *akin; /* for a term: how far a word of the text agrees with it, 0 to 1 */
	double best_sentence;
};

/* The share of its longer that two words have in common at their start; nothing below four letters. */
static double kinship(const struct term *a, const struct term *b)
{
	size_t longer = a->size > b->size ? a->size : b->size, n = 0;

	while (n < a->size && n < b->size && a->text[n] == b->text[n])
		n++;
	return n >= 4 ? (double)n / (double)longer : 0;
}

static void note_kin(const struct query *q, struct findings *f, const struct term *t)
{
	for (size_t i = 0; i < q->count; i++) {
		const struct term *asked = &q->terms[i].term;

		if (asked->size >= 4 && memcmp(asked->text, t->text, 4) == 0)
			f->akin[i] = fmax(f->akin[i], kinship(asked, t));
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
		if (f->here[i])
			sum += q->terms[i].idf;
	memset(f->here, 0, q->count * sizeof *f->here);
	f->best_sentence = fmax(f->best_sentence, sum / (1 + 0.02 * (double)words));
}

static void read_text(const struct query *q, struct findings *f, const char *text, size_t size,
                      struct sb_stemmer *stemmer)
{
	struct terms terms;
	const char *stop = sentence_end(text, text + size);
	size_t words = 0;
	int before = -1;

	terms_init(&terms, text, size, stemmer);
	for (struct term t; terms_next(&terms, &t); words++) {
		int i = query_find(q, t.hash);

		while (text + t.start >= stop && stop < text + size) {
			end_sentence(q, f, words);
			words = 0;
			stop = sentence_end(stop, text + size);
		}
		if (i >= 0) {
			f->found[i] = f->here[i] = true;
			if (before >= 0)
				note_pair(q, f, before, i);
		}
		note_kin(q, f, &t);
		before = i;
	}
	end_sentence(q, f, words);
}

static double pairs(const struct query *q, const struct findings *f)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < q->length; i++) {
		double a = q->terms[q->order[i]].idf, b = q->terms[q->order[i + 1]].idf;

		if (f->paired[i])
			sum += fmin(a, b) + 0.3 * fmax(a, b);
	}
	return sum;
}

static double title(const struct query *q, const char *name, struct sb_stemmer *stemmer)
{
	bool seen[QUERY_TERMS] = { 0 };
	struct terms terms;
	double sum = 0;

	terms_init(&terms, name, strlen(name), stemmer);
	for (struct term t; terms_next(&terms, &t);) {
		int i = query_find(q, t.hash);

		if (i < 0 || seen[i])
			continue;
		seen[i] = true;
		sum += q->terms[i].idf;
	}
	return sum;
}

static void look(const struct query *q, const struct corpus *c, struct candidate *k,
                 struct sb_stemmer *stemmer)
{
	bool found[QUERY_TERMS] = { 0 }, here[QUERY_TERMS] = { 0 }, paired[QUERY_TERMS * 4] = { 0 };
	double akin[QUERY_TERMS] = { 0 }, kin = 0, have = 0, all = 0;
	struct findings f = { found, here, paired, akin, 0 };
	const struct corpus_document *d = &c->documents[k->document];

	read_text(q, &f, k->text, k->size, stemmer);
	for (size_t i = 0; i < q->count; i++) {
		if (!found[i])
			kin += q->terms[i].idf * akin[i];
		if (q->terms[i].term.common)
			continue;
		all += q->terms[i].telling;
		have += found[i] ? q->terms[i].telling : 0;
	}
	k->covered = all > 0 ? have / all : 0;
	k->lexical = k->bm25 + weight_sentence * f.best_sentence + weight_pairs * pairs(q, &f) +
	             weight_akin * kin + weight_document * d->affinity +
	             weight_title * title(q, d->name, stemmer);
}

void rank_lexical(const struct query *q, const struct corpus *c, struct candidate *list, size_t count,
                  struct sb_stemmer *stemmer)
{
	for (size_t i = 0; i < count; i++)
		look(q, c, &list[i], stemmer);
}

/* --- Fusing ----------------------------------------------------------------------------------------------------- */

static int by_place(const struct candidate *a, const struct candidate *b)
{
	if (a->document != b->document)
		return a->document > b->document ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

static int by_lexical(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	return a->lexical != b->lexical ? (a->lexical < b->lexical ? 1 : -1) : by_place(a, b);
}

static int by_cosine(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	return a->cosine != b->cosine ? (a->cosine < b->cosine ? 1 : -1) : by_place(a, b);
}

static int by_score(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	return a->score != b->score ? (a->score < b->score ? 1 : -1) : by_place(a, b);
}

void rank_fuse(struct candidate *list, size_t count, double vector_weight)
{
	qsort(list, count, sizeof *list, by_cosine);
	for (size_t i = 0; i < count; i++)
		list[i].score = list[i].cosine > 0 ? vector_weight / (reciprocal_k + 1 + (double)i) : 0;
	qsort(list, count, sizeof *list, by_lexical);
	for (size_t i = 0; i < count; i++) {
		list[i].score += 1 / (reciprocal_k + 1 + (double)i);
		list[i].score *= (reciprocal_k + 1) / (1 + vector_weight);
	}
	qsort(list, count, sizeof *list, by_score);
}
