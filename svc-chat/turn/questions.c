#include "svc-chat/turn/questions.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/json/json.h"
#include "common/service/sealer.h"
#include "svc-chat/tools/elicit.h"

enum { LOOK_MS = 400 /* at the step, for the answer */, STOP_MS = 200 /* at whether the turn is stopped */ };

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

void question_init(struct question *q)
{
	*q = (struct question){ .lock = PTHREAD_MUTEX_INITIALIZER };
	cond_init_monotonic(&q->changed);
}

void question_done(struct question *q)
{
	free(q->params);
	free(q->answer);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
}

/* false: it was waited for long enough. The lock is held. */
static bool wait_a_little(struct question *q, int64_t until, const atomic_bool *stop)
{
	int64_t now = clock_mono_ms();

	if (now >= until || atomic_load(stop))
		return false;
	(void)cond_wait_until(&q->changed, &q->lock, now + STOP_MS);
	atomic_fetch_add(&q->held, clock_mono_ms() - now);
	return true;
}

json_object *question_put(struct question *q, json_object *params, const atomic_bool *stop)
{
	int64_t until = clock_mono_ms() + QUESTION_MS;
	json_object *answer = NULL;
	struct error err = { 0 };

	pthread_mutex_lock(&q->lock);
	while (q->params && wait_a_little(q, until, stop)) /* something else is asked */
		;
	if (!q->params) {
		q->params = strdup(json_object_to_json_string_ext(params, JSON_C_TO_STRING_PLAIN));
		q->shown = false;
		while (!q->answer && wait_a_little(q, until, stop))
			;
		if (!q->answer || json_parse(q->answer, strlen(q->answer), &answer, &err) < 0)
			answer = NULL;
		free(q->params);
		free(q->answer);
		q->params = q->answer = NULL;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	if (!answer && json_parse(ELICIT_CANCELLED, strlen(ELICIT_CANCELLED), &answer, &err) < 0)
		answer = NULL;
	return answer;
}

static void hand_on(struct question *q, const char *answer)
{
	pthread_mutex_lock(&q->lock);
	if (q->params && q->shown && !q->answer)
		q->answer = strdup(answer);
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

static void show(struct question *q, struct rounds *r, struct tool_step *call, const char *params)
{
	bool crowded = call->call->n_elicitations >= QUESTIONS_MOST;
	Chat__Elicitation *asked = crowded ? NULL : add(r, call, params);

	if (!asked || asked->action) {
		hand_on(q, ELICIT_DECLINED);
		return;
	}
	q->index = call->call->n_elicitations - 1;
	q->open = true;
	call->call->status = (char *)"waiting";
	if (keep(r, call) < 0) {
		error_clear(r->call->err);
		hand_on(q, ELICIT_CANCELLED);
		return;
	}
	tell(r, call, asked);
}

static void look(struct question *q, struct rounds *r, struct tool_step *call)
{
	struct tool_step row;
	const char *message_id, *action = NULL;
	struct arena a; /* there are many looks */
	int found;

	arena_init(&a, 0);
	q->look_at = clock_mono_ms() + LOOK_MS;
	found = store_find_call(r->call->db, r->writer->owner, r->writer->session, call->call->id,
	                        &message_id, &row, &a, r->call->err);
	if (found < 0)
		error_clear(r->call->err); /* it is away for a while */
	/* Who took the turn over has ended the call, perhaps: then it has no answers any more. */
	if (found > 0 && row.call->n_elicitations > q->index && row.detail->n_answers > q->index)
		action = row.call->elicitations[q->index]->action;
	if (action) {
		q->open = false;
		call->call->elicitations[q->index]->action = arena_strdup(r->call->arena, action);
		call->detail->answers[q->index] = arena_strdup(r->call->arena, row.detail->answers[q->index]);
		call->call->status = (char *)"running";
		hand_on(q, call->detail->answers[q->index]);
	}
	arena_done(&a);
}

/* Its call waits no more: an answer would be heard by nobody, and is not taken. */
static void give_up(struct question *q, struct rounds *r, struct tool_step *call)
{
	q->open = false;
	call->call->elicitations[q->index]->action = (char *)"cancel";
	call->detail->answers[q->index] = (char *)ELICIT_CANCELLED;
	call->call->status = (char *)"running";
	if (keep(r, call) < 0)
		error_clear(r->call->err); /* it is kept with the result */
}

void question_serve(struct question *q, struct rounds *r, struct tool_step *call)
{
	const char *params = NULL;
	bool asks, given_up;

	pthread_mutex_lock(&q->lock);
	asks = q->params && !q->answer;
	given_up = q->open && !(q->params && q->shown);
	if (asks && !q->shown) {
		params = arena_strdup(r->call->arena, q->params);
		q->shown = true;
	}
	pthread_mutex_unlock(&q->lock);
	if (given_up)
		give_up(q, r, call);
	if (params)
		show(q, r, call, params);
	else if (asks && clock_mono_ms() >= q->look_at)
		look(q, r, call);
}
