#include "svc-documents/ingest/again.h"

#include <string.h>

#include "documents.methods.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/store.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"
#include "svc-documents/store_vectors.h"

enum {
	SCAN = 500,       /* documents found at once */
	LOOK_AGAIN = 600, /* seconds */
	AT_ONCE = 256,    /* chunks */
	SAMPLE = 20000,   /* bytes of a text that tell its language */
	TIMEOUT_MS = 60 * 1000,
	SMALL_LEFT = SMALL_MOST * 3 / 4, /* small documents that stay so */
};

static int add(struct db *db, const char *kind, const char *owner, const char *id, struct arena *a,
               struct error *err)
{
	return job_add(db, kind, owner, id, arena_printf(a, "{\"document\":\"%s\"}", id), 0, err);
}

int again_embed(struct db *db, const char *owner, const char *id, bool new, struct arena *a,
                struct error *err)
{
	return add(db, new ? "embed" : "reembed", owner, id, a, err);
}

/* --- Finding ---------------------------------------------------------------------------------------------------- */

/* What the model calls itself today, with the dimension that only an answer tells. */
static int ask_model(struct call *call, const char **ret)
{
	const struct documents *svc = documents_state(call);
	const char *text = "How many dimensions?";
	size_t size = strlen(text);
	int dimension;
	float *vector;

	if (embed(&svc->embedder, &text, &size, 1, (struct embed_wait){ TIMEOUT_MS, call->cancelled },
	          &vector, &dimension, call->arena, call->err) < 0)
		return -1;
	*ret = embed_model(&svc->embedder, dimension, call->arena);
	return 0;
}

static int add_all(struct call *call, const char *kind, const struct document_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (add(call->db, kind, keys[i].owner, keys[i].id, call->arena, call->err) < 0)
			return -1;
	return 0;
}

int again_find(struct call *call, const struct job *job)
{
	const struct documents *svc = documents_state(call);
	struct document_key *keys;
	size_t count, models = 0;
	const char *model;

	(void)job;
	if (store_of_other_words(call->db, TERMS_VERSION, SCAN, &keys, &count, call->arena, call->err) < 0 ||
	    add_all(call, "words", keys, count) < 0)
		return -1;
	if (svc->embedder.egress) {
		if (ask_model(call, &model) < 0 ||
		    store_of_other_models(call->db, model, SCAN, &keys, &models, call->arena, call->err) <
		        0 ||
		    add_all(call, "reembed", keys, models) < 0)
			return -1;
	}
	return job_add(call->db, "again", NULL, "again", "{}",
	               count == SCAN || models == SCAN ? 60 : LOOK_AGAIN, call->err);
}

/* --- Words ------------------------------------------------------------------------------------------------------ */

static int guess_language(struct call *call, const char *owner, const char *id, enum language *ret)
{
	Documents__Text sample = DOCUMENTS__TEXT__INIT;
	int found = store_text(call->db, owner, id, 0, SAMPLE, &sample, call->arena, call->err);

	if (found > 0)
		*ret = language_guess(sample.text, strlen(sample.text), LANGUAGE_EN);
	return found;
}

static int read_index(struct call *call, const char *owner, const char *id, enum language language,
                      struct index *ret)
{
	struct stemmers_shelf *shelf = documents_state(call)->stemmers;
	struct stemmers *stemmers = stemmers_take(shelf);
	struct index_builder *b = index_begin(stemmers, language);
	size_t first = 0, n = AT_ONCE;
	int rc = 0;

	for (; rc == 0 && n == AT_ONCE; first += n)
		rc = store_index_again(call->db, owner, id, b, first, AT_ONCE, &n, call->err);
	if (rc == 0)
		index_end(b, ret, call->arena);
	else
		index_drop(b);
	stemmers_put_back(shelf, stemmers);
	return rc;
}

/* All of it in the caller's transaction, under the document's lock: its chunks stay what they are. */
static int index_words(struct call *call, const char *owner, const char *id)
{
	enum language language;
	struct index index;
	int64_t generation;
	int found = store_generation(call->db, owner, id, &generation, call->err);

	if (found > 0)
		found = guess_language(call, owner, id, &language);
	if (found <= 0)
		return found;
	if (read_index(call, owner, id, language, &index) < 0)
		return -1;
	return store_index(call->db, owner, id, &index, language, call->err);
}

static int in_transaction(struct call *call, int (*run)(struct call *, const char *, const char *),
                          const char *owner, const char *id)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (run(call, owner, id) < 0) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}

int again_words(struct call *call, const struct job *job)
{
	const char *id = ingest_document(job, call->arena);

	return id ? in_transaction(call, index_words, job->owner_id, id) : 0;
}

/* --- Small documents ---------------------------------------------------------------------------------------------- */

int again_spread(struct db *db, const char *owner, struct error *err)
{
	return job_add(db, "spread", owner, owner, "{}", 0, err);
}

