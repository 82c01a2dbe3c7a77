/*
 * The provider that asks OpenAI-compatible endpoints, streaming, through egress.
 *
 * Nothing is asked twice once a piece of the answer was given. Before that: what a model refuses is learned and left out,
 * a prompt that is too long is made shorter, an endpoint that is busy or broke is asked again after the pause that it
 * wants when that is short, and then the next endpoint is asked. One that fails again and again is asked last.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "svc-chat/model/openai.h"

enum {
	ATTEMPTS = 3,
	LESSONS = 6,
	PAUSE_MAX_MS = 10 * 1000, /* a longer Retry-After is for the user to wait */
	PAUSE_FIRST_MS = 500,
	ANSWER_MAX = 64 << 20,  /* bytes on the wire: a token is some 250 */
	AFTER_FINISH_MS = 1500, /* usage may still come */
	AFTER_DONE_MS = 2000,   /* the end of the answer, so that the connection can be used again */
	LOOK_MS = 200,          /* at whether it was cancelled */
	BREAKER_FAILURES = 5,
	BREAKER_MS = 30 * 1000,
};

/* Somebody asks. */
struct asking {
	struct openai *p;
	const struct chat_request *request;
	const struct chat_sink *sink;
	struct chat_result *result;
	struct arena *arena;
	struct error *err;
	int64_t until;
	const struct chat_message *messages; /* as short as they are by now */
	size_t message_count;
};

/* --- One attempt -------------------------------------------------------------------------------------------------- */

/* The thread that asks, until there is something to read. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool woken;
};

static void wake(void *arg)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

static void wait_for(struct waiter *w)
{
	int64_t until = clock_mono_ms() + LOOK_MS;

	pthread_mutex_lock(&w->lock);
	while (!w->woken && cond_wait_until(&w->cond, &w->lock, until) == 0)
		;
	w->woken = false;
	pthread_mutex_unlock(&w->lock);
}

/* All that has come. True when more is wanted, and will come. */
static bool read_on(struct attempt *x, struct egress_stream *s, struct text *bytes)
{
	bool more = egress_stream_read(s, bytes), finished = x->hearing.finished;
	const struct egress_response *response = egress_stream_response(s);

	x->status = response->status;
	x->pause = verdict_pause(response, clock_unix_ms() / 1000);
	if (bytes->length && hearing_feed(&x->hearing, x->status, bytes->at, bytes->length) != 0)
		return false;
	bytes->length = 0;
	if (!more)
		x->fetched = egress_stream_result(s, &x->why);
	else if (x->hearing.finished && !finished)
		egress_stream_end_soon(s, AFTER_FINISH_MS);
	return more && !x->hearing.done;
}

static void attempt(struct asking *q, const struct endpoint *e, const char *body, struct attempt *x)
{
	int64_t left = q->until - clock_mono_ms();
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct egress_stream *s;
	struct text bytes;

	text_init(&bytes, q->arena);
	cond_init_monotonic(&waiter.cond);
	s = egress_stream_start(q->p->config.egress,
	                        &(struct egress_request){ .method = "POST",
	                                                  .url = e->chat_url,
	                                                  .headers = e->headers,
	                                                  .body = body,
	                                                  .body_size = strlen(body),
	                                                  .timeout_ms = left > 1 ? (int)left : 1,
	                                                  .idle_ms = q->p->config.idle_seconds * 1000,
	                                                  .max_bytes = ANSWER_MAX },
	                        wake, &waiter);
	while (read_on(x, s, &bytes)) {
		wait_for(&waiter);
		if (atomic_load(q->request->cancelled)) {
			x->fetched = error_busy(&x->why, 1, "cancelled");
			break;
		}
	}
	egress_stream_close(s, x->hearing.done ? AFTER_DONE_MS : 0);
	hearing_end(&x->hearing);
	pthread_cond_destroy(&waiter.cond);
	pthread_mutex_destroy(&waiter.lock);
}

/* --- Again? ------------------------------------------------------------------------------------------------------- */

static bool sleep_unless(const atomic_bool *cancelled, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until && !atomic_load(cancelled))
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	return !atomic_load(cancelled);
}

