#include "svc-chat/turn/write.h"

#include <string.h>

#include "chat.methods.h"
#include "common/base/clock.h"
#include "common/db/db.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/writing.h"

enum {
	STORE_AGAIN_MS = 500,
	TOLD_MOST = 100000, /* events that a writer may have told since the log was stored */
};

/* --- Before: what was said, who answers, from what --------------------------------------------------------------------- */

bool writing_waits_for_database(struct writing *w)
{
	const struct error *err = w->call->err;

	w->until = clock_mono_ms() + STORE_AGAIN_MS;
	return (err->code == ERROR_UNAVAILABLE || err->code == ERROR_UNKNOWN_OUTCOME) &&
	       !atomic_load(w->call->cancelled);
}

/* A turn that waited, or that another writer began. 0: there is nothing to write any more. */
static int load(struct writing *w)
{
	struct writer *writer = w->writer;
	int found;

	w->begun = writer->begun;
	if (!w->begun) {
		w->begun = arena_new(w->call->arena, struct store_begun, 1);
		w->begun->question_id = w->begun->question = "";
		w->begun->listened = true; /* for all that is known */
		error_clear(w->call->err);
		found = store_load_turn(w->call->db, writer->owner, writer->session, writer->message_id,
		                        w->chat->context_tokens * STORE_BYTES_PER_TOKEN, w->begun,
		                        w->call->arena, w->call->err);
		w->rounds.begun = w->begun;
		return found > 0 && rounds_load(&w->rounds) < 0 ? -1 : found;
	}
	w->rounds.begun = w->begun;
	return 1;
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
			w->ask.own_model = w->chat->deepseek;
		}
		return 0;
	}
	if (retrieve_chatbot(w->call, w->begun->chatbot_id, &chatbot) < 0)
		return -1;
	ask_as(&w->ask, chatbot, w->call->arena);
	return 0;
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
	struct event event = event_text(name, bytes, size, w->call->scratch);

	cuts_add(&w->cuts, strcmp(name, "reasoning") == 0, size);
	stream_append(w->writer->stream, event.name, event.data);
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
	w->goes_on = from > 0;
	w->taken_back = true;
	w->cited = -1;
	pthread_mutex_unlock(&writer->lock);
}

/* --- From step to step -------------------------------------------------------------------------------------------------- */

static bool settle(struct writing *w);

static bool stopped(const struct writing *w)
{
	return atomic_load(&w->writer->stop);
}

static bool ends(struct writing *w, int result)
{
	w->result = result;
	w->step = finish_turn;
	return false;
}

/* What the model has said is over: it is the answer, or there are calls to be made first. */
static bool heed(struct writing *w, int result)
{
	if (result < 0)
		return ends(w, -1);
	if (!w->ask.result.call_count || stopped(w) || (w->rounds.over && w->ask.text_bytes))
		return ends(w, 0);
	if (rounds_add(&w->rounds) < 0)
		return ends(w, -1);
	w->spoken = false;
	w->step = settle;
	return false;
}

static bool hear(struct writing *w)
{
	int result = ask_go_on(&w->ask);

	if (result <= 0)
		return heed(w, result);
	w->until = ask_until(&w->ask);
	return true;
}

static bool ask(struct writing *w)
{
	int result;

	w->goes_on = w->writer->content.length > 0;
	result = ask_model(&w->ask);
	if (result <= 0)
		return heed(w, result);
	w->until = ask_until(&w->ask);
	w->step = hear;
	return true;
}

/* Calls get their results, or people are asked. */
static bool settle(struct writing *w)
{
	int settled = stopped(w) && !w->rounds.running ? 0 : rounds_settle(&w->rounds);

	if (settled == 2) {
		w->until = w->rounds.wake_at;
		return true;
	}
	if (settled < 0 || stopped(w))
		return ends(w, settled < 0 ? -1 : 0);
	if (settled == 0) {
		w->step = ask;
		return false;
	}
	settled = rounds_rest(&w->rounds);
	if (settled < 0)
		return ends(w, -1);
	if (settled > 0) {
		keeper_rest(w->chat->keeper, w->writer);
		w->step = NULL;
	}
	return false;
}

static bool searched(struct writing *w, int result)
{
	if (result < 0)
		return ends(w, -1);
	if (!w->rounds.was.round_count) /* else its passages have their numbers */
		note_retrieved(w);
	if (rounds_open(&w->rounds) < 0)
		return ends(w, -1);
	w->step = settle;
	return false;
}

/* A model says what to look for. */
static bool search_on(struct writing *w)
{
	int result = ask_go_on(&w->ask);

	if (result <= 0)
		return searched(w, result);
	w->until = ask_until(&w->ask);
	return true;
}

/* What was said before is kept for the next question; made ready for prompts, once. */
static void note_history(struct writing *w)
{
	struct writer *writer = w->writer;
	struct store_begun *begun = w->begun;

	if (!writer->past && !begun->foreign)
		writer->past = past_of(writer->owner, writer->session, begun->history, begun->history_count);
	if (!writer->past)
		return;
	begun->history = writer->past->messages;
	begun->history_count = writer->past->count;
}

static bool look_it_up(struct writing *w)
{
	int result;

	note_history(w);
	w->ask.question = w->begun->question;
	w->ask.history = w->begun->history;
	w->ask.history_count = w->begun->history_count;
	w->ask.for_visitor = w->begun->visitor;
	if (stopped(w))
		return ends(w, 0);
	if (load_chatbot(w) < 0)
		return ends(w, -1);
	result = w->rounds.was.round_count ? 0 : ask_search(&w->ask);
	if (result <= 0)
		return searched(w, result);
	w->until = ask_until(&w->ask);
	w->step = search_on;
	return true;
}

/* As long as the database is away and nobody says otherwise: the turn is held here. */
static bool load_it(struct writing *w)
{
	int loaded = load(w);

	if (loaded < 0 && writing_waits_for_database(w)) {
		if (!stopped(w))
			return true;
		return finish_unwritten(w, "the answer was interrupted");
	}
	if (loaded == 0)
		return finish_unwritten(w, EVENTS_DELETED);
	if (open_stream(w) < 0)
		return finish_unwritten(w, EVENTS_DELETED); /* its lease ends, and it is tried again */
	if (loaded < 0)
		return ends(w, -1);
	w->step = look_it_up;
	return false;
}

static void wake(void *task)
{
	service_task_wake(task);
}

static void run(struct call *call, void *arg)
{
	struct writing *w = arg;

	while (w->step) {
		call->deadline = clock_unix_ms() + WRITE_DEADLINE_MS;
		if (w->step(w)) {
			service_task_park(call, w->until, run, w);
			return;
		}
	}
}

void write_turn(struct call *call, void *arg)
{
	struct writing *w = arena_new(call->arena, struct writing, 1);
	struct chat *chat = chat_state(call);
	struct writer *writer = arg;

	*w = (struct writing){
		.call = call,
		.chat = chat,
		.writer = writer,
		.ask = {
		    .call = call,
		    .chat = chat,
		    .stop = &writer->stop,
		    .wake = wake,
		    .wake_arg = call->task,
		    .on_text = take_text,
		    .on_reasoning = take_reasoning,
		    .on_take_back = take_back,
		    .usage = CHAT__TOKEN_USAGE__INIT,
		    .arg = w,
		},
		.step = load_it,
	};
	cuts_init(&w->cuts, call->arena);
	w->rounds = (struct rounds){ .call = call, .chat = chat, .writer = writer, .ask = &w->ask };
	keeper_run(chat->keeper, writer, call);
	run(call, w);
}
