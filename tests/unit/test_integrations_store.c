/* links: svc-integrations/store_webhook.c svc-integrations/store.c svc-integrations/store_slack.c build/gen/integrations.migrations.c tests/unit/sharded.c */
#include "svc-integrations/store_webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sharded.h"

extern const struct db_migration integrations_migrations[];

static void statements_fit_a_sharded_cluster(void **state)
{
	static const struct db_stmt *const tables[] = { store_statements, store_slack_statements,
		                                        store_webhook_statements, NULL };
	/* Slack's events name a workspace, not an owner; sweeping is for all. */
	static const char *const allowed[] = { "of_team",      "with_secrets",   "sweep_deliveries",
		                               "sweep_events", "sweep_installs", NULL };

	(void)state;
	assert_int_equal(sharded_check(&(struct sharded){ integrations_migrations, tables, allowed }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(statements_fit_a_sharded_cluster) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
