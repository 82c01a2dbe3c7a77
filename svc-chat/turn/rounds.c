#include "svc-chat/turn/rounds.h"

#include <string.h>

#include "common/base/clock.h"
#include "svc-chat/state.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/tools/result.h"

enum {
	SKIP = 100000, /* sequences of a stream that a dead writer may have given */
};

/* --- Going on with a turn that another writer began ---------------------------------------------------------------------- */

/* What the text so far cites keeps its numbers. */
static void cite_again(struct rounds *r)
{
	struct citations *c = &r->ask->citations;

	for (size_t i = 0; i < r->was.source_count && c->count < CITATIONS_MAX; i++)
		for (size_t k = 0; k < r->ask->found_count; k++)
			if (strcmp(r->was.sources[i]->chunk_id, r->ask->found[k]->chunk_id) == 0 &&
			    r->was.sources[i]->start == r->ask->found[k]->start) {
				c->cited[c->count++] = (int)k + 1;
				c->place[k + 1] = c->count;
				break;
			}
	r->ask->asked = 1;
}

int rounds_load(struct rounds *r)
{
	int found = store_load_rounds(r->call->db, r->writer->owner, r->writer->message_id, &r->was,
	                              r->call->arena, r->call->err);

	if (found <= 0)
		return found;
	for (size_t i = 0; i < r->was.call_count; i++) {
		struct tool_step *call = &r->was.calls[i];

		if (call->number >= r->writer->step)
			r->writer->step = call->number + 1;
	}
	r->writer->round = r->was.rounds[r->was.round_count - 1].round + 1;
	r->ask->found = r->was.passages;
	r->ask->found_count = r->was.passage_count < CITATIONS_MAX ? r->was.passage_count : CITATIONS_MAX;
	if (!r->ask->asked)
		cite_again(r);
	if (r->writer->content.length || r->writer->reasoning.length)
		return 1; /* it has rested here */
	pthread_mutex_lock(&r->writer->lock);
	text_adds(&r->writer->content, r->was.content ? r->was.content : "");
	text_adds(&r->writer->reasoning, r->was.reasoning ? r->was.reasoning : "");
	pthread_mutex_unlock(&r->writer->lock);
	return 1;
}

/* --- What the model is told ------------------------------------------------------------------------------------------------ */

static struct tool_step *first_call(const struct rounds *r, int round, size_t *count)
{
	size_t from = 0;

	while (from < r->was.call_count && r->was.calls[from].round != round)
		from++;
	for (*count = 0; from + *count < r->was.call_count && r->was.calls[from + *count].round == round;)
		(*count)++;
	return r->was.calls + from;
}

static struct model_message call_message(const struct store_round *round, const struct tool_step *calls,
                                         size_t count, struct arena *a)
{
	struct model_call *list = arena_new(a, struct model_call, count);

	for (size_t i = 0; i < count; i++)
		list[i] = (struct model_call){ calls[i].detail->call_id, calls[i].call->name,
			                       calls[i].detail->arguments };
	return (struct model_message){ .role = "assistant",
		                       .content =
		                           round->said->text ? citations_strip(round->said->text, a) : "",
		                       .reasoning = round->said->reasoning,
		                       .calls = list,
		                       .call_count = count };
}

static const char *result_for_model(const struct tool_step *call, int64_t tokens, struct arena *a)
{
	const char *text = result_piece(call->result ? call->result : "", call->number, 0, tokens, a);

	return call->detail->edited
	           ? arena_printf(a, "[The user changed the arguments: it was called with %s]\n%s",
	                          call->call->arguments, text)
	           : text;
}

/* Half of the context is for what came back: the newest results have more of it. */
static void tell_results(struct rounds *r)
{
	struct arena *a = r->call->arena;
	size_t n = 0, room = r->was.round_count + r->was.call_count;
	struct model_message *list = arena_new(a, struct model_message, room);
	int64_t budget = rounds_context(r->ask) / 2;

	for (size_t i = 0; i < r->was.round_count; i++) {
		bool newest = i + 1 == r->was.round_count;
		size_t count;
		const struct tool_step *calls = first_call(r, r->was.rounds[i].round, &count);
		int64_t share = newest ? budget / 2 : budget / 2 / (int64_t)r->was.round_count;

		if (!count)
			continue;
		list[n++] = call_message(&r->was.rounds[i], calls, count, a);
		for (size_t k = 0; k < count; k++)
			list[n++] = (struct model_message){
				.role = "tool",
				.content = result_for_model(&calls[k], share / (int64_t)count, a),
				.call_id = calls[k].detail->call_id,
				.name = calls[k].call->name,
			};
	}
	if (n && r->over)
		list[n - 1].content = arena_printf(
		    a, "%s\n[No more tools can be called. Answer with what there is.]", list[n - 1].content);
	r->ask->after = list;
	r->ask->after_count = n;
}

/* --- What is to be done ---------------------------------------------------------------------------------------------------- */

