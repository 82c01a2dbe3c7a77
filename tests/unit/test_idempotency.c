/* links: tests/unit/pg.c */
/* Idempotency-Key against a real PostgreSQL: once done, always the same answer; never two at once; failures are free. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/service/idempotency.h"
#include "documents.pb-c.h"
#include "tests/unit/pg.h"

#define ADA "0192f3a0-0000-7000-8000-000000000001"
#define GRACE "0192f3a0-0000-7000-8000-000000000002"

static struct db_pool *pool;
static atomic_int ran; /* how often a method did */

/* --- Methods that make things ------------------------------------------------------------------------------------------- */

static const struct method upload;

static int make(struct call *call, const ProtobufCMessage *in, ProtobufCMessage *out)
{
	const char *name = call->method == &upload ? "file" : ((const Rpc__Message *)in)->message;
	OWN(pgresult) PGresult *res = NULL;

	ran++;
	if (!strcmp(name, "frozen")) /* for so long that somebody else has the key by now */
		pg_sql(
		    "UPDATE test_idempotency.idempotency SET created_at = created_at + interval '25 hours'");
	if (!strcmp(name, "sleepy"))
		usleep(100 * 1000);
	if (db_exec(call->db, "make", DB_ARGS(call->owner_id, name), &res, call->err) < 0)
		return -1;
	if (!strcmp(name, "lost"))
		return error_set(call->err, ERROR_UNKNOWN_OUTCOME, "no answer came");
	if (!strcmp(name, "regretted"))
		return error_set(call->err, ERROR_CONFLICT, "on second thoughts, no");
	((Rpc__Message *)out)->message = arena_printf(call->arena, "thing %s", db_text(res, 0, "id"));
	return 0;
}

static const struct method quick = { .name = "test.make",
	                             .in = &rpc__message__descriptor,
	                             .out = &rpc__message__descriptor,
	                             .handler = make,
	                             .idempotency_key = true };
static const struct method other = { .name = "test.make_other",
	                             .in = &rpc__message__descriptor,
	                             .out = &rpc__message__descriptor,
	                             .handler = make,
	                             .idempotency_key = true };
static const struct method slow = { .name = "test.make_slowly",
	                            .in = &rpc__message__descriptor,
	                            .out = &rpc__message__descriptor,
	                            .handler = make,
	                            .waits = WAITS_OUTSIDE,
	                            .idempotency_key = true };

static const struct method upload = { .name = "test.upload",
	                              .in = &documents__upload_document_request__descriptor,
	                              .out = &rpc__message__descriptor,
	                              .handler = make,
	                              .waits = WAITS_OUTSIDE,
	                              .idempotency_key = true };

static const struct db_stmt statements[] = {
	{ "make", "INSERT INTO thing (owner_id, name) VALUES ($1, $2) RETURNING id" },
	{ "count", "SELECT count(*) AS n FROM thing" },
	{ "keys", "SELECT count(*) AS n FROM idempotency" },
	{ "answers", "SELECT count(reply) AS n FROM idempotency" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, idempotency_statements, NULL };

/* --- Asking for them ------------------------------------------------------------------------------------------------------ */

struct answer {
	enum error_code code;
	char text[64];
};

struct made {
	struct call *call;
	const ProtobufCMessage *in;
};

/* What becomes of a call that was parked after run(). */
static enum error_code (*parked)(struct call *call, ProtobufCBinaryData *payload);

static int run(void *arg, ProtobufCBinaryData *payload)
{
	const struct made *m = arg;
	Rpc__Message out = RPC__MESSAGE__INIT;

	if (m->call->method->handler(m->call, m->in, &out.base) < 0)
		return -1;
	payload->len = rpc__message__get_packed_size(&out);
	payload->data = arena_alloc(m->call->arena, payload->len);
	rpc__message__pack(&out, payload->data);
	return parked ? IDEMPOTENCY_PARKED : IDEMPOTENCY_DONE;
}

static struct answer ask_with(const struct method *method, const char *owner, const char *key,
                              const ProtobufCMessage *in)
{
	struct claim *claim;
	Rpc__Message *out;
	struct error err = { 0 };
	struct answer got = { 0 };
	ProtobufCBinaryData packed, payload;
	struct arena a;
	struct db db;

	arena_init(&a, 0);
	db_init(&db, pool);
	packed.len = protobuf_c_message_get_packed_size(in);
	packed.data = arena_alloc(&a, packed.len);
	protobuf_c_message_pack(in, packed.data);
	struct call call = { .arena = &a,
		             .err = &err,
		             .db = &db,
		             .method = method,
		             .owner_id = owner,
		             .request_id = "test",
		             .idempotency_key = key };
	struct made made = { &call, in };
	if (idempotency_run(&call, &packed, run, &made, &payload, &claim) == 0 && parked && claim)
		idempotency_settle(&call, claim, parked(&call, &payload) ? NULL : &payload);
	if (!err.code) {
		out = rpc__message__unpack(NULL, payload.len, payload.data);
		assert_non_null(out);
		snprintf(got.text, sizeof got.text, "%s", out->message);
		rpc__message__free_unpacked(out, NULL);
	}
	got.code = err.code;
	db_done(&db);
	arena_done(&a);
	return got;
}

static struct answer ask(const struct method *method, const char *owner, const char *key, const char *name)
{
	Rpc__Message in = RPC__MESSAGE__INIT;

	in.message = (char *)name;
	return ask_with(method, owner, key, &in.base);
}

static int64_t number(const char *stmt)
{
	OWN(pgresult) PGresult *res = NULL;
	struct error err = { 0 };
	struct db db;

	db_init(&db, pool);
	assert_int_equal(db_exec(&db, stmt, DB_ARGS(), &res, &err), 0);
	db_done(&db);
	return db_int(res, 0, "n");
}

static int empty(void **state)
{
	(void)state;
	pg_sql("TRUNCATE test_idempotency.thing, test_idempotency.idempotency");
	ran = 0;
	return 0;
}

/* --- Tests: each for the method in one transaction and for the slow one --------------------------------------------------- */

static const struct method *const both[] = { &quick, &slow };

static void test_the_first_answer_again(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct answer first, again;

		empty(state);
		first = ask(both[i], ADA, "key", "lamp");
		again = ask(both[i], ADA, "key", "lamp");
		assert_int_equal(first.code, ERROR_NONE);
		assert_int_equal(again.code, ERROR_NONE);
		assert_string_equal(first.text, again.text);
		assert_int_equal(number("count"), 1);
	}
}

