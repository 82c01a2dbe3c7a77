/* links: svc-documents/store.c svc-documents/store_files.c svc-documents/store_columns.c svc-documents/store_index.c svc-documents/store_search.c svc-documents/store_site.c svc-documents/store_hnsw.c svc-documents/store_small.c svc-documents/store_text.c svc-documents/store_vectors.c svc-documents/store_whole.c svc-documents/search/small.c svc-documents/ingest/embed.c svc-documents/ingest/parts.c svc-documents/ingest/room.c svc-documents/search/query.c svc-documents/search/respell.c svc-documents/search/index.c svc-documents/ingest/normalise.c build/gen/documents.migrations.c tests/unit/documents_rig.c tests/unit/store_rig.c tests/unit/pg.c */
#include "svc-documents/store_whole.h"

#include "common/base/clock.h"
#include "svc-documents/ingest/room.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_search.h"
#include "svc-documents/store_text.h"
#include "tests/unit/documents_rig.h"
#include "tests/unit/pg.h"

static int64_t small; /* documents of the owner, by what store_prepared() says */

static const struct fence first = { 7, 1 };

/* A document of Ada's that is ready at once, of a file "abc". 1, or what store_whole() says. */
static int store_at_once(const char *id, const char *twin, struct db_step *more, Documents__Document *out)
{
	struct whole_stored stored = { .document = out };
	struct new_document d = {
		.id = id, .name = "a.txt", .type = "txt", .size = 3, .file = store_rig_id()
	};
	struct whole w = { .d = &d,
		           .p = prepare(2),
		           .file = { 3, (uint8_t *)"abc" },
		           .hash = "900150983cd24fb0",
		           .twin = twin };
	int rc = store_whole(&db, ADA, &w, more, more != NULL, &stored, &arena, &err);

	small = stored.small;
	return rc;
}

static void a_small_document_is_there_as_a_whole(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT, again = DOCUMENTS__DOCUMENT__INIT;
	const char *id = store_rig_id(), *twin;
	Documents__Text text = DOCUMENTS__TEXT__INIT;

	(void)state;
	assert_int_equal(store_at_once(id, NULL, NULL, &got), 1);
	assert_int_equal(small, 1);
	assert_int_equal(store_get(&db, ADA, id, &again, &arena, &err), 1);
	assert_int_equal(got.status, DOCUMENTS__STATUS__READY);
	assert_int_equal(got.chunks, 2);
	assert_string_equal(got.created_at, again.created_at);
	assert_string_equal(got.owner_id, ADA);
	assert_int_equal(store_rig_number("t_rows"), 5);
	assert_int_equal(store_rig_number("t_counted"), 1002002);
	assert_block(id, 2);
	assert_int_equal(store_text(&db, ADA, id, 5, 9, &text, &arena, &err), 1);
	assert_string_equal(text.text, "word");
	assert_int_equal(store_same_file(&db, ADA, "900150983cd24fb0", &twin, &arena, &err), 1);
	assert_string_equal(twin, id);
	assert_int_equal(store_same_file(&db, GRACE, "900150983cd24fb0", &twin, &arena, &err), 0);
	assert_null(twin);
	/* a job that processes it anew finds it as any other */
	assert_int_equal(store_claim(&db, ADA, id, &first, "extract", &err), 1);
	assert_int_equal(store_prepared(&db, ADA, id, &first, prepare(1), &small, &arena, &err), 1);
	assert_int_equal(store_rig_number("t_counted"), 1001001);
}

/* A gateway of before puts even a small file in pieces first. */
static void a_file_that_is_there_already_is_not_put_again(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	struct whole_stored stored = { .document = &got };
	struct new_document d = {
		.id = store_rig_id(), .name = "a", .type = "txt", .size = 3, .file = store_rig_id()
	};
	struct whole w = { .d = &d, .p = prepare(2), .there = true, .hash = "x", .twin = store_rig_id() };

	(void)state;
	OK(store_put_piece(&db, ADA, d.file, 0, (ProtobufCBinaryData){ 3, (uint8_t *)"abc" }, &err));
	/* the job drops it, if it is another's, too */
	assert_int_equal(store_whole(&db, ADA, &w, NULL, 0, &stored, &arena, &err), 0);
	w.twin = NULL;
	assert_int_equal(store_whole(&db, ADA, &w, NULL, 0, &stored, &arena, &err), 1);
	assert_int_equal(got.status, DOCUMENTS__STATUS__READY);
	assert_int_equal(store_rig_number("t_pieces"), 1);
}

static void what_fails_halfway_leaves_nothing_of_a_whole(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	struct db_step refused = { "t_refuse", DB_ARGS(0), NULL };

	(void)state;
	assert_int_equal(store_at_once(store_rig_id(), NULL, &refused, &got), -1);
	assert_int_equal(store_rig_number("t_rows") + store_rig_number("t_pieces"), 0);
	error_clear(&err);
}

static void a_file_that_two_have_is_there_until_both_are_deleted(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	const char *one = store_rig_id(), *two = store_rig_id(), *three = store_rig_id();
	struct original file;

	(void)state;
	assert_int_equal(store_at_once(one, NULL, NULL, &got), 1);
	assert_int_equal(store_at_once(two, one, NULL, &got), 1);
	assert_int_equal(store_rig_number("t_pieces"), 1);
	assert_int_equal(store_delete(&db, ADA, one, &err), 1);
	assert_int_equal(store_rig_number("t_pieces"), 1);
	/* the other went between the question and the answer: it brings its own */
	assert_int_equal(store_at_once(three, one, NULL, &got), 1);
	assert_int_equal(store_rig_number("t_pieces"), 2);
	assert_int_equal(store_original(&db, ADA, three, &file, &arena, &err), 1);
	assert_int_equal(store_delete(&db, ADA, two, &err), 1);
	assert_int_equal(store_delete(&db, ADA, three, &err), 1);
	assert_int_equal(store_rig_number("t_rows") + store_rig_number("t_pieces"), 0);
}

