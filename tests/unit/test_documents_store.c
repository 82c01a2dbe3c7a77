/* links: svc-documents/store.c svc-documents/store_files.c svc-documents/store_columns.c svc-documents/store_index.c svc-documents/store_search.c svc-documents/store_site.c svc-documents/store_hnsw.c svc-documents/store_small.c svc-documents/store_text.c svc-documents/store_vectors.c svc-documents/search/small.c svc-documents/ingest/embed.c svc-documents/ingest/parts.c svc-documents/search/query.c svc-documents/search/respell.c svc-documents/search/index.c svc-documents/ingest/normalise.c build/gen/documents.migrations.c tests/unit/documents_rig.c tests/unit/store_rig.c tests/unit/pg.c */
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"

#include <string.h>

#include "svc-documents/store_index.h"
#include "svc-documents/store_search.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"
#include "svc-documents/store_vectors.h"
#include "tests/unit/documents_rig.h"

static int64_t small; /* documents of the owner, by what store_prepared() says */

static const struct fence first = { 7, 1 }, second = { 7, 2 }, later = { 8, 1 };

static const char *status_of(const char *id)
{
	struct progress p = { 0 };

	assert_int_equal(store_get_progress(&db, ADA, id, &p, &arena, &err), 1);
	return p.status;
}

static void add_vectors(const char *id, size_t count)
{
	float *vectors = arena_new(&arena, float, 2 * count);

	for (size_t i = 0; i < count; i++)
		vectors[2 * i] = 1;
	OK(store_vectors(&db, ADA, id, vectors, 0, count, 2, &arena, &err));
}

/* Whatever is asked for with another's name is not there. */
static void a_document_is_its_owners_alone(void **state)
{
	const char *id = new_document();
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	Documents__DocumentList list = DOCUMENTS__DOCUMENT_LIST__INIT;
	Documents__Text text = DOCUMENTS__TEXT__INIT;
	struct source_file source;
	struct progress progress;
	Documents__ChunkList chunks = DOCUMENTS__CHUNK_LIST__INIT;
	char **ids;
	size_t count;
	int64_t a, b;

	(void)state;
	assert_int_equal(store_get(&db, ADA, id, &got, &arena, &err), 1);
	assert_string_equal(got.owner_id, ADA);
	assert_int_equal(store_get(&db, GRACE, id, &got, &arena, &err), 0);
	OK(store_list(&db, GRACE, NULL, NULL, 10, &list, &arena, &err));
	assert_int_equal(list.n_documents, 0);
	assert_int_equal(store_source(&db, GRACE, id, &source, &arena, &err), 0);
	assert_int_equal(store_get_progress(&db, GRACE, id, &progress, &arena, &err), 0);
	assert_int_equal(store_claim(&db, GRACE, id, &first, "extract", &err), 0);
	assert_int_equal(store_pending(&db, GRACE, id, &err), 0);
	assert_int_equal(store_failed(&db, GRACE, id, &(struct fence){ 0 }, "no", &err), 0);
	assert_int_equal(
	    store_prepared(&db, GRACE, id, &(struct fence){ 0 }, prepare(1), &small, &arena, &err), 0);
	assert_int_equal(store_text_size(&db, GRACE, id, &a, &b, &err), 0);
	assert_int_equal(store_text(&db, GRACE, id, 0, 1, &text, &arena, &err), 0);
	assert_int_equal(store_edit(&db, GRACE, id, &(struct edit){ .name = "hers" }, &err), 0);
	OK(store_lock(&db, GRACE, db_text_array((char *[]){ (char *)id }, 1, &arena), &ids, &count, &arena,
	              &err));
	assert_int_equal(count, 0);
	OK(store_chunk_list(&db, GRACE, id, NULL, 10, &chunks, &arena, &err));
	assert_int_equal(chunks.n_chunks, 0);
	assert_int_equal(store_delete(&db, GRACE, id, &err), 0);
	assert_int_equal(store_rig_number("t_pieces"), 2);
	assert_string_equal(status_of(id), "pending");
}