static void test_another_request(void **state)
{
	for (int i = 0; i < 2; i++) {
		empty(state);
		assert_int_equal(ask(both[i], ADA, "key", "lamp").code, ERROR_NONE);
		assert_int_equal(ask(both[i], ADA, "key", "table").code, ERROR_INVALID);
		assert_int_equal(number("count"), 1);
	}
}

static void test_keys_belong_to_owner_and_method(void **state)
{
	(void)state;
	assert_int_equal(ask(&quick, ADA, "key", "lamp").code, ERROR_NONE);
	assert_int_equal(ask(&quick, GRACE, "key", "table").code, ERROR_NONE);
	assert_int_equal(ask(&other, ADA, "key", "chair").code, ERROR_NONE);
	assert_int_equal(ask(&quick, ADA, "other key", "lamp").code, ERROR_NONE);
	assert_int_equal(number("count"), 4);
}

static void test_a_failure_frees_the_key(void **state)
{
	(void)state;
	assert_int_equal(ask(&quick, ADA, "key", "regretted").code, ERROR_CONFLICT);
	assert_int_equal(number("count"), 0); /* its row went with the key */
	assert_int_equal(number("keys"), 0);
	assert_int_equal(ask(&quick, ADA, "key", "lamp").code, ERROR_NONE);
	assert_int_equal(ask(&slow, ADA, "key", "regretted").code, ERROR_CONFLICT);
	assert_int_equal(ask(&slow, ADA, "key", "lamp").code, ERROR_NONE);
}

static void test_keys_of_any_kind(void **state)
{
	char longest[256], too_long[257];

	(void)state;
	memset(longest, 'k', sizeof longest);
	longest[255] = '\0';
	memset(too_long, 'k', sizeof too_long);
	too_long[256] = '\0';
	assert_int_equal(ask(&quick, ADA, longest, "lamp").code, ERROR_NONE);
	assert_int_equal(ask(&quick, ADA, too_long, "lamp").code, ERROR_INVALID);
	assert_int_equal(ask(&quick, ADA, "'; DROP TABLE thing; --", "lamp").code, ERROR_NONE);
	assert_int_equal(number("count"), 2);
}

struct asker {
	const struct method *method;
	struct answer got;
	pthread_t thread;
};

static void *ask_sleepy(void *arg)
{
	struct asker *a = arg;

	a->got = ask(a->method, ADA, "key", "sleepy");
	return NULL;
}

static void test_all_at_once(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct asker askers[6];
		int done = 0, told = 0;

		empty(state);
		for (int k = 0; k < 6; k++) {
			askers[k].method = both[i];
			pthread_create(&askers[k].thread, NULL, ask_sleepy, &askers[k]);
		}
		for (int k = 0; k < 6; k++) {
			pthread_join(askers[k].thread, NULL);
			done += askers[k].got.code == ERROR_NONE;
			told += askers[k].got.code == ERROR_CONFLICT;
		}
		assert_int_equal(done + told, 6);
		assert_true(done >= 1);
		assert_int_equal(number("count"), 1);
		assert_int_equal(ask(both[i], ADA, "key", "sleepy").code, ERROR_NONE);
		assert_int_equal(number("count"), 1);
	}
}

