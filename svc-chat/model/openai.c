/* The model that asks OpenAI-compatible endpoints, streaming, through egress: see asking.c. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "svc-chat/model/openai.h"

enum { LOOK_MS = 200 /* at whether it was cancelled */ };

/* --- On a thread that waits ------------------------------------------------------------------------------------------ */

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

static void wait_for(struct waiter *w, int64_t until)
{
	int64_t look = clock_mono_ms() + LOOK_MS;

	if (!until || look < until)
		until = look;
	pthread_mutex_lock(&w->lock);
	while (!w->woken && cond_wait_until(&w->cond, &w->lock, until) == 0)
		;
	w->woken = false;
	pthread_mutex_unlock(&w->lock);
}

static int answer(struct model *p, const struct model_request *request, const struct model_sink *sink,
                  struct model_result *ret, struct arena *a, struct error *err)
{
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct model_answering x = { p, request, sink, ret, a, err, wake, &waiter, 0, NULL };
	int result;

	cond_init_monotonic(&waiter.cond);
	while ((result = asking_go_on(&x)) > 0)
		wait_for(&waiter, x.until);
	pthread_cond_destroy(&waiter.cond);
	pthread_mutex_destroy(&waiter.lock);
	return result;
}

/* --- The model ---------------------------------------------------------------------------------------------------- */

static void free_openai(struct model *base)
{
	struct openai *p = (struct openai *)base;

	for (size_t i = 0; i < p->endpoint_count; i++)
		list_done(&p->lists[i]);
	quirks_close(p->quirks);
	arena_done(&p->arena);
	free(p);
}

int model_openai(const struct model_openai_config *config, struct model **ret, struct error *err)
{
	struct openai *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->base = (struct model){
		.name = "openai",
		.calls_tools = true,
		.answer = answer,
		.go_on = asking_go_on,
		.free = free_openai,
	};
	p->config = *config;
	p->quirks = quirks_open(config->quirks);
	arena_init(&p->arena, 0);
	for (const struct model_endpoint *e = config->endpoints; e->name; e++) {
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