static void a_copy_that_is_deleted_leaves_the_first_its_file(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	const char *one = store_rig_id(), *two = store_rig_id();

	(void)state;
	assert_int_equal(store_at_once(one, NULL, NULL, &got), 1);
	assert_int_equal(store_at_once(two, one, NULL, &got), 1);
	assert_int_equal(store_delete(&db, ADA, two, &err), 1);
	assert_int_equal(store_rig_number("t_pieces"), 1);
	assert_int_equal(store_delete(&db, ADA, one, &err), 1);
	assert_int_equal(store_rig_number("t_pieces"), 0);
}

/* The first is not committed yet, as one that waits for the disk. */
static void uploads_of_one_owner_do_not_wait_for_each_other(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	struct whole_stored stored = { .document = &got };
	struct new_document d = {
		.id = store_rig_id(), .name = "b.txt", .type = "txt", .size = 3, .file = store_rig_id()
	};
	struct whole w = {
		.d = &d, .p = prepare(2), .file = { 3, (uint8_t *)"abc" }, .hash = "another", .part = 1
	};
	struct corpus_counts counts;
	struct db other;
	int rc;

	(void)state;
	assert_int_equal(store_at_once(store_rig_id(), NULL, NULL, &got), 1);
	db_init(&other, db.pool);
	other.until = clock_mono_ms() + 5000;
	rc = store_whole(&other, ADA, &w, NULL, 0, &stored, &arena, &err);
	db_done(&other);
	OK(store_corpus_counts(&db, ADA, &counts, &err));
	db_rollback(&db);
	pg_sql(
	    "DELETE FROM documents.document; DELETE FROM documents.piece; DELETE FROM documents.corpus_part");
	assert_int_equal(rc, 1);
	assert_int_equal(counts.documents, 2);
	assert_int_equal(counts.chunks, 4);
}

/* Searches know documents from memory (search/corpora.h); of this owner nothing else was counted before. */
static void what_changes_of_one_that_was_ready_at_once_counts(void **state)
{
	Documents__Document got = DOCUMENTS__DOCUMENT__INIT;
	const char *id = store_rig_id();
	struct corpus_counts one, two, three;

	(void)state;
	assert_int_equal(store_at_once(id, NULL, NULL, &got), 1);
	OK(store_corpus_counts(&db, ADA, &one, &err));
	assert_int_equal(one.small, 1);
	assert_int_equal(store_edit(&db, ADA, id, &(struct edit){ .name = "other" }, &err), 1);
	OK(store_corpus_counts(&db, ADA, &two, &err));
	assert_true(two.version > one.version);
	assert_int_equal(store_delete(&db, ADA, id, &err), 1);
	OK(store_corpus_counts(&db, ADA, &three, &err));
	assert_true(three.version > two.version);
	assert_int_equal(three.documents + three.chunks + three.terms + three.small, 0);
}

static void who_is_near_his_bounds_has_no_room_at_once(void **state)
{
	int64_t more;

	(void)state;
	(void)new_document(); /* of 6 bytes */
	assert_int_equal(store_room(&db, ADA, 1, &(struct quota){ 1000, 10000 }, &more, &err), 1);
	assert_int_equal(more, 1000 - 64 - 2);
	assert_int_equal(store_room(&db, ADA, 10, &(struct quota){ 1000, 100 }, &more, &err), 1);
	assert_int_equal(more, 5);
	assert_int_equal(store_room(&db, ADA, 1, &(struct quota){ 65, 1000 }, &more, &err), 0);
	assert_int_equal(store_room(&db, ADA, 70, &(struct quota){ 1000, 100 }, &more, &err), 0);
	assert_int_equal(store_room(&db, GRACE, 70, &(struct quota){ 1000, 100 }, &more, &err), 1);
	assert_int_equal(more, 0);
}

static void room_that_was_counted_is_taken_for_some_seconds(void **state)
{
	struct room *r = room_new();

	(void)state;
	assert_false(room_take(r, ADA, 1000));
	room_note(r, ADA, 16, 1000);
	assert_false(room_take(r, GRACE, 1000));
	assert_true(room_take(r, ADA, 5999));
	assert_false(room_take(r, ADA, 6000));
	assert_true(room_take(r, ADA, 1000));
	assert_false(room_take(r, ADA, 1000)); /* the rest is for other replicas */
	room_note(r, ADA, 7, 1000);
	assert_false(room_take(r, ADA, 1000));
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_small_document_is_there_as_a_whole),
		STORE_TEST(a_file_that_is_there_already_is_not_put_again),
		STORE_TEST(what_fails_halfway_leaves_nothing_of_a_whole),
		STORE_TEST(a_file_that_two_have_is_there_until_both_are_deleted),
		STORE_TEST(a_copy_that_is_deleted_leaves_the_first_its_file),
		STORE_TEST(uploads_of_one_owner_do_not_wait_for_each_other),
		STORE_TEST(what_changes_of_one_that_was_ready_at_once_counts),
		STORE_TEST(who_is_near_his_bounds_has_no_room_at_once),
		STORE_TEST(room_that_was_counted_is_taken_for_some_seconds),
	};

	return cmocka_run_group_tests(tests, documents_rig_open, store_rig_close);
}
