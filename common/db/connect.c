#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/db/internal.h"

static void ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

/* By statements and not as `options` of the start, which a pool in between may refuse or forget. */
static int settle_session(PGconn *pg, const char *schema, int statement_ms)
{
	OWN(pgresult) PGresult *res = NULL;
	bool late = false;
	char sql[512];

	snprintf(
	    sql, sizeof sql,
	    "SET search_path TO %s, public; SET TimeZone TO 'UTC'; SET DateStyle TO 'ISO';"
	    " SET bytea_output TO 'hex'; SET statement_timeout TO %d;"
	    " SET idle_in_transaction_session_timeout TO %d; SET client_connection_check_interval TO 1000",
	    schema, statement_ms, DB_IDLE_TRANSACTION_MS);
	res = db_answer(pg, PQsendQuery(pg, sql), clock_mono_ms() + DB_PING_MS, &late);
	return PQresultStatus(res) == PGRES_COMMAND_OK ? 0 : -1;
}

PGconn *db_connect(const char *url, const char *schema, int statement_ms, struct error *err)
{
	char program[80];
	/* Before dbname: defaults that the URL may replace. After it: ours. */
	const char *const names[] = { "connect_timeout",
		                      "gssencmode",
		                      "keepalives_idle",
		                      "keepalives_interval",
		                      "keepalives_count",
		                      "tcp_user_timeout",
		                      "target_session_attrs",
		                      "dbname",
		                      "application_name",
		                      "client_encoding",
		                      NULL };
	const char *const values[] = { "3",          "disable", "10",    "3",    "3", "15000",
		                       "read-write", url,       program, "UTF8", NULL };
	OWN(pgconn) PGconn *pg = NULL;

	snprintf(program, sizeof program, "parley-%s", schema);
	pg = PQconnectdbParams(names, values, 1);
	if (PQstatus(pg) != CONNECTION_OK || settle_session(pg, schema, statement_ms) < 0) {
		error_busy(err, 1, "the database is away");
		error_detail(err, "%.*s", (int)strcspn(PQerrorMessage(pg), "\n"), PQerrorMessage(pg));
		return NULL;
	}
	PQsetNoticeReceiver(pg, ignore_notice, NULL);
	return TAKE(pg);
}

int db_prepare(struct db_conn *conn, const struct db_known *known, int64_t until, PGresult **failed)
{
	OWN(pgresult) PGresult *res = NULL;

	if (conn->prepared[known->index])
		return 0;
	res = db_answer(conn->pg, PQsendPrepare(conn->pg, known->stmt->name, known->stmt->sql, 0, NULL),
	                until, &conn->late);
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		*failed = TAKE(res);
		return -1;
	}
	conn->prepared[known->index] = true;
	return 0;
}

int db_send(PGconn *pg, const char *stmt, struct db_args args)
{
	const char *values[DB_ARGS_MAX];
	int sizes[DB_ARGS_MAX], formats[DB_ARGS_MAX];

	assert(args.count <= DB_ARGS_MAX);
	for (int i = 0; i < args.count; i++) {
		values[i] = args.args[i].inlined ? args.args[i].number : args.args[i].text;
		sizes[i] = (int)args.args[i].size;
		formats[i] = args.args[i].binary;
	}
	return PQsendQueryPrepared(pg, stmt, args.count, values, sizes, formats, 0);
}