/* A slow one whose process died: nobody knows what it did, and nothing runs twice. */
static void test_a_writer_that_died(void **state)
{
	(void)state;
	assert_int_equal(ask(&slow, ADA, "key", "lamp").code, ERROR_NONE);
	pg_sql("UPDATE test_idempotency.idempotency SET reply = NULL");
	assert_int_equal(ask(&slow, ADA, "key", "lamp").code, ERROR_CONFLICT);
	pg_sql("UPDATE test_idempotency.idempotency SET created_at = now() - interval '3 minutes'");
	assert_int_equal(ask(&slow, ADA, "key", "table").code, ERROR_INVALID);
	assert_int_equal(ask(&slow, ADA, "key", "lamp").code, ERROR_UNKNOWN_OUTCOME);
	assert_int_equal(number("count"), 1);
	pg_sql("UPDATE test_idempotency.idempotency SET created_at = now() - interval '25 hours'");
	assert_int_equal(ask(&slow, ADA, "key", "lamp").code, ERROR_NONE);
}

/* It ran three times: after an unknown outcome the key was free. */
static void test_an_unknown_outcome_stays_unknown(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct answer got;

		empty(state);
		for (int k = 0; k < 3; k++) {
			got = ask(both[i], ADA, "key", "lost");
			assert_int_equal(got.code, ERROR_UNKNOWN_OUTCOME);
		}
		assert_int_equal(ran, 1);
		assert_int_equal(ask(both[i], ADA, "key", "lamp").code, ERROR_INVALID);
		assert_int_equal(ask(both[i], ADA, "another", "lamp").code, ERROR_NONE);
	}
}

/* A writer that was frozen for more than a day does not settle the key that is another request's by now. */
static void test_a_writer_that_wakes_too_late(void **state)
{
	(void)state;
	assert_int_equal(ask(&slow, ADA, "key", "frozen").code,
	                 ERROR_NONE); /* sees "reclaim" happen meanwhile */
	assert_int_equal(number("answers"), 0);
}

static enum error_code ends_well(struct call *call, ProtobufCBinaryData *payload)
{
	Rpc__Message out = RPC__MESSAGE__INIT;

	out.message = (char *)"at last";
	payload->len = rpc__message__get_packed_size(&out);
	payload->data = arena_alloc(call->arena, payload->len);
	rpc__message__pack(&out, payload->data);
	return ERROR_NONE;
}

static enum error_code ends_badly(struct call *call, ProtobufCBinaryData *payload)
{
	(void)payload;
	error_set(call->err, ERROR_CONFLICT, "on second thoughts, no");
	return call->err->code;
}

static enum error_code ends_somehow(struct call *call, ProtobufCBinaryData *payload)
{
	(void)payload;
	error_set(call->err, ERROR_UNKNOWN_OUTCOME, "no answer came");
	return call->err->code;
}

/* A call that was parked is answered later: that is the first answer, not what there was before. */
static void test_a_call_that_was_parked(void **state)
{
	for (int i = 0; i < 2; i++) {
		empty(state);
		parked = ends_well;
		assert_string_equal(ask(both[i], ADA, "good", "lamp").text, "at last");
		assert_string_equal(ask(both[i], ADA, "good", "lamp").text, "at last");
		assert_int_equal(ran, 1);
		parked = ends_badly;
		assert_int_equal(ask(both[i], ADA, "bad", "lamp").code, ERROR_CONFLICT);
		assert_int_equal(ask(both[i], ADA, "bad", "lamp").code, ERROR_CONFLICT);
		assert_int_equal(ran, 3);
		parked = ends_somehow;
		assert_int_equal(ask(both[i], ADA, "lost", "lamp").code, ERROR_UNKNOWN_OUTCOME);
		assert_int_equal(ask(both[i], ADA, "lost", "lamp").code, ERROR_UNKNOWN_OUTCOME);
		assert_int_equal(ran, 4);
		parked = NULL;
	}
}

static struct answer meanwhile;

static enum error_code ends_after_another(struct call *call, ProtobufCBinaryData *payload)
{
	parked = NULL;
	meanwhile = ask(call->method, ADA, "shared", "lamp");
	return ends_well(call, payload);
}

/* What waits for rows alone has done its work when it parks; of what has not, there is no answer yet that could be given. */
static void test_the_same_key_while_a_call_is_parked(void **state)
{
	for (int i = 0; i < 2; i++) {
		empty(state);
		parked = ends_after_another;
		assert_string_equal(ask(both[i], ADA, "shared", "lamp").text, "at last");
		assert_int_equal(meanwhile.code, both[i] == &quick ? ERROR_NONE : ERROR_CONFLICT);
		assert_int_equal(ran, 1);
		assert_string_equal(ask(both[i], ADA, "shared", "lamp").text, "at last");
	}
}

