#include "svc-integrations/slack/live.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "svc-integrations/store.h"

enum {
	STREAM_PAUSE_MS = 700, /* Slack takes some 100 of these a minute */
	REWRITE_PAUSE_MS = 1300,
};

static const char *shown(const struct slack_live *l)
{
	return l->shown ? l->shown : "";
}

static const char *metadata(const struct slack_live *l, size_t place)
{
	return arena_printf(
	    l->call->arena,
	    "{\"event_type\":\"parley_answer\",\"event_payload\":{\"job\":\"%s\",\"place\":%zu}}", l->job,
	    place);
}

/* 1, 0 with *why, -1; *ts of the message. */
static int ask(struct slack_live *l, const char *method, const struct slack_arg *args, const char **ts,
               const char **why, struct error *err)
{
	OWN(json) json_object *answer = NULL;
	int said = slack_ask(l->slack, method, l->token, args, &answer, why, l->call->arena, err);

	if (said <= 0 || !ts)
		return said;
	*ts = arena_strdup(l->call->arena, json_string(answer, "ts"));
	return *ts ? 1 : error_set(err, ERROR_UPSTREAM, "Slack does not say where the message stands");
}

int slack_live_resume(struct slack_live *l, const char *first, const char *unnamed)
{
	const char *ts = NULL;
	int found = store_get_post(l->call->db, l->owner, l->job, &ts, l->call->arena, l->call->err);

	if (found < 0)
		return -1;
	l->ts = found && *ts ? ts : first ? first : found ? unnamed : NULL;
	if (!l->ts)
		return 0;
	l->mode = LIVE_REWRITE; /* whatever it was: it is ended, and written over */
	if (!first) {
		struct error ignored = { 0 };
		const char *why;
		int said = ask(
		    l, "chat.stopStream",
		    (const struct slack_arg[]){ { "channel", l->channel }, { "ts", l->ts }, { NULL, NULL } },
		    NULL, &why, &ignored);
		(void)said; /* it was no stream, or had ended */
	}
	return 0;
}

/* --- While it is written -------------------------------------------------------------------------------------------- */

static int post(struct slack_live *l, const struct slack_post *p, size_t place, const char **ts,
                const char **why)
{
	return ask(l, "chat.postMessage",
	           (const struct slack_arg[]){ { "channel", l->channel },
	                                       { "thread_ts", l->thread },
	                                       { "text", p->text },
	                                       { "blocks", p->blocks },
	                                       { "unfurl_links", "false" },
	                                       { "unfurl_media", "false" },
	                                       { "metadata", metadata(l, place) },
	                                       { NULL, NULL } },
	           ts, why, l->call->err);
}

static int rewrite(struct slack_live *l, const struct slack_post *p, const char **why, struct error *err)
{
	return ask(l, "chat.update",
	           (const struct slack_arg[]){ { "channel", l->channel },
	                                       { "ts", l->ts },
	                                       { "text", p->text },
	                                       { "blocks", p->blocks },
	                                       { "metadata", metadata(l, 0) },
	                                       { NULL, NULL } },
	           NULL, why, err);
}

static struct slack_post unfinished(const struct slack_live *l, const char *session, const char *message,
                                    const char *text)
{
	struct text blocks;

	text_init(&blocks, l->call->arena);
	text_adds(&blocks, "[{\"type\":\"markdown\",\"text\":");
	text_add_json(&blocks, text, strlen(text));
	text_addf(&blocks, "},%s]", slack_stop_block(session, message, l->call->arena));
	return (struct slack_post){ .text = text, .blocks = blocks.at };
}

/* 1 it streams, 0 this app may not, -1. */
static int start_stream(struct slack_live *l, const char *text)
{
	const char *why;
	int said;

	if (store_put_post(l->call->db, l->owner, l->job, NULL, l->call->err) < 0)
		return -1;
	said = ask(l, "chat.startStream",
	           (const struct slack_arg[]){ { "channel", l->channel },
	                                       { "thread_ts", l->thread },
	                                       { "markdown_text", text },
	                                       { "recipient_team_id", l->team },
	                                       { "recipient_user_id", l->user },
	                                       { NULL, NULL } },
	           &l->ts, &why, l->call->err);
	if (said <= 0)
		return said;
	l->mode = LIVE_STREAM;
	return store_put_post(l->call->db, l->owner, l->job, l->ts, l->call->err) < 0 ? -1 : 1;
}

