/*
 * Somebody asks, in steps: an endpoint is chosen, a request is sent, its answer is heard, and after a pause it may be sent
 * again, or elsewhere. Each step is a function; one that waits is entered again.
 *
 * Nothing is asked twice once a piece of the answer was given. Before that: what a model refuses is learned and left out,
 * a prompt that is too long is made shorter, an endpoint that is busy or broke is asked again after the pause that it
 * wants when that is short, and then the next endpoint is asked. One that fails again and again is asked last.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "svc-chat/model/openai.h"

enum {
	ATTEMPTS = 3,
	LESSONS = 6,
	PAUSE_MAX_MS = 10 * 1000, /* a longer Retry-After is for the user to wait */
	PAUSE_FIRST_MS = 500,
	ANSWER_MAX = 64 << 20, /* bytes on the wire: a token is some 250 */
	BREAKER_FAILURES = 5,
	BREAKER_MS = 30 * 1000,
};

/* An endpoint that may be asked. */
struct candidate {
	const struct endpoint *endpoint;
	struct model_list *list; /* NULL: the model that was asked for is taken as it is */
	struct breaker *breaker; /* NULL: none */
};

/* Somebody asks. */
struct asking {
	struct openai *p;
	struct model_answering *x;
	const struct model_request *request;
	struct arena *arena;
	struct error *err;
	int64_t until;
	const struct model_message *messages; /* as short as they are by now */
	size_t message_count;
	struct candidate candidates[ENDPOINTS_MAX]; /* in the order in which they are asked */
	size_t candidate_count, at;
	struct endpoint own; /* where the owner's own key holds */

	/* Of the endpoint that is asked. */
	const char *model;
	struct quirks quirks;
	int tries, lessons;
	bool plain;     /* a tool's schema was refused: all are told in words, this time */
	bool unbounded; /* max_tokens is left out, this time */
	struct attempt attempt;
	struct egress_stream *listing; /* it is asked which models it has */

	/* What is next: true when it waits. NULL: it is over, with this verdict. */
	bool (*step)(struct asking *q);
	enum verdict verdict;
};

static bool choose(struct asking *q);
static bool hear_list(struct asking *q);
static bool address(struct asking *q);
static bool send_it(struct asking *q);
static bool hear(struct asking *q);
static bool rest(struct asking *q);

/* --- Again? ------------------------------------------------------------------------------------------------------- */

/* True when it may be tried again, after a pause. */
static bool may_try_again(struct asking *q)
{
	int64_t pause = q->attempt.pause;

	q->tries++;
	if (pause < 0)
		pause = PAUSE_FIRST_MS << (q->tries - 1);
	if (q->tries == ATTEMPTS || q->request->seconds || pause > PAUSE_MAX_MS ||
	    clock_mono_ms() + pause >= q->until)
		return false;
	q->x->until = clock_mono_ms() + pause;
	return true;
}

static bool shorter(struct asking *q)
{
	if (!q->request->shorten ||
	    !q->request->shorten(q->request->shorten_arg, &q->messages, &q->message_count))
		return false;
	error_clear(q->err);
	return true;
}

/* Where thought ends without having begun, or does not any more. */
static void learn_thought(struct asking *q, const struct endpoint *e, const char *model,
                          struct quirks *quirks, const struct hearing *h)
{
	bool first = h->thought_first, known = quirks->bits & QUIRK_THINKS_FIRST;

	if (first == known || !h->answered || (!first && h->ended))
		return;
	quirks->bits ^= QUIRK_THINKS_FIRST;
	quirks_keep(q->p->quirks, q->request->db, e->base_url, model, quirks);
}

/* One of the tools that a user has brought along: nothing to learn for others. */
static bool refuses_tool(const struct model_request *request, const struct complaint *c)
{
	return request->tool_count && c->status && complaint_kind(c) == COMPLAINT_REQUEST &&
	       (complaint_mentions(c, "tool") || complaint_mentions(c, "function") ||
	        complaint_mentions(c, "schema"));
}

/* What may be written does not fit behind what was asked: this time, as much as there is room for. */
static bool leaves_no_room(struct asking *q, const struct complaint *c)
{
	if (complaint_kind(c) != COMPLAINT_CONTEXT || q->unbounded || !complaint_mentions(c, "too large") ||
	    !(complaint_mentions(c, "max_tokens") || complaint_mentions(c, "max_completion_tokens")))
		return false;
	return q->unbounded = true;
}

