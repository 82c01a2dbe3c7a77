#include "svc-chat/turn/write.h"

#include <string.h>
#include <time.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/db/db.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/person.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/rounds.h"

enum {
	STORE_AGAIN_MS = 500,
	STORE_PATIENCE_MS = 30 * 1000, /* with a database that is away */
	HISTORY_CHARACTERS_PER_TOKEN = 4,
	TOLD_MOST = 100000, /* events that a writer may have told since the log was stored */
};

/* A turn while it is written; gone when its task ends. */
struct writing {
	struct call *call;
	struct chat *chat;
	struct writer *writer;
	struct store_begun *begun;
	struct ask ask;
	struct rounds rounds;
	int cited;    /* so many of its sources are stored with the turn */
	bool spoken;  /* the model has begun, in this round */
	bool goes_on; /* text stands before the round's, which begins a paragraph of its own */
	bool rests;   /* the turn waits for people */
};

/* --- Before: what was said, who answers, from what --------------------------------------------------------------------- */

/* Waits before something is tried again with a database that is away; false: it has been tried for long enough. */
static bool again(const struct writing *w, const struct error *err, int64_t until)
{
	if ((err->code != ERROR_UNAVAILABLE && err->code != ERROR_UNKNOWN_OUTCOME) ||
	    clock_mono_ms() > until || atomic_load(w->call->cancelled))
		return false;
	nanosleep(&(struct timespec){ .tv_nsec = STORE_AGAIN_MS * 1000000L }, NULL);
	return true;
}

/* A turn that waited, or that another writer began. 0: there is nothing to write any more. */
static int load(struct writing *w)
{
	int64_t until = clock_mono_ms() + STORE_PATIENCE_MS;
	struct writer *writer = w->writer;
	int found;

	w->begun = writer->begun;
	if (w->begun)
		return 1;
	w->begun = arena_new(w->call->arena, struct store_begun, 1);
	do {
		error_clear(w->call->err);
		found = store_load_turn(w->call->db, writer->owner, writer->session, writer->message_id,
		                        w->chat->context_tokens * HISTORY_CHARACTERS_PER_TOKEN, w->begun,
		                        w->call->arena, w->call->err);
		w->rounds.begun = w->begun;
		if (found > 0 && rounds_load(&w->rounds) < 0)
			found = -1;
	} while (found < 0 && again(w, w->call->err, until));
	return found;
}

/* As it was stored last; what was told since then is told no second time, but nothing that is new takes its place. */
static void refill(struct writing *w)
{
	Rpc__NextReply log = RPC__NEXT_REPLY__INIT;
	struct stream *stream = w->writer->stream;

	if (events_after(w->rounds.was.log, 0, &log, w->call->arena, w->call->err) < 0)
		return;
	for (size_t i = 0; i < log.n_events; i++) {
		stream_skip(stream, log.events[i]->sequence - 1);
		stream_append(stream, log.events[i]->name, log.events[i]->data);
	}
	stream_skip(stream, stream_last(stream) + TOLD_MOST);
}

/* Of a turn that was taken over: where its readers look for it. They have seen how it began. */
static int open_stream(struct writing *w)
{
	struct writer *writer = w->writer;
	struct event_list begin = { 0 };

	if (writer->stream)
		return 0;
	if (stream_open_as(service_streams(w->call->service), writer->stream_id,
	                   w->begun->visitor ? EVENTS_VISITOR : writer->owner, &writer->stream,
	                   w->call->err) < 0)
		return -1;
	if (w->rounds.was.log.len) {
		refill(w);
		return 0;
	}
	events_of_begin(w->begun, writer->message_id, &begin, w->call->arena);
	events_append(writer->stream, &begin);
	return 0;
}

static int load_chatbot(struct writing *w)
{
	Chatbots__FoundChatbot *chatbot;

	if (!w->begun->chatbot_id) {
		settings_read(NULL, &w->ask.settings, w->call->arena);
		if (strcmp(w->begun->kind, "chatconnect") == 0) {
			w->ask.settings.model = w->chat->deepseek_model;
			w->ask.own_provider = w->chat->deepseek;
		}
		return 0;
	}
	if (retrieve_chatbot(w->call, w->begun->chatbot_id, &chatbot) < 0)
		return -1;
	ask_as(&w->ask, chatbot, w->call->arena);
	return 0;
}

