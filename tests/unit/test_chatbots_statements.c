/* links: svc-chatbots/store.c svc-chatbots/store_answers.c svc-chatbots/store_versions.c build/gen/chatbots.migrations.c tests/unit/sharded.c */
#include "svc-chatbots/store.h"
#include "tests/unit/sharded.h"

extern const struct db_migration chatbots_migrations[];

int main(void)
{
	static const struct db_stmt *const tables[] = { store_statements, store_answers_statements,
		                                        store_versions_statements, NULL };
	/* A visitor names the chatbot, not its owner; the sweep serves all. */
	static const char *const allowed[] = { "find", "retentions", NULL };

	return sharded_main(&(struct sharded){ chatbots_migrations, tables, allowed });
}
