#include "svc-integrations/slack/history.h"

#include <string.h>

#include "common/base/utf8.h"
#include "svc-integrations/slack/event.h"
#include "svc-integrations/slack/plain.h"
#include "svc-integrations/slack/said.h"

#define MESSAGES_READ "30"
enum { MESSAGE_MOST = 4000 /* bytes of one that are kept */ };

static const char *member(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

/* Of messages in a channel: "1727000000.000100", seconds and a counter; of one length for the next centuries. */
static bool is_before(const char *ts, const char *other)
{
	return strcmp(ts, other) < 0;
}

static bool is_ours(json_object *message, const struct slack_place *place)
{
	return (place->bot_user && strcmp(member(message, "user"), place->bot_user) == 0) ||
	       (place->bot && strcmp(member(message, "bot_id"), place->bot) == 0);
}

/* Whether an earlier run of the job posted it; places are posted in order. */
static bool is_posted(json_object *message, const struct slack_place *place)
{
	json_object *payload = json_get(json_get(message, "metadata"), "event_payload");

	return is_ours(message, place) && strcmp(member(payload, "job"), place->job) == 0;
}

static void add(struct slack_history *h, const char *role, const char *text, struct arena *a)
{
	Chat__PastMessage *past = arena_new(a, Chat__PastMessage, 1);

	if (!*text)
		return;
	chat__past_message__init(past);
	past->role = (char *)role;
	past->content = arena_strndup(a, text, utf8_clip(text, strlen(text), MESSAGE_MOST));
	h->messages[h->count++] = past;
}

static void take(struct slack_history *h, json_object *message, const struct slack_place *place,
                 struct arena *a)
{
	if (is_posted(message, place)) {
		if (h->posted++ == 0)
			h->first = arena_strdup(a, member(message, "ts"));
	} else if (is_ours(message, place) && !json_get(message, "metadata") &&
	           is_before(place->ts, member(message, "ts"))) {
		h->unnamed = arena_strdup(a, member(message, "ts"));
	}
	if (!is_before(member(message, "ts"), place->ts))
		return;
	if (is_ours(message, place))
		add(h, "assistant", slack_plain(member(message, "text"), NULL, a), a);
	else if (slack_message_is_from_person(message, place->bot_user))
		add(h, "user", slack_said(message, place->bot_user, a), a);
}

/* conversations.history gives the newest first, conversations.replies the oldest. */
int slack_history_read(const struct slack *slack, const char *token, const struct slack_place *place,
                       struct slack_history *ret, struct arena *a, struct error *err)
{
	bool whole_channel = place->direct && strcmp(place->thread, place->ts) == 0;
	OWN(json) json_object *answer = NULL;
	json_object *messages;
	const char *why;
	size_t n;
	int said = slack_ask(slack, whole_channel ? "conversations.history" : "conversations.replies", token,
	                     (const struct slack_arg[]){ { "channel", place->channel },
	                                                 { "ts", whole_channel ? NULL : place->thread },
	                                                 { "limit", MESSAGES_READ },
	                                                 { "include_all_metadata", "true" },
	                                                 { NULL, NULL } },
	                     &answer, &why, a, err);

	if (said <= 0)
		return said; /* no scope for it, or no such thread: no history */
	messages = json_get(answer, "messages");
	n = json_object_is_type(messages, json_type_array) ? json_object_array_length(messages) : 0;
	ret->messages = arena_new(a, Chat__PastMessage *, n);
	for (size_t i = 0; i < n; i++)
		take(ret, json_object_array_get_idx(messages, whole_channel ? n - 1 - i : i), place, a);
	return 0;
}
