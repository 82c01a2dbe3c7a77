#include "svc-documents/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

enum {
	CANDIDATES = 32, /* taken from each of the two ways of looking */
	SPARE = 4,       /* candidates prepared beyond those asked for: some lie inside better ones */
};
static const double least_covered = 0.1; /* of a question's worth; a passage with less is there by accident */

struct state {
	const struct scope *scope;
	struct query query;
	struct corpus corpus;
	struct sb_stemmer *stemmer;
	struct candidate *found;
	size_t count;
};

static int open_corpus(struct call *call, struct state *s, const struct scope *scope, const char ***models)
{
	struct corpus_document *documents;
	size_t n;

	if (store_corpus(call->db, scope, &documents, models, &n, call->arena, call->err) < 0)
		return -1;
	if (scope->ids && n < scope->count)
		return error_set(call->err, ERROR_NOT_FOUND, "one of these documents does not exist");
	corpus_init(&s->corpus, documents, n);
	return 0;
}

static struct candidate *candidate(struct state *s, const struct hit *h)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].document == h->document && s->found[i].number == h->number)
			return &s->found[i];
	s->found[s->count] = (struct candidate){ .document = h->document, .number = h->number };
	return &s->found[s->count++];
}

static int look_up_words(struct call *call, struct state *s)
{
	struct list *lists;
	struct hit *hits;
	size_t n;

	if (store_lists(call->db, s->scope, &s->query, &s->corpus, &lists, &n, call->arena, call->err) < 0)
		return -1;
	n = bm25(&s->query, &s->corpus, lists, n, CANDIDATES, &hits, call->arena);
	for (size_t i = 0; i < n; i++)
		candidate(s, &hits[i])->bm25 = hits[i].score;
	return 0;
}

/* The documents whose vectors our model made; all of the scope's in nearly every case. */
static void comparable(const struct state *s, const char **models, const char *model, struct scope *ret,
                       struct arena *a)
{
	char **ids = arena_new(a, char *, s->corpus.count);
	size_t n = 0;

	for (size_t i = 0; i < s->corpus.count; i++)
		if (models[i] && strcmp(models[i], model) == 0)
			ids[n++] = (char *)s->corpus.documents[i].id;
	*ret = *s->scope;
	if (n < s->corpus.count) {
		ret->ids = ids;
		ret->count = n;
	}
}

/* Without vectors a search is still a search: a model that does not answer is told to the log alone. */
static int question_vector(struct call *call, const char *question, const char **ret)
{
	const struct svc *svc = call->state;
	size_t size = strlen(question);
	struct error err = { 0 };
	float *vector;
	int dimension;

	if (embed(&svc->embedder, &question, &size, 1, &vector, &dimension, call->arena, &err) < 0) {
		log_line(LOG_WARN, "searching without vectors", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("error", err.message), LOG_TEXT("detail", err.detail));
		return 0;
	}
	*ret = embed_print(vector, dimension, call->arena);
	return 1;
}

/* In a scope too large for looking at every vector: only those of the chunks that have the words. */
static int look_at_found(struct call *call, struct state *s, const char *vector, struct hit **hits, size_t *n)
{
	const struct svc *svc = call->state;
	struct chunk_key *keys = arena_new(call->arena, struct chunk_key, s->count);

	for (size_t i = 0; i < s->count; i++)
		keys[i] = (struct chunk_key){ s->found[i].document, s->found[i].number };
	return store_cosines(call->db, s->scope->owner, vector, svc->embedder.model, &s->corpus, keys,
	                     s->count, hits, n, call->arena, call->err);
}

