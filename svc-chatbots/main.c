/* svc-chatbots: how assistants behave and which documents they answer from. */
#include "chatbots.methods.h"
#include "common/service/service.h"
#include "svc-chatbots/state.h"
#include "svc-chatbots/store.h"

static const struct config_key keys[] = {
	CONFIG_BETWEEN(struct chatbots, per_user, "CHATBOTS_PER_USER", "1000", 1, 1000000,
	               "chatbots that one user may have"),
};

static int start(struct service *service, void *settings, void **state, struct error *err)
{
	(void)service;
	(void)err;
	*state = settings;
	return 0;
}

int main(int argc, char **argv)
{
	struct chatbots settings = { 0 };
	static const struct db_stmt *const statements[] = { store_statements, store_answers_statements,
		                                            store_versions_statements, NULL };

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .contract = &chatbots_contract,
	                        .statements = statements,
	                        .peers = (const char *const[]){ "auth", NULL },
	                        .keys = keys,
	                        .key_count = sizeof keys / sizeof *keys,
	                        .settings = &settings,
	                        .start = start,
	                    });
}
