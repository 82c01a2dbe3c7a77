/* links: tests/unit/db_rig.c tests/unit/pg.c */
#include "tests/unit/db_rig.h"

#include <stdlib.h>
#include <string.h>

#include "integrations.pb-c.h"
#include "rpc.pb-c.h"

static void values_come_back_as_they_went(void **state)
{
	static const unsigned char raw[] = { 0, 1, 0xff, '\\', '\'' };
	ProtobufCBinaryData bytes = { sizeof raw, (uint8_t *)raw }, none = { 0 }, got;
	struct error err = { 0 };
	struct arena a;
	struct db db;
	PGresult *res;
	const char *text = "it's \"quoted\" \\ \xc3\xa9";
	bool yes = true;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "echo", DB_ARGS(text, INT64_MIN, 0.1, yes, bytes), &res, &err), 0);
	assert_string_equal(db_text(res, 0, "t"), text);
	assert_true(db_int(res, 0, "i") == INT64_MIN);
	assert_string_equal(db_text(res, 0, "d"), "0.1");
	assert_string_equal(db_text(res, 0, "b"), "t");
	got = db_bytes(res, 0, "raw", &a);
	assert_int_equal(got.len, sizeof raw);
	assert_memory_equal(got.data, raw, sizeof raw);
	PQclear(res);

	text = NULL;
	assert_int_equal(db_exec(&db, "echo", DB_ARGS(text, 7, 1e300, !yes, none), &res, &err), 0);
	assert_null(db_text(res, 0, "t"));
	assert_true(db_int(res, 0, "t") == 0);
	assert_string_equal(db_text(res, 0, "raw"), "\\x"); /* no bytes are not NULL */
	PQclear(res);
	arena_done(&a);
}

static void text_arrays(void **state)
{
	char *odd[] = { (char *)"a", (char *)"", (char *)"NULL", (char *)"b,\"c\"\\{}" };
	char *second[] = { odd[1], odd[3] };
	struct error err = { 0 };
	struct arena a;
	struct db db;
	PGresult *res;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	assert_string_equal(db_text_array(NULL, 0, &a), "{}");
	assert_int_equal(
	    db_exec(&db, "any", DB_ARGS(db_text_array(odd, 4, &a), db_text_array(second, 2, &a)), &res, &err),
	    0);
	assert_true(db_int(res, 0, "n") == 2);
	PQclear(res);
	arena_done(&a);
}

static void sessions_are_set_up(void **state)
{
	struct error err = { 0 };
	struct db db;
	PGresult *res;

	(void)state;
	db_init(&db, pool);
	assert_int_equal(db_exec(&db, "session", DB_ARGS(), &res, &err), 0);
	assert_string_equal(db_text(res, 0, "path"), "test_db, public");
	assert_string_equal(db_text(res, 0, "zone"), "UTC");
	assert_string_equal(db_text(res, 0, "patience"), "30s");
	assert_string_equal(db_text(res, 0, "name"), "parley-test_db");
	PQclear(res);
}

/* A pool in between drops what a connection begins with, or hands over what another client left: then a service found
 * itself in schema public, where it may do nothing. */
static void sessions_are_set_up_however_they_begin(void **state)
{
	struct db_config config = {
		.url = pg_url(), .schema = "test_db", .connections = 1, .statements = db_rig_tables
	};
	struct db_pool *all = pool;
	struct error err = { 0 };

	setenv("PGOPTIONS", "-c search_path=pg_catalog -c TimeZone=Asia/Tokyo -c statement_timeout=1h", 1);
	assert_int_equal(db_pool_open(&config, 0, &pool, &err), 0);
	unsetenv("PGOPTIONS");
	sessions_are_set_up(state);
	db_pool_free(pool);
	pool = all;
}

static void rows_changed_are_counted(void **state)
{
	struct error err = { 0 };
	struct db db;
	int64_t rows;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE");
	assert_int_equal(db_change(&db, "add", DB_ARGS(1, "one"), &rows, &err), 0);
	assert_true(rows == 1);
	assert_int_equal(db_change(&db, "add_returning", DB_ARGS(2, "two"), &rows, &err), 0);
	assert_true(rows == 1);
	assert_int_equal(db_change(&db, "rename", DB_ARGS(3, "three"), &rows, &err), 0);
	assert_true(rows == 0);
	assert_int_equal(db_exec(&db, "rename", DB_ARGS(2, "zwei"), NULL, &err), 0);
}