/* Frozen past its lease in the middle of the work, while the second attempt did it: nothing it writes counts. */
static void a_job_that_wakes_too_late_changes_nothing(void **state)
{
	const char *id = new_document();

	(void)state;
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_claim(&db, ADA, id, &second, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &second, prepare(3), &small, &arena, &err), 1);
	assert_int_equal(store_progress(&db, ADA, id, &first, 0.2, "chunk", &err), 0);
	assert_int_equal(store_failed(&db, ADA, id, &first, "too late", &err), 0);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(1), &small, &arena, &err), 0);
	assert_string_equal(status_of(id), "ready");
	assert_int_equal(store_rig_number("t_chunks"), 3);
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err),
	                 0); /* before it had even begun */
	assert_string_equal(status_of(id), "ready");
}

static void of_two_reindexes_the_later_counts(void **state)
{
	const char *id = new_document();

	(void)state;
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_pending(&db, ADA, id, &err), 1);
	assert_int_equal(store_claim(&db, ADA, id, &later, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(1), &small, &arena, &err), 0);
	assert_int_equal(store_claim(&db, ADA, id, &second, "extract", &err), 0);
	assert_int_equal(store_prepared(&db, ADA, id, &later, prepare(2), &small, &arena, &err), 1);
	assert_int_equal(store_claim(&db, ADA, id, &later, "extract", &err),
	                 1); /* handed back, and taken again */
}

static void writing_replaces_what_there_was(void **state)
{
	const char *id = new_document();
	Documents__Text text = DOCUMENTS__TEXT__INIT;
	int64_t bytes, characters;

	(void)state;
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(700), &small, &arena, &err), 1);
	add_vectors(id, 700);
	assert_int_equal(store_rig_number("t_counted"), 1700700);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(2), &small, &arena, &err), 1);
	/* content, text, words and lists in one, two chunks; vectors follow */
	assert_int_equal(store_rig_number("t_rows"), 5);
	assert_int_equal(store_rig_number("t_counted"), 1002002);
	assert_int_equal(store_text_size(&db, ADA, id, &bytes, &characters, &err), 1);
	assert_int_equal(characters, 10);
	assert_int_equal(store_text(&db, ADA, id, 5, 9, &text, &arena, &err), 1);
	assert_string_equal(text.text, "word");
}

static const char *indexed(struct prepared *p)
{
	const char *id = new_document();

	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, p, &small, &arena, &err), 1);
	return id;
}

/* Its lists are one row, however many words it has. */
static void a_small_document_is_indexed_by_one_row(void **state)
{
	struct prepared *p = prepare(3);
	const char *id = indexed(p);

	(void)state;
	assert_int_equal(small, 1);
	assert_int_equal(store_rig_number("t_postings"), 0);
	assert_block(id, 3);
	assert_int_equal(store_index(&db, ADA, id, &p->index, LANGUAGE_DE, &err), 1); /* its words anew */
	assert_block(id, 3);
	assert_int_equal(store_rig_number("t_small"), 1);
	assert_int_equal(store_delete(&db, ADA, id, &err), 1);
	assert_int_equal(store_rig_number("t_small"), 0);
}

/* Its lists get rows of their own, and keep them when it is made small again: who searches meanwhile meets no other way. */
static void a_document_that_grows_is_small_no_more(void **state)
{
	struct prepared *large = prepare(20000);
	const char *id = indexed(prepare(3));

	(void)state;
	assert_int_equal(store_prepared(&db, ADA, id, &first, large, &small, &arena, &err), 1);
	assert_int_equal(small, 0);
	assert_int_equal(store_rig_number("t_postings"), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(3), &small, &arena, &err), 1);
	assert_int_equal(small, 0);
	assert_int_equal(store_rig_number("t_postings"), 1);
	assert_int_equal(store_rig_number("t_blocks"), 0);
}

