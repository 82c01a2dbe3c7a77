/* links: svc-documents/store_hnsw.c svc-documents/store_search.c svc-documents/search/bm25.c svc-documents/search/index.c svc-documents/search/query.c svc-documents/search/respell.c build/gen/documents.migrations.c tests/unit/store_rig.c tests/unit/pg.c */
/* Indexes of vectors, for owners who have many: made, used, made again and dropped, while others write. */
#include "svc-documents/store_hnsw.h"

#include <pthread.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/db/apart.h"
#include "svc-documents/store_search.h"
#include "tests/unit/pg.h"
#include "tests/unit/store_rig.h"

extern const struct db_migration documents_migrations[];

enum { LEAST = 200 };
#define BOOK "00000000-0000-7000-8000-00000000000b"
#define LEAF "00000000-0000-7000-8000-00000000000c"

static const struct db_stmt test_statements[] = {
	{ "t_add",
	  "WITH d AS (INSERT INTO document (owner_id, id, name, type, status, chunks, model)"
	  " VALUES ($1, $2, 'n', 'txt', 'ready', $3::int, 'openai:m:' || $4::int || '@http://e/v1') RETURNING id),"
	  " c AS (INSERT INTO corpus VALUES ($1, 1, $3, 0) ON CONFLICT (owner_id) DO UPDATE SET chunks = corpus.chunks + $3)"
	  " SELECT count(*) FROM d" },
	/* The n-th of them points 0.3 n degrees away from the first axis. */
	{ "t_vectors",
	  "INSERT INTO embedding (owner_id, document_id, number, vector)"
	  " SELECT $1, $2, n, (SELECT array_agg(CASE i WHEN 1 THEN cosd(n * 0.3::float) WHEN 2 THEN sind(n * 0.3::float)"
	  " ELSE 0 END)::real[]::halfvec FROM generate_series(1, $4::int) i) FROM generate_series(0, $3::int - 1) n" },
	{ "t_indexes", "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
	               " WHERE indrelid = 'embedding'::regclass AND relname LIKE 'vectors%' AND indisvalid" },
	{ "t_building", "SELECT count(*) FROM pg_stat_progress_create_index" },
	{ "t_fewer", "UPDATE corpus SET chunks = 10 WHERE owner_id = $1" },
	{ "t_drop_all", "DELETE FROM document" },
	{ NULL, NULL },
};

static int open_rig(void **state)
{
	static const struct db_stmt *const tables[] = { store_hnsw_statements, store_search_statements,
		                                        test_statements, NULL };

	(void)state;
	return store_rig_open(&(struct store_rig){
	    .schema = "documents", .migrations = documents_migrations, .statements = tables });
}

static void run(const char *statement, struct db_args args)
{
	OK(db_exec(&db, statement, args, NULL, &err));
}

static void add(const char *owner, const char *id, int count, int dimension)
{
	run("t_add", DB_ARGS(owner, id, count, dimension));
	run("t_vectors", DB_ARGS(owner, id, count, dimension));
}

/* Indexes are made in no transaction. */
static int begin(void **state)
{
	int rc = store_rig_begin(state);

	db_rollback(&db);
	add(ADA, BOOK, 250, 3);
	add(ADA, LEAF, 50, 3);
	add(GRACE, BOOK, 50, 3);
	return rc;
}

static int apart(const char *sql, const atomic_bool *stop, struct error *why)
{
	return db_run_apart(
	    &(struct db_apart){
	        .url = pg_url(), .schema = "documents", .lock = "parley.test.hnsw", .stop = stop },
	    sql, why);
}

/* Everything that is due, done; how many steps that were. */
static int settle(void)
{
	static const atomic_bool stop = false;
	const char *sql;
	int64_t start = clock_mono_ms();
	int steps = 0, due;

	while ((due = store_hnsw_due(&db, LEAST, &sql, &arena, &err)) > 0) {
		int done = apart(sql, &stop, &err); /* 0: the server is still at what was given up */

		OK(done);
		steps += done;
		assert_in_range(clock_mono_ms() - start, 0, 60000);
	}
	OK(due);
	return steps;
}

static int end(void **state)
{
	run("t_drop_all", DB_ARGS());
	settle();
	pg_sql("DELETE FROM documents.corpus");
	return store_rig_end(state);
}

/* Those nearest to 30 degrees by the index, as "document/number" of the documents BOOK = 0 and LEAF = 1. */
static size_t nearest(const char *owner, char **only, struct hit **hits)
{
	struct corpus_document documents[] = { { .id = BOOK, .chunks = 250 }, { .id = LEAF, .chunks = 50 } };
	struct scope scope = { .owner = owner, .ids = only, .count = only ? 1 : 0 };
	struct corpus corpus;
	size_t n;

	corpus_init(&corpus, documents, 2);
	OK(store_nearest_indexed(&db, &scope, "[0.866,0.5,0]", 3, 5, &corpus, hits, &n, &arena, &err));
	return n;
}

