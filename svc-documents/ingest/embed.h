/*
 * embed: texts as vectors whose angle says how much they are about the same. Two makers, chosen by configuration:
 *
 *   builtin  hashed words and 4-grams of letters ("hashing trick", Weinberger et al. 2009), logarithmic counts, unit
 *            length. No model, no network. It knows spelling, not meaning: it helps with word forms and typing
 *            errors, and counts little beside the words' own ranking (weight 0.1).
 *   openai   any server with OpenAI's POST /embeddings.
 *
 * Vectors of different models must never be compared: `model` names the maker and is stored beside them.
 */
#ifndef PARLEY_DOCUMENTS_EMBED_H
#define PARLEY_DOCUMENTS_EMBED_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/egress/egress.h"

enum { EMBED_BUILTIN_DIMENSION = 512, EMBED_DIMENSION_MAX = 4000 /* pgvector's halfvec in one page */ };

struct embedder {
	const char *model;   /* "builtin-512", "openai:text-embedding-3-small" */
	double weight;       /* of its order beside the words' */
	double least_cosine; /* what is further away has nothing to do with the question */
	size_t
	    exact_max; /* chunks whose vectors are all looked at; in more, only those that have the words */
	/* NULL: builtin. Else where to ask. */
	struct egress *egress;
	const char *url, *key, *name; /* ".../v1", "" for none, the model's name there */
};

/* n vectors of *dimension floats, one after another, in the arena. */
int embed(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n, float **ret,
          int *dimension, struct arena *a, struct error *err) CHECKED;

void embed_builtin(const char *text, size_t size, float vector[EMBED_BUILTIN_DIMENSION]);
int embed_openai(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n,
                 float **ret, int *dimension, struct arena *a, struct error *err) CHECKED;

/* As PostgreSQL reads a vector: "[0.1,-0.02,...]", in the arena. */
char *embed_print(const float *vector, int dimension, struct arena *a);

#endif
