#include "svc-documents/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "documents.methods.h"
#include "svc-documents/search/lists.h"
#include "svc-documents/search/respell.h"
#include "svc-documents/search/vectors.h"

enum {
	PATIENCE_MS = 1800, /* of a search with all models that it asks */
	SPARE = 4,          /* candidates prepared beyond those asked for: some lie inside better ones */
	/* Documents whose rows are read whatever the question; of more, only those with its words. */
	ALL_MAX = 1000,
	/* From one in so many of the owner's documents on, the lists of all are read: it is quicker. */
	MOST_PART = 2,
	SPELLING_WORDS = 400000, /* words of the documents, above which nobody looks for other spellings */
};
static const double least_covered =
    0.03; /* of a question's worth; a passage with less is there by accident */

/* --- What there is ---------------------------------------------------------------------------------------------- */

/* Which languages the documents are in, and which of them is the most spoken. */
static void count_languages(const struct corpus_document *documents, size_t n, unsigned *spoken,
                            enum language *mostly)
{
	int64_t chunks[LANGUAGES] = { 0 };

	*spoken = 0;
	*mostly = LANGUAGE_EN;
	for (size_t i = 0; i < n; i++) {
		*spoken |= 1u << documents[i].language;
		chunks[documents[i].language] += documents[i].chunks;
	}
	for (int l = 0; l < LANGUAGES; l++)
		if (chunks[l] > chunks[*mostly])
			*mostly = (enum language)l;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t once(char **ids, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(ids, count, sizeof *ids, by_text);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(ids[kept - 1], ids[i]) != 0)
			ids[kept++] = ids[i];
	return kept;
}

/* The documents, for this search alone: it notes in them how much each is about the question. */
static void use_corpus(struct call *call, struct search *s, const struct stored_corpus *read)
{
	s->models = read->models;
	corpus_init(&s->corpus,
	            arena_memdup(call->arena, read->documents, read->count * sizeof *read->documents),
	            read->count);
}

/* From memory, where nothing has changed since. */
static int read_corpus(struct call *call, struct search *s, int limit, struct stored_corpus *ret)
{
	const struct documents *svc = documents_state(call);
	struct corpus_counts counts;

	if (store_corpus_counts(call->db, s->scope->owner, &counts, call->err) < 0)
		return -1;
	s->known = corpora_find(svc->corpora, s->scope, &counts, clock_mono_ms());
	if (s->known) {
		*ret = *s->known;
		return 0;
	}
	if (store_corpus(call->db, s->scope, limit, ret, call->arena, call->err) < 0)
		return -1;
	corpora_keep(svc->corpora, s->scope, &counts, ret, clock_mono_ms());
	return 0;
}

/* Of a large corpus: the documents that have words of the question, and the figures of all. */
static int narrow(struct call *call, struct search *s, const struct found_list *lists, size_t count)
{
	struct scope found = { .owner = s->scope->owner };
	struct corpus_counts counts;
	struct stored_corpus read;
	char **ids = arena_new(call->arena, char *, count);
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		ids[n++] = (char *)lists[i].document;
	found.ids = ids;
	found.count = once(ids, n);
	if (store_corpus_counts(call->db, s->scope->owner, &counts, call->err) < 0 ||
	    store_corpus(call->db, &found, 0, &read, call->arena, call->err) < 0)
		return -1;
	use_corpus(call, s, &read);
	corpus_narrow(&s->corpus, counts.documents, counts.chunks, counts.terms);
	return 0;
}

/* 1 when there is something to search, 0, -1. */
static int open_corpus(struct call *call, struct search *s, const char *question)
{
	const struct documents *svc = documents_state(call);
	int limit = svc->embedder.egress ? INT32_MAX : ALL_MAX + 1; /* a vector may be near in any document */
	struct stored_corpus read;
	enum language mostly;

	if (read_corpus(call, s, limit, &read) < 0)
		return -1;
	if (s->scope->ids && read.count < s->scope->count && !s->scope->lenient)
		return error_set(call->err, ERROR_NOT_FOUND, "one of these documents does not exist");
	count_languages(read.documents, read.count, &s->spoken, &mostly);
	use_corpus(call, s, &read);
	s->most = (int64_t)read.count * MOST_PART >= read.of_owner;
	s->large = !s->scope->ids && !svc->embedder.egress && read.count > ALL_MAX;
	query_parse(question, s->stemmers, s->spoken, mostly, &s->query, call->arena);
	return s->corpus.chunks > 0;
}

