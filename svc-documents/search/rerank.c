#include "svc-documents/search/rerank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/json/json.h"

enum { ANSWER_MAX = 4 * 1024 * 1024, LEAST_MS = 100 /* that are worth asking for */ };

size_t rerank_count(const struct reranker *r, size_t wanted)
{
	size_t more = wanted * 3 < RERANK_MAX ? wanted * 3 : RERANK_MAX;

	return r->egress && more > wanted ? more : wanted;
}

static char *request_body(const struct reranker *r, const char *question, const struct passage *passages,
                          size_t count, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"model\":");
	text_add_json(&t, r->model, strlen(r->model));
	text_adds(&t, ",\"query\":");
	text_add_json(&t, question, strlen(question));
	text_addf(&t, ",\"top_n\":%zu,\"return_documents\":false,\"documents\":[", count);
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_addc(&t, ',');
		text_add_json(&t, passages[i].text, strlen(passages[i].text));
	}
	text_adds(&t, "]}");
	return t.at;
}

static int bad_answer(struct error *err)
{
	return error_set(err, ERROR_UPSTREAM, "the reranker's answer is not what its API promises");
}

/* Every passage's score, or none at all. */
static int read_answer(const char *body, size_t size, double *scores, size_t count, struct error *err)
{
	OWN(json) json_object *answer = NULL;
	json_object *results;

	if (json_parse(body, size, &answer, err) < 0) {
		error_clear(err);
		return bad_answer(err);
	}
	results = json_get(answer, "results");
	if (!json_object_is_type(results, json_type_array) || json_object_array_length(results) != count)
		return bad_answer(err);
	for (size_t i = 0; i < count; i++)
		scores[i] = NAN;
	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(results, i),
		            *score = json_get(one, "relevance_score");
		int64_t place = json_int(one, "index", -1);

		if (place < 0 || place >= (int64_t)count || !score)
			return bad_answer(err);
		scores[place] = json_object_get_double(score);
	}
	for (size_t i = 0; i < count; i++)
		if (!isfinite(scores[i]))
			return bad_answer(err);
	return 0;
}

static int ask(const struct reranker *r, const char *question, const struct passage *passages, size_t count,
               int timeout_ms, double *scores, struct arena *a, struct error *err)
{
	const char *headers[] = { "Content-Type: application/json", NULL, NULL };
	char *body = request_body(r, question, passages, count, a);
	struct egress_request request = { .method = "POST",
		                          .url = r->url,
		                          .headers = headers,
		                          .body = body,
		                          .body_size = strlen(body),
		                          .timeout_ms = timeout_ms,
		                          .max_bytes = ANSWER_MAX };
	struct egress_response answer = { 0 };

	if (*r->key)
		headers[1] = arena_printf(a, "Authorization: Bearer %s", r->key);
	if (egress_fetch(r->egress, &request, &answer, a, err) < 0)
		return -1;
	if (answer.status != 200)
		return error_set(err, ERROR_UPSTREAM, "the reranker answered %d", answer.status);
	return read_answer(answer.body, answer.body_size, scores, count, err);
}

static int by_score(const void *x, const void *y)
{
	double a = ((const struct passage *)x)->score, b = ((const struct passage *)y)->score;

	return (a < b) - (a > b);
}

void rerank(const struct reranker *r, struct call *call, const char *question, struct passage *passages,
            size_t count, int64_t until)
{
	int64_t left = until - clock_unix_ms();
	struct error err = { 0 };
	double *scores;

	if (!r->egress || count < 2 || left < LEAST_MS)
		return;
	scores = arena_new(call->arena, double, count);
	if (ask(r, question, passages, count, (int)left, scores, call->arena, &err) < 0) {
		log_line(LOG_WARN, "searching without the reranker", LOG_TEXT("request", call->request_id),
		         LOG_TEXT("error", err.message), LOG_TEXT("detail", err.detail));
		return;
	}
	for (size_t i = 0; i < count; i++)
		passages[i].score = scores[i] < 0 ? 0 : scores[i] > 1 ? 1 : scores[i];
	qsort(passages, count, sizeof *passages, by_score);
}