static void who_has_many_gets_one(void **state)
{
	struct hit *hits;

	(void)state;
	assert_int_equal(nearest(ADA, NULL, &hits),
	                 0); /* told apart from "nothing is near" by its emptiness */
	assert_int_equal(settle(), 1);
	assert_int_equal(store_rig_number("t_indexes"), 1);
	assert_int_equal(settle(), 0);
	assert_int_equal(nearest(ADA, NULL, &hits), 5);
	assert_int_equal(hits[0].document, 0);
	assert_in_range(hits[0].number, 95, 105);
	assert_int_equal(nearest(GRACE, NULL, &hits), 0);
}

/* The filter leaves nothing of the first hundreds that the index gives. */
static void a_filter_finds_what_it_lets_through(void **state)
{
	char *leaf[] = { (char *)LEAF };
	struct hit *hits;

	(void)state;
	settle();
	assert_int_equal(nearest(ADA, leaf, &hits), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(hits[i].document, 1);
	assert_int_equal(hits[0].number, 49);
}

static void another_dimension_is_not_in_its_way(void **state)
{
	static const char other[] = "00000000-0000-7000-8000-00000000000d";

	(void)state;
	settle();
	add(ADA, other, 210, 4);
	assert_int_equal(settle(), 1);
	assert_int_equal(store_rig_number("t_indexes"), 2);
}

static void who_falls_below_loses_it(void **state)
{
	(void)state;
	settle();
	run("t_fewer", DB_ARGS(ADA));
	assert_int_equal(settle(), 1);
	assert_int_equal(store_rig_number("t_indexes"), 0);
}

/* --- While it is made ------------------------------------------------------------------------------------------------ */

struct building {
	pthread_t thread;
	const char *sql;
	atomic_bool stop;
	int rc;
	struct error err;
};

static void *build(void *arg)
{
	struct building *b = arg;

	b->rc = apart(b->sql, &b->stop, &b->err);
	return NULL;
}

/* A build waits for transactions that were there before it: so it can be looked at. */
static void begin_building(struct building *b)
{
	int64_t building = 0;
	struct db other;

	assert_int_equal(store_hnsw_due(&db, LEAST, &b->sql, &arena, &err), 1);
	OK(db_begin(&db, &err));
	run("t_vectors", DB_ARGS(GRACE, LEAF, 0, 3)); /* a lock on the table */
	assert_int_equal(pthread_create(&b->thread, NULL, build, b), 0);
	db_init(&other, db.pool);
	while (building == 0)
		OK(db_number(&other, "t_building", DB_ARGS(), &building, &err));
	db_done(&other);
}

static void vectors_are_stored_while_it_is_made(void **state)
{
	struct building b = { 0 };

	(void)state;
	begin_building(&b);
	pg_sql("INSERT INTO documents.embedding VALUES ('" ADA "', '" LEAF "', 1000, '[0.866,0.5,0]')");
	OK(db_commit(&db, &err));
	pthread_join(b.thread, NULL);
	assert_int_equal(b.rc, 1);
	assert_int_equal(store_rig_number("t_indexes"), 1);
}

static void one_that_was_given_up_is_made_again(void **state)
{
	struct building b = { 0 };
	int64_t start;

	(void)state;
	begin_building(&b);
	start = clock_mono_ms();
	atomic_store(&b.stop, true);
	pthread_join(b.thread, NULL);
	assert_int_equal(b.rc, -1);
	assert_in_range(clock_mono_ms() - start, 0, 15000);
	OK(db_commit(&db, &err));
	settle();
	assert_int_equal(store_rig_number("t_indexes"), 1);
}

static void what_this_database_lacks_is_said(void **state)
{
	const char *why;

	(void)state;
	OK(store_hnsw_missing(&db, &why, &arena, &err));
	assert_null(why);
}

int main(void)
{
#define HNSW_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		HNSW_TEST(who_has_many_gets_one),
		HNSW_TEST(a_filter_finds_what_it_lets_through),
		HNSW_TEST(another_dimension_is_not_in_its_way),
		HNSW_TEST(who_falls_below_loses_it),
		HNSW_TEST(vectors_are_stored_while_it_is_made),
		HNSW_TEST(one_that_was_given_up_is_made_again),
		HNSW_TEST(what_this_database_lacks_is_said),
	};

	return cmocka_run_group_tests(tests, open_rig, store_rig_close);
}
