#include "svc-documents/search/known.h"

#include <string.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/text/alike.h"
#include "documents.methods.h"

enum {
	NEW_AT_ONCE = 64, /* vectors made while somebody waits; the next question finds more of them */
	PATIENCE_MS = 1500,
};

/* What is compared: the questions that may ask the same, and their places in the list. */
struct comparison {
	struct call *call;
	char *const *questions;
	size_t *places, count;
	char **hashes;
};

/* By words: the best, and who may be it by meaning. */
static int by_words(struct comparison *c, const char *asked, size_t count, double *score)
{
	struct arena *a = c->call->arena;
	struct stemmers_shelf *shelf = documents_state(c->call)->stemmers;
	struct stemmers *stemmers = stemmers_take(shelf);
	struct alike *as =
	    arena_new(a, struct alike, LANGUAGES); /* the question, as each language reads it */
	bool read[LANGUAGES] = { false };
	enum language own = alike_language(asked, LANGUAGE_EN);
	int best = -1;

	*score = 0;
	for (size_t i = 0; i < count; i++) {
		enum language l = alike_language(c->questions[i], own);
		struct alike known;
		double alike;

		if (!read[l])
			alike_read(asked, l, stemmers, &as[l]);
		read[l] = true;
		alike_read(c->questions[i], l, stemmers, &known);
		if (alike_possible(&as[l], &known))
			c->places[c->count++] = i;
		alike = alike_score(&as[l], &known);
		if (alike >= ALIKE_SAME && alike > *score) {
			*score = alike;
			best = (int)i;
		}
	}
	stemmers_put_back(shelf, stemmers);
	return best;
}

static int measure(struct comparison *c, const struct question_vector *v, double *cosines, size_t *missing,
                   size_t *missing_count)
{
	struct call *call = c->call;

	return store_known_cosines(call->db, call->owner_id, v->model, v->text, c->hashes, c->count, cosines,
	                           missing, missing_count, call->arena, call->err);
}

static int add_missing(struct comparison *c, const size_t *missing, size_t count)
{
	const struct documents *svc = documents_state(c->call);
	struct call *call = c->call;
	size_t n = count < NEW_AT_ONCE ? count : NEW_AT_ONCE;
	const char **texts = arena_new(call->arena, const char *, n);
	size_t *sizes = arena_new(call->arena, size_t, n);
	char **hashes = arena_new(call->arena, char *, n), **vectors = arena_new(call->arena, char *, n);
	float *made;
	int dimension;

	for (size_t i = 0; i < n; i++) {
		texts[i] = c->questions[c->places[missing[i]]];
		sizes[i] = strlen(texts[i]);
		hashes[i] = c->hashes[missing[i]];
	}
	if (embed(&svc->embedder, texts, sizes, n, (struct embed_wait){ PATIENCE_MS, call->cancelled }, &made,
	          &dimension, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		vectors[i] = embed_print(made + i * (size_t)dimension, dimension, call->arena);
	return store_add_known(call->db, call->owner_id, embed_model(&svc->embedder, dimension, call->arena),
	                       hashes, vectors, n, call->arena, call->err);
}

static int by_meaning(struct comparison *c, const struct question_vector *v, double *score)
{
	const struct documents *svc = documents_state(c->call);
	double *cosines = arena_new(c->call->arena, double, c->count);
	size_t *missing = arena_new(c->call->arena, size_t, c->count), n;
	int best = -1;

	c->hashes = arena_new(c->call->arena, char *, c->count);
	for (size_t i = 0; i < c->count; i++) {
		const char *text = c->questions[c->places[i]];

		c->hashes[i] = arena_alloc(c->call->arena, 65);
		sha256_hex(c->hashes[i], text, strlen(text));
	}
	if (measure(c, v, cosines, missing, &n) < 0)
		return -1;
	if (n && (add_missing(c, missing, n) < 0 || measure(c, v, cosines, missing, &n) < 0))
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (cosines[i] >= svc->embedder.same && cosines[i] > *score) {
			*score = cosines[i];
			best = (int)c->places[i];
		}
	return best;
}

int known_question(struct call *call, const char *asked, char *const *questions, size_t count,
                   struct question_vector *vector, double *score)
{
	const struct documents *svc = documents_state(call);
	struct comparison c = { .call = call, .questions = questions };
	int best;

	if (count == 0)
		return -1;
	c.places = arena_new(call->arena, size_t, count);
	best = by_words(&c, asked, count, score);
	if (best >= 0 || c.count == 0 || !svc->embedder.egress || !question_vector(call, asked, vector))
		return best;
	best = by_meaning(&c, vector, score);
	if (call->err->code != ERROR_NONE)
		log_line(LOG_WARN, "known questions are compared by their words alone",
		         LOG_TEXT("request", call->request_id), LOG_TEXT("error", call->err->message),
		         LOG_TEXT("detail", call->err->detail));
	error_clear(call->err);
	return best;
}
