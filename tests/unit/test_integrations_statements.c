/* links: svc-integrations/store_webhook.c svc-integrations/store.c svc-integrations/store_slack.c build/gen/integrations.migrations.c tests/unit/sharded.c */
#include "svc-integrations/store_webhook.h"
#include "tests/unit/sharded.h"

extern const struct db_migration integrations_migrations[];

int main(void)
{
	static const struct db_stmt *const tables[] = { store_statements, store_slack_statements,
		                                        store_webhook_statements, NULL };
	/* Slack's events name a workspace, not an owner; sweeping is for all. */
	static const char *const allowed[] = { "of_team",      "with_secrets",   "sweep_deliveries",
		                               "sweep_events", "sweep_installs", NULL };

	return sharded_main(&(struct sharded){ integrations_migrations, tables, allowed });
}
