/* svc-chat: sessions with a chatbot, their messages, and the writing of answers. */
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/db/throttle.h"
#include "common/egress/egress.h"
#include "common/job/event.h"
#include "common/service/service.h"
#include "svc-chat/bots.h"
#include "svc-chat/config.h"
#include "svc-chat/model/model.h"
#include "svc-chat/oauth/configured.h"
#include "svc-chat/oauth/farewell.h"
#include "svc-chat/own_key.h"
#include "svc-chat/retention.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/store_oauth.h"
#include "svc-chat/store_quirks.h"
#include "svc-chat/store_servers.h"
#include "svc-chat/store_tools.h"
#include "svc-chat/tell.h"
#include "svc-chat/tools/idle.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/owners.h"
#include "svc-chat/turn/turn.h"
#include "svc-chat/turn/write.h"

enum { JOB_THREADS = 3 };

static int start(struct service *service, void *settings, void **ret, struct error *err)
{
	const struct chat_settings *set = settings;
	struct chat *chat;

	chat = calloc(1, sizeof *chat);
	if (!chat)
		abort();
	secret_derive(service_secret(service), "chat.sealed", chat->key);
	secret_derive(service_secret(service), "chat.visitors", chat->visitors_key);
	chat->auth = service_peer(service, "auth");
	chat->own_keys = own_keys_open();
	chat->chatbots = service_peer(service, "chatbots");
	chat->documents = service_peer(service, "documents");
	chat->context_tokens = (int)set->context_tokens;
	chat->public_url = set->public_url;
	chat->oauth_return_url = set->oauth_return_url;
	arena_init(&chat->oauth_arena, 0);
	if (configured_load(set->oauth_clients, &chat->oauth_clients, &chat->oauth_arena, err) < 0)
		return -1;
	chat->servers_per_user = set->servers_per_user;
	chat->tool_rounds = set->tool_rounds;
	chat->files_bytes = set->files_bytes;
	chat->tools_seconds = set->tools_seconds;
	chat->tool_seconds = set->tool_seconds;
	chat->builtin = model_builtin();
	chat->egress = service_egress(service);
	chat->idle = idle_open(chat->egress, IDLE_MS);
	if (strcmp(set->provider, "openai") == 0 &&
	    chat_open_model(set, chat->egress, &chat->openai, err) < 0)
		return -1;
	chat->deepseek_model = set->deepseek_model;
	if (chat_open_deepseek(set, chat->egress, &chat->deepseek, err) < 0)
		return -1;
	if (bots_open(service_database_url(service), &chat->bots, err) < 0)
		return -1;
	*ret = chat; /* before there is a thread that makes calls with it */
	if (keeper_open(service, write_turn, set->held_seconds, &chat->keeper, err) < 0 ||
	    retention_stand(service, err) < 0)
		return -1;
	chat->owners = owners_open(service, chat->keeper);
	chat->kinds[0] = retention_job;
	chat->kinds[1] = tell_job;
	chat->kinds[2] = farewell_job;
	return job_runner_start(service, chat->kinds, CHAT_KINDS, JOB_THREADS, &chat->jobs, err);
}

static void stop(void *arg)
{
	struct chat *chat = arg;

	job_runner_stop(chat->jobs);
	if (chat->openai)
		chat->openai->free(chat->openai);
	if (chat->deepseek)
		chat->deepseek->free(chat->deepseek);
	owners_close(chat->owners);
	keeper_close(chat->keeper);
	own_keys_close(chat->own_keys);
	bots_close(chat->bots);
	idle_close(chat->idle);
	arena_done(&chat->oauth_arena);
	free(chat);
}

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_sessions_statements,
		                                            store_messages_statements,
		                                            store_turns_statements,
		                                            store_follow_statements,
		                                            store_keep_statements,
		                                            throttle_statements,
		                                            store_handover_statements,
		                                            store_quirks_statements,
		                                            store_servers_statements,
		                                            store_oauth_statements,
		                                            store_tools_statements,
		                                            store_decide_statements,
		                                            job_statements,
		                                            event_statements,
		                                            NULL };
	static struct chat_settings settings;

	return service_main(
	    argc, argv,
	    &(struct service_config){
	        .contract = &chat_contract,
	        .peers = (const char *const[]){ "auth", "chatbots", "documents", "integrations", NULL },
	        .statements = statements,
	        .keys = chat_keys,
	        .key_count = chat_key_count,
	        .settings = &settings,
	        .check = chat_settings_check,
	        .command = chat_check_model,
	        .start = start,
	        .stop = stop,
	        .load_stream = turn_load_stream,
	    });
}
