/*
 * offline: scores retrieval without the stack: the same modules as svc-documents, lists and vectors in memory.
 *
 * usage: offline QA.json [own]
 * A hit: one of the first k sources is of the right document and contains a gold answer. With "own" each question is
 * asked of its own article alone. tests/eval/retrieval.py does the same through the API, beside plain BM25.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-documents/ingest/embed.h"
#include "svc-documents/search/index.h"
#include "svc-documents/search/passage.h"
#include "svc-documents/search/rank.h"

enum { ARTICLES = 64, SOURCES = 5, CANDIDATES = 32 };

struct article {
	struct clean clean;
	struct chunk *chunks;
	size_t count;
	struct index index;
	float *vectors;
};
struct world {
	struct article articles[ARTICLES];
	struct corpus_document documents[ARTICLES];
	size_t count;
	struct sb_stemmer *stemmer;
	double vector_weight;
};

static const char *text_of(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static void load(struct world *w, json_object *article, struct arena *a)
{
	struct article *to = &w->articles[w->count];
	json_object *paragraphs = json_object_object_get(article, "paragraphs");
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < json_object_array_length(paragraphs); i++)
		text_addf(&t, "%s%s", i ? "\n\n" : "",
		          json_object_get_string(json_object_array_get_idx(paragraphs, i)));
	normalise(t.at, t.length, false, &to->clean, a);
	to->count = chunk_text(&to->clean, &to->chunks, a);
	index_build(to->clean.text, to->chunks, to->count, w->stemmer, &to->index, a);
	to->vectors = arena_new(a, float, to->count *EMBED_BUILTIN_DIMENSION);
	for (size_t i = 0; i < to->count; i++)
		embed_builtin(to->clean.text + to->chunks[i].start, to->chunks[i].end - to->chunks[i].start,
		              to->vectors + i * EMBED_BUILTIN_DIMENSION);
	w->documents[w->count++] = (struct corpus_document){ .id = text_of(article, "title"),
		                                             .name = text_of(article, "title"),
		                                             .chunks = (uint32_t)to->count,
		                                             .terms = to->index.terms };
}

static int by_term(const void *key, const void *list)
{
	int64_t x = (int64_t) * (const uint64_t *)key, y = (int64_t)((const struct index_list *)list)->term;

	return (x > y) - (x < y);
}

static struct candidate *candidate(struct candidate *list, size_t *n, const struct article *articles,
                                   size_t document, uint32_t number)
{
	const struct article *from = &articles[document];

	for (size_t i = 0; i < *n; i++)
		if (list[i].document == document && list[i].number == number)
			return &list[i];
	list[*n] = (struct candidate){ .document = document,
		                       .number = number,
		                       .text = from->clean.text + from->chunks[number].start,
		                       .size = from->chunks[number].end - from->chunks[number].start };
	return &list[(*n)++];
}

static int by_score(const void *x, const void *y)
{
	double a = ((const struct hit *)x)->score, b = ((const struct hit *)y)->score;

	return (a < b) - (a > b);
}

static size_t nearest(const struct article *articles, size_t count, const float *q, struct hit *ret,
                      struct arena *a)
{
	size_t n = 0, total = 0;
	struct hit *all;

	for (size_t d = 0; d < count; d++)
		total += articles[d].count;
	all = arena_new(a, struct hit, total);
	for (size_t d = 0; d < count; d++)
		for (size_t k = 0; k < articles[d].count; k++) {
			const float *v = articles[d].vectors + k * EMBED_BUILTIN_DIMENSION;
			double dot = 0;

			for (int i = 0; i < EMBED_BUILTIN_DIMENSION; i++)
				dot += (double)v[i] * q[i];
			all[n++] = (struct hit){ d, (uint32_t)k, dot };
		}
	qsort(all, n, sizeof *all, by_score);
	n = n < CANDIDATES ? n : CANDIDATES;
	memcpy(ret, all, n * sizeof *all);
	return n;
}

/* The stored form of every chunk of the articles searched. */
static size_t stored(const struct article *articles, size_t count, struct stored_chunk **ret, struct arena *a)
{
	size_t n = 0, total = 0;

	for (size_t d = 0; d < count; d++)
		total += articles[d].count;
	*ret = arena_new(a, struct stored_chunk, total);
	for (size_t d = 0; d < count; d++)
		for (size_t k = 0; k < articles[d].count; k++) {
			const struct article *from = &articles[d];
			const struct chunk *c = &from->chunks[k];
			size_t stop = k + 1 < from->count ? from->chunks[k + 1].start : c->end;

			(*ret)[n++] = (struct stored_chunk){ d,
				                             (uint32_t)k,
				                             "",
				                             c->page,
				                             c->first,
				                             c->last,
				                             from->clean.text + c->start,
				                             (stop > c->end ? stop : c->end) - c->start };
		}
	return n;
}

