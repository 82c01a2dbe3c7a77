#include "svc-chat/turn/questions.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/json/json.h"
#include "common/service/sealer.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/tools/elicit.h"

enum { LOOK_MS = 400 /* at the step, for the answer */ };

static const char *context(const struct rounds *r, const struct tool_step *call)
{
	return arena_printf(r->call->arena, "mcp.resume/%s/%s", r->writer->owner, call->call->id);
}

/* One more in the step; its id names the call and its place. */
static Chat__Elicitation *add(struct rounds *r, struct tool_step *call, const char *params)
{
	struct arena *a = r->call->arena;
	size_t n = call->call->n_elicitations;
	Chat__Elicitation **list = arena_new(a, Chat__Elicitation *, n + 1),
	                  *one = arena_new(a, Chat__Elicitation, 1);
	char **answers = arena_new(a, char *, n + 1);

	if (n) {
		memcpy(list, call->call->elicitations, n * sizeof *list);
		memcpy(answers, call->detail->answers, n * sizeof *answers);
	}
	elicit_read(params, arena_printf(a, "%s-%zu", call->call->id, n), one, a);
	list[n] = one;
	answers[n] = (char *)(one->action ? ELICIT_DECLINED : "");
	call->call->elicitations = list;
	call->detail->answers = answers;
	call->call->n_elicitations = call->detail->n_answers = n + 1;
	return one;
}

static void tell(struct rounds *r, const struct tool_step *call, const Chat__Elicitation *asked)
{
	struct event event = event_elicitation(call->call, asked, r->call->arena);

	stream_append(r->writer->stream, event.name, event.data);
}

static int keep(struct rounds *r, const struct tool_step *call)
{
	struct store_writer w = rounds_writer(r);

	return store_keep_call(r->call->db, &w, call, (ProtobufCBinaryData){ 0 }, r->call->arena,
	                       r->call->err);
}

/* --- Calls that pause --------------------------------------------------------------------------------------------------- */

int questions_pause(struct rounds *r, struct tool_step *call, const struct mcp_pause *pause)
{
	size_t from = call->call->n_elicitations;
	bool waits = false;
	char *sealed;

	if (!pause->count || from + pause->count > QUESTIONS_MOST)
		return rounds_done(r, call, "failed", "The tool's server asks its user too many questions.",
		                   (ProtobufCBinaryData){ 0 });
	if (sealer_seal(r->call, context(r, call), pause->resume, &sealed) < 0)
		return -1;
	call->detail->resume = sealed;
	call->detail->has_asked_from = true;
	call->detail->asked_from = (int)from;
	for (size_t i = 0; i < pause->count; i++)
		waits |= !add(r, call, pause->questions[i])->action;
	call->state = waits ? "waiting" : "ready";
	call->call->status = (char *)(waits ? "waiting" : "running");
	if (keep(r, call) < 0)
		return -1;
	for (size_t i = from; i < call->call->n_elicitations; i++)
		tell(r, call, call->call->elicitations[i]);
	return 0;
}

int questions_resume(struct rounds *r, const struct tool_step *call, const char **resume,
                     const char *const **answers)
{
	size_t from = (size_t)call->detail->asked_from, n = call->detail->n_answers;
	const char **list = arena_new(r->call->arena, const char *, n + 1);
	char *plain;

	*resume = NULL;
	*answers = list;
	if (!call->detail->resume)
		return 0;
	if (sealer_open(r->call, context(r, call), call->detail->resume, &plain) < 0)
		return -1;
	*resume = plain;
	for (size_t i = from; i < n; i++)
		list[i - from] = *call->detail->answers[i] ? call->detail->answers[i] : ELICIT_CANCELLED;
	return 0;
}

/* --- Calls that are held ------------------------------------------------------------------------------------------------- */

void question_put(struct question *q, json_object *params, struct arena *a)
{
	q->params = params ? json_print(params, a) : "{}";
	q->since = clock_mono_ms();
	q->look_at = 0;
}

static const char *answered(struct question *q, const char *answer)
{
	q->open = false;
	q->params = NULL;
	q->held += clock_mono_ms() - q->since;
	return answer;
}

static const char *show(struct question *q, struct rounds *r, struct tool_step *call)
{
	bool crowded = call->call->n_elicitations >= QUESTIONS_MOST;
	Chat__Elicitation *asked = crowded ? NULL : add(r, call, q->params);

	if (!asked || asked->action)
		return answered(q, ELICIT_DECLINED);
	q->index = call->call->n_elicitations - 1;
	q->open = true;
	call->call->status = (char *)"waiting";
	if (keep(r, call) < 0) {
		error_clear(r->call->err);
		return answered(q, ELICIT_CANCELLED);
	}
	tell(r, call, asked);
	return NULL;
}

static const char *look(struct question *q, struct rounds *r, struct tool_step *call)
{
	struct tool_step row;
	const char *message_id, *action = NULL;
	struct arena a; /* there are many looks */
	int found;

	arena_init(&a, 0);
	found = store_find_call(r->call->db, r->writer->owner, r->writer->session, call->call->id,
	                        &message_id, &row, &a, r->call->err);
	if (found < 0)
		error_clear(r->call->err); /* it is away for a while */
	/* Who took the turn over has ended the call, perhaps: then it has no answers any more. */
	if (found > 0 && row.call->n_elicitations > q->index && row.detail->n_answers > q->index)
		action = row.call->elicitations[q->index]->action;
	if (action) {
		call->call->elicitations[q->index]->action = arena_strdup(r->call->arena, action);
		call->detail->answers[q->index] = arena_strdup(r->call->arena, row.detail->answers[q->index]);
		call->call->status = (char *)"running";
	}
	arena_done(&a);
	return action ? answered(q, call->detail->answers[q->index]) : NULL;
}

const char *question_serve(struct question *q, struct rounds *r, struct tool_step *call)
{
	const char *answer = NULL;

	if (q->params && clock_mono_ms() >= q->look_at) {
		answer = q->open ? look(q, r, call) : show(q, r, call);
		q->look_at = clock_mono_ms() + LOOK_MS;
	}
	return answer;
}

void question_give_up(struct question *q, struct rounds *r, struct tool_step *call)
{
	bool open = q->open;

	if (!q->params)
		return;
	(void)answered(q, ELICIT_CANCELLED);
	if (!open)
		return;
	call->call->elicitations[q->index]->action = (char *)"cancel";
	call->detail->answers[q->index] = (char *)ELICIT_CANCELLED;
	call->call->status = (char *)"running";
	if (keep(r, call) < 0)
		error_clear(r->call->err); /* it is kept with the result */
}
