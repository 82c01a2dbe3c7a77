/* svc-chatbots: how assistants behave and which documents they answer from. */
#include "chatbots.methods.h"
#include "common/service/service.h"
#include "svc-chatbots/store.h"

extern const struct db_migration chatbots_migrations[];
extern const size_t chatbots_migration_count;

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_statements, NULL };

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .name = "chatbots",
	                        .schema = "chatbots",
	                        .methods = chatbots_methods,
	                        .method_count = chatbots_method_count,
	                        .statements = statements,
	                        .peers = (const char *const[]){ "auth", NULL },
	                        .migrations = chatbots_migrations,
	                        .migration_count = chatbots_migration_count,
	                    });
}