static size_t search(struct world *w, size_t from, size_t count, const char *question, struct passage **ret,
                     struct arena *a)
{
	struct query q;
	struct corpus c;
	struct list *lists = arena_new(a, struct list, QUERY_TERMS * ARTICLES);
	struct candidate *found = arena_new(a, struct candidate, 2 * CANDIDATES);
	struct hit *hits, near[CANDIDATES];
	struct stored_chunk *chunks;
	struct corpus_document *documents = arena_memdup(a, w->documents + from, count * sizeof *documents);
	float vector[EMBED_BUILTIN_DIMENSION];
	size_t n = 0, list_count = 0, hit_count;

	query_parse(question, w->stemmer, &q, a);
	corpus_init(&c, documents, count);
	for (size_t d = 0; d < count; d++)
		for (size_t i = 0; i < q.count; i++) {
			const struct index *x = &w->articles[from + d].index;
			const struct index_list *l =
			    bsearch(&q.terms[i].term.hash, x->lists, x->count, sizeof *l, by_term);

			if (l && !q.terms[i].term.common)
				lists[list_count++] = (struct list){ i, d, l->packed, l->size };
		}
	hit_count = bm25(&q, &c, lists, list_count, CANDIDATES, &hits, a);
	for (size_t i = 0; i < hit_count; i++)
		candidate(found, &n, w->articles + from, hits[i].document, hits[i].number)->bm25 =
		    hits[i].score;
	embed_builtin(question, strlen(question), vector);
	hit_count = nearest(w->articles + from, count, vector, near, a);
	for (size_t i = 0; i < hit_count; i++)
		candidate(found, &n, w->articles + from, near[i].document, near[i].number)->cosine =
		    near[i].score;
	rank_lexical(&q, &c, found, n, w->stemmer);
	rank_fuse(found, n, w->vector_weight);
	hit_count = stored(w->articles + from, count, &chunks, a);
	return passages_make(found, n, chunks, hit_count, SOURCES, ret, a);
}

/* White space as one blank: how answers are compared. */
static char *plain(const char *s, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (; *s; s++)
		if (!strchr(" \n\t", *s))
			text_addc(&t, *s);
		else if (t.length && t.at[t.length - 1] != ' ')
			text_addc(&t, ' ');
	return t.at ? t.at : "";
}

static int holds(const struct passage *p, json_object *answers, struct arena *a)
{
	const char *text = plain(p->text, a);

	for (size_t i = 0; i < json_object_array_length(answers); i++)
		if (strcasestr(text, plain(json_object_get_string(json_object_array_get_idx(answers, i)), a)))
			return 1;
	return 0;
}

struct tally {
	size_t questions, at[SOURCES + 1];
};

static void print(const char *name, const struct tally *t)
{
	double n = (double)t->questions, within = 0, mean = 0, at[SOURCES + 1];

	for (int k = 1; k <= SOURCES; k++) {
		within += (double)t->at[k];
		at[k] = within / n;
		mean += (double)t->at[k] / k / n;
	}
	printf("%-24s questions %4zu hit@1 %.3f hit@3 %.3f hit@5 %.3f MRR %.3f\n", name, t->questions, at[1],
	       at[3], at[5], mean);
}

int main(int argc, char **argv)
{
	json_object *qa = argc > 1 ? json_object_from_file(argv[1]) : NULL;
	json_object *list = json_object_object_get(qa, "articles");
	int own = argc > 2 && strcmp(argv[2], "own") == 0;
	static struct world w;
	struct tally all = { 0 };
	struct arena keep, a;
	clock_t start;

	if (!qa)
		return fprintf(stderr, "usage: offline QA.json [own]\n"), 2;
	arena_init(&keep, 0);
	arena_init(&a, 0);
	w.stemmer = stemmer_new();
	w.vector_weight = 0.1;
	for (size_t i = 0; i < json_object_array_length(list) && i < ARTICLES; i++)
		load(&w, json_object_array_get_idx(list, i), &keep);
	start = clock();
	for (size_t i = 0; i < w.count; i++) {
		json_object *questions =
		    json_object_object_get(json_object_array_get_idx(list, i), "questions");
		struct tally one = { 0 };

		for (size_t k = 0; k < json_object_array_length(questions); k++) {
			json_object *q = json_object_array_get_idx(questions, k);
			struct passage *sources;
			size_t n =
			    search(&w, own ? i : 0, own ? 1 : w.count, text_of(q, "question"), &sources, &a);
			int rank = 0;

			for (size_t s = 0; s < n && !rank; s++)
				if (sources[s].chunk->document == (own ? 0 : i) &&
				    utf8_length(sources[s].text, strlen(sources[s].text)) <= 1200 &&
				    holds(&sources[s], json_object_object_get(q, "answers"), &a))
					rank = (int)s + 1;
			one.questions++;
			one.at[rank]++;
			all.questions++;
			all.at[rank]++;
			arena_reset(&a);
		}
		print(w.documents[i].name, &one);
	}
	print("all", &all);
	printf("%.2f ms a question\n",
	       1e3 * (double)(clock() - start) / CLOCKS_PER_SEC / (double)all.questions);
	arena_done(&a);
	arena_done(&keep);
	stemmer_free(w.stemmer);
	json_object_put(qa);
	return 0;
}