static struct tool_step *find_state(const struct rounds *r, const char *state)
{
	for (size_t i = 0; i < r->was.call_count; i++)
		if (step_is(&r->was.calls[i], state))
			return &r->was.calls[i];
	return NULL;
}

/* One that was sent by a writer that died. */
static int look_after(struct rounds *r, struct tool_step *call)
{
	struct store_writer w = rounds_writer(r);

	if (!call->detail->repeatable)
		return rounds_done(
		    r, call, "unknown",
		    "The call was sent, and then the connection to the tool was lost: nobody knows "
		    "whether it was done. Do not repeat it; tell the user.",
		    (ProtobufCBinaryData){ 0 });
	(void)store_cancel_questions(call, r->call->arena); /* it will ask anew */
	call->state = "ready";
	return store_keep_call(r->call->db, &w, call, (ProtobufCBinaryData){ 0 }, r->call->arena,
	                       r->call->err) < 0
	           ? -1
	           : 0;
}

/* Before it is sent: the tool must still be the one that was meant. */
static const char *why_not(const struct rounds *r, const struct tool_step *call)
{
	const struct tool *tool = rounds_tool(r, call->call->name);

	if (!tool)
		return "The tool is not there any more.";
	if (strcmp(tool->digest, call->detail->digest) != 0)
		return "The tool has changed since this call was made; it was not called.";
	if (clock_mono_ms() > r->until)
		return "The time for tools in this answer is over; it was not called.";
	return NULL;
}

/* The next calls that may run side by side: those in a row that only read, or one other. 1: they run. */
static int run_next(struct rounds *r, struct tool_step *first)
{
	struct tool_step *calls[CALLS_MAX];
	const char *why;
	size_t n = 0;

	for (struct tool_step *call = first; call < r->was.calls + r->was.call_count && n < CALLS_MAX;
	     call++) {
		if (!step_is(call, "ready"))
			continue;
		why = why_not(r, call);
		if (why) {
			if (rounds_done(r, call, "failed", why, (ProtobufCBinaryData){ 0 }) < 0)
				return -1;
			continue;
		}
		if (n && !call->detail->read_only)
			break;
		calls[n++] = call;
		if (!call->detail->read_only)
			break;
	}
	return n ? rounds_run(r, calls, n) : 0;
}

int rounds_settle(struct rounds *r)
{
	struct tool_step *call;
	int runs = r->running ? rounds_go_on(r) : 0;

	if (runs)
		return runs < 0 ? -1 : 2;
	while (!atomic_load(&r->writer->stop) && (call = find_state(r, "failed")) != NULL)
		if (rounds_done(r, call, call->call->status, call->result, (ProtobufCBinaryData){ 0 }) < 0)
			return -1;
	while (!atomic_load(&r->writer->stop) && (call = find_state(r, "running")) != NULL)
		if (look_after(r, call) < 0)
			return -1;
	while (!atomic_load(&r->writer->stop) && (call = find_state(r, "ready")) != NULL)
		if ((runs = run_next(r, call)) != 0)
			return runs < 0 ? -1 : 2;
	if (find_state(r, "waiting") && !atomic_load(&r->writer->stop))
		return 1;
	r->over = (int)r->was.round_count >= r->chat->tool_rounds || clock_mono_ms() > r->until;
	tell_results(r);
	pthread_mutex_lock(&r->writer->lock);
	r->text_from = r->writer->content.length;
	r->reasoning_from = r->writer->reasoning.length;
	pthread_mutex_unlock(&r->writer->lock);
	return 0;
}

/* --- Resting, and the end ------------------------------------------------------------------------------------------------------ */

int rounds_rest(struct rounds *r)
{
	struct store_writer w = rounds_writer(r);
	struct event_list nothing = { 0 };
	int64_t last;
	ProtobufCBinaryData log = events_log(r->writer->stream, &nothing, &last, r->call->arena);
	int rests = store_rest(r->call->db, &w, log, last, r->call->err);

	if (rests != 0)
		return rests;
	if (rounds_load(r) < 0)
		return -1;
	if (find_state(r, "waiting")) /* and yet it does not wait: it is somebody else's */
		writer_stop(r->writer, WRITER_LOST);
	return 0;
}

void rounds_end(struct rounds *r)
{
	for (size_t i = 0; i < r->was.call_count; i++) {
		struct tool_step *call = &r->was.calls[i];

		if (step_is(call, "done"))
			continue;
		if (rounds_done(r, call, step_is(call, "running") ? "unknown" : "denied",
		                "The answer was ended before.", (ProtobufCBinaryData){ 0 }) < 0)
			error_clear(r->call->err);
	}
}

Chat__ToolCall **rounds_shown(const struct rounds *r, size_t *count)
{
	Chat__ToolCall **list = arena_new(r->call->arena, Chat__ToolCall *, r->was.call_count);

	*count = r->was.call_count;
	for (size_t i = 0; i < *count; i++)
		list[i] = r->was.calls[i].call;
	return list;
}