static int spread_some(struct call *call, const char *owner, size_t *done, int64_t *left)
{
	struct arena scratch;
	int rc;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	arena_init(&scratch, 0);
	rc = store_spread(call->db, owner, done, left, &scratch, call->err);
	arena_done(&scratch);
	if (rc == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

int again_small(struct call *call, const struct job *job)
{
	size_t done = 1;
	int64_t left = INT64_MAX;

	while (done && left > SMALL_LEFT) {
		if (atomic_load(call->cancelled))
			return error_busy(call->err, 1, "the service is stopping");
		if (spread_some(call, job->owner_id, &done, &left) < 0)
			return -1;
	}
	return 0;
}

/* --- Vectors ---------------------------------------------------------------------------------------------------- */

/* The vectors of a document, worked out before anything is locked. */
struct batch {
	float *vectors;
	size_t count;
	int dimension;
	struct batch *next;
};

/* Only those that have none of before; all of them when those are of another dimension. */
static int embed_batch(struct call *call, const struct chunk_text *texts, size_t n, struct batch *b,
                       struct arena *scratch)
{
	const struct documents *svc = documents_state(call);
	const char **missing = arena_new(scratch, const char *, n);
	size_t *sizes = arena_new(scratch, size_t, n), count = 0, next = 0;
	float *made = NULL, *kept;
	int dimension = 0;

	for (size_t i = 0; i < n; i++)
		if (!texts[i].vector) {
			sizes[count] = strlen(texts[i].text);
			missing[count++] = texts[i].text;
		}
	if (count &&
	    embed(&svc->embedder, missing, sizes, count, (struct embed_wait){ TIMEOUT_MS, call->cancelled },
	          &made, &dimension, scratch, call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int size = texts[i].vector ? embed_scan(texts[i].vector, &kept, scratch) : dimension;

		dimension = dimension ? dimension : size;
		if (size != dimension)
			return 0;
		if (i == 0)
			b->vectors = arena_new(call->arena, float, n *(size_t)dimension);
		memcpy(b->vectors + i * (size_t)dimension,
		       texts[i].vector ? kept : made + next++ * (size_t)dimension,
		       (size_t)dimension * sizeof(float));
	}
	b->dimension = dimension;
	return 1;
}

static int embed_some(struct call *call, struct chunk_text *texts, size_t n, struct batch *b,
                      struct arena *scratch)
{
	int rc = embed_batch(call, texts, n, b, scratch);

	for (size_t i = 0; rc == 0 && i < n; i++)
		texts[i].vector = NULL;
	return rc ? rc : embed_batch(call, texts, n, b, scratch);
}

/* Every chunk's vector, a batch at a time. again: whatever they had before. */
static int embed_all(struct call *call, const char *owner, const char *id, bool again, struct batch **ret)
{
	const struct documents *svc = documents_state(call);
	const char *before = again ? NULL : embed_model_before(&svc->embedder, call->arena),
	           *behind = again ? NULL : embed_model_behind(&svc->embedder, call->arena);
	struct batch **end = ret;
	size_t n = AT_ONCE;

	*ret = NULL;
	for (size_t first = 0; n == AT_ONCE; first += n) {
		struct batch *b = arena_new(call->arena, struct batch, 1);
		struct chunk_text *texts;
		struct arena scratch;
		int rc;

		if (atomic_load(call->cancelled))
			return error_busy(call->err, 1, "the service is stopping");
		arena_init(&scratch, 0);
		rc = store_chunk_texts(call->db, owner, id, first, AT_ONCE, before, behind, &texts, &n,
		                       &scratch, call->err);
		if (rc == 0 && n > 0)
			rc = embed_some(call, texts, n, b, &scratch);
		arena_done(&scratch);
		if (rc < 0)
			return -1;
		b->count = n;
		if (n > 0) {
			*end = b;
			end = &b->next;
		}
	}
	return 0;
}

/* 1, 0 when the chunks are not those that were embedded any more (another job follows then), -1. */
static int store_all(struct call *call, const char *owner, const char *id, int64_t generation,
                     const struct batch *list)
{
	const struct documents *svc = documents_state(call);
	size_t first = 0;
	int64_t now;
	int found = store_generation(call->db, owner, id, &now, call->err);

	if (found <= 0 || now != generation)
		return found < 0 ? -1 : 0;
	if (store_clear_vectors(call->db, owner, id, call->err) < 0)
		return -1;
	for (const struct batch *b = list; b; first += b->count, b = b->next) {
		struct arena scratch;
		int rc;

		arena_init(&scratch, 0);
		rc = store_vectors(call->db, owner, id, b->vectors, first, b->count, b->dimension, &scratch,
		                   call->err);
		arena_done(&scratch);
		if (rc < 0)
			return -1;
	}
	return store_set_model(call->db, owner, id, embed_model(&svc->embedder, list->dimension, call->arena),
	                       call->err) < 0
	           ? -1
	           : 1;
}

static bool one_dimension(const struct batch *list)
{
	for (const struct batch *b = list; b; b = b->next)
		if (b->dimension != list->dimension)
			return false;
	return true;
}

int again_vectors(struct call *call, const struct job *job)
{
	const struct documents *svc = documents_state(call);
	const char *id = ingest_document(job, call->arena);
	int64_t generation;
	struct batch *list;
	int found;

	if (!id || !svc->embedder.egress)
		return 0;
	found = store_generation(call->db, job->owner_id, id, &generation, call->err);
	if (found <= 0)
		return found;
	if (embed_all(call, job->owner_id, id, strcmp(job->kind, "reembed") == 0, &list) < 0)
		return -1;
	if (!list)
		return 0;
	if (!one_dimension(list))
		return error_busy(call->err, 5, "the embedding server changed its dimension meanwhile");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (store_all(call, job->owner_id, id, generation, list) < 0) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}
