/* svc-integrations: where a chatbot is present beyond this product. */
#include "common/service/service.h"
#include "integrations.methods.h"
#include "svc-integrations/store.h"

extern const struct db_migration integrations_migrations[];
extern const size_t integrations_migration_count;

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_statements, NULL };

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .name = "integrations",
	                        .schema = "integrations",
	                        .methods = integrations_methods,
	                        .method_count = integrations_method_count,
	                        .statements = statements,
	                        .migrations = integrations_migrations,
	                        .migration_count = integrations_migration_count,
	                    });
}
