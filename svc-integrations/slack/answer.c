#include "svc-integrations/slack/answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chat.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "integrations.methods.h"
#include "svc-integrations/slack/ask.h"
#include "svc-integrations/slack/history.h"
#include "svc-integrations/slack/install.h"
#include "svc-integrations/slack/live.h"
#include "svc-integrations/slack/place.h"
#include "svc-integrations/slack/render.h"
#include "svc-integrations/slack/respond.h"
#include "svc-integrations/slack/sources.h"
#include "svc-integrations/slack/verify.h"

enum {
	QUESTION_MOST = 8000, /* bytes of it that are asked */
	NAP_MS = 50,          /* after which one that waits looks up */
	TELL_MS = 1000,       /* between two times that all replicas are told of questions */
};

static const char sorry[] = "Sorry, I could not answer that just now. Please ask again in a while.";
static const char unreadable[] = "I read only what is written: please type your question.";
static const char nobody_home[] = "No chatbot is connected to this app yet.";

/* --- Adding --------------------------------------------------------------------------------------------------------- */

static void add_member(json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static char *payload_of(const struct slack_question *q, struct arena *a)
{
	OWN(json) json_object *payload = json_object_new_object();

	add_member(payload, "integration", q->integration_id);
	add_member(payload, "channel", q->channel);
	add_member(payload, "thread", q->thread);
	add_member(payload, "ts", q->ts);
	add_member(payload, "responseUrl", q->response_url);
	add_member(payload, "text", q->text);
	add_member(payload, "user", q->user);
	json_object_object_add(payload, "direct", json_object_new_boolean(q->direct));
	return json_print(payload, a);
}

int answer_later(struct call *call, const char *owner_id, const struct slack_question *q)
{
	return job_add(call->db, "slack_answer", owner_id, NULL, payload_of(q, call->arena), 0, call->err);
}

/* Telling all replicas of each question would have them wait for one another: NOTIFY is one at a time. */
static bool is_time_to_tell(struct integrations *state)
{
	int64_t now = clock_mono_ms(), before = atomic_load(&state->told_ms);

	return now - before >= TELL_MS && atomic_compare_exchange_strong(&state->told_ms, &before, now);
}

int answer_take(struct call *call, const char *owner_id, const char *event, const struct slack_question *q)
{
	struct integrations *state = call->state;
	int rc = store_take_question(
	    call->db, owner_id, *event ? arena_printf(call->arena, "event %s", event) : NULL,
	    arena_printf(call->arena, "text %s %s %s", q->integration_id, q->channel, q->ts),
	    payload_of(q, call->arena), is_time_to_tell(state), call->err);

	if (rc == 0)
		job_runner_wake(state->jobs);
	return rc;
}

int answer_verify_later(struct call *call, const char *owner_id, const char *integration_id)
{
	OWN(json) json_object *payload = json_object_new_object();

	add_member(payload, "integration", integration_id);
	return job_add(call->db, "slack_verify", owner_id, integration_id, json_print(payload, call->arena),
	               30, call->err);
}

/* --- One job's view ------------------------------------------------------------------------------------------------- */

struct answering {
	struct call *call;
	const struct job *job;
	const struct slack *slack;
	struct slack_question q;
	struct integration_row row;
	struct secrets secrets;
	struct slack_live live;
	struct responding respond; /* to a command */
	bool status_shown;         /* in place of the reaction */
	bool ephemeral;            /* for the asker's eyes alone */
};

static void read_payload(json_object *payload, struct slack_question *q, struct arena *a)
{
	q->integration_id = arena_strdup(a, json_string(payload, "integration"));
	q->channel = arena_strdup(a, json_string(payload, "channel"));
	q->thread = arena_strdup(a, json_string(payload, "thread"));
	q->ts = arena_strdup(a, json_string(payload, "ts"));
	q->response_url = arena_strdup(a, json_string(payload, "responseUrl"));
	q->text = arena_strdup(a, json_string(payload, "text"));
	q->user = arena_strdup(a, json_string(payload, "user"));
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
	ret->live = (struct slack_live){ .call = call,
		                         .slack = ret->slack,
		                         .owner = job->owner_id,
		                         .token = ret->secrets.bot_token,
		                         .job = job->id,
		                         .channel = ret->q.channel,
		                         .thread = ret->q.thread,
		                         .team = ret->row.team,
		                         .user = ret->q.user };
	ret->respond = (struct responding){ .call = call,
		                            .slack = ret->slack,
		                            .owner = job->owner_id,
		                            .job = job->id,
		                            .url = ret->q.response_url };
	ret->ephemeral = !ret->q.response_url && !ret->q.direct && ret->q.channel &&
	                 place_is_ephemeral(ret->row.config, ret->q.channel);
	return strcmp(ret->row.status, "inactive") != 0 && ret->secrets.bot_token &&
	       !slack_owner_is_disabled(call, job->owner_id);
}

/* --- Posting -------------------------------------------------------------------------------------------------------- */

/* Slack said no. A dead token is told to the owner; the rest concerns this one place. */
static int refused(struct answering *w, const char *why)
{
	struct call *call = w->call;

	if (strcmp(why, "token_expired") == 0 && w->secrets.refresh_token)
		return slack_rotate_later(call, w->row.owner_id, w->row.id, 0) < 0
		           ? -1
		           : error_busy(call->err, 5, "the token is being renewed");
	if (slack_token_is_dead(why)) {
		int told = store_refuse_secrets(call->db, &w->row,
		                                arena_printf(call->arena, "Slack refuses the token: %s", why),
		                                call->err);

		if (told <= 0) /* it has another one by now: that may do */
			return told < 0 ? -1 : error_busy(call->err, 1, "the token was replaced");
	}
	error_set(call->err, ERROR_INVALID, "Slack refuses the answer");
	error_detail(call->err, "%s", why);
	return -1;
}

/* Slack keeps no such message where we could look for it: a run that does not know how the last one ended posts it again. */
static int post_ephemeral(struct answering *w, const struct slack_post *posts, size_t count, const char **why)
{
	int said = 1;

	for (size_t i = 0; i < count && said > 0; i++) {
		OWN(json) json_object *answer = NULL;

		said = slack_ask(w->slack, "chat.postEphemeral", w->secrets.bot_token,
		                 (const struct slack_arg[]){
		                     { "channel", w->q.channel },
		                     { "user", w->q.user },
		                     { "thread_ts", strcmp(w->q.thread, w->q.ts) != 0 ? w->q.thread : NULL },
		                     { "text", posts[i].text },
		                     { "blocks", posts[i].blocks },
		                     { NULL, NULL } },
		                 &answer, why, w->call->arena, w->call->err);
	}
	return said;
}

static int post_all(struct answering *w, const struct slack_post *posts, size_t count)
{
	const char *why;
	int said;

	if (w->q.response_url)
		return respond_all(&w->respond, posts, count);
	said = w->ephemeral ? post_ephemeral(w, posts, count, &why)
	                    : slack_live_end(&w->live, posts, count, &why);
	return said > 0 ? 0 : said < 0 ? -1 : refused(w, why);
}

static int post_line(struct answering *w, const char *line)
{
	return w->q.response_url ? respond_line(&w->respond, line)
	                         : post_all(w, &(struct slack_post){ .text = line }, 1);
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

/* The assistant's status, where the app has one (it goes with the answer); else the reaction. */
static void show_working(struct answering *w)
{
	OWN(json) json_object *answer = NULL;
	struct error ignored = { 0 };
	const char *why;

	if (w->q.response_url)
		return;
	w->status_shown = slack_ask(w->slack, "assistant.threads.setStatus", w->secrets.bot_token,
	                            (const struct slack_arg[]){ { "channel_id", w->q.channel },
	                                                        { "thread_ts", w->q.thread },
	                                                        { "status", "is looking it up…" },
	                                                        { NULL, NULL } },
	                            &answer, &why, w->call->arena, &ignored) > 0;
	if (!w->status_shown)
		react(w, "reactions.add");
}

/* --- Asking --------------------------------------------------------------------------------------------------------- */

static int show(void *arg, const char *session, const char *message, const char *text)
{
	struct answering *w = arg;

	return w->q.response_url || w->ephemeral ? 0 : slack_live_show(&w->live, session, message, text);
}

/* What was said there before; and what an earlier run has left. */
static int look_around(struct answering *w, struct slack_history *past)
{
	struct call *call = w->call;

	if (w->q.response_url)
		return 0;
	if (slack_history_read(w->slack, w->secrets.bot_token,
	                       &(struct slack_place){ .channel = w->q.channel,
	                                              .thread = w->q.thread,
	                                              .ts = w->q.ts,
	                                              .direct = w->q.direct,
	                                              .bot_user = w->row.bot_user,
	                                              .bot = w->row.bot,
	                                              .job = w->job->id },
	                       past, call->arena, call->err) < 0)
		return -1;
	w->live.posted = past->posted;
	return w->job->attempt > 1 ? slack_live_resume(&w->live, past->first, past->unnamed) : 0;
}

/* A direct conversation is one; elsewhere each thread is; a command is by itself. */
static int ask(struct answering *w, const char *chatbot, Chat__Message *ret)
{
	struct call *call = w->call;
	struct slack_history past = { 0 };
	char session[UUID_TEXT];

	if (look_around(w, &past) < 0)
		return -1;
	slack_session_of(w->row.id, chatbot, w->q.channel ? w->q.channel : "",
	                 w->q.response_url ? w->job->id
	                 : w->q.direct     ? ""
	                                   : w->q.thread,
	                 session);
	return slack_ask_chat(
	    call,
	    &(struct slack_ask){
	        .job = w->job->id,
	        .session = session,
	        .chatbot = chatbot,
	        .question = arena_strndup(call->arena, w->q.text,
	                                  utf8_clip(w->q.text, strlen(w->q.text), QUESTION_MOST)),
	        .history = past.messages,
	        .history_count = past.count,
	        .on_text = show,
	        .arg = w,
	    },
	    ret);
}

/* Where people find who asked. */
static const char *contact(const struct answering *w)
{
	struct arena *a = w->call->arena;
	OWN(json) json_object *answer = NULL;
	struct error ignored = { 0 };
	const char *why, *link = NULL;

	if (!w->q.response_url &&
	    slack_ask(w->slack, "chat.getPermalink", w->secrets.bot_token,
	              (const struct slack_arg[]){
	                  { "channel", w->q.channel }, { "message_ts", w->q.ts }, { NULL, NULL } },
	              &answer, &why, a, &ignored) > 0)
		link = arena_strdup(a, json_string(answer, "permalink"));
	return link ? link
	            : arena_printf(a, "Slack, user %s in channel %s", w->q.user ? w->q.user : "?",
	                           w->q.channel ? w->q.channel : "?");
}

/* Nothing was found, or a person was asked for: it goes on to people. */
static int hand_over(struct answering *w, const Chat__Message *answer)
{
	Chat__OutsideHandover in = CHAT__OUTSIDE_HANDOVER__INIT;
	Rpc__Empty *out;

	in.session_id = answer->session_id;
	in.contact = (char *)contact(w);
	return chat_client_hand_over_outside(integrations_state(w->call)->chat, w->call, &in, &out);
}

/* While events pour in. */
static int wait_for_turn(struct call *call)
{
	int left = rush_pause(&integrations_state(call)->rush, clock_mono_ms());

	for (; left > 0 && !atomic_load(call->cancelled); left -= NAP_MS)
		nanosleep(&(struct timespec){ .tv_nsec = (left < NAP_MS ? left : NAP_MS) * 1000000L }, NULL);
	return left > 0 ? error_busy(call->err, 1, "stopping") : 0;
}

static int run_answer(struct call *call, const struct job *job)
{
	Chat__Message answer = CHAT__MESSAGE__INIT;
	struct answering w;
	int ready = wait_for_turn(call) < 0 ? -1 : open_answering(call, job, &w);
	const char *chatbot;
	char *page = NULL;
	struct slack_post *posts;
	size_t count;

	if (ready <= 0)
		return ready;
	chatbot = place_chatbot(w.row.config, w.q.channel, w.row.chatbot_id, call->arena);
	if (!chatbot)
		return post_line(&w, nobody_home);
	if (!*w.q.text)
		return post_line(&w, unreadable);
	if (job->attempt == 1)
		show_working(&w);
	if (ask(&w, chatbot, &answer) < 0)
		return -1;
	if (answer.handover && hand_over(&w, &answer) < 0)
		return -1;
	if (answer.n_sources && answer.session_id && answer.id &&
	    slack_sources_link(call, &w.row, &answer, &page) < 0)
		return -1;
	posts = slack_render(&answer, page, &count, call->arena);
	if (post_all(&w, posts, count) < 0)
		return -1;
	if (!w.status_shown)
		react(&w, "reactions.remove");
	if (w.q.response_url || w.ephemeral)
		return 0;
	return store_join_thread(call->db, w.row.owner_id, w.row.id, w.q.channel, w.q.thread, call->err);
}

/* A short word instead of silence; where it was Slack that would not have the answer, it may have that. */
static void give_up_answer(struct call *call, const struct job *job, const struct error *why)
{
	struct answering w;

	if (open_answering(call, job, &w) <= 0)
		return;
	if (look_around(&w, &(struct slack_history){ 0 }) == 0 &&
	    post_line(&w, why->code == ERROR_NOT_FOUND ? nobody_home : sorry) == 0)
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
	if (store_change(call->db, &w.row, call->err) < 0) {
		if (call->err->code != ERROR_CONFLICT)
			return -1;
		error_clear(call->err); /* whoever has changed it meanwhile has tried it */
		return 0;
	}
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
