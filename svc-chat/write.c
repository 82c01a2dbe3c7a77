#include "svc-chat/write.h"

#include <string.h>
#include <time.h>

#include "chatbots.client.h"
#include "common/clock.h"
#include "common/text.h"
#include "documents.client.h"
#include "svc-chat/citations.h"
#include "svc-chat/events.h"
#include "svc-chat/prompt.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"

enum {
	CONTENT_MAX = 256 << 10, /* bytes of an answer, and of its reasoning */
	SHORT_QUESTION = 60,
	QUERY_MAX = 1000,       /* bytes of the question before */
	LOOK_UP_MS = 20 * 1000, /* for chatbot and passages */
	STORE_AGAIN_MS = 500,
	STORE_PATIENCE_MS = 30 * 1000, /* with a database that is away */
	HISTORY_CHARACTERS_PER_TOKEN = 4,
};

/* An answer while it is written; gone when its task ends. */
struct writing {
	struct call *call;
	struct state *state;
	const struct write_job *job;
	struct turn *turn;
	struct stream *stream;
	int64_t began_us; /* 0: the first piece has come */

	const char *chatbot_name;
	struct settings settings;
	char **documents;
	size_t document_count;
	Documents__Source **found; /* passages, in the order of their numbers */
	size_t found_count;
	struct chat_message *history;
	size_t history_count;
	struct chat_message *prompt;
	size_t prompt_count;

	struct chat_provider *provider;
	struct chat_result result;
	struct citations citations;
	struct text clean; /* text that came through the filter */
	bool begun;        /* a piece has come that is not blank */
};

/* --- Before: who answers, from what ---------------------------------------------------------------------------------- */

/* The same call with a nearer deadline: a peer that hangs must not hold the answer for its whole time. */
static struct call nearer(const struct call *call)
{
	struct call near = *call;
	int64_t deadline = clock_unix_ms() + LOOK_UP_MS;

	if (deadline < near.deadline)
		near.deadline = deadline;
	return near;
}

static int load_chatbot(struct writing *w, const char *chatbot_id)
{
	Chatbots__ChatbotRequest request = CHATBOTS__CHATBOT_REQUEST__INIT;
	struct call call = nearer(w->call);
	Chatbots__Chatbot *chatbot;

	request.chatbot_id = (char *)chatbot_id;
	if (chatbots_client_get_chatbot(w->state->chatbots, &call, &request, &chatbot) < 0)
		return -1;
	w->chatbot_name = chatbot->name;
	w->documents = chatbot->documents;
	w->document_count = chatbot->n_documents;
	settings_read(chatbot->settings, &w->settings, w->call->arena);
	return 0;
}

/* What to search for. A short question may lean on the one before it ("And in winter?"). */
static const char *query_of(const struct writing *w)
{
	const char *question = w->job->question, *before = "";

	for (size_t i = 0; i < w->history_count && strlen(question) < SHORT_QUESTION; i++)
		if (strcmp(w->history[i].role, "user") == 0)
			before = w->history[i].content;
	return arena_printf(w->call->arena, "%s\n%.*s", question, QUERY_MAX, before);
}

static int search(struct writing *w)
{
	Documents__SearchRequest request = DOCUMENTS__SEARCH_REQUEST__INIT;
	struct call call = nearer(w->call);
	Documents__SearchReply *reply;

	if (!w->document_count)
		return 0;
	request.query = (char *)query_of(w);
	request.document_ids = w->documents;
	request.n_document_ids = w->document_count;
	request.has_only_listed = request.only_listed = true;
	request.has_limit = true;
	request.limit = w->settings.top_k;
	if (documents_client_search(w->state->documents, &call, &request, &reply) < 0)
		return -1;
	w->found = reply->results;
	w->found_count = reply->n_results < CITATIONS_MAX ? reply->n_results : CITATIONS_MAX;
	return 0;
}