/* --- Looking up ------------------------------------------------------------------------------------------------- */

struct candidate *search_candidate(struct search *s, const struct hit *h)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].document == h->document && s->found[i].number == h->number)
			return &s->found[i];
	s->found[s->count] = (struct candidate){ .document = h->document, .number = h->number };
	return &s->found[s->count++];
}

struct found {
	const struct found_list *lists;
	size_t count;
};

static bool has_list(const void *arg, uint64_t hash)
{
	const struct found *f = arg;

	for (size_t i = 0; i < f->count; i++)
		if (f->lists[i].hash == hash)
			return true;
	return false;
}

static void not_unknown(const struct query *q, uint64_t hash, bool *unknown)
{
	double worth;

	for (int l = 0; l < LANGUAGES; l++) {
		int term = query_find(q, hash, (enum language)l, &worth);

		if (term >= 0)
			unknown[term] = false;
	}
}

/* The terms that no list is of. Each document has the same few lists. */
static bool find_unknown(const struct search *s, const struct found_list *lists, size_t count, bool *unknown)
{
	uint64_t seen[QUERY_HASHES];
	size_t n = 0, k;
	bool any = false;

	for (size_t i = 0; i < s->query.count; i++)
		unknown[i] = respell_lone(&s->query.terms[i]);
	for (size_t i = 0; i < count; i++) {
		for (k = 0; k < n && seen[k] != lists[i].hash; k++)
			;
		if (k < n || n == QUERY_HASHES)
			continue;
		seen[n++] = lists[i].hash;
		not_unknown(&s->query, lists[i].hash, unknown);
	}
	for (size_t i = 0; i < s->query.count; i++)
		any |= unknown[i];
	return any;
}

/* What may be meant by words that no document has. How many, or -1. */
static int64_t guess(struct call *call, struct search *s, const bool *unknown)
{
	bool doubtful[QUERY_TERMS] = { 0 }, any = false;
	size_t found = 0;
	int64_t words = 0;

	for (size_t i = 0; i < s->query.count; i++)
		any |= doubtful[i] = unknown[i] && respell_doubtful(&s->query.terms[i]);
	for (size_t i = 0; i < s->corpus.count; i++)
		words += s->corpus.documents[i].terms;
	if (any && words <= SPELLING_WORDS &&
	    store_vocabularies(call->db, s->scope->owner, &s->corpus, &s->query, doubtful, s->stemmers,
	                       &found, call->arena, call->err) < 0)
		return -1;
	return (int64_t)(found + respell_mean(&s->query, unknown, s->spoken, s->stemmers));
}

/* Words that no document has may be spelled otherwise in them, or be others: their lists come to the rest. */
static int look_for_spellings(struct call *call, struct search *s, struct found_list **lists, size_t *count)
{
	bool unknown[QUERY_TERMS];
	struct found_list *more, *all;
	size_t n;
	int64_t found;

	if (!find_unknown(s, *lists, *count, unknown))
		return 0;
	found = guess(call, s, unknown);
	if (found <= 0)
		return (int)found;
	if (lists_find(call, s, true, &more, &n) < 0)
		return -1;
	respell_keep(&s->query, has_list, &(struct found){ more, n });
	if (n == 0)
		return 0;
	all = arena_new(call->arena, struct found_list, *count + n);
	if (*count)
		memcpy(all, *lists, *count * sizeof *all);
	memcpy(all + *count, more, n * sizeof *all);
	*lists = all;
	*count += n;
	return 0;
}

static int look_up_words(struct call *call, struct search *s)
{
	struct found_list *found;
	struct list *lists;
	struct hit *hits;
	size_t n;

	if (lists_open(call, s) < 0 || lists_find(call, s, false, &found, &n) < 0)
		return -1;
	if (s->large ? narrow(call, s, found, n) < 0 : look_for_spellings(call, s, &found, &n) < 0)
		return -1;
	lists = arena_new(call->arena, struct list, n);
	n = store_place_lists(found, n, &s->query, &s->corpus, lists);
	n = bm25(&s->query, &s->corpus, lists, n, SEARCH_CANDIDATES, &hits, call->arena);
	for (size_t i = 0; i < n; i++)
		search_candidate(s, &hits[i])->bm25 = hits[i].score;
	return 0;
}

/* --- Reading ---------------------------------------------------------------------------------------------------- */