static int look_up(struct writing *w)
{
	return load_chatbot(w) < 0 ? -1 : ask_search(&w->ask);
}

/* The step is done; it is stored together with the next. */
static void note_retrieved(struct writing *w)
{
	struct writer *writer = w->writer;

	pthread_mutex_lock(&writer->lock);
	writer->passages = store_pack_sources(w->ask.found, w->ask.found_count, &writer->arena);
	pthread_mutex_unlock(&writer->lock);
}

/* --- While it comes: into the turn, which is stored now and then, and to the reader ----------------------------------- */

static void emit(struct writing *w, const char *name, const char *bytes, size_t size)
{
	struct event event;
	struct arena a;

	arena_init(&a, 0);
	event = event_text(name, bytes, size, &a);
	stream_append(w->writer->stream, event.name, event.data);
	arena_done(&a);
}

static void begin_to_speak(struct writing *w)
{
	if (!w->spoken)
		keeper_speaks(w->chat->keeper, w->writer);
	w->spoken = true;
}

static void take_text(void *arg, const char *bytes, size_t size)
{
	struct writing *w = arg;
	struct writer *writer = w->writer;

	if (w->goes_on) {
		w->goes_on = false;
		take_text(w, "\n\n", 2);
	}
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
	begin_to_speak(w);
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
	begin_to_speak(w);
	if (!w->begun->visitor) /* what is thought is not for strangers */
		emit(w, "reasoning", bytes, size);
}

/* The reader has seen it; what is stored, and told at the end, is right. */
static void take_back(void *arg)
{
	struct writing *w = arg;
	struct writer *writer = w->writer;
	size_t from = w->rounds.text_from;

	pthread_mutex_lock(&writer->lock);
	if (!w->begun->visitor)
		text_adds(&writer->reasoning, writer->content.at + from);
	writer->content.length = from;
	writer->content.at[from] = '\0';
	if (!from)
		writer->sources = (ProtobufCBinaryData){ 0 };
	writer->changed = true;
	w->cited = -1;
	pthread_mutex_unlock(&writer->lock);
}

/* --- Afterwards ------------------------------------------------------------------------------------------------------- */

static Chat__MessageStatus status_of(const struct writing *w, int result)
{
	switch ((enum writer_end)atomic_load(&w->writer->why)) {
	case WRITER_STOPPED: return CHAT__MESSAGE_STATUS__STOPPED;
	case WRITER_INTERRUPTED:
	case WRITER_LOST:
	case WRITER_DELETED: return CHAT__MESSAGE_STATUS__INTERRUPTED;
	case WRITER_DISABLED: return CHAT__MESSAGE_STATUS__FAILED;
	case WRITER_GOES_ON: break;
	}
	return result < 0 ? CHAT__MESSAGE_STATUS__FAILED : CHAT__MESSAGE_STATUS__COMPLETE;
}

/* No help to whoever asked: nothing was found, or a person was asked for. */
static bool is_lost(const struct writing *w, const Chat__Message *m)
{
	return m->status == CHAT__MESSAGE_STATUS__COMPLETE &&
	       (strcmp(m->rag_status, "empty") == 0 || person_asked_for(w->begun->question, w->call->arena));
}

/* Whether people take over. While nobody can tell, they do not. */
static char *handover(const struct writing *w)
{
	struct error err = { 0 };
	const char *due;

	return store_handover_due(w->call->db, w->writer->owner, w->writer->session, &due, &err) > 0
	           ? (char *)due
	           : NULL;
}