/* Of a chatbot whose document was deleted between the two questions, the second try knows. */
static int look_up(struct writing *w)
{
	const char *chatbot_id = NULL;
	int found = store_session_chatbot(w->call->db, w->call->owner_id, w->job->session_id, &chatbot_id,
	                                  w->call->arena, w->call->err);

	if (found <= 0)
		return found < 0 ? -1 : error_set(w->call->err, ERROR_NOT_FOUND, "the session is gone");
	if (load_chatbot(w, chatbot_id) < 0)
		return -1;
	if (search(w) == 0)
		return 0;
	if (w->call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(w->call->err);
	return load_chatbot(w, chatbot_id) < 0 ? -1 : search(w);
}

static const struct passage *passages_of(const struct writing *w)
{
	struct passage *list = arena_new(w->call->arena, struct passage, w->found_count);

	for (size_t i = 0; i < w->found_count; i++) {
		list[i].document = w->found[i]->document_name;
		list[i].page = w->found[i]->has_page ? w->found[i]->page : 0;
		list[i].text = w->found[i]->text ? w->found[i]->text : "";
	}
	return list;
}

static int prepare(struct writing *w, struct chat_request *request)
{
	struct prompt prompt = { .settings = &w->settings,
		                 .question = w->job->question,
		                 .history_tokens = w->state->history_tokens };

	if (store_history(w->call->db, w->call->owner_id, w->job->session_id, w->job->question_id,
	                  (int64_t)prompt.history_tokens * HISTORY_CHARACTERS_PER_TOKEN, &w->history_count,
	                  &w->history, w->call->arena, w->call->err) < 0 ||
	    look_up(w) < 0)
		return -1;
	prompt.name = w->chatbot_name;
	prompt.passages = passages_of(w);
	prompt.passage_count = w->found_count;
	prompt.has_documents = w->document_count > 0;
	prompt.history = w->history;
	prompt.history_count = w->history_count;
	w->prompt = prompt_build(&prompt, &w->prompt_count, w->call->arena);
	*request = (struct chat_request){
		.model = w->settings.model,
		.temperature = w->settings.temperature,
		.max_tokens = w->settings.max_tokens,
		.messages = w->prompt,
		.message_count = w->prompt_count,
		.question = w->job->question,
		.welcome = w->settings.welcome,
		.passages = prompt.passages,
		.passage_count = w->found_count,
		.has_documents = prompt.has_documents,
		.cancelled = &w->turn->stop,
	};
	w->provider = w->state->openai && strcmp(w->settings.model, "builtin") != 0 ? w->state->openai
	                                                                            : w->state->builtin;
	citations_init(&w->citations, (int)w->found_count);
	return 0;
}

/* --- While it comes --------------------------------------------------------------------------------------------------- */

static Documents__Source **cited(const struct writing *w, size_t *n)
{
	Documents__Source **list = arena_new(w->call->arena, Documents__Source *, (size_t)w->citations.count);

	*n = (size_t)w->citations.count;
	for (size_t i = 0; i < *n; i++)
		list[i] = w->found[w->citations.cited[i] - 1];
	return list;
}

static void emit(struct writing *w, const char *name, const char *bytes, size_t size)
{
	struct event event;
	struct arena a;

	arena_init(&a, 0);
	event = event_text(name, bytes, size, &a);
	stream_append(w->stream, event.name, event.data);
	arena_done(&a);
}

/* What the filter gave out goes into the message and to the reader. */
static void give_out(struct writing *w, int cited_before)
{
	struct turn *turn = w->turn;

	pthread_mutex_lock(&turn->lock);
	text_add(&turn->content, w->clean.at, w->clean.length);
	if (w->citations.count != cited_before) {
		size_t n;
		Documents__Source **sources = cited(w, &n);

		turn->sources = store_pack_sources(sources, n, &turn->arena);
	}
	turn->changed = true;
	pthread_mutex_unlock(&turn->lock);
	if (w->clean.length)
		emit(w, "delta", w->clean.at, w->clean.length);
	w->clean.length = 0;
}

static void observe_first(struct writing *w)
{
	if (w->began_us)
		metric_observe(metrics_get(service_metrics(w->call->service), METRIC_HISTOGRAM,
		                           "chat_first_token_seconds",
		                           arena_printf(w->call->arena, "provider=\"%s\"", w->provider->name),
		                           "From the question to the first piece of the answer."),
		               clock_mono_us() - w->began_us);
	w->began_us = 0;
}

/* Of so many bytes at most those that still fit, in whole characters. */
static size_t clip(const char *bytes, size_t size, size_t have)
{
	size_t room = CONTENT_MAX - (have < CONTENT_MAX ? have : CONTENT_MAX);

	if (size <= room)
		return size;
	while (room && (bytes[room] & 0xc0) == 0x80)
		room--;
	return room;
}

static int take_text(void *arg, const char *bytes, size_t size)
{
	struct writing *w = arg;
	size_t all;
	int before = w->citations.count;

	observe_first(w);
	while (size && !w->begun &&
	       strchr(" \t\r\n", *bytes)) { /* an answer does not begin with blank lines */
		bytes++;
		size--;
	}
	w->begun |= size > 0;
	all = size;
	size = clip(bytes, size, w->turn->content.length);
	citations_feed(&w->citations, bytes, size, &w->clean);
	give_out(w, before);
	return size < all || atomic_load(&w->turn->stop);
}

static int take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct writing *w = arg;
	struct turn *turn = w->turn;

	observe_first(w);
	if (turn->reasoning.length + size <= CONTENT_MAX) { /* the rest is thought in silence */
		pthread_mutex_lock(&turn->lock);
		text_add(&turn->reasoning, bytes, size);
		turn->changed = true;
		pthread_mutex_unlock(&turn->lock);
		emit(w, "reasoning", bytes, size);
	}
	return atomic_load(&turn->stop);
}