static int by_key(const void *x, const void *y)
{
	const struct chunk_key *a = x, *b = y;

	if (a->document != b->document)
		return a->document > b->document ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

/* What was read from the database goes into the cache, with its words. */
static void keep(struct call *call, struct search *s, const struct stored_chunk *chunk)
{
	const struct documents *svc = documents_state(call);
	const struct corpus_document *d = &s->corpus.documents[chunk->document];
	struct words words;

	words_read(chunk->text, chunk->size, s->stemmers, d->language, &words);
	s->held[s->held_count] = cache_add(svc->cache, d->id, d->generation, chunk, words);
	s->held_document[s->held_count++] = chunk->document;
}

/* The chunks of these keys are held, wherever they come from. */
static int hold(struct call *call, struct search *s, const struct chunk_key *keys, size_t count)
{
	const struct documents *svc = documents_state(call);
	struct chunk_key *missing = arena_new(call->arena, struct chunk_key, count);
	struct stored_chunk *chunks;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct corpus_document *d = &s->corpus.documents[keys[i].document];
		const struct cached *c = cache_find(svc->cache, d->id, d->generation, keys[i].number);

		if (!c) {
			missing[n++] = keys[i];
			continue;
		}
		s->held[s->held_count] = c;
		s->held_document[s->held_count++] = keys[i].document;
	}
	if (n == 0)
		return 0;
	if (store_chunks(call->db, s->scope->owner, &s->corpus, missing, n, &chunks, &n, call->arena,
	                 call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		keep(call, s, &chunks[i]);
	return 0;
}

static void release_all(struct call *call, struct search *s)
{
	const struct documents *svc = documents_state(call);

	for (size_t i = 0; i < s->held_count; i++)
		cache_release(svc->cache, s->held[i]);
	lists_close(call, s);
	corpora_release(svc->corpora, s->known);
}

/* Give the candidates their words; one whose chunk has gone meanwhile is dropped. */
static int read_candidates(struct call *call, struct search *s)
{
	struct chunk_key *keys = arena_new(call->arena, struct chunk_key, s->count);
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		keys[i] = (struct chunk_key){ s->found[i].document, s->found[i].number };
	if (hold(call, s, keys, s->count) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < s->held_count; k++)
			if (s->held_document[k] == s->found[i].document &&
			    s->held[k]->chunk.number == s->found[i].number) {
				s->found[kept] = s->found[i];
				s->found[kept++].words = &s->held[k]->words;
				break;
			}
	s->count = kept;
	return 0;
}

/* Drop what has nothing to do with the question, whatever its place in the order. */
static void drop_accidents(struct search *s, double least_cosine)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->found[i].covered >= least_covered || s->found[i].cosine >= least_cosine)
			s->found[kept++] = s->found[i];
	s->count = kept;
}

/* --- Answering -------------------------------------------------------------------------------------------------- */

/* The neighbours of the first n candidates that are not held yet. */
static int hold_neighbours(struct call *call, struct search *s, size_t n)
{
	struct chunk_key *keys = arena_new(call->arena, struct chunk_key, n * (2 * PASSAGE_REACH + 1));
	size_t total = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		for (int64_t k = (int64_t)s->found[i].number - PASSAGE_REACH;
		     k <= (int64_t)s->found[i].number + PASSAGE_REACH; k++) {
			struct chunk_key key = { s->found[i].document, (uint32_t)k };
			bool held = k < 0 || k >= s->corpus.documents[key.document].chunks;

			for (size_t h = 0; h < s->held_count && !held; h++)
				held = s->held_document[h] == key.document &&
				       s->held[h]->chunk.number == key.number;
			if (!held)
				keys[total++] = key;
		}
	qsort(keys, total, sizeof *keys, by_key);
	for (size_t i = 0; i < total; i++)
		if (kept == 0 || by_key(&keys[kept - 1], &keys[i]) != 0)
			keys[kept++] = keys[i];
	return hold(call, s, keys, kept);
}

static int by_place(const void *x, const void *y)
{
	const struct stored_chunk *a = x, *b = y;

	return by_key(&(struct chunk_key){ a->document, a->number },
	              &(struct chunk_key){ b->document, b->number });
}

static Documents__Match *match(const struct candidate *k, struct arena *a)
{
	Documents__Match *out = arena_new(a, Documents__Match, 1);

	documents__match__init(out);
	out->has_words = out->has_bm25 = out->has_covered = 1;
	out->words = k->lexical;
	out->bm25 = k->bm25;
	out->covered = k->covered;
	out->has_vector = k->cosine > 0;
	out->vector = k->cosine;
	return out;
}

