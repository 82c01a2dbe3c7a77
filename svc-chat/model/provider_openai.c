/*
 * The provider that asks an OpenAI-compatible endpoint, streaming, through egress.
 *
 * Nothing is asked twice once a piece of the answer was given. Before that, an endpoint that is busy (429, 503) or not
 * reachable is tried again a few times, after the pause that it asks for when that is short. An endpoint that answers
 * with one whole completion instead of a stream is understood too. What failed is told in a sentence for the user; the
 * endpoint's own words travel along only where they are about the request, never where they may be about our key.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/egress/egress.h"
#include "common/json/json.h"
#include "svc-chat/model/completion.h"
#include "svc-chat/model/provider.h"
#include "common/egress/sse_reader.h"

enum {
	ATTEMPTS = 3,
	PAUSE_MAX_MS = 10 * 1000, /* a longer Retry-After is for the user to wait */
	EVENT_MAX = 1 << 20,
	ERROR_BODY_MAX = 64 << 10,
	ANSWER_MAX = 64 << 20, /* bytes on the wire: a token is some 250 */
	MODELS_MAX = 1 << 20,
	MODELS_FRESH_MS = 5 * 60 * 1000,
	MODELS_TIMEOUT_MS = 5 * 1000,
};

struct openai {
	struct chat_provider base;
	struct provider_openai_config config;
	struct arena arena; /* of the strings below */
	char *chat_url, *models_url, *authorization;
	/* What OpenAI's newer models want otherwise; learned from their refusals. */
	atomic_bool max_completion_tokens, no_temperature;
	pthread_mutex_t lock; /* guards what follows */
	json_object *models;  /* the endpoint's list, or NULL */
	int64_t models_until; /* fresh until then */
};

/* One request and what came of it so far. */
struct exchange {
	struct openai *p;
	const struct chat_request *request;
	const struct chat_sink *sink;
	struct chat_result *result;
	struct arena *arena;
	struct arena scratch; /* of one event */
	struct error *err;
	struct sse_reader reader;
	struct text body; /* of an error, or of an answer that is no stream */
	int status;
	bool decided, whole, given, finished, ended; /* ended: by the sink */
};

/* --- Which model -------------------------------------------------------------------------------------------------- */

static const char *const *headers_of(struct openai *p, struct arena *a)
{
	const char **list = arena_new(a, const char *, 4);

	list[0] = "Content-Type: application/json";
	list[1] = "Accept: text/event-stream, application/json";
	list[2] = p->authorization;
	return list;
}

static json_object *fetch_models(struct openai *p, struct arena *a)
{
	OWN(json) json_object *answer = NULL;
	struct egress_response response;
	struct error ignored = { 0 };
	json_object *list;

	if (egress_fetch(p->config.egress,
	                 &(struct egress_request){ .method = "GET",
	                                           .url = p->models_url,
	                                           .headers = headers_of(p, a),
	                                           .timeout_ms = MODELS_TIMEOUT_MS,
	                                           .max_bytes = MODELS_MAX },
	                 &response, a, &ignored) < 0 ||
	    response.status != 200 || json_parse(response.body, response.body_size, &answer, &ignored) < 0)
		return NULL;
	list = json_get(answer, "data");
	return json_object_is_type(list, json_type_array) ? json_object_get(list) : NULL;
}

static bool lists(json_object *models, const char *model)
{
	for (size_t i = 0; models && i < json_object_array_length(models); i++) {
		const char *id = json_string(json_object_array_get_idx(models, i), "id");

		if (id && strcmp(id, model) == 0)
			return true;
	}
	return false;
}

/* The chatbot's model where the endpoint has it, else the operator's. */
static const char *choose_model(struct openai *p, const char *wanted, struct arena *a)
{
	int64_t now = clock_mono_ms();
	bool known;

	if (!*wanted || strcmp(wanted, "default") == 0 || strcmp(wanted, p->config.model) == 0)
		return p->config.model;
	pthread_mutex_lock(&p->lock);
	if (now >= p->models_until) {
		json_object_put(p->models);
		p->models = fetch_models(p, a);
		p->models_until = clock_mono_ms() + MODELS_FRESH_MS;
	}
	known = lists(p->models, wanted);
	pthread_mutex_unlock(&p->lock);
	return known ? wanted : p->config.model;
}

/* --- What we ask -------------------------------------------------------------------------------------------------- */

static const char *body_of(struct openai *p, const struct chat_request *request, const char *model,
                           struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"model\":");
	text_add_json(&t, model, strlen(model));
	text_adds(&t, ",\"messages\":[");
	for (size_t i = 0; i < request->message_count; i++) {
		const struct chat_message *message = &request->messages[i];

		text_addf(&t, "%s{\"role\":\"%s\",\"content\":", i ? "," : "", message->role);
		text_add_json(&t, message->content, strlen(message->content));
		text_addc(&t, '}');
	}
	text_addf(&t, "],\"stream\":true,\"stream_options\":{\"include_usage\":true},\"%s\":%d",
	          atomic_load(&p->max_completion_tokens) ? "max_completion_tokens" : "max_tokens",
	          request->max_tokens);
	if (!atomic_load(&p->no_temperature))
		text_addf(&t, ",\"temperature\":%g", request->temperature);
	text_addc(&t, '}');
	return t.at;
}

