#include "svc-integrations/slack/event.h"

#include <string.h>

#define SLACKBOT \
	"USLACKBOT" /* reminders, and replies that a workspace has set up: a bot in a person's form */

static const char *member(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

static const struct kind {
	const char *type;
	enum slack_event_kind kind;
} outer_kinds[] = {
	{ "url_verification", SLACK_CHALLENGE },
	{ "app_rate_limited", SLACK_LIMITED },
	{ NULL, SLACK_OTHER },
},
  inner_kinds[] = {
	  { "app_mention", SLACK_QUESTION },      { "message", SLACK_QUESTION },
	  { "app_uninstalled", SLACK_GONE },      { "tokens_revoked", SLACK_GONE },
	  { "team_access_revoked", SLACK_GONE },  { "app_home_opened", SLACK_HOME },
	  { NULL, SLACK_OTHER },
  };

static enum slack_event_kind kind_of(const struct kind *kinds, const char *type)
{
	while (kinds->type && strcmp(type, kinds->type) != 0)
		kinds++;
	return kinds->kind;
}

static json_object *first_of(json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_get_idx(array, 0) : NULL;
}

static bool has(json_object *array, const char *word)
{
	size_t count = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	for (size_t i = 0; *word && i < count; i++) {
		json_object *item = json_object_array_get_idx(array, i);

		if (json_object_is_type(item, json_type_string) &&
		    strcmp(json_object_get_string(item), word) == 0)
			return true;
	}
	return false;
}

/* Tokens of people are revoked without any harm to us; and other workspaces of an organisation are not ours. */
static bool is_gone(const struct slack_event *e, json_object *event)
{
	json_object *teams = json_get(event, "team_ids");

	if (strcmp(e->type, "tokens_revoked") == 0)
		return first_of(json_get(json_get(event, "tokens"), "bot")) != NULL;
	if (strcmp(e->type, "team_access_revoked") == 0)
		return has(teams, e->teams[0]) || has(teams, e->teams[1]);
	return true;
}

/* What is not whole is nothing for us. */
static bool is_whole(const struct slack_event *e, json_object *event)
{
	switch (e->kind) {
	case SLACK_QUESTION: return *e->channel && *e->ts;
	case SLACK_HOME: return *e->user && strcmp(member(event, "tab"), "home") == 0;
	case SLACK_GONE: return is_gone(e, event);
	default: return true;
	}
}

void slack_event_read(json_object *body, struct slack_event *ret)
{
	json_object *event = json_get(body, "event"), *by = first_of(json_get(body, "authorizations"));
	const char *thread = member(event, "thread_ts");

	*ret = (struct slack_event){
		.challenge = member(body, "challenge"),
		.teams = { member(by, "team_id"), member(body, "team_id"), member(by, "enterprise_id") },
		.app = member(body, "api_app_id"),
		.id = member(body, "event_id"),
		.time = json_int(body, "event_time", 0),
		.type = member(event, "type"),
		.channel = member(event, "channel"),
		.user = member(event, "user"),
		.text = member(event, "text"),
		.ts = member(event, "ts"),
		.direct = strcmp(member(event, "channel_type"), "im") == 0,
	};
	ret->in_thread = *thread != 0;
	ret->thread = *thread ? thread : ret->ts;
	ret->mention = strcmp(ret->type, "app_mention") == 0;
	ret->kind = kind_of(outer_kinds, member(body, "type"));
	if (ret->kind == SLACK_OTHER)
		ret->kind = kind_of(inner_kinds, ret->type);
	if (!is_whole(ret, event))
		ret->kind = SLACK_OTHER;
}

bool slack_message_is_from_person(json_object *message, const char *bot_user)
{
	const char *subtype = member(message, "subtype"), *user = member(message, "user");

	if (*member(message, "bot_id") || json_get(message, "bot_profile") || !*user)
		return false;
	if ((bot_user && strcmp(user, bot_user) == 0) || strcmp(user, SLACKBOT) == 0)
		return false;
	return !*subtype || strcmp(subtype, "file_share") == 0 || strcmp(subtype, "thread_broadcast") == 0;
}
