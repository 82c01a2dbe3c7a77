#include "svc-chat/turn/write.h"

#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/retrieve.h"

enum {
	STORE_AGAIN_MS = 500,
	STORE_PATIENCE_MS = 30 * 1000, /* with a database that is away */
	HISTORY_CHARACTERS_PER_TOKEN = 4,
};

/* An answer while it is written; gone when its task ends. */
struct writing {
	struct call *call;
	const struct write_job *job;
	struct writer *writer;
	struct stream *stream;
	struct ask ask;
	int cited; /* so many of its sources are stored with the turn */
};

/* --- Before: who answers, from what ---------------------------------------------------------------------------------- */

static int load_chatbot(struct writing *w, const char *chatbot_id)
{
	Chatbots__Chatbot *chatbot;

	if (retrieve_chatbot(w->call, chatbot_id, &chatbot) < 0)
		return -1;
	w->ask.name = chatbot->name;
	w->ask.documents = chatbot->documents;
	w->ask.document_count = chatbot->n_documents;
	settings_read(chatbot->settings, &w->ask.settings, w->call->arena);
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
	if (ask_search(&w->ask) == 0)
		return 0;
	if (w->call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(w->call->err);
	return load_chatbot(w, chatbot_id) < 0 ? -1 : ask_search(&w->ask);
}

static int load_history(struct writing *w)
{
	int64_t characters = (int64_t)w->ask.chat->context_tokens * HISTORY_CHARACTERS_PER_TOKEN;
	struct chat_message *history;

	if (store_history(w->call->db, w->call->owner_id, w->job->session_id, w->job->question_id, characters,
	                  &w->ask.history_count, &history, w->call->arena, w->call->err) < 0)
		return -1;
	w->ask.history = history;
	return 0;
}

/* --- While it comes: into the turn, which is stored now and then, and to the reader ----------------------------------- */

static void emit(struct writing *w, const char *name, const char *bytes, size_t size)
{
	struct event event;
	struct arena a;

	arena_init(&a, 0);
	event = event_text(name, bytes, size, &a);
	stream_append(w->stream, event.name, event.data);
	arena_done(&a);
}

static void take_text(void *arg, const char *bytes, size_t size)
{
	struct writing *w = arg;
	struct writer *writer = w->writer;

	pthread_mutex_lock(&writer->lock);
	text_add(&writer->content, bytes, size);
	if (w->ask.citations.count != w->cited) {
		size_t n;
		Documents__Source **sources = ask_sources(&w->ask, &n);

		writer->sources = store_pack_sources(sources, n, &writer->arena);
		w->cited = (int)n;
	}
	writer->changed = true;
	pthread_mutex_unlock(&writer->lock);
	emit(w, "delta", bytes, size);
}

static void take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct writing *w = arg;
	struct writer *writer = w->writer;

	pthread_mutex_lock(&writer->lock);
	text_add(&writer->reasoning, bytes, size);
	writer->changed = true;
	pthread_mutex_unlock(&writer->lock);
	emit(w, "reasoning", bytes, size);
}

/* The reader has seen it; what is stored, and told at the end, is right. */
static void take_back(void *arg)
{
	struct writing *w = arg;
	struct writer *writer = w->writer;

	pthread_mutex_lock(&writer->lock);
	if (w->call->caller->kind == RPC__CALLER__KIND__USER)
		text_add(&writer->reasoning, writer->content.at, writer->content.length);
	writer->content.length = 0;
	writer->content.at[0] = '\0';
	writer->sources = (ProtobufCBinaryData){ 0 };
	writer->changed = true;
	w->cited = 0;
	pthread_mutex_unlock(&writer->lock);
}

/* --- Afterwards ------------------------------------------------------------------------------------------------------- */

static Chat__MessageStatus status_of(const struct writing *w, int result)
{
	switch ((enum writer_end)atomic_load(&w->writer->why)) {
	case WRITER_STOPPED: return CHAT__MESSAGE_STATUS__STOPPED;
	case WRITER_INTERRUPTED:
	case WRITER_LOST: return CHAT__MESSAGE_STATUS__INTERRUPTED;
	case WRITER_GOES_ON: break;
	}
	return result < 0 ? CHAT__MESSAGE_STATUS__FAILED : CHAT__MESSAGE_STATUS__COMPLETE;
}

static void describe(struct writing *w, int result, Chat__Message *m)
{
	m->id = w->writer->message_id;
	m->session_id = (char *)w->job->session_id;
	m->role = (char *)"assistant";
	m->content = w->writer->content.at;
	m->reasoning = w->writer->reasoning.length ? w->writer->reasoning.at : NULL;
	m->created_at = (char *)w->job->created_at;
	m->has_status = true;
	m->status = status_of(w, result);
	m->model = (char *)w->ask.result.model;
	m->usage = &w->ask.usage;
	m->sources = ask_sources(&w->ask, &m->n_sources);
	if (m->status == CHAT__MESSAGE_STATUS__FAILED)
		m->error = arena_strdup(w->call->arena, w->call->err->message);
	if (m->status == CHAT__MESSAGE_STATUS__INTERRUPTED)
		m->error = (char *)"the answer was interrupted; this is what there was";
}

/* Is the row as we meant to leave it? After a commit of which nobody can tell. */
static int stored_after_all(const struct writing *w, const Chat__Message *m)
{
	struct store_turn turn;
	struct error err = { 0 };

	return store_find_turn(w->call->db, w->writer->owner, w->job->session_id, m->id, &turn,
	                       w->call->arena, &err) > 0 &&
	       strcmp(turn.status, store_status_name(m->status)) == 0;
}

/* 1 stored, 0 the row was closed by somebody else, -1 the database stayed away. */
static int store(const struct writing *w, const Chat__Message *m, const struct event_list *end)
{
	ProtobufCBinaryData log = events_log(w->stream, end, w->call->arena);
	int64_t until = clock_mono_ms() + STORE_PATIENCE_MS;
	bool unsure = false;

	for (;;) {
		struct error err = { 0 };
		int stored = store_finish(w->call->db, w->writer->owner, m, log, w->call->arena, &err);

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

	metric_add(metrics_get(metrics, METRIC_COUNTER, "chat_answers_total",
	                       arena_printf(a, "provider=\"%s\",result=\"%s\"",
	                                    w->ask.provider ? w->ask.provider->name : "none",
	                                    store_status_name(m->status)),
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

static int write_text(struct writing *w)
{
	if (load_history(w) < 0 || look_up(w) < 0)
		return -1;
	return ask_model(&w->ask);
}

void write_turn(struct call *call, void *arg)
{
	const struct write_job *job = arg;
	struct chat *chat = call->state;
	struct writing w = {
		.call = call,
		.job = job,
		.writer = job->writer,
		.stream = job->stream,
		.ask = {
		    .call = call,
		    .chat = chat,
		    .question = job->question,
		    .stop = &job->writer->stop,
		    .on_text = take_text,
		    .on_reasoning = take_reasoning,
		    .on_take_back = take_back,
		    .usage = CHAT__TOKEN_USAGE__INIT,
		    .arg = &w,
		},
	};

	keeper_run(chat->keeper, w.writer, call->cancelled);
	finish(&w, write_text(&w));
	keeper_run(chat->keeper, w.writer, NULL);
	stream_close(w.stream);
	keeper_remove(chat->keeper, w.writer);
}
