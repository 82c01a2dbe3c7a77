#include "svc-integrations/handover/plan.h"

#include <string.h>

#include "common/base/id.h"
#include "common/json/format.h"
#include "common/json/json.h"

enum { CHANNEL_MOST = 30 };

static bool is_address(const char *text)
{
	return format_email(text, strlen(text));
}

static bool is_channel(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return length > 0 && length <= CHANNEL_MOST && !text[length];
}

static bool is_id(const char *text)
{
	return uuid_valid(text);
}

static const struct {
	const char *name;
	size_t at;
	bool (*fits)(const char *text);
	const char *must;
} members[] = {
	{ "email", offsetof(struct handover_plan, email), is_address, "must be an e-mail address" },
	{ "webhook", offsetof(struct handover_plan, webhook), is_id,
	  "must be the id of one of your webhook integrations" },
	{ "channel", offsetof(struct handover_plan, channel), is_channel,
	  "must be the id of a Slack channel, like C0123ABCD" },
	{ "integration", offsetof(struct handover_plan, integration), is_id,
	  "must be the id of one of your Slack integrations" },
};
enum { MEMBERS = sizeof members / sizeof *members };

static int bad(struct call *call, const char *member, const char *must)
{
	return error_field(call->err, call->arena, "body",
	                   arena_printf(call->arena, "config.handover%s%s", *member ? "." : "", member),
	                   "value_error", "%s", must);
}

static json_object *read(const char *config)
{
	struct error ignored = { 0 };
	json_object *object = NULL;

	return json_parse(config, strlen(config), &object, &ignored) < 0 ? NULL : object;
}

int handover_plan(const char *config, struct handover_plan *ret, struct arena *a)
{
	OWN(json) json_object *object = read(config);
	json_object *plan = json_get(object, "handover");

	*ret = (struct handover_plan){ 0 };
	for (size_t i = 0; i < MEMBERS; i++)
		*(const char **)((char *)ret + members[i].at) =
		    arena_strdup(a, json_string(plan, members[i].name));
	return ret->email || ret->webhook || ret->channel;
}

/* Members that there are not would be mistakes that nobody notices. */
static int check_members(struct call *call, json_object *plan)
{
	json_object_object_foreach(plan, key, value)
	{
		size_t i = 0;

		while (i < MEMBERS && strcmp(members[i].name, key) != 0)
			i++;
		if (i == MEMBERS)
			return bad(call, "", "has email, webhook, channel, integration, and nothing else");
		if (!json_object_is_type(value, json_type_string) ||
		    !members[i].fits(json_object_get_string(value)))
			return bad(call, members[i].name, members[i].must);
	}
	return 0;
}

static int check_is(struct call *call, const char *id, const char *type, const char *member, const char *must)
{
	struct integration_row row;
	int found = id ? store_load(call->db, call->owner_id, id, &row, call->arena, call->err) : -2;

	if (found == -2)
		return 0;
	if (found < 0)
		return -1;
	return found && strcmp(row.type, type) == 0 ? 0 : bad(call, member, must);
}

int handover_check(struct call *call, const struct integration_row *row)
{
	OWN(json) json_object *object = read(row->config);
	json_object *plan = json_get(object, "handover");
	struct handover_plan parts;

	if (!plan)
		return 0;
	if (!json_object_is_type(plan, json_type_object))
		return bad(call, "", "must be an object");
	if (check_members(call, plan) < 0)
		return -1;
	if (!handover_plan(row->config, &parts, call->arena))
		return bad(call, "", "must name an email, a webhook or a channel");
	if (parts.channel && !parts.integration && strcmp(row->type, "slack") != 0)
		return bad(call, "integration", members[3].must);
	if (check_is(call, parts.webhook, "webhook", "webhook", members[1].must) < 0)
		return -1;
	return check_is(call, parts.integration, "slack", "integration", members[3].must);
}

size_t handover_chatbots(const struct integration_row *row, const char ***ret, struct arena *a)
{
	OWN(json) json_object *object = read(row->config);
	json_object *channels = json_get(object, "channels");
	bool has = json_object_is_type(channels, json_type_object);
	size_t n = 0;

	*ret = arena_new(a, const char *, (has ? (size_t)json_object_object_length(channels) : 0) + 1);
	if (row->chatbot_id)
		(*ret)[n++] = row->chatbot_id;
	if (!has)
		return n;
	json_object_object_foreach(channels, channel, chatbot)
	{
		(void)channel;
		if (json_object_is_type(chatbot, json_type_string) &&
		    uuid_valid(json_object_get_string(chatbot)))
			(*ret)[n++] = arena_strdup(a, json_object_get_string(chatbot));
	}
	return n;
}
