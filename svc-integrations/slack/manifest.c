#include "svc-integrations/slack/manifest.h"

#include "common/json/json.h"
#include "svc-integrations/slack/install.h"

static json_object *list(const char *const *words, size_t count)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, json_object_new_string(words[i]));
	return array;
}
#define LIST(...)                                  \
	list((const char *const[]){ __VA_ARGS__ }, \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static json_object *with(json_object *object, const char *key, json_object *value)
{
	json_object_object_add(object, key, value);
	return object;
}
static json_object *object(void)
{
	return json_object_new_object();
}
static json_object *text(const char *value)
{
	return json_object_new_string(value);
}

static json_object *features(const char *public_url, struct arena *a)
{
	json_object *command = object(), *commands = json_object_new_array();

	with(command, "command", text("/ask"));
	with(command, "url", text(arena_printf(a, "%s/api/integrations/slack/commands", public_url)));
	with(command, "description", text("Ask the chatbot; only you see the answer"));
	with(command, "usage_hint", text("[question]"));
	json_object_array_add(commands, command);
	return with(with(with(object(), "bot_user",
	                      with(with(object(), "display_name", text("Parley")), "always_online",
	                           json_object_new_boolean(1))),
	                 "app_home",
	                 with(with(with(object(), "home_tab_enabled", json_object_new_boolean(1)),
	                           "messages_tab_enabled", json_object_new_boolean(1)),
	                      "messages_tab_read_only_enabled", json_object_new_boolean(0))),
	            "slash_commands", commands);
}

static json_object *settings(const char *public_url, struct arena *a)
{
	json_object *events = object();

	with(events, "request_url", text(arena_printf(a, "%s/api/integrations/slack/events", public_url)));
	with(events, "bot_events",
	     LIST("app_mention", "message.im", "message.channels", "message.groups", "app_home_opened",
	          "app_uninstalled", "tokens_revoked"));
	return with(
	    with(
	        with(with(with(object(), "event_subscriptions", events), "interactivity",
	                  with(with(object(), "is_enabled", json_object_new_boolean(1)), "request_url",
	                       text(arena_printf(a, "%s/api/integrations/slack/interactivity", public_url)))),
	             "org_deploy_enabled", json_object_new_boolean(0)),
	        "socket_mode_enabled", json_object_new_boolean(0)),
	    "token_rotation_enabled", json_object_new_boolean(0));
}

char *slack_manifest(const char *public_url, struct arena *a)
{
	OWN(json) json_object *manifest = object();

	with(manifest, "display_information",
	     with(with(object(), "name", text("Parley")), "description",
	          text("Answers questions from your documents")));
	with(manifest, "features", features(public_url, a));
	with(manifest, "oauth_config",
	     with(with(object(), "redirect_urls",
	               LIST(arena_printf(a, "%s/api/integrations/slack/oauth", public_url))),
	          "scopes", with(object(), "bot", list(slack_scopes, slack_scope_count))));
	with(manifest, "settings", settings(public_url, a));
	return json_print(manifest, a);
}
