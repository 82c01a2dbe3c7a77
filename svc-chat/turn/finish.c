/* How a turn ends: stored first, told then. */
#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/db/db.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/person.h"
#include "svc-chat/turn/writing.h"

enum { STORE_PATIENCE_MS = 30 * 1000 /* with a database that is away */ };

/* An end that is to be stored. */
struct ending {
	Chat__Message message;
	struct event_list events;
	ProtobufCBinaryData log; /* whole, or what it takes to make it again */
	bool in_message;
	int64_t last; /* sequence in it */
	bool noted;   /* steps of the turn may be stored */
	struct store_ended ended;
	int64_t patience; /* monotonic ms */
	bool unsure;      /* it may be stored already */
	struct error why; /* it failed */
};

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

/* 1 stored, 0 the turn was somebody else's, -1 the database is away. */
static int store(struct writing *w)
{
	struct ending *e = w->ending;
	const struct store_end end = {
		.owner = w->writer->owner,
		.message = &e->message,
		.attempt = w->writer->attempt,
		.noted = e->noted,
		.events = e->in_message ? (ProtobufCBinaryData){ 0 } : e->log,
		.cuts = e->in_message ? e->log : (ProtobufCBinaryData){ 0 },
		.last = e->last,
		.told = told_of(w, &e->message),
		.listened = w->begun->listened,
	};
	struct error err = { 0 };
	int stored = store_finish_turn(w->call->db, &end, &e->ended, w->call->arena, &err);

	if (stored == 0 && e->unsure)
		return stored_after_all(w, &e->message);
	e->unsure |= stored < 0 && err.code == ERROR_UNKNOWN_OUTCOME;
	if (stored < 0)
		*w->call->err = err;
	return stored;
}

static void count(const struct writing *w, const Chat__Message *m)
{
	struct metrics *metrics = service_metrics(w->call->service);
	struct arena *a = w->call->arena;

	metric_add(metrics_get(metrics, METRIC_COUNTER, "chat_answers_total",
	                       arena_printf(a, "provider=\"%s\",result=\"%s\"",
	                                    w->ask.model ? w->ask.model->name : "none",
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

/* It is kept no more; an answer that another replica goes on with keeps its stream. */
static bool leave(struct writing *w)
{
	struct keeper *keeper = w->chat->keeper;

	keeper_run(keeper, w->writer, NULL);
	if (w->writer->stream && !hands_over(w))
		stream_close(w->writer->stream);
	keeper_remove(keeper, w->writer);
	w->step = NULL;
	return false;
}

static bool tell_end(struct writing *w, int stored)
{
	const char *next = w->ending->ended.next;

	if (stored < 1)
		tell_error(w, why_not_stored(w, stored));
	else
		events_append(w->writer->stream, &w->ending->events);
	if (next && !keeper_begin(w->chat->keeper, next) &&
	    store_tell(w->call->db, "begin", next, w->call->err) < 0)
		log_line(LOG_WARN, "a turn begins later", LOG_TEXT("detail", w->call->err->detail));
	return leave(w);
}

/* An answer that the next turn is told of; what tools gave back is read from where it is stored. */
static bool is_history(const struct writing *w)
{
	Chat__MessageStatus status = w->ending->message.status;

	return !w->rounds.was.call_count && *w->ending->ended.known.updated_at &&
	       (status == CHAT__MESSAGE_STATUS__COMPLETE || status == CHAT__MESSAGE_STATUS__STOPPED);
}

/* The next question of the session finds what was said so far. */
static void keep_past(struct writing *w)
{
	struct past *past = w->writer->past;

	if (!past || !is_history(w))
		return;
	w->writer->past = NULL;
	past->known = w->ending->ended.known;
	past->known.listened = w->begun->listened;
	past_add(past, w->begun->question, w->ending->message.content,
	         (size_t)w->chat->context_tokens * STORE_BYTES_PER_TOKEN);
	pasts_put(keeper_pasts(w->chat->keeper), past);
}

/* Stored first, told then: who reads "done" finds the message. */
static bool store_it(struct writing *w)
{
	int stored = store(w);

	if (stored < 0 && writing_waits_for_database(w) && clock_mono_ms() < w->ending->patience)
		return true;
	if (stored >= 0)
		*w->call->err = w->ending->why;
	if (stored > 0)
		keep_past(w);
	return tell_end(w, stored);
}

/* Were steps of it stored, or are they about to be? From now on none are. */
static bool note_no_more(struct writer *writer)
{
	bool noted;

	pthread_mutex_lock(&writer->lock);
	writer->spoke = 0;
	noted = writer->noted || writer->attempt > 1;
	pthread_mutex_unlock(&writer->lock);
	return noted;
}

/* What its readers can be told of it when this process has gone. */
static void make_log(struct writing *w, struct ending *e)
{
	const Chat__Message *m = &e->message;
	int64_t told = stream_last(w->writer->stream);
	bool whole =
	    m->status == CHAT__MESSAGE_STATUS__COMPLETE || m->status == CHAT__MESSAGE_STATUS__STOPPED;

	e->in_message = whole && w->writer->attempt == 1 && !w->rounds.was.round_count && !w->taken_back &&
	                !m->handover && cuts_are_all(&w->cuts, m, w->begun->visitor, told);
	if (e->in_message) {
		e->log = (ProtobufCBinaryData){ w->cuts.packed.length, (uint8_t *)w->cuts.packed.at };
		e->last = told + (int64_t)e->events.count;
	} else {
		e->log = events_log(w->writer->stream, &e->events, &e->last, w->call->arena);
	}
}

bool finish_turn(struct writing *w)
{
	struct ending *e;

	if (leaves(w))
		return leave(w);
	e = w->ending = arena_new(w->call->arena, struct ending, 1);
	chat__message__init(&e->message);
	rounds_end(&w->rounds);
	describe(w, w->result, &e->message);
	events_of_end(&e->message, events_audience(w->begun), &e->events, w->call->arena);
	count(w, &e->message);
	if (e->message.status == CHAT__MESSAGE_STATUS__FAILED)
		e->why = *w->call->err;
	make_log(w, e);
	e->noted = note_no_more(w->writer) || w->rounds.was.round_count;
	e->patience = clock_mono_ms() + STORE_PATIENCE_MS;
	w->step = store_it;
	return false;
}

bool finish_unwritten(struct writing *w, const char *sentence)
{
	if (w->writer->stream && !hands_over(w))
		tell_error(w, sentence);
	return leave(w);
}
