#include "svc-integrations/slack/answer.h"

#include <string.h>

#include "chat.client.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "integrations.methods.h"
#include "svc-integrations/slack/history.h"
#include "svc-integrations/slack/render.h"
#include "svc-integrations/slack/verify.h"

enum { QUESTION_MOST = 8000 /* bytes of it that are asked */ };

static const char sorry[] = "Sorry, I could not answer that just now. Please ask again in a while.";
static const char nobody_home[] = "No chatbot is connected to this app yet.";

/* --- Adding --------------------------------------------------------------------------------------------------------- */

static void add_member(json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

int answer_later(struct call *call, const char *owner_id, const struct slack_question *q)
{
	OWN(json) json_object *payload = json_object_new_object();

	add_member(payload, "integration", q->integration_id);
	add_member(payload, "channel", q->channel);
	add_member(payload, "thread", q->thread);
	add_member(payload, "ts", q->ts);
	add_member(payload, "responseUrl", q->response_url);
	add_member(payload, "text", q->text);
	json_object_object_add(payload, "direct", json_object_new_boolean(q->direct));
	return job_add(call->db, "slack_answer", owner_id, NULL, json_print(payload, call->arena), 0,
	               call->err);
}

int answer_verify_later(struct call *call, const char *integration_id)
{
	OWN(json) json_object *payload = json_object_new_object();

	add_member(payload, "integration", integration_id);
	return job_add(call->db, "slack_verify", call->owner_id, integration_id,
	               json_print(payload, call->arena), 30, call->err);
}

/* --- One job's view ------------------------------------------------------------------------------------------------- */

struct answering {
	struct call *call;
	const struct job *job;
	const struct slack *slack;
	struct slack_question q;
	struct integration_row row;
	struct secrets secrets;
	size_t posted; /* messages that an earlier run has posted */
};

static void read_payload(json_object *payload, struct slack_question *q, struct arena *a)
{
	q->integration_id = arena_strdup(a, json_string(payload, "integration"));
	q->channel = arena_strdup(a, json_string(payload, "channel"));
	q->thread = arena_strdup(a, json_string(payload, "thread"));
	q->ts = arena_strdup(a, json_string(payload, "ts"));
	q->response_url = arena_strdup(a, json_string(payload, "responseUrl"));
	q->text = arena_strdup(a, json_string(payload, "text"));
	q->direct = json_flag(payload, "direct", 0);
}

/* 1 ready; 0 the integration is gone or asleep, or its owner is disabled: nothing to do; -1. */
static int open_answering(struct call *call, const struct job *job, struct answering *ret)
{
	OWN(json) json_object *payload = NULL;
	int found;

	*ret = (struct answering){ .call = call, .job = job, .slack = &integrations_state(call)->slack };
	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	read_payload(payload, &ret->q, call->arena);
	found = store_load(call->db, job->owner_id, ret->q.integration_id, &ret->row, call->arena, call->err);
	if (found <= 0)
		return found;
	if (secrets_open(call, &ret->row, &ret->secrets) < 0)
		return -1;
	return strcmp(ret->row.status, "inactive") != 0 && ret->secrets.bot_token &&
	       !slack_owner_is_disabled(call, job->owner_id);
}

/* --- Posting -------------------------------------------------------------------------------------------------------- */

/* Slack said no. A dead token is told to the owner; the rest concerns this one place. */
static int refused(struct answering *w, const char *why)
{
	struct call *call = w->call;

	if (slack_token_is_dead(why) &&
	    store_set_status(call->db, w->row.owner_id, w->row.id, "error",
	                     arena_printf(call->arena, "Slack refuses the token: %s", why), call->err) < 0)
		return -1;
	error_set(call->err, ERROR_INVALID, "Slack refuses the answer");
	error_detail(call->err, "%s", why);
	return -1;
}

static int post_message(struct answering *w, const struct slack_post *post, size_t place)
{
	struct arena *a = w->call->arena;
	OWN(json) json_object *answer = NULL;
	const char *why;
	int said = slack_ask(
	    w->slack, "chat.postMessage", w->secrets.bot_token,
	    (const struct slack_arg[]){
	        { "channel", w->q.channel },
	        { "thread_ts", w->q.thread },
	        { "text", post->text },
	        { "blocks", post->blocks },
	        { "unfurl_links", "false" },
	        { "unfurl_media", "false" },
	        { "metadata",
	          arena_printf(a,
	                       "{\"event_type\":\"parley_answer\",\"event_payload\":{\"job\":\"%s\","
	                       "\"place\":%zu}}",
	                       w->job->id, place) },
	        { NULL, NULL } },
	    &answer, &why, a, w->call->err);

	return said > 0 ? 0 : said < 0 ? -1 : refused(w, why);
}

static int respond(struct answering *w, const struct slack_post *post)
{
	struct text body;

	text_init(&body, w->call->arena);
	text_adds(&body, "{\"response_type\":\"ephemeral\",\"replace_original\":true,\"text\":");
	text_add_json(&body, post->text, strlen(post->text));
	if (post->blocks)
		text_addf(&body, ",\"blocks\":%s", post->blocks);
	text_addc(&body, '}');
	return slack_respond(w->slack, w->q.response_url, body.at, w->call->arena, w->call->err);
}

static int post_all(struct answering *w, const struct slack_post *posts, size_t count)
{
	if (w->q.response_url)
		return respond(w, &posts[0]);
	for (size_t i = w->posted; i < count; i++)
		if (post_message(w, &posts[i], i) < 0)
			return -1;
	return 0;
}

static int post_line(struct answering *w, const char *line)
{
	return post_all(w, &(struct slack_post){ .text = line }, 1);
}

/* The bot has seen it: where a reaction is not allowed, the answer alone will tell. */
static void react(struct answering *w, const char *method)
{
	OWN(json) json_object *answer = NULL;
	struct error ignored = { 0 };
	const char *why;
	int said;

	if (w->q.response_url)
		return;
	said = slack_ask(
	    w->slack, method, w->secrets.bot_token,
	    (const struct slack_arg[]){
	        { "channel", w->q.channel }, { "timestamp", w->q.ts }, { "name", "eyes" }, { NULL, NULL } },
	    &answer, &why, w->call->arena, &ignored);
	(void)said;
}

/* --- Asking --------------------------------------------------------------------------------------------------------- */

/* config.channels: {"C0123": "<chatbot>"}; elsewhere the integration's own. */
static const char *chatbot_for(const struct answering *w)
{
	OWN(json) json_object *config = NULL;
	struct error ignored = { 0 };
	const char *chosen = NULL;

	if (json_parse(w->row.config, strlen(w->row.config), &config, &ignored) == 0 && w->q.channel)
		chosen = json_string(json_get(config, "channels"), w->q.channel);
	return chosen ? arena_strdup(w->call->arena, chosen) : w->row.chatbot_id;
}

static int ask(struct answering *w, const char *chatbot, Chat__PreviewReply **ret)
{
	Chat__PreviewRequest in = CHAT__PREVIEW_REQUEST__INIT;
	struct call *call = w->call;
	struct slack_history past = { 0 };

	if (!w->q.response_url && slack_history_read(w->slack, w->secrets.bot_token,
	                                             &(struct slack_place){ .channel = w->q.channel,
	                                                                    .thread = w->q.thread,
	                                                                    .ts = w->q.ts,
	                                                                    .direct = w->q.direct,
	                                                                    .bot_user = w->row.bot_user,
	                                                                    .bot = w->row.bot,
	                                                                    .job = w->job->id },
	                                             &past, call->arena, call->err) < 0)
		return -1;
	w->posted = past.posted;
	in.message =
	    arena_strndup(call->arena, w->q.text, utf8_clip(w->q.text, strlen(w->q.text), QUESTION_MOST));
	in.chatbot_id = (char *)chatbot;
	in.chat_history = past.messages;
	in.n_chat_history = past.count;
	return chat_client_preview(integrations_state(call)->chat, call, &in, ret);
}

static int run_answer(struct call *call, const struct job *job)
{
	struct answering w;
	int ready = open_answering(call, job, &w);
	Chat__PreviewReply *reply;
	const char *chatbot;
	struct slack_post *posts;
	size_t count;

	if (ready <= 0)
		return ready;
	chatbot = chatbot_for(&w);
	if (!chatbot)
		return post_line(&w, nobody_home);
	if (job->attempt == 1)
		react(&w, "reactions.add");
	if (ask(&w, chatbot, &reply) < 0)
		return -1;
	posts = slack_render(reply, &count, call->arena);
	if (post_all(&w, posts, count) < 0)
		return -1;
	react(&w, "reactions.remove");
	if (!w.q.response_url &&
	    store_join_thread(call->db, w.row.owner_id, w.row.id, w.q.channel, w.q.thread, call->err) < 0)
		return -1;
	return store_sweep_events(call->db, w.row.owner_id, call->err);
}

/* A short word instead of silence; unless it was Slack that would not have it. */
static void give_up_answer(struct call *call, const struct job *job, const struct error *why)
{
	struct answering w;

	if (why->code == ERROR_INVALID || open_answering(call, job, &w) <= 0)
		return;
	if (post_line(&w, sorry) == 0)
		react(&w, "reactions.remove");
}

/* --- Credentials that could not be tried --------------------------------------------------------------------------- */

static int run_verify(struct call *call, const struct job *job)
{
	struct answering w;
	int ready = open_answering(call, job, &w), again;

	if (ready <= 0 || strcmp(w.row.status, "pending") != 0)
		return ready < 0 ? -1 : 0;
	again = slack_verify(call, &w.secrets, &w.row);
	if (store_change(call->db, &w.row, call->err) < 0)
		return -1;
	return again ? error_busy(call->err, 0, "Slack cannot be reached") : 0;
}

const struct job_kind answer_jobs[] = {
	{ .kind = "slack_answer",
	  .run = run_answer,
	  .give_up = give_up_answer,
	  .attempts = 8,
	  .first_pause_ms = 1 * 1000,
	  .lease_ms = 10 * 1000 },
	{ .kind = "slack_verify",
	  .run = run_verify,
	  .attempts = 12,
	  .first_pause_ms = 30 * 1000,
	  .lease_ms = 10 * 1000 },
};
const size_t answer_job_count = sizeof answer_jobs / sizeof *answer_jobs;