/* Its index is made part by part while it is written: each term has its list once, whichever part it came from. */
static void a_part(const struct prepared *p, int part, struct index *ret, struct arena *a)
{
	struct index_builder *b = index_begin(NULL, LANGUAGE_EN);

	index_part(b, part, p->parts);
	for (size_t i = 0; i < p->count; i++)
		index_add(b, p->clean.text, p->clean.size, NULL);
	index_end(b, ret, a);
}

static void a_large_document_is_indexed_in_parts(void **state)
{
	struct prepared *p = prepare(3);

	(void)state;
	strcpy(p->clean.text, "eye ear leg arm");
	p->clean.size = 15;
	p->parts = 5;
	p->index_part = a_part;
	indexed(p);
	assert_int_equal(small, 0);
	assert_int_equal(store_rig_number("t_postings"), 4);
	assert_int_equal(store_rig_number("t_counted"), 1003012);
}

static void too_many_small_documents_are_spread(void **state)
{
	struct small_document *documents;
	int64_t left;
	size_t spread, count;

	(void)state;
	for (int i = 0; i < 66; i++)
		indexed(prepare(2));
	assert_int_equal(small, 66);
	OK(store_small_documents(&db, ADA, &documents, &count, &arena, &err));
	assert_int_equal(count, 66);
	OK(store_spread(&db, GRACE, &spread, &left, &arena, &err));
	assert_int_equal(spread, 0);
	OK(store_spread(&db, ADA, &spread, &left, &arena, &err));
	assert_int_equal(spread, 64);
	assert_int_equal(left, 2);
	assert_int_equal(store_rig_number("t_postings"), 64);
	assert_int_equal(store_rig_number("t_blocks"), 2);
	assert_int_equal(store_rig_number("t_counted"), 66132132);
	assert_block(documents[65].id, 2);
	OK(store_spread(&db, ADA, &spread, &left, &arena, &err));
	assert_int_equal(left, 0);
	assert_int_equal(store_rig_number("t_postings"), 66);
	OK(store_spread(&db, ADA, &spread, &left, &arena, &err));
	assert_int_equal(spread, 0);
}

/* Searches know documents from memory (search/corpora.h) until the version is another. */
static void assert_counted(const char *what, int64_t *version)
{
	struct corpus_counts now;

	OK(store_corpus_counts(&db, ADA, &now, &err));
	if (now.version == *version)
		fail_msg("%s does not count", what);
	*version = now.version;
}

static void whatever_a_search_knows_of_a_document_counts(void **state)
{
	struct prepared *p = prepare(3);
	const char *id = indexed(p);
	struct corpus_counts none_changed;
	size_t spread;
	int64_t left, version = 0;

	(void)state;
	assert_int_equal(store_prepared(&db, ADA, id, &first, p, &small, &arena, &err), 1);
	assert_counted("a text that came anew", &version);
	assert_int_equal(store_edit(&db, ADA, id, &(struct edit){ .name = "other" }, &err), 1);
	assert_counted("a name", &version);
	assert_int_equal(store_edit(&db, ADA, store_rig_id(), &(struct edit){ .name = "other" }, &err), 0);
	OK(store_corpus_counts(&db, ADA, &none_changed, &err));
	assert_int_equal(none_changed.version, version);
	assert_int_equal(store_index(&db, ADA, id, &p->index, LANGUAGE_DE, &err), 1);
	assert_counted("an index that was made anew", &version);
	OK(store_set_model(&db, ADA, id, "a model", &err));
	assert_counted("another model", &version);
	OK(store_spread(&db, ADA, &spread, &left, &arena, &err));
	assert_counted("lists that got rows", &version);
	assert_int_equal(store_delete(&db, ADA, id, &err), 1);
	assert_counted("one that goes", &version);
	indexed(prepare(3));
	assert_counted("one that comes", &version);
}

