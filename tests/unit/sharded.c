#include "tests/unit/sharded.h"

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/db/internal.h"

enum { NAME = 64, TOKENS = 4000, TABLES = 64, LEVELS = 32, INDEXES = 64 };

/* --- Tokens: words in small letters, numbers, parameters, single characters; no blanks, no comments ---------------- */

struct tokens {
	char text[TOKENS][NAME];
	int count;
};

static const char *after_string(const char *s)
{
	for (s++; *s && (*s != '\'' || s[1] == '\''); s++)
		s += *s == '\'';
	return *s ? s + 1 : s;
}

static const char *take_word(const char *s, char *word)
{
	int n = 0;

	for (; isalnum((unsigned char)*s) || *s == '_'; s++)
		if (n < NAME - 1)
			word[n++] = (char)tolower((unsigned char)*s);
	word[n] = '\0';
	return s;
}

static void read_tokens(const char *s, size_t size, struct tokens *ret)
{
	const char *end = s + size;

	ret->count = 0;
	while (s < end && ret->count < TOKENS) {
		char *text = ret->text[ret->count];

		if (isspace((unsigned char)*s)) {
			s++;
			continue;
		}
		if (s[0] == '-' && s[1] == '-') {
			s += strcspn(s, "\n");
			continue;
		}
		if (s[0] == '/' && s[1] == '*') {
			s = strstr(s, "*/") + 2;
			continue;
		}
		ret->count++;
		if (*s == '\'') {
			s = after_string(s);
			strcpy(text, "''");
		} else if (isalnum((unsigned char)*s) || *s == '_') {
			s = take_word(s, text);
		} else if (*s == '$') {
			text[0] = '$';
			s = take_word(s + 1, text + 1);
		} else {
			text[0] = *s++;
			text[1] = '\0';
		}
	}
}

/* "" past the end. */
static const char *at(const struct tokens *t, int i)
{
	return i >= 0 && i < t->count ? t->text[i] : "";
}

static bool is(const struct tokens *t, int i, const char *text)
{
	return strcmp(at(t, i), text) == 0;
}

static bool one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* The parenthesis that closes the one at i. */
static int closing(const struct tokens *t, int i)
{
	int depth = 0;

	for (; i < t->count; i++) {
		depth += is(t, i, "(") - is(t, i, ")");
		if (depth == 0)
			return i;
	}
	return i;
}

static bool has(const struct tokens *t, int from, int to, const char *text)
{
	for (int i = from; i < to; i++)
		if (is(t, i, text))
			return true;
	return false;
}

/* --- What is known and what is wrong -------------------------------------------------------------------------------- */

struct index {
	char name[NAME], why[160];
};

struct check {
	const struct sharded *what;
	const char *now; /* the statement or migration that is looked at */
	char tables[TABLES][NAME];
	int table_count;
	struct index indexes[INDEXES]; /* unique ones without the owner */
	int index_count;
	bool found; /* something in this statement */
	int wrong;
};

