/* The calls that a model wants: each is judged, made a step, stored, and told. */
#include <string.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/model/prompted.h"
#include "svc-chat/tools/schema.h"
#include "svc-chat/turn/rounds.h"

enum { NAMES_MOST = 40 }; /* of tools, in a sentence */

static const char *no_such_tool(const struct rounds *r, const char *name, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	if (strcmp(name, PROMPTED_UNREADABLE) == 0) {
		text_adds(
		    &t,
		    "Your call could not be read. Write it as <tool_call>{\"name\": \"...\", \"arguments\": "
		    "{...}}</tool_call>, in valid JSON.");
		return t.at;
	}
	text_adds(&t, "There is no tool of that name. There are:");
	for (size_t i = 0; i < r->ask->tool_count && i < NAMES_MOST; i++)
		text_addf(&t, "%s %s", i ? "," : "", r->ask->tools[i].name);
	return t.at;
}

/* The arguments as they are sent; NULL: they are not what the tool takes, which *why says. */
static const char *check_arguments(const struct tool *tool, const char *arguments, const char **why,
                                   struct arena *a)
{
	OWN(json) json_object *value = NULL, *schema = NULL;
	struct error err = { 0 };
	struct text mistakes;

	text_init(&mistakes, a);
	if (json_parse(arguments, strlen(arguments), &value, &err) < 0) {
		*why = arena_printf(a, "The arguments are no JSON: %s", err.message);
		return NULL;
	}
	if (!json_object_is_type(value, json_type_object)) {
		*why = "The arguments must be a JSON object.";
		return NULL;
	}
	if (json_parse(tool->schema, strlen(tool->schema), &schema, &err) == 0 &&
	    !schema_check(schema, value, &mistakes)) {
		*why = arena_printf(a, "The arguments are not what the tool takes:\n%s", mistakes.at);
		return NULL;
	}
	return json_print(value, a);
}

static void finish(struct tool_step *step, const char *status, const char *text)
{
	step->state = "done";
	step->call->status = (char *)status;
	step->call->content = (char *)text;
	step->result = text;
}

static void judge(struct rounds *r, struct tool_step *step, const struct tool *tool, bool crowded)
{
	const char *why = NULL, *arguments;

	if (!tool) {
		finish(step, "failed", no_such_tool(r, step->call->name, r->call->arena));
		return;
	}
	arguments = check_arguments(tool, step->detail->arguments, &why, r->call->arena);
	if (!arguments) {
		finish(step, "failed", why);
		return;
	}
	step->call->arguments = (char *)arguments;
	step->state = strcmp(tool->policy, "allow") == 0 ? "ready" : "waiting";
	step->call->status = (char *)(step_is(step, "ready") ? "running" : "waiting");
	if (strcmp(tool->policy, "deny") == 0)
		finish(step, "denied", "The user does not allow this tool.");
	else if (crowded && step_is(step, "waiting"))
		finish(step, "denied",
		       "Too many calls wait for the user's approval already: this one was not made.");
}

static void make_step(struct rounds *r, const struct model_call *wanted, bool crowded, struct tool_step *step)
{
	const struct tool *tool = rounds_tool(r, wanted->name);
	struct arena *a = r->call->arena;
	char id[UUID_TEXT];

	uuid_make(id);
	*step = (struct tool_step){ .number = r->writer->step++, .round = r->writer->round };
	step->call = arena_new(a, Chat__ToolCall, 1);
	chat__tool_call__init(step->call);
	step->detail = arena_new(a, Chat__ToolDetail, 1);
	chat__tool_detail__init(step->detail);
	step->call->id = arena_strdup(a, id);
	step->call->name = arena_strndup(a, wanted->name, utf8_clip(wanted->name, strlen(wanted->name), 128));
	step->call->arguments = (char *)"{}";
	step->detail->call_id = (char *)wanted->id;
	step->detail->arguments = (char *)wanted->arguments;
	if (tool) {
		step->detail->tool = (char *)tool->own_name;
		step->detail->digest = (char *)tool->digest;
		step->detail->has_repeatable = step->detail->has_read_only = true;
		step->detail->repeatable = tool->repeatable;
		step->detail->read_only = tool->read_only;
	}
	if (tool && tool->server) {
		step->call->server = (char *)tool->server->name;
		step->call->has_server_id = true;
		step->call->server_id = tool->server->id;
	}
	judge(r, step, tool, crowded);
}

