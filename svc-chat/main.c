/* svc-chat: sessions with a chatbot, their messages, and the writing of answers. */
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/egress/egress.h"
#include "common/service/service.h"
#include "svc-chat/model/provider.h"
#include "svc-chat/own_key.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/store_quirks.h"
#include "svc-chat/store_visitors.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"
#include "svc-chat/turn/write.h"

extern const struct db_migration chat_migrations[];
extern const size_t chat_migration_count;

struct chat_settings {
	const char *provider;
	const char *base_url, *api_key, *model;
	const char *base_url_2, *api_key_2, *model_2;
	const char *base_url_3, *api_key_3, *model_3;
	int64_t idle_seconds, total_seconds, context_tokens;
};

static const struct config_key keys[] = {
	CONFIG_ONE_OF(struct chat_settings, provider, "CHAT_PROVIDER", "builtin", "builtin|openai",
	              "who writes answers: builtin (quotes the documents) or openai"),
	CONFIG_URL(struct chat_settings, base_url, "CHAT_BASE_URL", "https://api.openai.com/v1", "http|https",
	           "of openai: any compatible endpoint"),
	CONFIG_SECRET(struct chat_settings, api_key, "CHAT_API_KEY", "", "its key"),
	CONFIG_TEXT(struct chat_settings, model, "CHAT_MODEL", "",
	            "the model where a chatbot names none that the endpoint has"),
	CONFIG_URL(struct chat_settings, base_url_2, "CHAT_2_BASE_URL", "", "http|https",
	           "asked when the first endpoint fails"),
	CONFIG_SECRET(struct chat_settings, api_key_2, "CHAT_2_API_KEY", "", "its key"),
	CONFIG_TEXT(struct chat_settings, model_2, "CHAT_2_MODEL", "", "its model; CHAT_MODEL when empty"),
	CONFIG_URL(struct chat_settings, base_url_3, "CHAT_3_BASE_URL", "", "http|https",
	           "asked when that one fails, too"),
	CONFIG_SECRET(struct chat_settings, api_key_3, "CHAT_3_API_KEY", "", "its key"),
	CONFIG_TEXT(struct chat_settings, model_3, "CHAT_3_MODEL", "", "its model; CHAT_MODEL when empty"),
	CONFIG_BETWEEN(struct chat_settings, idle_seconds, "CHAT_IDLE_SECONDS", "120", 1, 3600,
	               "a model that is silent for so long hangs"),
	CONFIG_BETWEEN(struct chat_settings, total_seconds, "CHAT_TOTAL_SECONDS", "600", 1, 800,
	               "for one answer of a model"),
	CONFIG_BETWEEN(struct chat_settings, context_tokens, "CHAT_CONTEXT_TOKENS", "8192", 1024, 2000000,
	               "what the model takes in: prompt and answer together"),
};

static int check(void *settings, struct arena *a, struct error *err)
{
	const struct chat_settings *set = settings;

	if (strcmp(set->provider, "openai") == 0 && !*set->model)
		return config_refuse(err, a, "CHAT_MODEL", "CHAT_PROVIDER=openai needs CHAT_MODEL");
	return 0;
}

static const char *or_else(const char *text, const char *other)
{
	return *text ? text : other;
}

static int open_model(const struct chat_settings *set, struct egress *egress, struct chat_provider **ret,
                      struct error *err)
{
	const struct provider_endpoint endpoints[] = {
		{ "CHAT_BASE_URL", set->base_url, set->api_key, set->model },
		{ "CHAT_2_BASE_URL", set->base_url_2, set->api_key_2, or_else(set->model_2, set->model) },
		{ "CHAT_3_BASE_URL", set->base_url_3, set->api_key_3, or_else(set->model_3, set->model) },
		{ 0 },
	};

	return provider_openai(&(struct provider_openai_config){ .egress = egress,
	                                                         .endpoints = endpoints,
	                                                         .quirks = &store_quirks,
	                                                         .idle_seconds = (int)set->idle_seconds,
	                                                         .total_seconds = (int)set->total_seconds },
	                       ret, err);
}

static int start(struct service *service, void *settings, void **ret, struct error *err)
{
	const struct chat_settings *set = settings;
	struct chat *chat;

	chat = calloc(1, sizeof *chat);
	if (!chat)
		abort();
	secret_derive(service_secret(service), "chat.sealed", chat->key);
	chat->auth = service_peer(service, "auth");
	chat->own_keys = own_keys_open();
	chat->chatbots = service_peer(service, "chatbots");
	chat->documents = service_peer(service, "documents");
	chat->context_tokens = (int)set->context_tokens;
	chat->builtin = provider_builtin();
	chat->egress = service_egress(service);
	if (strcmp(set->provider, "openai") == 0 && open_model(set, chat->egress, &chat->openai, err) < 0)
		return -1;
	*ret = chat; /* before there is a thread that makes calls with it */
	return keeper_open(service, write_turn, &chat->keeper, err);
}

static void stop(void *arg)
{
	struct chat *chat = arg;

	if (chat->openai)
		chat->openai->free(chat->openai);
	keeper_close(chat->keeper);
	own_keys_close(chat->own_keys);
	free(chat);
}

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_sessions_statements,
		                                            store_messages_statements,
		                                            store_turns_statements,
		                                            store_keep_statements,
		                                            store_visitors_statements,
		                                            store_quirks_statements,
		                                            NULL };
	static struct chat_settings settings;

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .name = "chat",
	                        .schema = "chat",
	                        .peers = (const char *const[]){ "chatbots", "documents", NULL },
	                        .methods = chat_methods,
	                        .method_count = chat_method_count,
	                        .statements = statements,
	                        .migrations = chat_migrations,
	                        .migration_count = chat_migration_count,
	                        .keys = keys,
	                        .key_count = sizeof keys / sizeof *keys,
	                        .settings = &settings,
	                        .check = check,
	                        .start = start,
	                        .stop = stop,
	                        .load_stream = turn_load_stream,
	                    });
}
