#include "svc-auth/init.h"

#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/db/db.h"
#include "services.h"

enum { SCRAM_ROOM = 160 };

OWN_DEFINE(pgconn, PGconn *, PQfinish)

/* Each asks what is missing for the service $1, and answers with the SQL that makes it. */
static const char *const missing[] = {
	/* roles are the cluster's: another of its databases may be made ready at the same time */
	"SELECT format('DO $do$ BEGIN CREATE ROLE %I LOGIN;"
	" EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$', 'parley_' || $1)"
	" WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parley_' || $1)",
	/* who makes a schema for another must be able to become it */
	"SELECT format('GRANT %I TO CURRENT_USER', 'parley_' || $1)"
	" WHERE NOT pg_has_role('parley_' || $1, 'MEMBER')",
	"SELECT format('CREATE SCHEMA %I AUTHORIZATION %I', $1::text, 'parley_' || $1)"
	" WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)",
};

static int failed(PGconn *conn, struct error *err)
{
	char *newline, text[256];

	snprintf(text, sizeof text, "%s", PQerrorMessage(conn));
	newline = strchr(text, '\n');
	if (newline)
		*newline = '\0';
	return error_set(err, ERROR_UNAVAILABLE, "the database could not be made ready: %s", text);
}

static int connect_to(const char *url, int wait_ms, PGconn **ret, struct error *err)
{
	int64_t until = clock_mono_ms() + wait_ms;

	for (;;) {
		OWN(pgconn) PGconn *conn = PQconnectdb(url);

		if (PQstatus(conn) == CONNECTION_OK) {
			*ret = TAKE(conn);
			return 0;
		}
		if (clock_mono_ms() >= until)
			return failed(conn, err);
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
}

static int run(PGconn *conn, const char *sql, struct error *err)
{
	OWN(pgresult) PGresult *res = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : failed(conn, err);
}

static int query(PGconn *conn, const char *sql, int n, const char *const *args, PGresult **ret,
                 struct error *err)
{
	*ret = PQexecParams(conn, sql, n, NULL, args, NULL, NULL, 0);
	return PQresultStatus(*ret) == PGRES_TUPLES_OK ? 0 : failed(conn, err);
}

/* Run the statements that a query answers with. */
static int run_answers(PGconn *conn, const char *sql, int n, const char *const *args, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (query(conn, sql, n, args, &res, err) < 0)
		return -1;
	for (int i = 0; i < PQntuples(res); i++)
		if (run(conn, PQgetvalue(res, i, 0), err) < 0)
			return -1;
	return 0;
}

/*
 * What PostgreSQL keeps of a password (RFC 5803), made here so that no log ever sees the password itself. Of one iteration
 * instead of 4,096: these slow down whoever guesses words, but ours are 256 bits of a key, and each of a service's
 * connections would pay for them with 5 ms.
 */
static void scram_verifier(const char *password, char ret[SCRAM_ROOM])
{
	unsigned char salt[16], salted[KEY_SIZE], client[MAC_SIZE], stored[MAC_SIZE], server[MAC_SIZE];
	unsigned char salt64[25], stored64[45], server64[45];

	random_bytes(salt, sizeof salt);
	if (PKCS5_PBKDF2_HMAC(password, -1, salt, sizeof salt, 1, EVP_sha256(), sizeof salted, salted) != 1)
		abort(); /* an OpenSSL without SHA-256: nothing can run */
	mac_sha256(salted, "Client Key", 10, NULL, 0, client);
	mac_sha256(salted, "Server Key", 10, NULL, 0, server);
	SHA256(client, sizeof client, stored);
	EVP_EncodeBlock(salt64, salt, sizeof salt);
	EVP_EncodeBlock(stored64, stored, sizeof stored);
	EVP_EncodeBlock(server64, server, sizeof server);
	snprintf(ret, SCRAM_ROOM, "SCRAM-SHA-256$1:%s$%s:%s", (char *)salt64, (char *)stored64,
	         (char *)server64);
	OPENSSL_cleanse(salted, sizeof salted);
	OPENSSL_cleanse(client, sizeof client);
}

/* A comment on the role marks the password it has, by a hash: nothing is written where nothing is new. */
static int set_password(PGconn *conn, const char *role, const struct secret *secret, struct error *err)
{
	char password[2 * KEY_SIZE + 1], hash[65], mark[80], verifier[SCRAM_ROOM];
	OWN(pgresult) PGresult *res = NULL;

	secret_role_password(secret, role, password);
	sha256_hex(hash, password, strlen(password));
	snprintf(mark, sizeof mark, "Parley; SCRAM 1; password %.16s", hash);
	scram_verifier(password, verifier);
	OPENSSL_cleanse(password, sizeof password);
	if (query(conn,
	          "SELECT FROM pg_roles WHERE rolname = $1"
	          " AND shobj_description(oid, 'pg_authid') IS DISTINCT FROM $2",
	          2, (const char *const[]){ role, mark }, &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	return run_answers(conn,
	                   "VALUES (format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)),"
	                   " (format('COMMENT ON ROLE %I IS %L', $1::text, $3::text))",
	                   3, (const char *const[]){ role, verifier, mark }, err);
}

/* A dump that is restored before the roles are there leaves all of it to whoever restored it. */
static int check_owner(PGconn *conn, const char *schema, const char *role, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (query(
	        conn,
	        "SELECT what, pg_get_userbyid(owner) FROM (SELECT 'schema ' || nspname AS what, nspowner AS owner"
	        " FROM pg_namespace WHERE nspname = $1 UNION ALL SELECT 'table ' || $1 || '.' || relname, relowner"
	        " FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')) AS owned"
	        " WHERE pg_get_userbyid(owner) <> $2 ORDER BY what LIMIT 1",
	        2, (const char *const[]){ schema, role }, &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	return error_set(
	    err, ERROR_CONFLICT,
	    "%s belongs to %s, not to %s: as after a dump was restored before the roles were "
	    "there. Begin with an empty database: svc-auth --init, then restore the dump, then start",
	    PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1), role);
}

static int init_service(PGconn *conn, const char *name, const struct secret *secret, struct error *err)
{
	char role[64];

	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (run_answers(conn, missing[i], 1, &name, err) < 0)
			return -1;
	snprintf(role, sizeof role, "parley_%s", name);
	return check_owner(conn, name, role, err) < 0 ? -1 : set_password(conn, role, secret, err);
}

/* --- Whether it is the database that it was ------------------------------------------------------------------------- */

/* What tells one server's data from another's; "" when it does not say. */
static void read_identity(PGconn *conn, char identity[32])
{
	OWN(pgresult) PGresult *res = PQexec(conn, "SELECT system_identifier FROM pg_control_system()");

	snprintf(identity, 32, "%s", PQntuples(res) == 1 ? PQgetvalue(res, 0, 0) : "");
}

static int check_same(PGconn *conn, const char *note, const char *identity, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	char noted[32] = "";
	FILE *file = fopen(note, "re");

	if (!file)
		return 0;
	if (!fgets(noted, sizeof noted, file))
		noted[0] = '\0';
	fclose(file);
	noted[strcspn(noted, "\n")] = '\0';
	if (!strcmp(noted, identity))
		return 0;
	if (query(conn, "SELECT FROM pg_namespace WHERE nspname = 'auth'", 0, NULL, &res, err) < 0)
		return -1;
	if (PQntuples(res) > 0) /* moved, or restored from a dump */
		return 0;
	return error_set(
	    err, ERROR_CONFLICT,
	    "the database is empty, but another one was made ready with this secret before: is its volume "
	    "mounted? To begin anew, remove %s",
	    note);
}

/* It helps later, and nothing hangs on it. */
static void note_identity(const char *note, const char *identity)
{
	FILE *file = *identity ? fopen(note, "we") : NULL;

	if (!file)
		return;
	fprintf(file, "%s\n", identity);
	fclose(file);
}

int init_database(const char *admin_url, const struct secret *secret, const char *state, int wait_ms,
                  struct error *err)
{
	OWN(pgconn) PGconn *conn = NULL;
	char identity[32], note[4096];

	if (connect_to(admin_url, wait_ms, &conn, err) < 0)
		return -1;
	snprintf(note, sizeof note, "%s/database-made", state);
	read_identity(conn, identity);
	if (*state && check_same(conn, note, identity, err) < 0)
		return -1;
	/* One at a time: of two that start together, the second finds everything there. */
	if (run(conn,
	        "SET client_min_messages = warning; BEGIN; SELECT pg_advisory_xact_lock(3107, 1);"
	        " CREATE EXTENSION IF NOT EXISTS vector",
	        err) < 0)
		return -1;
	for (size_t i = 0; i < SERVICES; i++)
		if (init_service(conn, services[i].name, secret, err) < 0)
			return -1;
	if (run(conn, "COMMIT", err) < 0)
		return -1;
	if (*state)
		note_identity(note, identity);
	log_line(LOG_INFO, "the database is ready for the services");
	return 0;
}
