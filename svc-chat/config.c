#include "svc-chat/config.h"

#include <stdio.h>
#include <string.h>

#include "common/egress/egress.h"
#include "svc-chat/oauth/configured.h"
#include "svc-chat/store_quirks.h"

const struct config_key chat_keys[] = {
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
	CONFIG_SECRET(struct chat_settings, deepseek_key, "DEEPSEEK_API_KEY", "",
	              "answers the chats of /chatconnect with DeepSeek; empty: they go where all others go"),
	CONFIG_TEXT(struct chat_settings, deepseek_model, "DEEPSEEK_MODEL", "deepseek-reasoner", "its model"),
	CONFIG_URL(struct chat_settings, deepseek_url, "DEEPSEEK_BASE_URL", "https://api.deepseek.com/v1",
	           "http|https", "where it is"),
	CONFIG_BETWEEN(struct chat_settings, idle_seconds, "CHAT_IDLE_SECONDS", "120", 1, 3600,
	               "a model that is silent for so long hangs"),
	CONFIG_BETWEEN(struct chat_settings, total_seconds, "CHAT_TOTAL_SECONDS", "600", 1, 800,
	               "for one answer of a model"),
	CONFIG_BETWEEN(struct chat_settings, context_tokens, "CHAT_CONTEXT_TOKENS", "8192", 1024, 2000000,
	               "what the model takes in: prompt and answer together"),
	CONFIG_URL(struct chat_settings, public_url, "PUBLIC_URL", "http://localhost:8000", "http|https",
	           "how clients reach it; http://localhost and the port by default"),
	CONFIG_SECRET(struct chat_settings, oauth_clients, "OAUTH_CLIENTS", "",
	              "clients registered with providers of sign-ins at MCP servers, as JSON (see above)"),
	CONFIG_URL(
	    struct chat_settings, oauth_return_url, "OAUTH_RETURN_URL", "", "http|https",
	    "where a browser goes on after a sign-in at an MCP server; a page of ours says how it went when empty"),
	CONFIG_BETWEEN(struct chat_settings, servers_per_user, "CHAT_SERVERS_PER_USER", "100", 1, 100000,
	               "MCP servers that one user may have"),
	CONFIG_BETWEEN(struct chat_settings, files_bytes, "CHAT_FILES_BYTES_PER_USER", "1073741824", 0,
	               INT64_MAX,
	               "of pictures, sounds and files that tools gave back; what is beyond is not kept"),
	CONFIG_BETWEEN(struct chat_settings, tool_rounds, "CHAT_TOOL_ROUNDS", "8", 1, 50,
	               "how often in one answer a model may call tools and be told what came back"),
	CONFIG_BETWEEN(struct chat_settings, tool_seconds, "CHAT_TOOL_SECONDS", "60", 1, 300,
	               "for one call of a tool"),
	CONFIG_BETWEEN(struct chat_settings, tools_seconds, "CHAT_TOOLS_SECONDS", "180", 1, 600,
	               "for all calls of tools in one answer; waiting for people does not count"),
	CONFIG_BETWEEN(struct chat_settings, held_seconds, "CHAT_HELD_SECONDS", "900", 1, 86400,
	               "an answer that waits for its user has its stream open so long; it may wait longer"),
};

int chat_settings_check(void *settings, struct arena *a, struct error *err)
{
	const struct chat_settings *set = settings;
	struct configured_client *ignored;
	struct error wrong = { 0 };

	if (strcmp(set->provider, "openai") == 0 && !*set->model)
		return config_refuse(err, a, "CHAT_MODEL", "CHAT_PROVIDER=openai needs CHAT_MODEL");
	if (configured_load(set->oauth_clients, &ignored, a, &wrong) < 0)
		return config_refuse(err, a, "OAUTH_CLIENTS", "%s", wrong.message);
	return 0;
}

const size_t chat_key_count = sizeof chat_keys / sizeof *chat_keys;

static const char *or_else(const char *text, const char *other)
{
	return *text ? text : other;
}

static const struct model_endpoint *endpoints_of(const struct chat_settings *set, struct arena *a)
{
	const struct model_endpoint endpoints[] = {
		{ "CHAT_BASE_URL", set->base_url, set->api_key, set->model },
		{ "CHAT_2_BASE_URL", set->base_url_2, set->api_key_2, or_else(set->model_2, set->model) },
		{ "CHAT_3_BASE_URL", set->base_url_3, set->api_key_3, or_else(set->model_3, set->model) },
		{ 0 },
	};

	return arena_memdup(a, endpoints, sizeof endpoints);
}

