/* config: the settings of svc-chat, and the model that they name. */
#ifndef PARLEY_CHAT_CONFIG_H
#define PARLEY_CHAT_CONFIG_H

#include "common/base/config.h"
#include "svc-chat/model/model.h"

struct chat_settings {
	const char *provider;
	const char *base_url, *api_key, *model;
	const char *base_url_2, *api_key_2, *model_2;
	const char *base_url_3, *api_key_3, *model_3;
	const char *deepseek_url, *deepseek_key, *deepseek_model;
	const char *public_url, *oauth_clients, *oauth_return_url;
	int64_t idle_seconds, total_seconds, context_tokens, servers_per_user;
	int64_t tool_rounds, tools_seconds, tool_seconds, held_seconds, files_bytes;
};

extern const struct config_key chat_keys[];
extern const size_t chat_key_count;

/* service_config's check. */
int chat_settings_check(void *settings, struct arena *a, struct error *err);

/* The endpoints of CHAT_PROVIDER=openai; free it. */
int chat_open_model(const struct chat_settings *set, struct egress *egress, struct model **ret,
                    struct error *err) CHECKED;

/* The one of ChatConnect's chats; NULL when there is no key for it. */
int chat_open_deepseek(const struct chat_settings *set, struct egress *egress, struct model **ret,
                       struct error *err) CHECKED;

/*
 * svc-chat --check-model: asks each endpoint once for a word and prints a line for each: what it said, or in a sentence what
 * is wrong. service_config's command: 1 when the first argument is that and all of them answer, -1 when one does not, 0 for
 * other arguments.
 */
int chat_check_model(int argc, char **argv, struct arena *a, struct error *err);

#endif