/* --- What we hear ------------------------------------------------------------------------------------------------- */

/* Pass on what a completion holds. 0 goes on, 1 it is over. */
static int pass_on(struct exchange *x, const struct completion *c)
{
	if (c->model && !x->result->model)
		x->result->model = arena_strdup(x->arena, c->model);
	if (c->has_usage) {
		x->result->has_usage = true;
		x->result->prompt_tokens = c->prompt_tokens;
		x->result->completion_tokens = c->completion_tokens;
	}
	x->finished |= c->done || c->finish;
	if (c->reasoning) {
		x->given = true;
		x->ended = x->sink->reasoning(x->sink->arg, c->reasoning, strlen(c->reasoning)) != 0;
	}
	if (c->text && !x->ended) {
		x->given = true;
		x->ended = x->sink->text(x->sink->arg, c->text, strlen(c->text)) != 0;
	}
	return c->done || x->ended;
}

static int on_event(void *arg, const struct sse_event *event)
{
	struct exchange *x = arg;
	struct completion c;

	arena_reset(&x->scratch);
	if (completion_read(event->data, event->size, &c, &x->scratch, x->err) < 0)
		return -1;
	return pass_on(x, &c);
}

static int on_headers(void *arg, int status)
{
	((struct exchange *)arg)->status = status;
	return 0;
}

/* A stream, or an object: the first character tells. */
static bool is_whole(struct exchange *x, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !x->decided; i++)
		if (!strchr(" \t\r\n", bytes[i]) || !bytes[i]) {
			x->decided = true;
			x->whole = bytes[i] == '{';
		}
	return x->whole;
}

static int on_data(void *arg, const char *bytes, size_t size)
{
	struct exchange *x = arg;
	size_t most = x->status == 200 ? EVENT_MAX : ERROR_BODY_MAX;

	if (x->status == 200 && !is_whole(x, bytes, size))
		return sse_reader_feed(&x->reader, bytes, size, x->err);
	if (x->body.length + size > most && x->status == 200)
		return error_set(x->err, ERROR_UPSTREAM, "the model's answer is too large");
	if (x->body.length + size <= most)
		text_add(&x->body, bytes, size);
	return 0;
}

static int read_whole(struct exchange *x)
{
	struct completion c;

	if (completion_read(x->body.at, x->body.length, &c, &x->scratch, x->err) < 0)
		return -1;
	pass_on(x, &c);
	x->finished = true;
	return 0;
}

/* --- What it means ------------------------------------------------------------------------------------------------ */

static int refused(struct exchange *x)
{
	const char *words = completion_complaint(x->body.at, x->body.length, x->arena);
	const char *colon = *words ? ": " : "";

	switch (x->status) {
	case 401:
	case 403: error_set(x->err, ERROR_UPSTREAM, "the model's provider does not accept our key"); break;
	case 429: error_set(x->err, ERROR_UPSTREAM, "the model is too busy; try again later"); break;
	case 400:
	case 404:
	case 413:
	case 422: error_set(x->err, ERROR_UPSTREAM, "the model refused the request%s%s", colon, words); break;
	default: error_set(x->err, ERROR_UPSTREAM, "the model's provider failed; try again later"); break;
	}
	error_detail(x->err, "status %d%s%s", x->status, colon, words);
	return -1;
}

/* The transfer itself failed: in our words, since egress names the host. */
static int unreachable(struct exchange *x, const struct error *why)
{
	if (why->code == ERROR_UNAVAILABLE)
		error_busy(x->err, 1, "the answer was interrupted");
	else if (why->code == ERROR_UNKNOWN_OUTCOME)
		error_set(x->err, ERROR_UNKNOWN_OUTCOME, "the model did not answer in time");
	else if (why->code == ERROR_TOO_LARGE)
		error_set(x->err, ERROR_UPSTREAM, "the model's answer is too large");
	else
		error_set(x->err, ERROR_UPSTREAM,
		          x->status ? "the model's answer broke off" : "the model cannot be reached");
	error_detail(x->err, "%s", why->message);
	return -1;
}

/* 0, or -1 with err. */
static int outcome(struct exchange *x, int fetched, const struct error *why)
{
	if (x->err->code != ERROR_NONE)
		return -1;
	if (x->ended || (x->finished && !x->whole))
		return 0;
	if (fetched < 0)
		return unreachable(x, why);
	if (x->status != 200)
		return refused(x);
	if (x->whole)
		return read_whole(x);
	return error_set(x->err, ERROR_UPSTREAM, "the model's answer broke off");
}

