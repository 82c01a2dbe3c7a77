/* links: tests/unit/sharded.c */
/* The check itself: it bites on what is planted, and on nothing else. */
#include "tests/unit/sharded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char tables[] =
    "CREATE TABLE thing (owner_id uuid NOT NULL, id uuid NOT NULL, at timestamptz, PRIMARY KEY (owner_id, id));\n"
    "CREATE TABLE part (owner_id uuid NOT NULL REFERENCES users (uid), id uuid, PRIMARY KEY (owner_id, id));\n"
    "CREATE TABLE usage (owner_id uuid PRIMARY KEY REFERENCES users, n bigint);\n"
    "CREATE UNLOGGED TABLE visit (key text PRIMARY KEY, n int);\n"
    "CREATE TABLE job (id uuid PRIMARY KEY, owner_id uuid);\n";

static int wrong_with(const char *migration, const char *sql, const char *allowed)
{
	const struct db_migration migrations[] = { { 100, "tables", tables },
		                                   { 101, "more", migration },
		                                   { 0 } };
	const struct db_stmt statements[] = { { "planted", sql }, { NULL, NULL } };
	const struct db_stmt *const lists[] = { statements, NULL };
	const char *const names[] = { allowed, NULL };

	return sharded_check(&(struct sharded){ migrations, lists, names });
}

static void statements(void **state)
{
	static const struct {
		const char *sql;
		int wrong;
	} cases[] = {
		{ "SELECT id FROM thing WHERE owner_id = $1 AND id = $2", 0 },
		{ "SELECT id FROM thing WHERE id = $1", 1 },
		{ "SELECT id FROM thing t WHERE t.owner_id = $1", 0 },
		{ "SELECT t.id FROM thing t JOIN part p ON p.owner_id = t.owner_id WHERE t.owner_id = $1",
		  0 },
		{ "SELECT t.id FROM thing t JOIN part p ON p.id = t.id WHERE t.owner_id = $1", 1 },
		{ "SELECT t.id FROM thing t, part p WHERE p.id = t.id AND t.owner_id = $1", 1 },
		{ "SELECT t.id, ARRAY(SELECT p.id FROM part p WHERE p.owner_id = t.owner_id) FROM thing t WHERE t.owner_id = $1",
		  1 },
		{ "SELECT t.id, ARRAY(SELECT p.id FROM part p WHERE p.owner_id = $1) FROM thing t WHERE t.owner_id = $1",
		  0 },
		{ "SELECT t.id FROM thing t WHERE t.owner_id = $1 AND EXISTS (SELECT FROM part WHERE id = t.id)",
		  1 },
		{ "SELECT extract(epoch FROM thing.at) FROM thing WHERE owner_id = $1", 0 },
		{ "SELECT n FROM visit WHERE key = $1", 0 },
		{ "UPDATE job SET run_at = now() + $2 * lease WHERE id = $1", 0 },
		{ "INSERT INTO thing (owner_id, id) VALUES ($1, $2)", 0 },
		{ "INSERT INTO thing (id, owner_id) VALUES ($1, $2)", 1 },
		{ "INSERT INTO thing (owner_id, id) SELECT $1, x FROM unnest($2::uuid[]) AS t (x)", 0 },
		{ "INSERT INTO thing (owner_id, id) SELECT owner_id, id FROM part WHERE owner_id = $1", 1 },
		{ "DELETE FROM thing WHERE at < now()", 1 },
		{ "WITH gone AS (DELETE FROM thing WHERE owner_id = $1 RETURNING id) SELECT pg_notify('c', id::text) FROM gone",
		  1 },
		{ "SELECT pg_notify('c', $1)", 0 },
		{ "UPDATE thing SET at = now() WHERE owner_id = $1", 0 },
		{ "UPDATE thing SET at = coalesce(at, now()) WHERE owner_id = $1", 1 },
		{ "UPDATE thing SET at = CASE WHEN $2 THEN now() END WHERE owner_id = $1", 1 },
		{ "UPDATE thing SET n = nextval('s') WHERE owner_id = $1", 1 },
		{ "SELECT to_char(at, 'YYYY') FROM thing WHERE owner_id = $1", 1 },
		{ "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY') FROM thing WHERE owner_id = $1", 0 },
		{ "WITH a AS (SELECT 2) SELECT EXISTS (SELECT FROM part WHERE owner_id = $1) FROM a", 1 },
		{ "WITH a AS (SELECT 2) SELECT EXISTS (SELECT 1 FROM part WHERE owner_id = $1) FROM a", 0 },
		{ "WITH a AS (SELECT id FROM part WHERE owner_id = $1) SELECT EXISTS (SELECT FROM a)", 0 },
		{ "DELETE FROM thing WHERE owner_id = $1 AND EXISTS (SELECT FROM part WHERE owner_id = $1)",
		  0 },
		{ "SELECT CASE id WHEN $2 THEN 1 END FROM thing WHERE owner_id = $1", 1 },
		{ "SELECT CASE WHEN id = $2 THEN 1 END FROM thing WHERE owner_id = $1", 0 },
		{ "INSERT INTO thing (owner_id, id) VALUES ($1, $2) ON CONFLICT (owner_id, id) DO UPDATE"
		  " SET at = excluded.at WHERE thing.at < excluded.at - $3 * interval '1 day'",
		  1 },
		{ "INSERT INTO thing (owner_id, id) VALUES ($1, $2) ON CONFLICT (owner_id, id) DO UPDATE"
		  " SET at = excluded.at WHERE excluded.at - thing.at > $3 * interval '1 day'",
		  0 },
		{ "WITH a AS (INSERT INTO thing (owner_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING)"
		  " UPDATE part SET at = now() + interval '1 day' WHERE owner_id = $1",
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (wrong_with("", cases[i].sql, NULL) != cases[i].wrong)
			fail_msg("%s", cases[i].sql);
}

static void keys(void **state)
{
	static const struct {
		const char *migration;
		int wrong;
	} cases[] = {
		{ "CREATE UNIQUE INDEX thing_id ON thing (id)", 1 },
		{ "CREATE UNIQUE INDEX thing_id ON thing (owner_id, id) WHERE at IS NULL", 0 },
		{ "CREATE UNIQUE INDEX thing_id ON thing (id); DROP INDEX thing_id; CREATE INDEX i ON thing (id)",
		  0 },
		{ "CREATE UNIQUE INDEX visit_n ON visit (n)", 0 },
		{ "CREATE TABLE more (owner_id uuid, id uuid PRIMARY KEY)", 1 },
		{ "CREATE TABLE more (owner_id uuid, id uuid UNIQUE, PRIMARY KEY (owner_id, id))", 1 },
		{ "CREATE TABLE more (owner_id uuid, id uuid, UNIQUE (id, owner_id))", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (wrong_with(cases[i].migration, "SELECT 1", NULL) != cases[i].wrong)
			fail_msg("%s", cases[i].migration);
}

static void what_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(wrong_with("", "DELETE FROM thing WHERE at < now()", "planted"), 0);
	assert_int_equal(wrong_with("", "DELETE FROM thing WHERE owner_id = $1", "planted"),
	                 1); /* needs it no more */
	assert_int_equal(wrong_with("CREATE UNIQUE INDEX thing_id ON thing (id)", "SELECT 1", "thing_id"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements),
		cmocka_unit_test(keys),
		cmocka_unit_test(what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
