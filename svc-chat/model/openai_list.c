#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/json/json.h"
#include "svc-chat/model/openai.h"

enum {
	FRESH_MS = 5 * 60 * 1000,
	AGAIN_MS = 30 * 1000, /* after one that could not be had */
	TIMEOUT_MS = 5 * 1000,
	LIST_MAX = 4 << 20,
};

void list_init(struct model_list *list)
{
	*list = (struct model_list){ 0 };
	pthread_mutex_init(&list->lock, NULL);
	arena_init(&list->arena, 0);
}

void list_done(struct model_list *list)
{
	arena_done(&list->arena);
	pthread_mutex_destroy(&list->lock);
}

/* {"data": [{"id": "..."}]}, {"models": [...]}, or, as Together has it, the list alone. */
static json_object *list_in(json_object *answer)
{
	json_object *list = json_object_is_type(answer, json_type_array) ? answer
	                    : json_get(answer, "data")                   ? json_get(answer, "data")
	                                                                 : json_get(answer, "models");

	return json_object_is_type(list, json_type_array) ? list : NULL;
}

/* Under the lock: the names in place of those that there were. */
static void keep(struct model_list *list, json_object *models)
{
	size_t n = json_object_array_length(models);

	arena_reset(&list->arena);
	list->names = arena_new(&list->arena, char *, n + 1);
	list->count = 0;
	for (size_t i = 0; i < n; i++) {
		json_object *one = json_object_array_get_idx(models, i);
		const char *id = json_object_is_type(one, json_type_string) ? json_object_get_string(one)
		                                                            : json_string(one, "id");

		if (id)
			list->names[list->count++] = arena_strdup(&list->arena, id);
	}
}

/* Nobody knows the name, or it was asked for long ago; of several that find it so one asks, but for the first time. */
static bool is_due(struct model_list *list)
{
	bool due;

	pthread_mutex_lock(&list->lock);
	due = clock_mono_ms() >= list->until && (!list->asking || !list->until);
	list->asking |= due;
	pthread_mutex_unlock(&list->lock);
	return due;
}

static bool has_own_choice(const struct endpoint *e, const char *wanted)
{
	return *wanted && strcmp(wanted, "default") != 0 && strcmp(wanted, e->model) != 0;
}

struct egress_stream *list_ask(struct model_list *list, struct egress *egress, const struct endpoint *e,
                               const char *wanted, void (*wake)(void *arg), void *arg)
{
	if (!has_own_choice(e, wanted) || !is_due(list))
		return NULL;
	return egress_stream_start(egress,
	                           &(struct egress_request){ .method = "GET",
	                                                     .url = e->models_url,
	                                                     .headers = e->headers,
	                                                     .timeout_ms = TIMEOUT_MS,
	                                                     .max_bytes = LIST_MAX,
	                                                     .whole = true },
	                           wake, arg);
}

static json_object *read_list(struct egress_stream *answer, json_object **whole, struct error *why)
{
	const struct egress_response *response = egress_stream_response(answer);

	if (egress_stream_result(answer, why) < 0 || response->status != 200 ||
	    json_parse(response->body, response->body_size, whole, why) < 0)
		return NULL;
	return list_in(*whole);
}

bool list_hear(struct model_list *list, struct egress_stream *answer, const struct endpoint *e,
               const atomic_bool *cancelled)
{
	OWN(json) json_object *whole = NULL;
	bool over = egress_stream_ended(answer), asks = !over && !atomic_load(cancelled);
	json_object *models = NULL;
	struct error why = { 0 };

	if (asks)
		return true;
	if (over && !(models = read_list(answer, &whole, &why)))
		log_line(LOG_WARN, "the endpoint does not list its models", LOG_TEXT("setting", e->name),
		         LOG_INT("status", egress_stream_response(answer)->status),
		         LOG_TEXT("why", why.message));
	pthread_mutex_lock(&list->lock);
	if (models)
		keep(list, models);
	if (over)
		list->until = clock_mono_ms() + (models ? FRESH_MS : AGAIN_MS);
	list->asking = false;
	pthread_mutex_unlock(&list->lock);
	egress_stream_close(answer, 0);
	return false;
}

const char *list_choose(struct model_list *list, const struct endpoint *e, const char *wanted)
{
	bool known = false;

	if (!has_own_choice(e, wanted))
		return e->model;
	pthread_mutex_lock(&list->lock);
	for (size_t i = 0; i < list->count && !known; i++)
		known = strcmp(list->names[i], wanted) == 0;
	pthread_mutex_unlock(&list->lock);
	return known ? wanted : e->model;
}