static int exchange(struct exchange *x, const char *body, int64_t until, struct egress_response *response)
{
	struct error why = { 0 };
	int64_t left = until - clock_mono_ms();
	int fetched;

	arena_init(&x->scratch, 0);
	text_init(&x->body, x->arena);
	sse_reader_init(&x->reader, EVENT_MAX, on_event, x);
	fetched = egress_fetch(x->p->config.egress,
	                       &(struct egress_request){ .method = "POST",
	                                                 .url = x->p->chat_url,
	                                                 .headers = headers_of(x->p, x->arena),
	                                                 .body = body,
	                                                 .body_size = strlen(body),
	                                                 .timeout_ms = left > 1 ? (int)left : 1,
	                                                 .idle_ms = x->p->config.idle_seconds * 1000,
	                                                 .max_bytes = ANSWER_MAX,
	                                                 .cancelled = x->request->cancelled,
	                                                 .on_headers = on_headers,
	                                                 .on_data = on_data,
	                                                 .arg = x },
	                       response, x->arena, &why);
	fetched = outcome(x, fetched, &why);
	sse_reader_done(&x->reader);
	arena_done(&x->scratch);
	return fetched;
}

/* --- Again? ------------------------------------------------------------------------------------------------------- */

/* 400 because of a parameter that newer models have otherwise: ask so from now on. */
static bool learn(struct exchange *x)
{
	const char *words = x->status == 400 ? x->err->message : "";

	if (strstr(words, "max_completion_tokens"))
		return !atomic_exchange(&x->p->max_completion_tokens, true);
	if (strstr(words, "temperature"))
		return !atomic_exchange(&x->p->no_temperature, true);
	return false;
}

/* Milliseconds to wait before another attempt; -1: there is none. */
static int64_t pause_before(struct exchange *x, const struct egress_response *response, int attempt)
{
	const char *asked = egress_header(response, "retry-after");
	char *end = NULL;
	long seconds;

	if (x->given || attempt == ATTEMPTS)
		return -1;
	if (learn(x))
		return 0;
	if (x->status != 429 && x->status != 503 && (x->status != 0 || x->err->code != ERROR_UPSTREAM))
		return -1;
	seconds = asked ? strtol(asked, &end, 10) : -1;
	if (!asked || *end || seconds < 0) /* none, or a date */
		return 500 << attempt;
	return seconds * 1000 <= PAUSE_MAX_MS ? seconds * 1000 : -1;
}

static bool sleep_unless(const atomic_bool *cancelled, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until && !atomic_load(cancelled))
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	return !atomic_load(cancelled);
}

static int answer(struct chat_provider *base, const struct chat_request *request,
                  const struct chat_sink *sink, struct chat_result *ret, struct arena *a, struct error *err)
{
	struct openai *p = (struct openai *)base;
	const char *model = choose_model(p, request->model, a);
	int64_t until = clock_mono_ms() + (int64_t)p->config.total_seconds * 1000;

	for (int attempt = 1;; attempt++) {
		struct exchange x = {
			.p = p, .request = request, .sink = sink, .result = ret, .arena = a, .err = err
		};
		struct egress_response response;
		int result = exchange(&x, body_of(p, request, model, a), until, &response);
		int64_t pause;

		if (!ret->model)
			ret->model = model;
		if (result == 0)
			return 0;
		pause = pause_before(&x, &response, attempt);
		if (pause < 0 || clock_mono_ms() + pause >= until)
			return -1;
		error_clear(err);
		if (!sleep_unless(request->cancelled, pause))
			return error_busy(err, 1, "the answer was interrupted");
	}
}

static void free_openai(struct chat_provider *base)
{
	struct openai *p = (struct openai *)base;

	json_object_put(p->models);
	pthread_mutex_destroy(&p->lock);
	arena_done(&p->arena);
	free(p);
}

struct chat_provider *provider_openai(const struct provider_openai_config *config)
{
	struct openai *p = calloc(1, sizeof *p);
	size_t length = strlen(config->base_url);

	if (!p)
		abort();
	while (length && config->base_url[length - 1] == '/')
		length--;
	p->base = (struct chat_provider){ .name = "openai", .answer = answer, .free = free_openai };
	arena_init(&p->arena, 0);
	p->config = *config;
	p->config.model = arena_strdup(&p->arena, config->model);
	p->chat_url = arena_printf(&p->arena, "%.*s/chat/completions", (int)length, config->base_url);
	p->models_url = arena_printf(&p->arena, "%.*s/models", (int)length, config->base_url);
	if (*config->api_key)
		p->authorization = arena_printf(&p->arena, "Authorization: Bearer %s", config->api_key);
	pthread_mutex_init(&p->lock, NULL);
	return &p->base;
}