static int write_text(struct writing *w)
{
	struct chat_sink sink = { take_text, take_reasoning, w };
	struct chat_request request;
	int before, result;

	if (prepare(w, &request) < 0)
		return -1;
	result = w->provider->answer(w->provider, &request, &sink, &w->result, w->call->arena, w->call->err);
	before = w->citations.count;
	citations_end(&w->citations, &w->clean);
	give_out(w, before);
	if (result == 0 && !w->turn->content.length)
		return error_set(w->call->err, ERROR_UPSTREAM, "the model gave no answer");
	return result;
}

/* --- Afterwards ------------------------------------------------------------------------------------------------------- */

static Chat__MessageStatus status_of(const struct writing *w, int result)
{
	switch ((enum turn_end)atomic_load(&w->turn->why)) {
	case TURN_STOPPED: return CHAT__MESSAGE_STATUS__STOPPED;
	case TURN_INTERRUPTED:
	case TURN_LOST: return CHAT__MESSAGE_STATUS__INTERRUPTED;
	case TURN_GOES_ON: break;
	}
	return result < 0 ? CHAT__MESSAGE_STATUS__FAILED : CHAT__MESSAGE_STATUS__COMPLETE;
}

static Chat__TokenUsage *usage_of(const struct writing *w)
{
	Chat__TokenUsage *usage = arena_new(w->call->arena, Chat__TokenUsage, 1);

	chat__token_usage__init(usage);
	usage->has_prompt_tokens = usage->has_completion_tokens = true;
	if (w->result.has_usage) {
		usage->prompt_tokens = w->result.prompt_tokens;
		usage->completion_tokens = w->result.completion_tokens;
		return usage;
	}
	for (size_t i = 0; i < w->prompt_count; i++)
		usage->prompt_tokens += prompt_tokens(w->prompt[i].content);
	usage->completion_tokens = prompt_tokens(w->turn->content.at) + prompt_tokens(w->turn->reasoning.at);
	return usage;
}