static void describe(struct writing *w, int result, Chat__Message *m)
{
	struct writer *writer = w->writer;

	m->id = writer->message_id;
	m->session_id = writer->session;
	m->role = (char *)"assistant";
	m->content = writer->content.at;
	m->reasoning = writer->reasoning.length ? writer->reasoning.at : NULL;
	m->created_at = (char *)(w->begun->created_at ? w->begun->created_at : "");
	m->has_number = true;
	m->number = w->begun->answer_number;
	m->question_id = (char *)w->begun->question_id;
	m->has_status = true;
	m->status = status_of(w, result);
	m->model = (char *)w->ask.result.model;
	m->finish_reason = (char *)w->ask.result.finish;
	m->usage = &w->ask.usage;
	m->sources = ask_sources(&w->ask, &m->n_sources);
	m->rag_status = (char *)ask_rag_status(&w->ask);
	m->tool_calls = rounds_shown(&w->rounds, &m->n_tool_calls);
	if (w->begun->visitor && is_lost(w, m))
		m->handover = handover(w);
	if (m->status == CHAT__MESSAGE_STATUS__FAILED)
		m->error = arena_strdup(w->call->arena, atomic_load(&w->writer->why) == WRITER_DISABLED
		                                            ? "this account is disabled"
		                                            : w->call->err->message);
	if (m->status == CHAT__MESSAGE_STATUS__INTERRUPTED)
		m->error = (char *)"the answer was interrupted; this is what there was";
}

/* Is the row as we meant to leave it? After a commit of which nobody can tell. */
static int stored_after_all(const struct writing *w, const Chat__Message *m)
{
	struct store_turn turn;
	struct error err = { 0 };

	return store_find_turn(w->call->db, w->writer->owner, w->writer->session, m->id, &turn,
	                       w->call->arena, &err) > 0 &&
	       strcmp(turn.status, store_status_name(m->status)) == 0;
}

/* Which events it is (svc-chat/tell.h), as SQL has it. */
static const char *told_of(const struct writing *w, const Chat__Message *m)
{
	if (m->handover && strcmp(m->handover, STORE_GIVEN) == 0)
		return "{message.created,conversation.unanswered,conversation.handover}";
	return is_lost(w, m) ? "{message.created,conversation.unanswered}" : "{message.created}";
}