/* The request will be another one. */
static bool learns(struct asking *q, enum verdict verdict, const struct complaint *complaint)
{
	const struct endpoint *e = q->candidates[q->at].endpoint;

	if (complaint->status != 0 && q->lessons++ < LESSONS &&
	    quirks_learn(&q->quirks, complaint, q->request->max_tokens)) {
		quirks_keep(q->p->quirks, q->request->db, e->base_url, q->model, &q->quirks);
		return true;
	}
	if (leaves_no_room(q, complaint))
		return true;
	if (!q->plain && refuses_tool(q->request, complaint))
		return q->plain = true;
	return verdict == VERDICT_SHORTER && q->lessons++ < LESSONS && shorter(q);
}

/* --- Whom to ask -------------------------------------------------------------------------------------------------- */

static void note(struct breaker *b, enum verdict verdict)
{
	if (verdict == VERDICT_DONE)
		atomic_store(&b->failures, 0);
	else if (verdict != VERDICT_FAILED && verdict != VERDICT_SHORTER &&
	         atomic_fetch_add(&b->failures, 1) + 1 >= BREAKER_FAILURES)
		atomic_store(&b->open_until, clock_mono_ms() + BREAKER_MS);
}

/* What an operator must know, in the log; never the key, never the prompt. */
static void tell(const struct asking *q, const struct endpoint *e)
{
	log_line(LOG_WARN, "a model did not answer", LOG_TEXT("request", q->request->request_id),
	         LOG_TEXT("setting", e->name), LOG_TEXT("why", q->err->message),
	         LOG_TEXT("detail", q->err->detail));
}

static bool may_go_on(const struct asking *q, enum verdict verdict)
{
	return (verdict == VERDICT_AGAIN || verdict == VERDICT_ELSEWHERE) &&
	       q->err->code != ERROR_UNAVAILABLE && clock_mono_ms() < q->until &&
	       !atomic_load(q->request->cancelled);
}

/* That is what this endpoint has to say. */
static void leave(struct asking *q, enum verdict verdict)
{
	const struct candidate *c = &q->candidates[q->at];

	if (!q->x->result->model)
		q->x->result->model = q->model;
	if (c->breaker && !q->request->seconds) /* being slow is no failure then */
		note(c->breaker, verdict);
	if (verdict != VERDICT_DONE && q->err->code != ERROR_UNAVAILABLE)
		tell(q, c->endpoint);
	q->verdict = verdict;
	q->step = may_go_on(q, verdict) && ++q->at < q->candidate_count ? choose : NULL;
}

/* The owner's own key: at its own address, or at the operator's. */
static int add_own(struct asking *q)
{
	const struct endpoint *first = &q->p->endpoints[0];
	const char *url = q->request->own_url;
	bool elsewhere = url && *url;

	if (endpoint_init(&q->own, "the stored key's base_url", elsewhere ? url : first->base_url,
	                  q->request->own_key, first->model, q->arena, q->err) < 0)
		return -1;
	q->candidates[q->candidate_count++] =
	    (struct candidate){ &q->own, elsewhere ? NULL : &q->p->lists[0], NULL };
	return 0;
}

/* Those whose breakers are open come last. */
static void add_all(struct asking *q)
{
	struct openai *p = q->p;
	int64_t now = clock_mono_ms();

	for (int late = 0; late < 2; late++)
		for (size_t i = 0; i < p->endpoint_count; i++)
			if ((atomic_load(&p->breakers[i].open_until) > now) == (late == 1))
				q->candidates[q->candidate_count++] =
				    (struct candidate){ &p->endpoints[i], &p->lists[i], &p->breakers[i] };
}

/* --- Step by step --------------------------------------------------------------------------------------------------- */

static bool choose(struct asking *q)
{
	const struct candidate *c = &q->candidates[q->at];

	error_clear(q->err);
	*q->x->result = (struct model_result){ 0 }; /* what another said of itself is not this one's */
	q->listing = c->list ? list_ask(c->list, q->p->config.egress, c->endpoint, q->request->model,
	                                q->x->wake, q->x->arg)
	                     : NULL;
	q->step = q->listing ? hear_list : address;
	return false;
}

static bool hear_list(struct asking *q)
{
	const struct candidate *c = &q->candidates[q->at];

	if (list_hear(c->list, q->listing, c->endpoint, q->request->cancelled))
		return true;
	q->step = address;
	return false;
}

