/* links: svc-chatbots/store.c svc-chatbots/store_answers.c svc-chatbots/store_versions.c build/gen/chatbots.migrations.c tests/unit/store_rig.c tests/unit/pg.c */
#include "svc-chatbots/store.h"

#include <string.h>

#include "tests/unit/store_rig.h"

extern const struct db_migration chatbots_migrations[];

#define ADAS_DOCUMENT "00000000-0000-7000-8000-0000000000d1"
#define ADAS_SECOND "00000000-0000-7000-8000-0000000000d2"
#define GRACES_DOCUMENT "00000000-0000-7000-8000-0000000000d3"

static const char neighbours[] =
    "DROP SCHEMA IF EXISTS documents CASCADE; CREATE SCHEMA documents;"
    "CREATE TABLE documents.document (owner_id uuid, id uuid, PRIMARY KEY (owner_id, id));"
    "INSERT INTO documents.document VALUES ('" ADA "', '" ADAS_DOCUMENT "'), ('" ADA "', '" ADAS_SECOND "'),"
    " ('" GRACE "', '" GRACES_DOCUMENT "')";
static const struct db_stmt test_statements[] = {
	{ "t_links", "SELECT count(*) FROM chatbot_document" },
	{ "t_drop_document", "DELETE FROM documents.document WHERE id = $1" },
	{ NULL, NULL },
};

static int open_rig(void **state)
{
	static const struct db_stmt *const tables[] = { store_statements, store_answers_statements,
		                                        store_versions_statements, test_statements, NULL };

	(void)state;
	return store_rig_open(&(struct store_rig){ .schema = "chatbots",
	                                           .neighbours = neighbours,
	                                           .migrations = chatbots_migrations,
	                                           .statements = tables });
}

static const char *new_chatbot(const char *owner, const char *name)
{
	Chatbots__CreateChatbotRequest in = CHATBOTS__CREATE_CHATBOT_REQUEST__INIT;
	const char *id = store_rig_id();

	in.name = (char *)name;
	OK(store_create(&db, owner, id, &in, "{}", INT64_MAX, &err));
	return id;
}

static int assign(const char *owner, const char *id, const char *document)
{
	char *documents[] = { (char *)document };

	return store_assign(&db, owner, id, documents, 1, &arena, &err);
}

static void a_chatbot_is_its_owners_alone(void **state)
{
	const char *id = new_chatbot(ADA, "bot"), *settings;
	Chatbots__Chatbot got = CHATBOTS__CHATBOT__INIT;

	(void)state;
	OK(assign(ADA, id, ADAS_DOCUMENT));
	assert_int_equal(store_get(&db, ADA, id, &got, &arena, &err), 1);
	assert_string_equal(got.owner_id, ADA);
	assert_int_equal(got.n_documents, 1);
	assert_string_equal(got.documents[0], ADAS_DOCUMENT);
	assert_int_equal(store_get(&db, GRACE, id, &got, &arena, &err), 0);
	assert_int_equal(store_lock(&db, GRACE, id, &settings, &arena, &err), 0);
	OK(store_update(&db, GRACE, id, "mine", NULL, false, NULL, &err));
	OK(store_unassign(&db, GRACE, id, ADAS_DOCUMENT, &err));
	OK(store_unassign_all(&db, GRACE, id, &err));
	assert_int_equal(store_delete(&db, GRACE, id, &err), 0);
	assert_int_equal(store_get(&db, ADA, id, &got, &arena, &err), 1);
	assert_string_equal(got.name, "bot");
	assert_int_equal(got.n_documents, 1);
	assert_int_equal(store_delete(&db, ADA, id, &err), 1);
	assert_int_equal(store_rig_number("t_links"), 0);
}

/* Neither somebody else's document nor somebody else's chatbot: each time the row is not there. */
static void what_is_somebody_elses_cannot_be_assigned(void **state)
{
	static const struct {
		const char *owner, *document, *sentence;
	} cases[] = {
		{ ADA, GRACES_DOCUMENT, "one of these documents does not exist" },
		{ GRACE, GRACES_DOCUMENT, "what this belongs to does not exist" },
	};
	const char *id = new_chatbot(ADA, "bot");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OK(db_begin(&db, &err));
		assert_int_equal(assign(cases[i].owner, id, cases[i].document), -1);
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_string_equal(err.message, cases[i].sentence);
		db_rollback(&db);
		error_clear(&err);
	}
	assert_int_equal(store_rig_number("t_links"), 0);
}

static void documents_keep_the_order_they_were_given_in(void **state)
{
	const char *id = new_chatbot(ADA, "bot");
	Chatbots__Chatbot got = CHATBOTS__CHATBOT__INIT;

	(void)state;
	OK(assign(ADA, id, ADAS_SECOND));
	OK(assign(ADA, id, ADAS_DOCUMENT));
	OK(assign(ADA, id, ADAS_SECOND)); /* once is enough */
	OK(store_get(&db, ADA, id, &got, &arena, &err));
	assert_int_equal(got.n_documents, 2);
	assert_string_equal(got.documents[0], ADAS_SECOND);
	OK(db_exec(&db, "t_drop_document", DB_ARGS(ADAS_SECOND), NULL, &err));
	OK(store_get(&db, ADA, id, &got, &arena, &err));
	assert_int_equal(got.n_documents, 1);
}

static void an_update_changes_what_it_names(void **state)
{
	const char *id = new_chatbot(ADA, "bot");
	Chatbots__Chatbot got = CHATBOTS__CHATBOT__INIT;

	(void)state;
	OK(store_update(&db, ADA, id, NULL, "helps", false, NULL, &err));
	OK(store_update(&db, ADA, id, "robot", NULL, false, "{\"a\":1}", &err));
	OK(store_get(&db, ADA, id, &got, &arena, &err));
	assert_string_equal(got.name, "robot");
	assert_string_equal(got.description, "helps");
	assert_string_equal(got.settings, "{\"a\":1}");
	got = (Chatbots__Chatbot)CHATBOTS__CHATBOT__INIT;
	OK(store_update(&db, ADA, id, NULL, NULL, true, NULL, &err));
	OK(store_get(&db, ADA, id, &got, &arena, &err));
	assert_null(got.description);
}

static void uses_are_told_of_ones_own(void **state)
{
	const char *mine = new_chatbot(ADA, "mine"), *hers = new_chatbot(GRACE, "hers");
	char *asked[] = { (char *)ADAS_DOCUMENT, (char *)GRACES_DOCUMENT };
	Chatbots__UseList uses = CHATBOTS__USE_LIST__INIT;

	(void)state;
	OK(assign(ADA, mine, ADAS_DOCUMENT));
	OK(assign(GRACE, hers, GRACES_DOCUMENT));
	OK(store_uses(&db, ADA, asked, 2, &uses, &arena, &err));
	assert_int_equal(uses.n_uses, 1);
	assert_string_equal(uses.uses[0]->document_id, ADAS_DOCUMENT);
	assert_string_equal(uses.uses[0]->chatbot_ids[0], mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_chatbot_is_its_owners_alone),
		STORE_TEST(what_is_somebody_elses_cannot_be_assigned),
		STORE_TEST(documents_keep_the_order_they_were_given_in),
		STORE_TEST(an_update_changes_what_it_names),
		STORE_TEST(uses_are_told_of_ones_own),
	};

	return cmocka_run_group_tests(tests, open_rig, store_rig_close);
}
