#include "svc-integrations/slack/event.h"

#include <string.h>

#include "common/base/text.h"

static const char *member(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

static enum slack_event_kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum slack_event_kind kind;
	} kinds[] = {
		{ "app_mention", SLACK_QUESTION },       { "message", SLACK_QUESTION },
		{ "app_uninstalled", SLACK_GONE },       { "tokens_revoked", SLACK_GONE },
		{ "url_verification", SLACK_CHALLENGE }, { "app_rate_limited", SLACK_LIMITED },
		{ "app_home_opened", SLACK_HOME },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(type, kinds[i].type) == 0)
			return kinds[i].kind;
	return SLACK_OTHER;
}

void slack_event_read(json_object *body, struct slack_event *ret)
{
	json_object *event = json_get(body, "event");
	const char *thread = member(event, "thread_ts");

	*ret = (struct slack_event){
		.challenge = member(body, "challenge"),
		.team = member(body, "team_id"),
		.app = member(body, "api_app_id"),
		.id = member(body, "event_id"),
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
	ret->kind = kind_of(*ret->type ? ret->type : member(body, "type"));
	if (ret->kind == SLACK_QUESTION && (!*ret->channel || !*ret->ts))
		ret->kind = SLACK_OTHER;
	if (ret->kind == SLACK_HOME && (!*ret->user || strcmp(member(event, "tab"), "home") != 0))
		ret->kind = SLACK_OTHER;
}

bool slack_message_is_from_person(json_object *message, const char *bot_user)
{
	const char *subtype = member(message, "subtype"), *user = member(message, "user");

	if (*member(message, "bot_id") || json_get(message, "bot_profile") || !*user)
		return false;
	if (bot_user && strcmp(user, bot_user) == 0)
		return false;
	return !*subtype || strcmp(subtype, "file_share") == 0 || strcmp(subtype, "thread_broadcast") == 0;
}

char *slack_text_without_mention(const char *text, const char *bot_user, struct arena *a)
{
	const char *mention = arena_printf(a, "<@%s", bot_user && *bot_user ? bot_user : "-");
	size_t length = strlen(mention);
	struct text out;
	const char *at;

	text_init(&out, a);
	text_adds(&out, "");
	while ((at = strstr(text, mention)) != NULL) {
		const char *end = strchr(at, '>');

		if (!end || (at[length] != '>' && at[length] != '|'))
			break;
		text_add(&out, text, (size_t)(at - text));
		text = end + 1;
	}
	text_adds(&out, text);
	while (out.length && strchr(" \t\r\n", out.at[out.length - 1]))
		out.at[--out.length] = 0;
	return out.at + strspn(out.at, " \t\r\n");
}