static void assert_looks_up(PGresult *plan, const char *column)
{
	bool looks_up = false;

	for (int i = 0; i < PQntuples(plan); i++) {
		const char *line = PQgetvalue(plan, i, 0), *at = strstr(line, "Index Cond: ");

		looks_up |= at && strstr(at, column);
	}
	if (!looks_up)
		for (int i = 0; i < PQntuples(plan); i++)
			print_error("%s\n", PQgetvalue(plan, i, 0));
	assert_true(looks_up);
	PQclear(plan);
}

/* Statistics of before she came make PostgreSQL expect nothing of hers: reading all of it would then seem cheap. */
static void terms_of_an_owner_whom_nobody_counted_are_looked_up(void **state)
{
	PGresult *plan;

	(void)state;
	OK(db_exec(&db, "t_much", DB_ARGS(GRACE), NULL, &err));
	OK(db_exec(&db, "t_analyze", DB_ARGS(), NULL, &err));
	OK(db_exec(&db, "t_much", DB_ARGS(ADA), NULL, &err));
	OK(db_exec(&db, "t_plan_all", DB_ARGS(ADA, "{1,2,3}"), &plan, &err));
	assert_looks_up(plan, "term = ");
	OK(db_exec(&db, "t_plan_of", DB_ARGS(ADA, "{1,2,3}", "{" ADA "}"), &plan, &err));
	assert_looks_up(plan, "term = ");
}

/* What stands there is right; how many rows it took. */
static int64_t rows_read(const char *id, int64_t start, int64_t end, const char *want)
{
	Documents__Text text = DOCUMENTS__TEXT__INIT;

	assert_int_equal(store_text(&db, ADA, id, start, end, &text, &arena, &err), 1);
	assert_int_equal(strlen(text.text), end - start);
	assert_memory_equal(text.text, want, strlen(want));
	return store_rig_read("text", DB_ARGS(ADA, id, start / STORE_TEXT_ROW, (end - 1) / STORE_TEXT_ROW));
}

static void ten_characters_cost_no_more_in_a_long_text(void **state)
{
	enum { WORDS = 1000000 };
	const char *id = new_document();
	struct prepared *p = prepare(1);

	(void)state;
	p->clean.size = 5 * (size_t)WORDS;
	p->clean.text = arena_alloc(&arena, p->clean.size + 1);
	for (size_t i = 0; i < WORDS; i++)
		memcpy(p->clean.text + 5 * i, "word ", 6);
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, p, &small, &arena, &err), 1);
	assert_int_equal(rows_read(id, 0, 5 * WORDS, "word word"), 5 * WORDS / STORE_TEXT_ROW + 1);
	assert_int_equal(rows_read(id, 0, 10, "word word "), 1);
	assert_int_equal(rows_read(id, 5 * WORDS - 10, 5 * WORDS, "word word "), 1);
	assert_int_equal(rows_read(id, 65535, 65545, "word word "), 2); /* over the border of two rows */
}

/* A job that finds that its file is another's, too, drops it: never the other's. */
static void what_a_job_finds_to_be_a_copy_goes(void **state)
{
	const char *ids[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct source_file s;

		ids[i] = new_document();
		assert_int_equal(store_claim(&db, ADA, ids[i], &first, "extract", &err), 1);
		assert_int_equal(store_source(&db, ADA, ids[i], &s, &arena, &err), 1);
		assert_int_equal(store_share(&db, ADA, ids[i], &first, s.file, "x", &err), i);
	}
	assert_int_equal(store_rig_number("t_pieces"), 2);
	assert_int_equal(store_delete(&db, ADA, ids[1], &err), 1);
	assert_int_equal(store_rig_number("t_pieces"), 2);
}

/* Else a text of several pieces, and whatever stands under a key, would be confirmed before it is on disk. */
static void a_piece_makes_nothing_else_light(void **state)
{
	(void)state;
	(void)new_document();
	assert_int_equal(store_rig_number("t_light"), 0);
}

