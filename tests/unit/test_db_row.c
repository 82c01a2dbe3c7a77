/* links: tests/unit/pg.c */
#include "common/db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "documents.pb-c.h"
#include "rpc.pb-c.h"
#include "tests/unit/pg.h"

/* Rows of constants: no table is needed, only PostgreSQL's own way of printing. */
static PGresult *rows(const char *sql)
{
	PGconn *pg = PQconnectdb(pg_url());
	PGresult *res;

	PQclear(PQexec(pg, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'"));
	res = PQexec(pg, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	PQfinish(pg);
	return res;
}

static void a_row_fills_its_message(void **state)
{
	PGresult *res =
	    rows("SELECT '0193e4a0-0000-7000-8000-000000000001'::uuid AS id, 'a \"name\"' AS name,"
	         " NULL::text AS description, 'READY' AS status, 0.25::float8 AS progress,"
	         " 9007199254740993 AS size, -7 AS pages, '{\"a\": 1}'::jsonb AS metadata,"
	         " '{0193e4a0-0000-7000-8000-000000000002,0193e4a0-0000-7000-8000-000000000003}'::uuid[]"
	         " AS chatbots, '2025-01-15 10:30:00.1239+00'::timestamptz AS created_at,"
	         " '2025-01-15 11:30:00+01'::timestamptz AS updated_at");
	Documents__Document doc = DOCUMENTS__DOCUMENT__INIT;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(db_row(res, 0, &doc.base, &a, &err), 0);
	PQclear(res);
	assert_string_equal(doc.id, "0193e4a0-0000-7000-8000-000000000001");
	assert_string_equal(doc.name, "a \"name\"");
	assert_null(doc.description);
	assert_true(doc.has_status && doc.status == DOCUMENTS__STATUS__READY);
	assert_true(doc.has_progress && doc.progress == 0.25);
	assert_true(doc.has_size && doc.size == 9007199254740993);
	assert_true(doc.has_pages && doc.pages == -7);
	assert_false(doc.has_chunks);
	assert_string_equal(doc.metadata, "{\"a\": 1}");
	assert_int_equal(doc.n_chatbots, 2);
	assert_string_equal(doc.chatbots[1], "0193e4a0-0000-7000-8000-000000000003");
	assert_string_equal(doc.created_at, "2025-01-15T10:30:00.123Z");
	assert_string_equal(doc.updated_at, "2025-01-15T10:30:00.000Z");
	arena_done(&a);
}

static void arrays_as_postgresql_writes_them(void **state)
{
	static const struct {
		const char *sql;
		size_t count;
		const char *elements[4];
	} cases[] = {
		{ "'{}'::text[]", 0, { 0 } },
		{ "ARRAY['']", 1, { "" } },
		{ "ARRAY['a','b c','d']", 3, { "a", "b c", "d" } },
		{ "ARRAY['a,b','{c}','\"d\"','e\\f']", 4, { "a,b", "{c}", "\"d\"", "e\\f" } },
		{ "ARRAY['NULL','null']", 2, { "NULL", "null" } },
		{ "ARRAY[E'line\\nend', '\xc3\xa9\xc3\xa9']", 2, { "line\nend", "\xc3\xa9\xc3\xa9" } },
		{ "ARRAY[1,-2]::bigint[]", 2, { "1", "-2" } },
		{ "ARRAY['\\\\','\"']", 2, { "\\\\", "\"" } },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *sql = arena_printf(&a, "SELECT %s AS scopes", cases[i].sql);
		PGresult *res = rows(sql);
		Rpc__Caller caller = RPC__CALLER__INIT;
		struct error err = { 0 };
		if (db_row(res, 0, &caller.base, &a, &err) < 0)
			fail_msg("%s: %s", sql, err.detail);
		PQclear(res);
		assert_int_equal(caller.n_scopes, cases[i].count);
		for (size_t n = 0; n < cases[i].count; n++)
			assert_string_equal(caller.scopes[n], cases[i].elements[n]);
	}
	arena_done(&a);
}

static void bytes_and_flags(void **state)
{
	PGresult *res = rows("SELECT '\\x00ff5c'::bytea AS payload, 7 AS code, NULL::int AS retry_after");
	Rpc__Reply reply = RPC__REPLY__INIT;
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(db_row(res, 0, &reply.base, &a, &err), 0);
	assert_true(reply.has_payload && reply.payload.len == 3);
	assert_memory_equal(reply.payload.data, "\0\xff\\", 3);
	assert_true(reply.has_code && reply.code == 7 && !reply.has_retry_after);
	PQclear(res);
	res = rows("SELECT true AS admin, '' AS ip, 'service' AS kind");
	assert_int_equal(db_row(res, 0, &caller.base, &a, &err), 0);
	assert_true(caller.has_admin && caller.admin && caller.kind == RPC__CALLER__KIND__SERVICE);
	assert_string_equal(caller.ip, "");
	PQclear(res);
	arena_done(&a);
}

static void what_does_not_fit_is_a_bug(void **state)
{
	static const struct {
		const char *sql, *want;
	} cases[] = {
		{ "SELECT 1 AS no_such_field", "no_such_field" },
		{ "SELECT 5000000000 AS pages", "pages" },
		{ "SELECT 'x' AS size", "size" },
		{ "SELECT '' AS size", "size" },
		{ "SELECT 'gone' AS status", "status" },
		{ "SELECT ARRAY['a',NULL] AS chatbots", "chatbots" },
		{ "SELECT 'plain' AS chatbots", "chatbots" },
		{ "SELECT '1.5' AS pages", "pages" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		PGresult *res = rows(cases[i].sql);
		Documents__Document doc = DOCUMENTS__DOCUMENT__INIT;
		struct error err = { 0 };
		assert_int_equal(db_row(res, 0, &doc.base, &a, &err), -1);
		assert_int_equal(err.code, ERROR_INTERNAL);
		assert_non_null(strstr(err.detail, cases[i].want));
		PQclear(res);
	}
	arena_done(&a);
}

static void all_rows_at_once(void **state)
{
	PGresult *res =
	    rows("SELECT n AS sequence, 'e' || n AS name FROM generate_series(1, 1000) AS n ORDER BY n");
	Rpc__NextReply next = RPC__NEXT_REPLY__INIT;
	struct error err = { 0 };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_int_equal(db_rows(res, &rpc__event__descriptor, &next.n_events, &next.events, &a, &err), 0);
	PQclear(res);
	assert_int_equal(next.n_events, 1000);
	assert_true(next.events[999]->sequence == 1000);
	assert_string_equal(next.events[999]->name, "e1000");
	assert_null(next.events[0]->data);
	res = rows("SELECT 1 AS sequence WHERE false");
	assert_int_equal(db_rows(res, &rpc__event__descriptor, &next.n_events, &next.events, &a, &err), 0);
	assert_int_equal(next.n_events, 0);
	PQclear(res);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_fills_its_message), cmocka_unit_test(arrays_as_postgresql_writes_them),
		cmocka_unit_test(bytes_and_flags),         cmocka_unit_test(what_does_not_fit_is_a_bug),
		cmocka_unit_test(all_rows_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