bool db_succeeded(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* What a SQL state means to the caller; the first prefix that fits counts, an unlisted one is our own mistake. */
static const struct meaning {
	const char *prefix;
	enum db_fate fate;
	const char *sentence;
	enum error_code code; /* ERROR_UNAVAILABLE unless another is given */
} meanings[] = {
	{ "08", DB_LOST, "the connection to the database broke" },
	{ DB_FOREIGN, DB_REFUSED, "what this belongs to does not exist", ERROR_NOT_FOUND },
	{ DB_UNIQUE, DB_REFUSED, "there is one of these already", ERROR_CONFLICT },
	{ "25006", DB_UNSENT, "the database has moved" }, /* this one only reads now: a failover */
	{ "40", DB_REFUSED, "somebody else was changing the same; please try again" },
	{ "53", DB_REFUSED, "the database has no room for more work" },
	{ "55P03", DB_REFUSED, "somebody else was changing the same; please try again" },
	{ "57014", DB_REFUSED, "the database took too long" },
	{ "57P01", DB_UNSENT, "the database is being stopped" },
	{ "57P02", DB_LOST, "the connection to the database broke" },
	{ "57P03", DB_UNSENT, "the database is starting" },
	{ "57P05", DB_UNSENT, "the database closed an idle connection" },
	{ "58", DB_REFUSED, "the database has trouble" },
};

static const struct meaning *meaning_of(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (strncmp(sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
			return &meanings[i];
	}
	return NULL;
}

/* The name in `... constraint "chatbot_document_document_102071"`: all that a worker of a cluster tells us, with the
 * number of its shard. Length 0: it names none. */
static int constraint_in(const char *words, const char **ret)
{
	static const char mark[] = "constraint \"";
	const char *at = words ? strstr(words, mark) : NULL;
	int length, digits = 0;

	if (!at)
		return 0;
	*ret = at + sizeof mark - 1;
	length = (int)strcspn(*ret, "\"");
	while (digits < length && isdigit((unsigned char)(*ret)[length - 1 - digits]))
		digits++;
	if (digits && digits < length && (*ret)[length - 1 - digits] == '_')
		length -= digits + 1;
	return length;
}

/* A worker that was handed a whole INSERT … SELECT reports every mistake as an internal error, in these words. */
static const char *state_of(const PGresult *res, const char *words)
{
	static const char *const known[][2] = { { "violates foreign key constraint", DB_FOREIGN },
		                                { "violates unique constraint", DB_UNIQUE } };
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;

	if (!state || strcmp(state, DB_CONFUSED) != 0 || !words)
		return state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strstr(words, known[i][0]))
			return known[i][1];
	return state;
}

enum db_fate db_failed(const struct db_conn *conn, const char *stmt, const PGresult *res, struct error *err)
{
	const char *constraint = res ? PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME) : NULL;
	const char *words = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *state = state_of(res, words);
	const struct meaning *meaning = state ? meaning_of(state) : NULL;
	int length = constraint ? (int)strlen(constraint) : constraint_in(words, &constraint);

	if (!state) { /* libpq's own words: it had no answer */
		bool dead = conn->late || PQstatus(conn->pg) == CONNECTION_BAD;
		if (dead)
			error_busy(err, 1, "%s",
			           conn->late ? "the database did not answer in time"
			                      : "the connection to the database broke");
		else
			error_internal(err, "-");
		error_detail(err, "----- %s: %s", stmt,
		             conn->late ? "no answer in time" : PQerrorMessage(conn->pg));
		return dead ? DB_LOST : DB_REFUSED;
	}
	if (!meaning)
		error_internal(err, "-");
	else if (meaning->code)
		error_set(err, meaning->code, "%s", meaning->sentence);
	else
		error_busy(err, 1, "%s", meaning->sentence);
	error_detail(err, "%s %.*s: %s: %s", state, length, length ? constraint : "", stmt,
	             words ? words : "");
	return meaning ? meaning->fate : DB_REFUSED;
}

int db_failed_with(const struct error *err, const char *sqlstate, const char *constraint)
{
	size_t length = constraint ? strlen(constraint) : 0;

	if (err->code == ERROR_NONE || strncmp(err->detail, sqlstate, 5) != 0 || err->detail[5] != ' ')
		return 0;
	return !constraint ||
	       (strncmp(err->detail + 6, constraint, length) == 0 && err->detail[6 + length] == ':');
}
