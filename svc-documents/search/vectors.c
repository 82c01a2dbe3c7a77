#include "svc-documents/search/vectors.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "documents.methods.h"
#include "svc-documents/store_hnsw.h"

enum { PATIENCE_MS = 1500 /* with the model; a search without vectors is still a search */ };

/* The documents whose vectors this model made; all of the scope's in nearly every case. */
static void comparable(const struct search *s, const char *model, struct scope *ret, struct arena *a)
{
	char **ids = arena_new(a, char *, s->corpus.count);
	size_t n = 0;

	for (size_t i = 0; i < s->corpus.count; i++)
		if (s->models[i] && strcmp(s->models[i], model) == 0)
			ids[n++] = (char *)s->corpus.documents[i].id;
	*ret = *s->scope;
	if (n < s->corpus.count) {
		ret->ids = ids;
		ret->count = n;
	}
}

static bool any_vectors(const struct search *s)
{
	for (size_t i = 0; i < s->corpus.count; i++)
		if (s->models[i])
			return true;
	return false;
}

bool question_vector(struct call *call, const char *question, struct question_vector *v)
{
	const struct documents *svc = documents_state(call);
	size_t size = strlen(question);
	struct error err = { 0 };
	float *vector;
	int dimension;

	if (v->asked)
		return v->text;
	v->asked = true;
	if (embed(&svc->embedder, &question, &size, 1, (struct embed_wait){ PATIENCE_MS, call->cancelled },
	          &vector, &dimension, call->arena, &err) < 0) {
		log_line(LOG_WARN, "searching without vectors", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("error", err.message), LOG_TEXT("detail", err.detail));
		return false;
	}
	v->text = embed_print(vector, dimension, call->arena);
	v->model = embed_model(&svc->embedder, dimension, call->arena);
	v->dimension = dimension;
	return true;
}

/* How near those are that words alone have found. */
static int measure_found(struct call *call, struct search *s, const char *vector, const char *model)
{
	struct chunk_key *keys = arena_new(call->arena, struct chunk_key, s->count);
	struct hit *hits;
	size_t count = 0, n;

	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].cosine == 0)
			keys[count++] = (struct chunk_key){ s->found[i].document, s->found[i].number };
	if (count == 0)
		return 0;
	if (store_cosines(call->db, s->scope->owner, vector, model, &s->corpus, keys, count, &hits, &n,
	                  call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		search_candidate(s, &hits[i])->cosine = hits[i].score;
	return 0;
}

/* By an index, where there are so many that they have one; else all are looked at, unless they are too many for that. */
static int find_nearest(struct call *call, const struct search *s, const struct scope *scope,
                        const struct question_vector *v, struct hit **ret, size_t *count)
{
	const struct documents *svc = documents_state(call);

	*count = 0;
	if (s->corpus.chunks >= HNSW_LEAST &&
	    store_nearest_indexed(call->db, scope, v->text, v->dimension, SEARCH_CANDIDATES, &s->corpus, ret,
	                          count, call->arena, call->err) < 0)
		return -1;
	return *count || s->corpus.chunks > svc->embedder.exact_max
	           ? 0
	           : store_nearest(call->db, scope, v->text, SEARCH_CANDIDATES, &s->corpus, ret, count,
	                           call->arena, call->err);
}

int search_vectors(struct call *call, struct search *s, const char *question, struct question_vector *v)
{
	const struct documents *svc = documents_state(call);
	struct scope scope;
	struct hit *hits;
	size_t n = 0;

	if (!svc->embedder.egress || !any_vectors(s) || !question_vector(call, question, v))
		return 0;
	comparable(s, v->model, &scope, call->arena);
	if (scope.ids && scope.count == 0)
		return 0;
	s->has_vectors = true;
	if (find_nearest(call, s, &scope, v, &hits, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (hits[i].score > 0)
			search_candidate(s, &hits[i])->cosine = hits[i].score;
	return measure_found(call, s, v->text, v->model);
}
