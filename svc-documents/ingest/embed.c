#include "svc-documents/ingest/embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/search/terms.h"

/* --- Builtin ---------------------------------------------------------------------------------------------------- */

struct feature {
	uint32_t hash;
	float weight;
};
struct features {
	struct feature *at;
	size_t count, room;
};

enum { GRAM = 4 };
static const float word_weight = 1, gram_weight = 0.35f, common_weight = 0.15f;

/* FNV-1a, its bits mixed once more: the lowest choose the place, the highest the sign. */
static uint32_t hash32(char kind, const char *text, size_t size)
{
	uint32_t h = (0x811c9dc5u ^ (unsigned char)kind) * 0x01000193u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * 0x01000193u;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	return h ^ h >> 13;
}

static void add(struct features *f, uint32_t hash, float weight)
{
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 1024;
		f->at = realloc(f->at, f->room * sizeof *f->at);
		if (!f->at)
			abort();
	}
	f->at[f->count++] = (struct feature){ hash, weight };
}

static void add_term(struct features *f, const struct term *t)
{
	char padded[TERM_MAX + 12];
	int size;

	add(f, hash32('w', t->text, t->size), t->common ? common_weight : word_weight);
	if (t->common)
		return;
	size = snprintf(padded, sizeof padded, "<%s>", t->word);
	for (int i = 0; i + GRAM <= size; i++)
		add(f, hash32('g', padded + i, GRAM), gram_weight);
}

static int by_hash(const void *a, const void *b)
{
	uint32_t x = ((const struct feature *)a)->hash, y = ((const struct feature *)b)->hash;

	return (x > y) - (x < y);
}

static void to_unit_length(float *v, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	if (sum > 0)
		for (int i = 0; i < n; i++)
			v[i] = (float)(v[i] / sqrt(sum));
}

static void embed_features(struct features *f, float *vector)
{
	if (f->count)
		qsort(f->at, f->count, sizeof *f->at, by_hash);
	for (size_t i = 0, n; i < f->count; i += n) {
		const struct feature *one = &f->at[i];
		float value;

		for (n = 1; i + n < f->count && one[n].hash == one->hash;)
			n++;
		value = one->weight * (1 + logf((float)n));
		vector[one->hash % EMBED_BUILTIN_DIMENSION] += one->hash >> 31 ? value : -value;
	}
	to_unit_length(vector, EMBED_BUILTIN_DIMENSION);
}

static void embed_with(const char *text, size_t size, struct sb_stemmer *stemmer, struct features *f,
                       float *vector)
{
	struct terms terms;

	f->count = 0;
	memset(vector, 0, EMBED_BUILTIN_DIMENSION * sizeof *vector);
	terms_init(&terms, text, size, stemmer);
	for (struct term t; terms_next(&terms, &t);)
		add_term(f, &t);
	embed_features(f, vector);
}

void embed_builtin(const char *text, size_t size, float vector[EMBED_BUILTIN_DIMENSION])
{
	struct sb_stemmer *stemmer = stemmer_new();
	struct features f = { 0 };

	embed_with(text, size, stemmer, &f, vector);
	free(f.at);
	stemmer_free(stemmer);
}

/* --- For both --------------------------------------------------------------------------------------------------- */

int embed(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n, float **ret,
          int *dimension, struct arena *a, struct error *err)
{
	struct sb_stemmer *stemmer;
	struct features f = { 0 };

	if (e->egress)
		return embed_openai(e, texts, sizes, n, ret, dimension, a, err);
	*dimension = EMBED_BUILTIN_DIMENSION;
	*ret = arena_new(a, float, n *EMBED_BUILTIN_DIMENSION);
	stemmer = stemmer_new();
	for (size_t i = 0; i < n; i++)
		embed_with(texts[i], sizes[i], stemmer, &f, *ret + i * EMBED_BUILTIN_DIMENSION);
	free(f.at);
	stemmer_free(stemmer);
	return 0;
}

char *embed_print(const float *vector, int dimension, struct arena *a)
{
	size_t room = (size_t)dimension * 16 + 3, at = 0;
	char *text = arena_alloc(a, room);

	text[at++] = '[';
	for (int i = 0; i < dimension; i++)
		at += vector[i] == 0 ? (size_t)snprintf(text + at, room - at, "0,")
		                     : (size_t)snprintf(text + at, room - at, "%.4g,", (double)vector[i]);
	text[at - 1] = ']';
	return text;
}