static int look_up_vectors(struct call *call, struct state *s, const char **models, const char *question)
{
	const struct svc *svc = call->state;
	const char *vector;
	struct scope scope;
	struct hit *hits;
	size_t n;
	int rc;

	comparable(s, models, svc->embedder.model, &scope, call->arena);
	if (scope.ids && scope.count == 0)
		return 0;
	if (!question_vector(call, question, &vector))
		return 0;
	rc = s->corpus.chunks > svc->embedder.exact_max
	         ? look_at_found(call, s, vector, &hits, &n)
	         : store_nearest(call->db, &scope, vector, CANDIDATES, &s->corpus, &hits, &n, call->arena,
	                         call->err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (hits[i].score > 0)
			candidate(s, &hits[i])->cosine = hits[i].score;
	return rc;
}

static int by_key(const void *x, const void *y)
{
	const struct chunk_key *a = x, *b = y;

	if (a->document != b->document)
		return a->document > b->document ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

/* The chunks of the first n candidates and `reach` neighbours on both sides, each once, in order. */
static int load(struct call *call, const struct state *s, size_t n, int reach, struct stored_chunk **ret,
                size_t *count)
{
	struct chunk_key *keys = arena_new(call->arena, struct chunk_key, n * (2 * (size_t)reach + 1));
	size_t total = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		for (int64_t k = (int64_t)s->found[i].number - reach;
		     k <= (int64_t)s->found[i].number + reach; k++)
			if (k >= 0 && k < s->corpus.documents[s->found[i].document].chunks)
				keys[total++] = (struct chunk_key){ s->found[i].document, (uint32_t)k };
	qsort(keys, total, sizeof *keys, by_key);
	for (size_t i = 0; i < total; i++)
		if (kept == 0 || by_key(&keys[kept - 1], &keys[i]) != 0)
			keys[kept++] = keys[i];
	return store_chunks(call->db, s->scope->owner, &s->corpus, keys, kept, ret, count, call->arena,
	                    call->err);
}

/* Give the candidates their texts; one whose chunk has gone meanwhile is dropped. */
static int read_candidates(struct call *call, struct state *s)
{
	struct stored_chunk *chunks;
	size_t n, kept = 0;

	if (load(call, s, s->count, 0, &chunks, &n) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < n; k++)
			if (chunks[k].document == s->found[i].document &&
			    chunks[k].number == s->found[i].number) {
				s->found[kept] = s->found[i];
				s->found[kept].text = chunks[k].text;
				s->found[kept++].size = chunks[k].size;
				break;
			}
	s->count = kept;
	return 0;
}

/* Drop what has nothing to do with the question, whatever its place in the order. */
static void drop_accidents(struct state *s, double least_cosine)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].covered >= least_covered || s->found[i].cosine >= least_cosine)
			s->found[kept++] = s->found[i];
	s->count = kept;
}

static Documents__Source *source(const struct state *s, const struct passage *p, struct arena *a)
{
	const struct corpus_document *d = &s->corpus.documents[p->chunk->document];
	Documents__Source *out = arena_new(a, Documents__Source, 1);

	documents__source__init(out);
	out->document_id = (char *)d->id;
	out->document_name = (char *)d->name;
	out->chunk_id = (char *)p->chunk->id;
	out->has_page = p->chunk->page > 0;
	out->page = p->chunk->page;
	out->has_start = out->has_end = out->has_score = 1;
	out->start = p->first;
	out->end = p->last;
	out->text = (char *)p->text;
	out->score = p->score;
	return out;
}

static int answer(struct call *call, const struct state *s, size_t limit, Documents__SearchReply *out)
{
	size_t wanted = limit * 2 + SPARE, n, chunk_count;
	struct stored_chunk *chunks;
	struct passage *passages;

	if (wanted > s->count)
		wanted = s->count;
	if (load(call, s, wanted, PASSAGE_REACH, &chunks, &chunk_count) < 0)
		return -1;
	n = passages_make(s->found, wanted, chunks, chunk_count, limit, &passages, call->arena);
	out->results = arena_new(call->arena, Documents__Source *, n);
	for (size_t i = 0; i < n; i++)
		out->results[out->n_results++] = source(s, &passages[i], call->arena);
	return 0;
}

static int find(struct call *call, struct state *s, const char *question, size_t limit,
                Documents__SearchReply *out)
{
	const struct svc *svc = call->state;
	const char **models;

	if (open_corpus(call, s, s->scope, &models) < 0)
		return -1;
	if (s->corpus.chunks == 0)
		return 0;
	s->found = arena_new(call->arena, struct candidate, 2 * CANDIDATES);
	if (look_up_words(call, s) < 0 || look_up_vectors(call, s, models, question) < 0)
		return -1;
	if (s->count == 0)
		return 0;
	if (read_candidates(call, s) < 0)
		return -1;
	rank_lexical(&s->query, &s->corpus, s->found, s->count, s->stemmer);
	drop_accidents(s, svc->embedder.least_cosine);
	rank_fuse(s->found, s->count, svc->embedder.weight);
	return s->count ? answer(call, s, limit, out) : 0;
}

int search(struct call *call, const struct scope *scope, const char *question, size_t limit,
           Documents__SearchReply *out)
{
	struct state s = { .scope = scope, .stemmer = stemmer_new() };
	int rc;

	query_parse(question, s.stemmer, &s.query, call->arena);
	rc = find(call, &s, question, limit, out);
	stemmer_free(s.stemmer);
	return rc;
}