static int open_endpoints(const struct chat_settings *set, const struct model_endpoint *endpoints,
                          struct egress *egress, struct model **ret, struct error *err)
{
	return model_openai(&(struct model_openai_config){ .egress = egress,
	                                                   .endpoints = endpoints,
	                                                   .quirks = &store_quirks,
	                                                   .idle_seconds = (int)set->idle_seconds,
	                                                   .total_seconds = (int)set->total_seconds },
	                    ret, err);
}

int chat_open_model(const struct chat_settings *set, struct egress *egress, struct model **ret,
                    struct error *err)
{
	struct arena a;
	int done;

	arena_init(&a, 0);
	done = open_endpoints(set, endpoints_of(set, &a), egress, ret, err);
	arena_done(&a);
	return done;
}

int chat_open_deepseek(const struct chat_settings *set, struct egress *egress, struct model **ret,
                       struct error *err)
{
	const struct model_endpoint endpoints[] = {
		{ "DEEPSEEK_BASE_URL", set->deepseek_url, set->deepseek_key, set->deepseek_model },
		{ 0 },
	};

	*ret = NULL;
	return *set->deepseek_key ? open_endpoints(set, endpoints, egress, ret, err) : 0;
}

/* --- Asking it for a word ------------------------------------------------------------------------------------------- */

static int take(void *arg, const char *bytes, size_t size)
{
	text_add(arg, bytes, size);
	return 0;
}

static int ignore(void *arg, const char *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
	return 0;
}

static void forget(void *arg)
{
	((struct text *)arg)->length = 0;
}

static int check_endpoint(const struct model_endpoint *e, struct egress *egress, struct arena *a)
{
	static const struct model_message messages[] = { { "system", "You answer with one word." },
		                                         { "user", "Say: ready" } };
	const struct model_endpoint list[] = { *e, { 0 } };
	const atomic_bool no = false;
	struct model_request request = { .model = "default",
		                         .temperature = 1,
		                         .max_tokens = 1000,
		                         .messages = messages,
		                         .message_count = 2,
		                         .cancelled = &no };
	struct model_result result = { 0 };
	struct model *p;
	struct error err = { 0 };
	struct text said;
	int done;

	text_init(&said, a);
	if (model_openai(
	        &(struct model_openai_config){
	            .egress = egress, .endpoints = list, .idle_seconds = 60, .total_seconds = 60 },
	        &p, &err) < 0) {
		printf("%s\n", err.message);
		return -1;
	}
	done = p->answer(p, &request, &(struct model_sink){ take, ignore, &said, forget }, &result, a, &err);
	if (done == 0)
		printf("%s: the model %s answers \"%.60s\"\n", e->name, result.model, said.at);
	else
		printf("%s: %s%s%s%s\n", e->name, err.message, *err.detail ? " (" : "", err.detail,
		       *err.detail ? ")" : "");
	p->free(p);
	return done;
}

int chat_check_model(int argc, char **argv, struct arena *a, struct error *err)
{
	struct checked {
		struct chat_settings chat;
		const char *allow;
	} set = { 0 };
	static const struct config_key allow[] = { CONFIG_TEXT(struct checked, allow, "EGRESS_ALLOW", "",
		                                               "") };
	struct egress *egress;
	int bad = 0;

	if (argc < 2 || strcmp(argv[1], "--check-model") != 0)
		return 0;
	if (config_load(chat_keys, chat_key_count, &set.chat, a, err) < 0 ||
	    config_load(allow, 1, &set, a, err) < 0 || chat_settings_check(&set.chat, a, err) < 0 ||
	    egress_open(set.allow, &egress, err) < 0)
		return -1;
	if (strcmp(set.chat.provider, "openai") != 0)
		printf("CHAT_PROVIDER is %s: there is no model to ask\n", set.chat.provider);
	for (const struct model_endpoint *e = endpoints_of(&set.chat, a);
	     e->name && strcmp(set.chat.provider, "openai") == 0; e++)
		bad += *e->base_url && check_endpoint(e, egress, a) < 0;
	egress_close(egress);
	return bad ? error_set(err, ERROR_UPSTREAM, "a model does not answer") : 1;
}