static void tell(struct check *c, const char *format, ...)
{
	va_list args;

	c->found = true;
	if (one_of(c->now, c->what->allowed))
		return;
	c->wrong++;
	fprintf(stderr, "%s: ", c->now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static bool is_owned(const struct check *c, const char *name)
{
	for (int i = 0; i < c->table_count; i++)
		if (strcmp(c->tables[i], name) == 0)
			return true;
	return false;
}

/* --- Statements ----------------------------------------------------------------------------------------------------- */

/* A query or subquery. */
struct level {
	int depth;    /* of the parenthesis it began with */
	int tables;   /* that have owners and are read or changed */
	int mentions; /* of owner_id */
	bool owner;   /* owner_id = $n */
};

static bool begins_query(const char *word)
{
	static const char *const words[] = { "select", "insert", "update", "delete", "with", NULL };

	return one_of(word, words);
}

static void end_level(struct check *c, const struct level *l)
{
	if (l->tables && !l->owner)
		tell(c, "a (sub)query on an owner's table without owner_id = $n");
	else if (l->mentions < l->tables)
		tell(c, "one of %d owners' tables is joined without its owner", l->tables);
}

/* INSERT INTO table (owner_id, ...) VALUES ($1, ...) or SELECT $1, ... */
static void check_insert(struct check *c, const struct tokens *t, int table)
{
	int close = closing(t, table + 1), value = close + 1;

	if (is(t, value, "values"))
		value++;
	if (!is(t, table + 1, "(") || !is(t, table + 2, "owner_id") || at(t, value + 1)[0] != '$')
		tell(c, "an insert whose first column is not owner_id, or is not given as a parameter");
}

static bool is_word(const char *text)
{
	return isalpha((unsigned char)text[0]) || text[0] == '_';
}

/* The tables that a word of the statement introduces. */
static void look_for_table(struct check *c, const struct tokens *t, int i, struct level *l)
{
	static const char *const before[] = { "from", "join", "update", "using", "into", NULL };
	static const char *const ends[] = { "where", "set",   "on",    "join", "left",
		                            "order", "limit", "using", NULL };
	bool into = is(t, i, "into");

	if (!one_of(at(t, i), before))
		return;
	for (i++;; i++) {
		if (is(t, i + 1, "."))
			i += 2;
		if (is_owned(c, at(t, i)) && !is(t, i + 1, ".")) {
			if (into)
				check_insert(c, t, i);
			l->tables += !into;
		}
		if (into || !is_word(at(t, i)))
			return;
		i += is(t, i + 1, "as");
		i += is_word(at(t, i + 1)) && !one_of(at(t, i + 1), ends);
		if (!is(t, ++i, ","))
			return;
	}
}

/* In what a time may stand that every shard would work out for itself. */
static void check_functions(struct check *c, const struct tokens *t)
{
	static const char *const volatiles[] = { "nextval", "random", "gen_random_uuid", "clock_timestamp",
		                                 NULL };
	static const char *const mixers[] = { "coalesce", "greatest", "nullif", NULL };
	bool updates = has(t, 0, t->count, "set");
	int cases = 0;

	for (int i = 0; i < t->count; i++) {
		cases += is(t, i, "case") - is(t, i, "end");
		if (is(t, i, "pg_notify"))
			tell(c,
			     "pg_notify in a statement on an owner's table: it is lost on another machine");
		if (is(t, i, "to_char") && !has(t, i, closing(t, i + 1), "zone"))
			tell(c,
			     "to_char without AT TIME ZONE: a machine of the cluster has a zone of its own");
		if (!updates)
			continue;
		if (one_of(at(t, i), volatiles) && is(t, i + 1, "("))
			tell(c, "%s() in an update", at(t, i));
		if (is(t, i, "now") && cases)
			tell(c, "now() in a CASE of an update");
		if (one_of(at(t, i), mixers) && has(t, i, closing(t, i + 1), "now"))
			tell(c, "now() mixed with columns in an update");
	}
}

/* What the coordinator cannot write out again when it runs a statement part by part, and what it refuses. */
static void check_forms(struct check *c, const struct tokens *t)
{
	bool parts = is(t, 0, "with");
	int depth = 0, conflict = LEVELS; /* how deep ON CONFLICT stands */

	for (int i = 0; i < t->count; i++) {
		int moved = at(t, i + 1)[0] == '$' && is(t, i + 2, "*") ? i + 3 : i + 1;

		depth += is(t, i, "(") - is(t, i, ")");
		if (is(t, i, "conflict") || depth < conflict)
			conflict = is(t, i, "conflict") ? depth : LEVELS;
		if (parts && is(t, i, "select") && is(t, i + 1, "from") && is_owned(c, at(t, i + 2)))
			tell(c, "a subquery without a column (SELECT 1 FROM): its result has none to name");
		if (is(t, i, "case") && !is(t, i + 1, "when"))
			tell(c, "CASE x WHEN y: CASE WHEN x = y");
		if (depth >= conflict && (is(t, i, "+") || is(t, i, "-")) && is(t, moved, "interval"))
			tell(c, "a time that is moved (it depends on the zone) after ON CONFLICT");
	}
}

static void check_statement(struct check *c, const struct db_stmt *s)
{
	static struct tokens t;
	struct level levels[LEVELS] = { { 0 } };
	int level = 0, depth = 0;
	bool owned = false;

	c->now = s->name;
	c->found = false;
	read_tokens(s->sql, strlen(s->sql), &t);
	for (int i = 0; i < t.count; i++) {
		struct level *l = &levels[level];

		if (is(&t, i, "(") && ++depth && begins_query(at(&t, i + 1)) && level + 1 < LEVELS)
			levels[++level] = (struct level){ .depth = depth };
		if (is(&t, i, ")") && depth-- == l->depth && level)
			end_level(c, &levels[level--]);
		look_for_table(c, &t, i, l);
		owned = owned || is_owned(c, at(&t, i));
		l->mentions += is(&t, i, "owner_id");
		l->owner =
		    l->owner || (is(&t, i, "owner_id") && is(&t, i + 1, "=") && at(&t, i + 2)[0] == '$');
	}
	end_level(c, &levels[0]);
	if (owned) {
		check_functions(c, &t);
		check_forms(c, &t);
	}
	if (!c->found && one_of(c->now, c->what->allowed)) {
		c->wrong++;
		fprintf(stderr, "%s is allowed to do what it does not do\n", c->now);
	}
}

/* --- Tables --------------------------------------------------------------------------------------------------------- */

static void add_index(struct check *c, const char *name, const char *why)
{
	struct index *x = &c->indexes[c->index_count < INDEXES - 1 ? c->index_count++ : INDEXES - 1];

	snprintf(x->name, sizeof x->name, "%s", name);
	snprintf(x->why, sizeof x->why, "%s", why);
}

static void drop_index(struct check *c, const char *name)
{
	for (int i = 0; i < c->index_count; i++)
		if (strcmp(c->indexes[i].name, name) == 0)
			c->indexes[i--] = c->indexes[--c->index_count];
}

/* Its columns and constraints lie between `open` and its closing parenthesis. */
static void take_table(struct check *c, const struct tokens *t, const char *name, int open)
{
	int close = closing(t, open);

	if (strcmp(name, "job") == 0 || !has(t, open, close, "owner_id") || c->table_count == TABLES)
		return;
	snprintf(c->tables[c->table_count++], NAME, "%s", name);
	for (int i = open; i < close; i++) {
		bool key = is(t, i, "unique") || (is(t, i, "primary") && is(t, i + 1, "key"));
		int columns = is(t, i, "primary") ? i + 2 : i + 1, begin = i;

		while (begin > open + 1 && !is(t, begin - 1, ","))
			begin--;
		if (key && !is(t, begin, "owner_id") &&
		    !(is(t, columns, "(") && has(t, columns, closing(t, columns), "owner_id")))
			add_index(c, name, "a key without owner_id");
	}
}

static void take_index(struct check *c, const struct tokens *t)
{
	int on = 0, open;

	while (on < t->count && !is(t, on, "on"))
		on++;
	open = on + 2;
	if (is_owned(c, at(t, on + 1)) && !has(t, open, closing(t, open), "owner_id"))
		add_index(c, at(t, 3), "a unique index without owner_id");
}

static void check_tables(struct check *c)
{
	static struct tokens t;

	for (const struct db_migration *m = c->what->migrations; m->sql; m++) {
		const char *sql = m->sql, *stmt;
		size_t length;

		while ((length = db_next_statement(&sql, &stmt)) > 0) {
			int name = 2;

			read_tokens(stmt, length, &t);
			name += is(&t, 1, "unlogged");
			if (is(&t, 0, "create") && is(&t, name - 1, "table"))
				take_table(c, &t, at(&t, name), name + 1);
			else if (is(&t, 0, "create") && is(&t, 1, "unique"))
				take_index(c, &t);
			else if (is(&t, 0, "drop") && is(&t, 1, "index"))
				drop_index(c, at(&t, 2));
		}
	}
	for (int i = 0; i < c->index_count; i++) {
		c->now = c->indexes[i].name;
		tell(c, "%s", c->indexes[i].why);
	}
}

int sharded_check(const struct sharded *what)
{
	struct check *c = calloc(1, sizeof *c);
	int wrong;

	if (!c)
		abort();
	c->what = what;
	check_tables(c);
	for (const struct db_stmt *const *table = what->statements; *table; table++)
		for (const struct db_stmt *s = *table; s->name; s++)
			check_statement(c, s);
	wrong = c->wrong;
	free(c);
	return wrong;
}

static void statements_fit_a_sharded_cluster(void **state)
{
	const struct sharded *what = *state;
	int wrong = sharded_check(what);

	if (wrong)
		fprintf(stderr,
		        "A statement names its owner as a parameter (owner_id = $1) in every subquery, and\n"
		        "inserts it first. What serves all owners alike, as a sweep does, is named in\n"
		        "`allowed` of the test. ARCHITECTURE.md, \"PostgreSQL\", says why.\n");
	assert_int_equal(wrong, 0);
}

int sharded_main(const struct sharded *what)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(statements_fit_a_sharded_cluster,
		                                                      (void *)what) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