static void deleting_leaves_nothing(void **state)
{
	const char *id = new_document();

	(void)state;
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(5), &small, &arena, &err), 1);
	add_vectors(id, 5);
	assert_int_equal(store_delete(&db, ADA, id, &err), 1);
	assert_int_equal(store_rig_number("t_pieces") + store_rig_number("t_rows"), 0);
	assert_int_equal(store_rig_number("t_counted"), 0);
	assert_int_equal(store_delete(&db, ADA, id, &err), 0);
}

static void who_goes_takes_work_along(void **state)
{
	(void)state;
	new_document();
	OK(db_exec(&db, "t_add_job", DB_ARGS(ADA), NULL, &err));
	OK(db_exec(&db, "t_add_job", DB_ARGS(GRACE), NULL, &err));
	OK(db_exec(&db, "t_drop_user", DB_ARGS(ADA), NULL, &err));
	assert_int_equal(store_rig_number("t_jobs"), 1);
	assert_int_equal(store_rig_number("t_pieces"), 0);
}

static void the_words_of_an_account_that_is_gone_are_swept(void **state)
{
	const char *id = new_document();
	int64_t swept = 0;

	(void)state;
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(5), &small, &arena, &err), 1);
	OK(store_sweep(&db, &swept, &err));
	assert_true(store_rig_number("t_rows") > 0);
	OK(db_exec(&db, "t_drop_user", DB_ARGS(ADA), NULL, &err));
	OK(store_sweep(&db, &swept, &err));
	assert_int_equal(store_rig_number("t_rows"), 0);
}

/* As a replica of before leaves them that spreads what was counted in parts. */
static void the_words_of_an_owner_who_is_counted_in_parts_stay(void **state)
{
	int64_t swept = 0;

	(void)state;
	OK(db_exec(&db, "count_part", DB_ARGS(ADA, 1, 1, 9), NULL, &err));
	OK(db_exec(&db, "t_much", DB_ARGS(ADA), NULL, &err));
	OK(store_sweep(&db, &swept, &err));
	assert_int_equal(store_rig_number("t_postings"), 3000);
}

static void only_pieces_that_nobody_claimed_are_swept(void **state)
{
	int64_t swept = 0;

	(void)state;
	new_document();
	OK(store_put_piece(&db, ADA, store_rig_id(), 0, (ProtobufCBinaryData){ 1, (uint8_t *)"x" }, &err));
	OK(store_sweep(&db, &swept, &err));
	assert_int_equal(swept, 0); /* an upload under way */
	OK(db_exec(&db, "t_age", DB_ARGS(), NULL, &err));
	OK(store_sweep(&db, &swept, &err));
	assert_int_equal(swept, 1);
	assert_int_equal(store_rig_number("t_pieces"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_document_is_its_owners_alone),
		STORE_TEST(a_job_that_wakes_too_late_changes_nothing),
		STORE_TEST(of_two_reindexes_the_later_counts),
		STORE_TEST(writing_replaces_what_there_was),
		STORE_TEST(a_small_document_is_indexed_by_one_row),
		STORE_TEST(a_document_that_grows_is_small_no_more),
		STORE_TEST(a_large_document_is_indexed_in_parts),
		STORE_TEST(terms_of_an_owner_whom_nobody_counted_are_looked_up),
		STORE_TEST(too_many_small_documents_are_spread),
		STORE_TEST(whatever_a_search_knows_of_a_document_counts),
		STORE_TEST(ten_characters_cost_no_more_in_a_long_text),
		STORE_TEST(what_a_job_finds_to_be_a_copy_goes),
		STORE_TEST(a_piece_makes_nothing_else_light),
		STORE_TEST(deleting_leaves_nothing),
		STORE_TEST(who_goes_takes_work_along),
		STORE_TEST(only_pieces_that_nobody_claimed_are_swept),
		STORE_TEST(the_words_of_an_account_that_is_gone_are_swept),
		STORE_TEST(the_words_of_an_owner_who_is_counted_in_parts_stay),
	};

	return cmocka_run_group_tests(tests, documents_rig_open, store_rig_close);
}