/* The id under which the file came is another each time, and another gateway sends in pieces what came along. */
static void test_an_upload_is_known_by_its_content(void **state)
{
	static const struct {
		const char *id, *name, *hash;
		bool along;
		enum error_code code;
	} cases[] = {
		{ ADA, "a.txt", "1234", true, ERROR_NONE },
		{ GRACE, "a.txt", "1234", true, ERROR_NONE },
		{ GRACE, "a.txt", "1234", false, ERROR_NONE },
		{ GRACE, "a.txt", "5678", true, ERROR_INVALID },
		{ GRACE, "b.txt", "1234", true, ERROR_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Documents__UploadDocumentRequest in = DOCUMENTS__UPLOAD_DOCUMENT_REQUEST__INIT;

		in.upload_id = (char *)cases[i].id;
		in.file_name = (char *)cases[i].name;
		in.file_hash = (char *)cases[i].hash;
		in.has_content = cases[i].along;
		in.content = (ProtobufCBinaryData){ 3, (uint8_t *)"abc" };
		assert_int_equal(ask_with(&upload, ADA, "key", &in.base).code, cases[i].code);
	}
	assert_int_equal(ran, 1);
}

static void test_more_old_keys_than_one_sweep_takes(void **state)
{
	(void)state;
	pg_sql("INSERT INTO test_idempotency.idempotency SELECT gen_random_uuid(), 'k', 'm', 'h', NULL,"
	       " now() - interval '25 hours' FROM generate_series(1, 2500)");
	idempotency_sweep(pool);
	assert_int_equal(number("keys"), 0);
}

static void test_after_a_day(void **state)
{
	(void)state;
	assert_int_equal(ask(&quick, ADA, "key", "lamp").code, ERROR_NONE);
	assert_int_equal(ask(&quick, ADA, "new", "lamp").code, ERROR_NONE);
	pg_sql(
	    "UPDATE test_idempotency.idempotency SET created_at = now() - interval '25 hours' WHERE key = 'key'");
	assert_int_equal(ask(&quick, ADA, "key", "table").code, ERROR_NONE);
	assert_int_equal(number("count"), 3);
	pg_sql(
	    "UPDATE test_idempotency.idempotency SET created_at = now() - interval '25 hours' WHERE key = 'key'");
	idempotency_sweep(pool);
	assert_int_equal(number("keys"), 1);
}

static int open_pool(void **state)
{
	struct db_config config = {
		.url = pg_url(), .schema = "test_idempotency", .connections = 8, .statements = tables
	};
	static const char *const files[] = { "common/service/002_idempotency.sql",
		                             "common/service/004_idempotency_outcome.sql" };
	struct error err = { 0 };

	(void)state;
	log_open("test", LOG_ERROR);
	pg_schema("test_idempotency");
	pg_sql(
	    "CREATE TABLE test_idempotency.thing (id bigserial PRIMARY KEY, owner_id uuid NOT NULL, name text NOT NULL);");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *file = fopen(files[i], "r");
		char sql[4096] = "SET search_path = test_idempotency;";
		size_t length = strlen(sql);

		assert_non_null(file);
		length += fread(sql + length, 1, sizeof sql - length - 1, file);
		sql[length] = '\0';
		fclose(file);
		pg_sql(sql);
	}
	return db_pool_open(&config, 10000, &pool, &err);
}

static int close_pool(void **state)
{
	(void)state;
	db_pool_free(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_first_answer_again, empty),
		cmocka_unit_test_setup(test_another_request, empty),
		cmocka_unit_test_setup(test_keys_belong_to_owner_and_method, empty),
		cmocka_unit_test_setup(test_a_failure_frees_the_key, empty),
		cmocka_unit_test_setup(test_keys_of_any_kind, empty),
		cmocka_unit_test_setup(test_all_at_once, empty),
		cmocka_unit_test_setup(test_a_writer_that_died, empty),
		cmocka_unit_test_setup(test_an_unknown_outcome_stays_unknown, empty),
		cmocka_unit_test_setup(test_a_writer_that_wakes_too_late, empty),
		cmocka_unit_test_setup(test_a_call_that_was_parked, empty),
		cmocka_unit_test_setup(test_the_same_key_while_a_call_is_parked, empty),
		cmocka_unit_test_setup(test_an_upload_is_known_by_its_content, empty),
		cmocka_unit_test_setup(test_more_old_keys_than_one_sweep_takes, empty),
		cmocka_unit_test_setup(test_after_a_day, empty),
	};

	return cmocka_run_group_tests_name("idempotency", tests, open_pool, close_pool);
}