static bool address(struct asking *q)
{
	const struct candidate *c = &q->candidates[q->at];
	const char *wanted = q->request->model;

	if (c->list)
		q->model = list_choose(c->list, c->endpoint, wanted);
	else
		q->model = *wanted && strcmp(wanted, "default") != 0 ? wanted : c->endpoint->model;
	q->quirks = quirks_of(q->p->quirks, q->request->db, c->endpoint->base_url, q->model);
	q->tries = q->lessons = 0;
	q->plain = q->unbounded = false;
	q->step = send_it;
	return false;
}

static bool send_it(struct asking *q)
{
	const struct endpoint *e = q->candidates[q->at].endpoint;
	int64_t left = q->until - clock_mono_ms();
	struct attempt *a = &q->attempt;
	struct quirks quirks = q->quirks;
	struct arena made; /* egress has its own copy, and the model speaks for long */
	const char *body;

	arena_init(&made, 0);
	quirks.bits |= q->unbounded ? QUIRK_NO_MAX_TOKENS : 0;
	body = endpoint_body(q->request, q->messages, q->message_count, q->model, &quirks, q->plain, &made);
	*a = (struct attempt){ 0 };
	hearing_init(&a->hearing, q->x->sink, q->x->result, q->quirks.bits & QUIRK_THINKS_FIRST, q->arena);
	hearing_offer(&a->hearing, q->request, q->quirks.bits & QUIRK_NO_TOOLS);
	attempt_begin(a, q->p->config.egress,
	              &(struct egress_request){ .method = "POST",
	                                        .url = e->chat_url,
	                                        .headers = e->headers,
	                                        .body = body,
	                                        .body_size = strlen(body),
	                                        .timeout_ms = left > 1 ? (int)left : 1,
	                                        .idle_ms = q->p->config.idle_seconds * 1000,
	                                        .max_bytes = ANSWER_MAX },
	              q->x->wake, q->x->arg);
	arena_done(&made);
	q->step = hear;
	return false;
}

static bool hear(struct asking *q)
{
	const struct endpoint *e = q->candidates[q->at].endpoint;
	struct attempt *a = &q->attempt;
	struct complaint complaint;
	enum verdict verdict;

	if (attempt_hear(a, q->request->cancelled))
		return true;
	verdict = verdict_of(a, q->request, e, &complaint, q->x->result, q->arena, q->err);
	if (verdict == VERDICT_DONE)
		learn_thought(q, e, q->model, &q->quirks, &a->hearing);
	hearing_done(&a->hearing);
	if (a->pause < 0 && complaint.pause_ms)
		a->pause = complaint.pause_ms;
	q->step = send_it;
	if (verdict == VERDICT_DONE || a->hearing.given)
		leave(q, verdict);
	else if (learns(q, verdict, &complaint))
		error_clear(q->err);
	else if (verdict == VERDICT_AGAIN && may_try_again(q))
		q->step = rest;
	else
		leave(q, verdict);
	return false;
}

static bool rest(struct asking *q)
{
	if (atomic_load(q->request->cancelled)) {
		q->x->until = 0;
		error_clear(q->err);
		error_busy(q->err, 1, "the answer was interrupted");
		leave(q, VERDICT_AGAIN);
		return false;
	}
	if (clock_mono_ms() < q->x->until)
		return true;
	q->x->until = 0;
	error_clear(q->err);
	q->step = send_it;
	return false;
}

static struct asking *begin(struct model_answering *x)
{
	const struct model_request *request = x->request;
	struct asking *q = arena_new(x->arena, struct asking, 1);
	bool own = request->own_key && *request->own_key;

	*q = (struct asking){ .p = (struct openai *)x->model,
		              .x = x,
		              .request = request,
		              .arena = x->arena,
		              .err = x->err,
		              .messages = request->messages,
		              .message_count = request->message_count,
		              .step = choose,
		              .verdict = VERDICT_FAILED };
	q->until = clock_mono_ms() +
	           (int64_t)(request->seconds ? request->seconds : q->p->config.total_seconds) * 1000;
	if (!own)
		add_all(q);
	if ((own && add_own(q) < 0) || !q->candidate_count)
		q->step = NULL;
	return q;
}

int asking_go_on(struct model_answering *x)
{
	struct asking *q;

	if (!x->own)
		x->own = begin(x);
	q = x->own;
	while (q->step)
		if (q->step(q))
			return 1;
	return q->verdict == VERDICT_DONE ? 0 : -1;
}