static Documents__Source *source(const struct search *s, const struct passage *p,
                                 const struct search_wish *wish, struct arena *a)
{
	const struct corpus_document *d = &s->corpus.documents[p->chunk->document];
	Documents__Source *out = arena_new(a, Documents__Source, 1);

	documents__source__init(out);
	out->document_id = arena_strdup(a, d->id);
	out->document_name = arena_strdup(a, d->name);
	out->chunk_id = arena_strdup(a, p->chunk->id);
	out->has_page = p->chunk->page > 0;
	out->page = p->chunk->page;
	out->has_start = out->has_end = out->has_score = 1;
	out->start = p->first;
	out->end = p->last;
	out->text = (char *)p->text;
	out->score = p->score;
	if (p->heading && (wish->debug || wish->headings))
		out->heading = arena_strdup(a, p->heading);
	if (wish->debug)
		out->match = match(p->candidate, a);
	return out;
}

/* Those of the web are cited by their addresses; the pages of a site are no pages that one could leaf to. */
static int add_addresses(struct call *call, const struct search *s, const struct passage *passages,
                         Documents__SearchReply *out)
{
	Documents__Source **web = arena_new(call->arena, Documents__Source *, out->n_results + 1);
	size_t n = 0;

	for (size_t i = 0; i < out->n_results; i++)
		if (s->corpus.documents[passages[i].chunk->document].web)
			web[n++] = out->results[i];
	if (n && store_addresses(call->db, s->scope->owner, web, n, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		web[i]->has_page = 0;
	return 0;
}

static int answer(struct call *call, struct search *s, const struct search_wish *wish,
                  Documents__SearchReply *out)
{
	const struct documents *svc = documents_state(call);
	size_t shown = rerank_count(&svc->reranker, wish->limit), wanted = shown * 2 + SPARE, n;
	struct stored_chunk *chunks;
	struct passage *passages;

	if (wanted > s->count)
		wanted = s->count;
	if (hold_neighbours(call, s, wanted) < 0)
		return -1;
	chunks = arena_new(call->arena, struct stored_chunk, s->held_count);
	for (size_t i = 0; i < s->held_count; i++) {
		chunks[i] = s->held[i]->chunk;
		chunks[i].document = s->held_document[i];
	}
	qsort(chunks, s->held_count, sizeof *chunks, by_place);
	n = passages_make(s->found, wanted, chunks, s->held_count, shown, &passages, call->arena);
	rerank(&svc->reranker, call, wish->question, passages, n, call->now + PATIENCE_MS);
	n = n < wish->limit ? n : wish->limit;
	out->results = arena_new(call->arena, Documents__Source *, n);
	for (size_t i = 0; i < n; i++)
		out->results[out->n_results++] = source(s, &passages[i], wish, call->arena);
	return add_addresses(call, s, passages, out);
}

static int find(struct call *call, struct search *s, const struct search_wish *wish,
                Documents__SearchReply *out)
{
	const struct documents *svc = documents_state(call);
	size_t room = 2 * SEARCH_CANDIDATES;
	struct question_vector own = { 0 };
	int there = open_corpus(call, s, wish->question);

	if (there <= 0)
		return there;
	s->found = arena_new(call->arena, struct candidate, room);
	room += (rerank_count(&svc->reranker, wish->limit) * 2 + SPARE) * (2 * PASSAGE_REACH + 1);
	s->held = arena_new(call->arena, const struct cached *, room);
	s->held_document = arena_new(call->arena, size_t, room);
	if (look_up_words(call, s) < 0 ||
	    search_vectors(call, s, wish->question, wish->vector ? wish->vector : &own) < 0)
		return -1;
	if (s->count == 0)
		return 0;
	if (read_candidates(call, s) < 0)
		return -1;
	rank_lexical(&s->query, &s->corpus, s->found, s->count, s->stemmers);
	drop_accidents(s, svc->embedder.least_cosine);
	rank_fuse(s->found, s->count, s->has_vectors ? svc->embedder.weight : 0);
	return s->count ? answer(call, s, wish, out) : 0;
}

int search(struct call *call, const struct scope *scope, const struct search_wish *wish,
           Documents__SearchReply *out)
{
	struct stemmers_shelf *shelf = documents_state(call)->stemmers;
	struct search s = { .scope = scope, .stemmers = stemmers_take(shelf) };
	int rc = find(call, &s, wish, out);

	release_all(call, &s);
	stemmers_put_back(shelf, s.stemmers);
	return rc;
}
