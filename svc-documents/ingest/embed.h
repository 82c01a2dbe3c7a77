/*
 * embed: texts as vectors whose angle says how much they mean the same, made by any server with OpenAI's
 * POST /embeddings. Without one (EMBEDDING_PROVIDER=builtin) words alone are searched: vectors of hashed words and
 * letters, which know spelling but no meaning, were measured to find nothing that the words' own ranking and its look
 * at spellings do not find.
 *
 * Vectors of different models must never be compared: a document's `model` names who made its vectors, with the server
 * and the dimension.
 */
#ifndef PARLEY_DOCUMENTS_EMBED_H
#define PARLEY_DOCUMENTS_EMBED_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/egress/egress.h"

enum { EMBED_DIMENSION_MAX = 4000 /* pgvector's halfvec in one page */ };

struct embedder {
	double weight;       /* the cosine's share of a score */
	double same;         /* the cosine from which two questions ask the same */
	double least_cosine; /* what is further away has nothing to do with the question */
	size_t
	    exact_max; /* chunks whose vectors are all looked at; in more, only those that have the words */
	struct egress *egress;        /* NULL: nobody makes vectors */
	const char *url, *key, *name; /* ".../v1", "" for none, the model's name there */
};

/* How long for each request, and what ends it early. */
struct embed_wait {
	int ms;
	const atomic_bool *cancelled; /* or NULL */
};
/* n vectors of *dimension floats (unit length), one after another, in the arena. */
int embed(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n,
          struct embed_wait wait, float **ret, int *dimension, struct arena *a, struct error *err) CHECKED;

/* "openai:text-embedding-3-small:1536@https://api.openai.com/v1": what is stored beside its vectors. */
const char *embed_model(const struct embedder *e, int dimension, struct arena *a);

/* What that begins and ends with, whatever the dimension is. */
const char *embed_model_before(const struct embedder *e, struct arena *a);
const char *embed_model_behind(const struct embedder *e, struct arena *a);

/* The other way round of embed_print(): how many floats, in the arena. */
int embed_scan(const char *text, float **ret, struct arena *a);
/* As PostgreSQL reads a vector: "[0.1,-0.02,...]", in the arena. */
char *embed_print(const float *vector, int dimension, struct arena *a);

#endif