static void describe(const struct writing *w, int result, Chat__Message *m)
{
	m->id = w->turn->message_id;
	m->session_id = (char *)w->job->session_id;
	m->role = (char *)"assistant";
	m->content = w->turn->content.at;
	m->reasoning = w->turn->reasoning.length ? w->turn->reasoning.at : NULL;
	m->created_at = (char *)w->job->created_at;
	m->has_status = true;
	m->status = status_of(w, result);
	m->model = (char *)w->result.model;
	m->usage = usage_of(w);
	m->sources = cited(w, &m->n_sources);
	if (m->status == CHAT__MESSAGE_STATUS__FAILED)
		m->error = arena_strdup(w->call->arena, w->call->err->message);
	if (m->status == CHAT__MESSAGE_STATUS__INTERRUPTED)
		m->error = (char *)"the answer was interrupted; this is what there was";
}

/* Is the row as we meant to leave it? After a commit of which nobody can tell. */
static int stored_after_all(const struct writing *w, const Chat__Message *m)
{
	struct store_answer answer;
	struct error err = { 0 };

	return store_find_answer(w->call->db, w->turn->owner, w->job->session_id, m->id, &answer,
	                         w->call->arena, &err) > 0 &&
	       strcmp(answer.status, store_status_name(m->status)) == 0;
}

/* 1 stored, 0 the row was closed by somebody else, -1 the database stayed away. */
static int store(const struct writing *w, const Chat__Message *m, const struct event_list *end)
{
	ProtobufCBinaryData log = events_log(w->stream, end, w->call->arena);
	int64_t until = clock_mono_ms() + STORE_PATIENCE_MS;
	bool unsure = false;

	for (;;) {
		struct error err = { 0 };
		int stored = store_finish(w->call->db, w->turn->owner, m, log, w->call->arena, &err);

		if (stored >= 0)
			return stored || (unsure && stored_after_all(w, m));
		unsure |= err.code == ERROR_UNKNOWN_OUTCOME;
		if ((err.code != ERROR_UNAVAILABLE && err.code != ERROR_UNKNOWN_OUTCOME) ||
		    clock_mono_ms() > until || atomic_load(w->call->cancelled)) {
			*w->call->err = err;
			return -1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = STORE_AGAIN_MS * 1000000L }, NULL);
	}
}

static void count(const struct writing *w, const Chat__Message *m)
{
	struct metrics *metrics = service_metrics(w->call->service);
	struct arena *a = w->call->arena;

	metric_add(
	    metrics_get(metrics, METRIC_COUNTER, "chat_answers_total",
	                arena_printf(a, "provider=\"%s\",result=\"%s\"",
	                             w->provider ? w->provider->name : "none", store_status_name(m->status)),
	                "Answers written, by provider and how they ended."),
	    1);
	metric_add(metrics_get(metrics, METRIC_COUNTER, "chat_tokens_total", "kind=\"prompt\"",
	                       "Tokens, as providers count them, else estimated."),
	           m->usage->prompt_tokens);
	metric_add(metrics_get(metrics, METRIC_COUNTER, "chat_tokens_total", "kind=\"completion\"",
	                       "Tokens, as providers count them, else estimated."),
	           m->usage->completion_tokens);
}

/* Stored first, told then: who reads "done" finds the message. */
static void finish(struct writing *w, int result)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_list end = { 0 };

	describe(w, result, &message);
	events_of_end(&message, &end, w->call->arena);
	count(w, &message);
	if (message.status != CHAT__MESSAGE_STATUS__FAILED)
		error_clear(w->call->err);
	if (store(w, &message, &end) < 1) {
		end = (struct event_list){ .count = 1 };
		end.at[0] = event_error("the answer could not be stored; the session has what there is of it",
		                        w->call->arena);
	}
	events_append(w->stream, &end);
}

void write_answer(struct call *call, void *arg)
{
	const struct write_job *job = arg;
	struct state *state = call->state;
	struct writing w = {
		.call = call,
		.state = state,
		.job = job,
		.turn = job->turn,
		.stream = job->stream,
		.began_us = clock_mono_us(),
	};

	text_init(&w.clean, call->arena);
	turns_run(state->turns, w.turn, call->cancelled);
	finish(&w, write_text(&w));
	turns_run(state->turns, w.turn, NULL);
	stream_close(w.stream);
	turns_end(state->turns, w.turn);
}