/* 1 stored, 0 the turn was somebody else's, -1 the database stayed away. */
static int store(const struct writing *w, const Chat__Message *m, const struct event_list *end,
                 const char **next)
{
	int64_t until = clock_mono_ms() + STORE_PATIENCE_MS, last;
	ProtobufCBinaryData log = events_log(w->writer->stream, end, &last, w->call->arena);
	bool unsure = false;

	for (;;) {
		struct error err = { 0 };
		int stored = store_finish_turn(w->call->db, w->writer->owner, m, w->writer->attempt, log,
		                               last, told_of(w, m), next, w->call->arena, &err);

		if (stored >= 0)
			return stored || (unsure && stored_after_all(w, m));
		unsure |= err.code == ERROR_UNKNOWN_OUTCOME;
		if (!again(w, &err, until)) {
			*w->call->err = err;
			return -1;
		}
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

static void tell_error(struct writing *w, const char *sentence)
{
	struct event_list end = { .count = 1 };

	end.at[0] = event_error(sentence, w->call->arena);
	events_append(w->writer->stream, &end);
}

/* The turn is not this writer's any more, or could not be stored: what its reader is told. */
static const char *why_not_stored(const struct writing *w, int stored)
{
	bool gone = false;
	struct store_held held = { .owner = w->writer->owner,
		                   .message_id = w->writer->message_id,
		                   .attempt = w->writer->attempt };
	struct error err = { 0 };

	if (stored == 0 && store_still_held(w->call->db, &held, &gone, &err) >= 0 && gone)
		return EVENTS_DELETED;
	return "the answer could not be stored; the session has what there is of it";
}

/* Stored first, told then: who reads "done" finds the message. */
static void finish(struct writing *w, int result)
{
	Chat__Message message = CHAT__MESSAGE__INIT;
	struct event_list end = { 0 };
	const char *next = NULL;
	int stored;

	rounds_end(&w->rounds);
	describe(w, result, &message);
	events_of_end(&message, events_audience(w->begun), &end, w->call->arena);
	count(w, &message);
	if (message.status != CHAT__MESSAGE_STATUS__FAILED)
		error_clear(w->call->err);
	stored = store(w, &message, &end, &next);
	if (stored < 1)
		tell_error(w, why_not_stored(w, stored));
	else
		events_append(w->writer->stream, &end);
	if (next && !keeper_begin(w->chat->keeper, next) &&
	    store_tell(w->call->db, "begin", next, w->call->err) < 0)
		log_line(LOG_WARN, "a turn begins later", LOG_TEXT("detail", w->call->err->detail));
}

/* --- From step to step -------------------------------------------------------------------------------------------------- */

static bool stopped(const struct writing *w)
{
	return atomic_load(&w->writer->stop);
}

/* Asked, and asked again with what came back, until it wants no more. */
static int write_rounds(struct writing *w)
{
	while (!stopped(w)) {
		int settled = rounds_settle(&w->rounds);

		if (settled > 0) {
			settled = rounds_rest(&w->rounds);
			w->rests = settled > 0;
			if (settled)
				return settled < 0 ? -1 : 0;
			continue;
		}
		if (settled < 0 || stopped(w))
			return settled;
		w->goes_on = w->writer->content.length > 0;
		if (ask_model(&w->ask) < 0)
			return -1;
		if (!w->ask.result.call_count || stopped(w) || (w->rounds.over && w->ask.text_bytes))
			return 0;
		if (rounds_add(&w->rounds) < 0)
			return -1;
		w->spoken = false;
	}
	return 0;
}

static int write_text(struct writing *w)
{
	bool again = w->rounds.was.round_count > 0; /* its passages have their numbers */

	w->ask.question = w->begun->question;
	w->ask.history = w->begun->history;
	w->ask.history_count = w->begun->history_count;
	w->ask.for_visitor = w->begun->visitor;
	if (stopped(w))
		return 0;
	if ((again ? load_chatbot(w) : look_up(w)) < 0)
		return -1;
	if (!again)
		note_retrieved(w);
	if (rounds_open(&w->rounds) < 0)
		return -1;
	return write_rounds(w);
}

/* The process is about to end, and nobody has heard anything of the answer: another replica goes on. */
static bool hands_over(const struct writing *w)
{
	return atomic_load(&w->writer->why) == WRITER_INTERRUPTED && !w->spoken;
}

static bool leaves(const struct writing *w)
{
	struct store_held held = { .owner = w->writer->owner,
		                   .message_id = w->writer->message_id,
		                   .attempt = w->writer->attempt };

	return hands_over(w) && store_release(w->call->db, &held, w->call->err) == 0;
}

void write_turn(struct call *call, void *arg)
{
	struct writer *writer = arg;
	struct writing w = {
		.call = call,
		.chat = chat_state(call),
		.writer = writer,
		.ask = {
		    .call = call,
		    .chat = chat_state(call),
		    .stop = &writer->stop,
		    .on_text = take_text,
		    .on_reasoning = take_reasoning,
		    .on_take_back = take_back,
		    .usage = CHAT__TOKEN_USAGE__INIT,
		    .arg = &w,
		},
	};
	int loaded, result;

	w.rounds = (struct rounds){ .call = call, .chat = w.chat, .writer = writer, .ask = &w.ask };
	keeper_run(w.chat->keeper, writer, call->cancelled);
	w.rounds.begun = writer->begun;
	loaded = load(&w);
	if (loaded != 0 && open_stream(&w) == 0) {
		result = loaded < 0 ? -1 : write_text(&w);
		if (w.rests) {
			keeper_rest(w.chat->keeper, writer);
			return;
		}
		if (!leaves(&w))
			finish(&w, result);
	} else if (writer->stream) {
		tell_error(&w, EVENTS_DELETED);
	} /* else its lease ends, and it is tried again */
	keeper_run(w.chat->keeper, writer, NULL);
	if (writer->stream && !hands_over(&w))
		stream_close(writer->stream);
	keeper_remove(w.chat->keeper, writer);
}