/* True when it may be tried again now. */
static bool waited(struct asking *q, const struct attempt *x, int tries)
{
	int64_t pause = x->pause;

	if (pause < 0)
		pause = PAUSE_FIRST_MS << (tries - 1);
	if (tries == ATTEMPTS || q->request->seconds || pause > PAUSE_MAX_MS ||
	    clock_mono_ms() + pause >= q->until)
		return false;
	error_clear(q->err);
	if (sleep_unless(q->request->cancelled, pause))
		return true;
	error_busy(q->err, 1, "the answer was interrupted");
	return false;
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
static bool refuses_tool(const struct chat_request *request, const struct complaint *c)
{
	return request->tool_count && c->status && complaint_kind(c) == COMPLAINT_REQUEST &&
	       (complaint_mentions(c, "tool") || complaint_mentions(c, "function") ||
	        complaint_mentions(c, "schema"));
}

/* One endpoint, as often as it makes sense. */
static enum verdict ask_endpoint(struct asking *q, const struct endpoint *e, const char *model)
{
	struct quirks quirks = quirks_of(q->p->quirks, q->request->db, e->base_url, model);
	int tries = 0, lessons = 0;
	bool plain = false; /* a tool's schema was refused: all are told in words, this time */

	for (;;) {
		struct attempt x = { 0 };
		struct complaint complaint;
		enum verdict verdict;

		hearing_init(&x.hearing, q->sink, q->result, quirks.bits & QUIRK_THINKS_FIRST, q->arena);
		hearing_offer(&x.hearing, q->request, quirks.bits & QUIRK_NO_TOOLS);
		attempt(
		    q, e,
		    endpoint_body(q->request, q->messages, q->message_count, model, &quirks, plain, q->arena),
		    &x);
		verdict = verdict_of(&x, q->request, e, &complaint, q->result, q->arena, q->err);
		if (verdict == VERDICT_DONE)
			learn_thought(q, e, model, &quirks, &x.hearing);
		hearing_done(&x.hearing);
		if (verdict == VERDICT_DONE || x.hearing.given)
			return verdict;
		if (complaint.status != 0 && lessons++ < LESSONS &&
		    quirks_learn(&quirks, &complaint, q->request->max_tokens)) {
			quirks_keep(q->p->quirks, q->request->db, e->base_url, model, &quirks);
			error_clear(q->err);
			continue;
		}
		if (!plain && refuses_tool(q->request, &complaint)) {
			plain = true;
			error_clear(q->err);
			continue;
		}
		if (verdict == VERDICT_SHORTER && lessons++ < LESSONS && shorter(q))
			continue;
		if (verdict != VERDICT_AGAIN || !waited(q, &x, ++tries))
			return verdict;
	}
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

static enum verdict ask_one(struct asking *q, const struct endpoint *e, struct model_list *list,
                            struct breaker *breaker)
{
	const char *model = list ? list_choose(list, q->p->config.egress, e, q->request->model, q->arena)
	                    : *q->request->model && strcmp(q->request->model, "default") != 0
	                        ? q->request->model
	                        : e->model;
	enum verdict verdict = ask_endpoint(q, e, model);

	if (!q->result->model)
		q->result->model = model;
	if (breaker && !q->request->seconds) /* being slow is no failure then */
		note(breaker, verdict);
	if (verdict != VERDICT_DONE && q->err->code != ERROR_UNAVAILABLE)
		tell(q, e);
	return verdict;
}

static bool may_go_on(const struct asking *q, enum verdict verdict)
{
	return (verdict == VERDICT_AGAIN || verdict == VERDICT_ELSEWHERE) &&
	       q->err->code != ERROR_UNAVAILABLE && clock_mono_ms() < q->until &&
	       !atomic_load(q->request->cancelled);
}

/* The owner's own key: at its own address, or at the operator's. 1 asked, 0 there is none. */
static int ask_with_own_key(struct asking *q, enum verdict *verdict)
{
	const struct endpoint *first = &q->p->endpoints[0];
	struct endpoint own;
	const char *url = q->request->own_url;

	if (!q->request->own_key || !*q->request->own_key)
		return 0;
	if (endpoint_init(&own, "the stored key's base_url", url && *url ? url : first->base_url,
	                  q->request->own_key, first->model, q->arena, q->err) < 0) {
		*verdict = VERDICT_FAILED;
		return 1;
	}
	*verdict = ask_one(q, &own, url && *url ? NULL : &q->p->lists[0], NULL);
	return 1;
}

static enum verdict ask_all(struct asking *q)
{
	enum verdict verdict = VERDICT_FAILED;
	struct openai *p = q->p;

	/* Those whose breakers are open come last. */
	for (int late = 0; late < 2; late++)
		for (size_t i = 0; i < p->endpoint_count; i++) {
			bool open = atomic_load(&p->breakers[i].open_until) > clock_mono_ms();

			if (open != (late == 1))
				continue;
			error_clear(q->err);
			verdict = ask_one(q, &p->endpoints[i], &p->lists[i], &p->breakers[i]);
			if (!may_go_on(q, verdict))
				return verdict;
		}
	return verdict;
}

static int answer(struct chat_provider *base, const struct chat_request *request,
                  const struct chat_sink *sink, struct chat_result *ret, struct arena *a, struct error *err)
{
	struct openai *p = (struct openai *)base;
	struct asking q = {
		.p = p,
		.request = request,
		.sink = sink,
		.result = ret,
		.arena = a,
		.err = err,
		.until = clock_mono_ms() +
		         (int64_t)(request->seconds ? request->seconds : p->config.total_seconds) * 1000,
		.messages = request->messages,
		.message_count = request->message_count,
	};
	enum verdict verdict;

	if (!ask_with_own_key(&q, &verdict))
		verdict = ask_all(&q);
	return verdict == VERDICT_DONE ? 0 : -1;
}

/* --- The provider ------------------------------------------------------------------------------------------------- */

static void free_openai(struct chat_provider *base)
{
	struct openai *p = (struct openai *)base;

	for (size_t i = 0; i < p->endpoint_count; i++)
		list_done(&p->lists[i]);
	quirks_close(p->quirks);
	arena_done(&p->arena);
	free(p);
}

int provider_openai(const struct provider_openai_config *config, struct chat_provider **ret,
                    struct error *err)
{
	struct openai *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->base = (struct chat_provider){
		.name = "openai", .calls_tools = true, .answer = answer, .free = free_openai
	};
	p->config = *config;
	p->quirks = quirks_open(config->quirks);
	arena_init(&p->arena, 0);
	for (const struct provider_endpoint *e = config->endpoints; e->name; e++) {
		if (!*e->base_url || p->endpoint_count == ENDPOINTS_MAX)
			continue;
		if (endpoint_init(&p->endpoints[p->endpoint_count], e->name, e->base_url, e->api_key,
		                  e->model, &p->arena, err) < 0) {
			free_openai(&p->base);
			return -1;
		}
		list_init(&p->lists[p->endpoint_count++]);
	}
	*ret = &p->base;
	return 0;
}
