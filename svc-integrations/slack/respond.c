#include "svc-integrations/slack/respond.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "svc-integrations/store.h"

enum { RESPONSES_MOST = 5 };

static const char gap[] =
    "{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":"
    "\"A part of the answer is left out here: it is longer than Slack takes for a command.\"}]},";

/* gone: what comes between this one and the one before was left out. */
static int post(const struct responding *r, const struct slack_post *p, bool first, bool gone)
{
	struct text body;

	text_init(&body, r->call->arena);
	text_addf(&body, "{\"response_type\":\"ephemeral\",\"replace_original\":%s,\"text\":",
	          first ? "true" : "false");
	text_add_json(&body, p->text, strlen(p->text));
	if (p->blocks)
		text_addf(&body, ",\"blocks\":[%s%s", gone ? gap : "", p->blocks + 1);
	text_addc(&body, '}');
	return slack_respond(r->slack, r->url, body.at, r->call->arena, r->call->err);
}

static int come_through(const struct responding *r, size_t *ret)
{
	const char *count = "";
	int found = store_get_post(r->call->db, r->owner, r->job, &count, r->call->arena, r->call->err);

	*ret = strtoul(count, NULL, 10);
	return found < 0 ? -1 : 0;
}

int respond_all(const struct responding *r, const struct slack_post *posts, size_t count)
{
	size_t most = count < RESPONSES_MOST ? count : RESPONSES_MOST, i;

	if (come_through(r, &i) < 0)
		return -1;
	for (; i < most; i++) {
		bool last = i == most - 1;

		if (post(r, &posts[last ? count - 1 : i], i == 0, last && most < count) < 0 ||
		    store_put_post(r->call->db, r->owner, r->job, arena_printf(r->call->arena, "%zu", i + 1),
		                   r->call->err) < 0)
			return -1;
	}
	return 0;
}

int respond_line(const struct responding *r, const char *line)
{
	size_t before;

	return come_through(r, &before) < 0
	           ? -1
	           : post(r, &(struct slack_post){ .text = line }, before == 0, false);
}