static void tell_step(const struct rounds *r, const struct tool_step *step, struct event_list *list)
{
	const struct tool *tool = rounds_tool(r, step->call->name);

	events_put(list, event_tool_call(step->call, r->call->arena));
	if (step_is(step, "waiting"))
		events_put(list, event_approval(step->call, tool ? tool->description : NULL, r->call->arena));
	if (step_is(step, "done"))
		events_put(list, event_tool_result(step->call, r->call->arena));
}

/* Room for so many more; what was there stays where others found it. */
static void grow(struct rounds *r, size_t more)
{
	struct tool_step *calls = arena_new(r->call->arena, struct tool_step, r->was.call_count + more);
	struct store_round *rounds = arena_new(r->call->arena, struct store_round, r->was.round_count + 1);

	if (r->was.call_count)
		memcpy(calls, r->was.calls, r->was.call_count * sizeof *calls);
	if (r->was.round_count)
		memcpy(rounds, r->was.rounds, r->was.round_count * sizeof *rounds);
	r->was.calls = calls;
	r->was.rounds = rounds;
}

/* The writer's lock is held. */
static struct store_round *new_round(struct rounds *r)
{
	struct store_round *round = &r->was.rounds[r->was.round_count++];
	struct writer *w = r->writer;

	*round = (struct store_round){ .number = w->step++, .round = w->round };
	round->said = arena_new(r->call->arena, Chat__RoundText, 1);
	chat__round_text__init(round->said);
	round->said->text = arena_strdup(r->call->arena, w->content.at + r->text_from);
	if (w->reasoning.length > r->reasoning_from)
		round->said->reasoning = arena_strdup(r->call->arena, w->reasoning.at + r->reasoning_from);
	w->spoke = 0; /* its step is about to be done */
	return round;
}

static int store_round(struct rounds *r, const struct store_round *round, const struct tool_step *calls,
                       size_t count, const struct event_list *events)
{
	struct store_writer w = rounds_writer(r);
	struct store_added added = {
		.round = round,
		.calls = calls,
		.count = count,
		.content = r->writer->content.at,
		.reasoning = r->writer->reasoning.length ? r->writer->reasoning.at : NULL,
		.sources = r->writer->sources,
	};

	if (r->ask->found_count)
		added.passages = store_pack_sources(r->ask->found, r->ask->found_count, r->call->arena);
	added.log = events_log(r->writer->stream, events, &added.last, r->call->arena);
	return store_add_round(r->call->db, &w, &added, r->call->arena, r->call->err);
}

/* Is its user to be asked about one of them? */
static bool may_wait(const struct rounds *r, const struct model_call *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct tool *tool = rounds_tool(r, wanted[i].name);

		if (tool && strcmp(tool->policy, "ask") == 0)
			return true;
	}
	return false;
}

int rounds_add(struct rounds *r)
{
	const struct model_call *wanted = r->ask->result.calls;
	size_t count = r->ask->result.call_count;
	struct event_list events = { 0 };
	struct store_round *round;
	struct tool_step *steps;
	int64_t waiting = 0;
	int stored;

	if (r->over)
		return error_set(r->call->err, ERROR_UPSTREAM,
		                 "the model went on calling tools and gave no answer");
	if (may_wait(r, wanted, count) &&
	    store_waiting(r->call->db, r->writer->owner, &waiting, r->call->err) < 0)
		return -1;
	grow(r, count);
	pthread_mutex_lock(&r->writer->lock);
	round = new_round(r);
	steps = r->was.calls + r->was.call_count;
	for (size_t i = 0; i < count; i++)
		make_step(r, &wanted[i], waiting >= STORE_WAITING, &steps[i]);
	pthread_mutex_unlock(&r->writer->lock);
	r->was.call_count += count;
	for (size_t i = 0; i < count; i++)
		tell_step(r, &steps[i], &events);
	stored = store_round(r, round, steps, count, &events);
	if (stored < 0)
		return -1;
	if (!stored)
		writer_stop(r->writer, WRITER_LOST);
	events_append(r->writer->stream, &events);
	pthread_mutex_lock(&r->writer->lock);
	r->writer->round++;
	pthread_mutex_unlock(&r->writer->lock);
	return 0;
}