static int begin(struct slack_live *l, const char *session, const char *message, const char *text)
{
	struct slack_post first = unfinished(l, session, message, text);
	const char *why;
	int said = l->no_stream ? 0 : start_stream(l, text);

	if (said != 0)
		return said < 0 ? -1 : 0;
	l->no_stream = true;
	said = post(l, &first, 0, &l->ts, &why);
	if (said <= 0)
		return said; /* refused: the end will be, too, and says why */
	l->mode = LIVE_REWRITE;
	return store_put_post(l->call->db, l->owner, l->job, l->ts, l->call->err);
}

/* What is not shown now is shown with the next, or at the end. */
static void go_on(struct slack_live *l, const char *session, const char *message, const char *text)
{
	struct error err = { 0 };
	const char *why;
	int said;

	if (l->torn)
		return;
	if (l->mode == LIVE_STREAM) {
		said = ask(l, "chat.appendStream",
		           (const struct slack_arg[]){ { "channel", l->channel },
		                                       { "ts", l->ts },
		                                       { "markdown_text", text + strlen(shown(l)) },
		                                       { NULL, NULL } },
		           NULL, &why, &err);
		l->torn = said < 0 && err.code != ERROR_UNAVAILABLE; /* it may have been added */
	} else {
		struct slack_post now = unfinished(l, session, message, text);

		said = rewrite(l, &now, &why, &err);
	}
	if (said > 0)
		l->shown = text;
	l->next_ms = clock_mono_ms() + (said < 0 && err.retry_after ? err.retry_after * 1000
	                                : l->mode == LIVE_STREAM    ? STREAM_PAUSE_MS
	                                                            : REWRITE_PAUSE_MS);
}

int slack_live_show(struct slack_live *l, const char *session, const char *message, const char *text)
{
	const char *now;

	if (clock_mono_ms() < l->next_ms)
		return 0;
	now = slack_render_so_far(text, l->call->arena);
	if (strlen(now) <= strlen(shown(l)))
		return 0;
	if (l->mode != LIVE_NONE) {
		go_on(l, session, message, now);
		return 0;
	}
	if (begin(l, session, message, now) < 0)
		return -1;
	l->shown = now;
	l->next_ms = clock_mono_ms() + (l->mode == LIVE_STREAM ? STREAM_PAUSE_MS : REWRITE_PAUSE_MS);
	return 0;
}

/* --- The end -------------------------------------------------------------------------------------------------------- */

/* What is missing, and the blocks below; a stream that has shown anything else is closed and written over. */
static int end_first(struct slack_live *l, const struct slack_post *p, const char **why)
{
	size_t had = strlen(shown(l));
	bool fits = !l->torn && p->markdown && strncmp(p->markdown, shown(l), had) == 0;
	const char *rest = fits ? p->markdown + had : "";

	if (l->mode == LIVE_STREAM) {
		int said = ask(l, "chat.stopStream",
		               (const struct slack_arg[]){ { "channel", l->channel },
		                                           { "ts", l->ts },
		                                           { "markdown_text", *rest ? rest : NULL },
		                                           { "blocks", fits ? p->below : NULL },
		                                           { "metadata", metadata(l, 0) },
		                                           { NULL, NULL } },
		               NULL, why, l->call->err);
		if (said < 0 || (said > 0 && fits))
			return said;
		l->mode = LIVE_REWRITE;
	}
	return rewrite(l, p, why, l->call->err);
}

int slack_live_end(struct slack_live *l, const struct slack_post *posts, size_t count, const char **why)
{
	for (size_t i = 0; i < count; i++) {
		int said = 1;

		if (i == 0 && l->ts)
			said = end_first(l, &posts[0], why);
		else if (i >= l->posted)
			said = post(l, &posts[i], i, NULL, why);
		if (said <= 0)
			return said;
	}
	return 1;
}