static void refusals_can_be_told_apart(void **state)
{
	struct error err = { 0 };
	struct db db;

	(void)state;
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE; INSERT INTO test_db.item VALUES (1, 'one')");
	assert_int_equal(db_exec(&db, "add", DB_ARGS(2, "one"), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_true(db_failed_with(&err, DB_UNIQUE, NULL));
	assert_true(db_failed_with(&err, DB_UNIQUE, "item_name"));
	assert_false(db_failed_with(&err, DB_UNIQUE, "item_nam"));
	assert_false(db_failed_with(&err, DB_UNIQUE, "item_pkey"));
	assert_false(db_failed_with(&err, DB_FOREIGN, NULL));
	assert_null(strstr(err.message, "item")); /* the caller learns nothing of db_rig_tables */
	error_clear(&err);
	assert_false(db_failed_with(&err, DB_UNIQUE, NULL));
	assert_int_equal(db_exec(&db, "pair_now", DB_ARGS(404), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND); /* what it is to belong to is not there */
	assert_true(db_failed_with(&err, DB_FOREIGN, "now_item"));
	error_clear(&err);
	assert_int_equal(db_exec(&db, "divide", DB_ARGS(0), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
	error_clear(&err);
	assert_int_equal(db_exec(&db, "no_such_statement", DB_ARGS(), NULL, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
}

/* A worker of a cluster names the constraint in its words alone, with the number of its shard. */
static void a_constraint_is_known_by_the_name_in_the_message(void **state)
{
	static const struct {
		const char *words, *name;
	} cases[] = {
		{ "violates foreign key constraint \"pair_item_102071\"", "pair_item" },
		{ "violates unique constraint \"item_name\"", "item_name" },
		{ "violates unique constraint \"item_v2_17\"", "item_v2" },
		{ "violates unique constraint \"102071\"", "102071" },
		{ "violates unique constraint \"", "" },
		{ "no name at all", "" },
	};
	struct db db;

	(void)state;
	db_init(&db, pool);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };

		assert_int_equal(db_exec(&db, "refuse", DB_ARGS(cases[i].words), NULL, &err), -1);
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_true(db_failed_with(&err, DB_FOREIGN, cases[i].name));
	}
}

static void one_row_or_none(void **state)
{
	Rpc__Message out = RPC__MESSAGE__INIT;
	struct error err = { 0 };
	struct arena a;
	int64_t n = -1;
	struct db db;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	pg_sql("TRUNCATE test_db.item CASCADE; INSERT INTO test_db.item VALUES (1, 'one')");
	assert_int_equal(db_one(&db, "message", DB_ARGS(1), &out.base, &a, &err), 1);
	assert_string_equal(out.message, "one");
	assert_int_equal(db_one(&db, "message", DB_ARGS(2), &out.base, &a, &err), 0);
	assert_int_equal(err.code, ERROR_NONE);
	assert_int_equal(db_must_find(1, "item", &err), 0);
	assert_int_equal(db_must_find(0, "item", &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(err.message, "no such item");
	error_clear(&err);
	assert_int_equal(db_one(&db, "divide", DB_ARGS(0), &out.base, &a, &err), -1);
	error_clear(&err);
	assert_int_equal(db_number(&db, "count", DB_ARGS(), &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(db_number(&db, "get", DB_ARGS(2), &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_changed(&db, "rename", DB_ARGS(1, "uno"), &err), 1);
	assert_int_equal(db_changed(&db, "rename", DB_ARGS(2, "due"), &err), 0);
	arena_done(&a);
}

/* Pages one after another: each item once, none left out, no `next` on the last. */
static void pages_join_without_a_gap(void **state)
{
	static const struct {
		int limit, most, pages;
	} cases[] = { { 0, 100, 1 }, { 2, 100, 3 }, { 5, 100, 1 }, { 4, 3, 2 }, { 1, 100, 5 } };
	struct error err = { 0 };
	struct arena a;
	struct db db;

	(void)state;
	arena_init(&a, 0);
	db_init(&db, pool);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t seen = 0, pages = 0;
		char *cursor = NULL;

		do {
			Integrations__IntegrationList list = INTEGRATIONS__INTEGRATION_LIST__INIT;

			assert_int_equal(db_page(&db, "five", DB_ARGS(cursor), cases[i].limit, cases[i].most,
			                         &list.base, &a, &err),
			                 0);
			for (size_t k = 0; k < list.n_integrations; k++)
				assert_int_equal(strtol(list.integrations[k]->id, NULL, 10), ++seen);
			cursor = list.next;
		} while (pages++, cursor);
		assert_int_equal(seen, 5);
		assert_int_equal(pages, cases[i].pages);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_as_they_went),
		cmocka_unit_test(text_arrays),
		cmocka_unit_test(sessions_are_set_up),
		cmocka_unit_test(sessions_are_set_up_however_they_begin),
		cmocka_unit_test(rows_changed_are_counted),
		cmocka_unit_test(refusals_can_be_told_apart),
		cmocka_unit_test(a_constraint_is_known_by_the_name_in_the_message),
		cmocka_unit_test(one_row_or_none),
		cmocka_unit_test(pages_join_without_a_gap),
	};

	return cmocka_run_group_tests_name("db", tests, db_rig_open, db_rig_close);
}
