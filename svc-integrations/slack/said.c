#include "svc-integrations/slack/said.h"

#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-integrations/slack/plain.h"

enum { SHARED_MOST = 4000 /* bytes of one message that is shared */ };

static const char *member(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

static size_t count_of(json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct walk {
	struct text out;
	const char *bot_user;
	struct arena *arena;
};

/* Elements of rich text that are words by themselves, with the sign before their name. */
static const struct {
	const char *type, *name, *before, *behind;
} words[] = {
	{ "user", "user_id", "@", "" },       { "usergroup", "usergroup_id", "@", "" },
	{ "channel", "channel_id", "#", "" }, { "broadcast", "range", "@", "" },
	{ "emoji", "name", ":", ":" },
};

/* What ends a line. */
static bool is_line(const char *type)
{
	static const char *const lines[] = { "rich_text_section",
		                             "rich_text_preformatted",
		                             "rich_text_quote",
		                             "section",
		                             "header",
		                             "context",
		                             "markdown" };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (strcmp(type, lines[i]) == 0)
			return true;
	return false;
}

static void add_words(struct walk *w, json_object *element, const char *type)
{
	const char *text = member(element, "text");

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *name = member(element, words[i].name);

		if (strcmp(type, words[i].type) == 0 &&
		    !(*words[i].before == '@' && w->bot_user && strcmp(name, w->bot_user) == 0))
			text_addf(&w->out, "%s%s%s", words[i].before, name, words[i].behind);
	}
	if (strcmp(type, "link") == 0 && !*text)
		text = member(element, "url");
	text_adds(&w->out, strcmp(type, "mrkdwn") == 0 ? slack_plain(text, w->bot_user, w->arena) : text);
}

/* Blocks, elements, and texts that are objects. Its depth is bounded, as that of all JSON is here. */
static void walk(struct walk *w, json_object *node)
{
	static const char *const inner[] = { "text", "elements", "fields" };
	const char *type = member(node, "type");

	for (size_t i = 0; i < count_of(node); i++)
		walk(w, json_object_array_get_idx(node, i));
	if (!json_object_is_type(node, json_type_object))
		return;
	add_words(w, node, type);
	for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
		if (!json_object_is_type(json_get(node, inner[i]), json_type_string))
			walk(w, json_get(node, inner[i]));
	if (is_line(type))
		text_addc(&w->out, '\n');
}

static const char *of_blocks(json_object *blocks, const char *bot_user, struct arena *a)
{
	struct walk w = { .bot_user = bot_user, .arena = a };

	text_init(&w.out, a);
	text_adds(&w.out, "");
	walk(&w, blocks);
	return w.out.at;
}

static void add_attached(struct text *out, json_object *message, const char *bot_user, struct arena *a)
{
	json_object *list = json_get(message, "attachments");
	bool all = out->length == 0;

	for (size_t i = 0; i < count_of(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);
		const char *text = *member(one, "text") ? member(one, "text") : member(one, "fallback");

		if (!all && !json_flag(one, "is_share", 0) && !json_flag(one, "is_msg_unfurl", 0))
			continue;
		text = slack_plain(text, bot_user, a);
		if (*text && out->length)
			text_adds(out, "\n\n");
		text_add(out, text, utf8_clip(text, strlen(text), SHARED_MOST));
	}
}

static void trim(struct text *out)
{
	while (out->length && strchr(" \t\r\n", out->at[out->length - 1]))
		out->at[--out->length] = 0;
}

char *slack_said(json_object *message, const char *bot_user, struct arena *a)
{
	const char *text = member(message, "text");
	struct text out;

	text_init(&out, a);
	text_adds(&out, *text ? slack_plain(text, bot_user, a)
	                      : of_blocks(json_get(message, "blocks"), bot_user, a));
	trim(&out);
	add_attached(&out, message, bot_user, a);
	trim(&out);
	return out.at + strspn(out.at, " \t\r\n");
}

bool slack_has_files(json_object *message)
{
	return count_of(json_get(message, "files")) > 0;
}
