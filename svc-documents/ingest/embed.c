#include "svc-documents/ingest/embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/json.h"

enum { BATCH = 64, ANSWER_MAX = 16 * 1024 * 1024 };

static char *request_body(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n,
                          struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"model\":");
	text_add_json(&t, e->name, strlen(e->name));
	text_adds(&t, ",\"encoding_format\":\"float\",\"input\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_addc(&t, ',');
		text_add_json(&t, texts[i], sizes[i]);
	}
	text_adds(&t, "]}");
	return t.at;
}

static int bad_answer(struct error *err)
{
	return error_set(err, ERROR_UPSTREAM,
	                 "the embedding server's answer is not what OpenAI's API promises");
}

/* One vector at unit length, so that an inner product is the cosine. */
static int read_vector(json_object *values, float *out, int dimension, struct error *err)
{
	double sum = 0;

	if (!json_object_is_type(values, json_type_array) ||
	    (int)json_object_array_length(values) != dimension)
		return bad_answer(err);
	for (int i = 0; i < dimension; i++) {
		out[i] = (float)json_object_get_double(json_object_array_get_idx(values, (size_t)i));
		sum += (double)out[i] * out[i];
	}
	if (!(sum > 0) || !isfinite(sum))
		return bad_answer(err);
	for (int i = 0; i < dimension; i++)
		out[i] = (float)(out[i] / sqrt(sum));
	return 0;
}

/* The first answer tells the dimension and makes room for all n vectors. */
static int read_answer(const char *body, size_t size, size_t first, size_t count, size_t n, float **ret,
                       int *dimension, struct arena *a, struct error *err)
{
	OWN(json) json_object *answer = NULL;
	json_object *data;

	if (json_parse(body, size, &answer, err) < 0) {
		error_clear(err);
		return bad_answer(err);
	}
	data = json_get(answer, "data");
	if (!json_object_is_type(data, json_type_array) || json_object_array_length(data) != count)
		return bad_answer(err);
	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(data, i), *values = json_get(one, "embedding");
		int64_t place = json_int(one, "index", (int64_t)i);

		if (*dimension == 0) {
			*dimension = json_object_is_type(values, json_type_array)
			                 ? (int)json_object_array_length(values)
			                 : 0;
			if (*dimension < 1 || *dimension > EMBED_DIMENSION_MAX)
				return bad_answer(err);
			*ret = arena_new(a, float, n *(size_t)*dimension);
		}
		if (place < 0 || place >= (int64_t)count)
			return bad_answer(err);
		if (read_vector(values, *ret + (first + (size_t)place) * (size_t)*dimension, *dimension,
		                err) < 0)
			return -1;
	}
	return 0;
}

static int ask(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n,
               struct embed_wait wait, struct egress_response *answer, struct arena *a, struct error *err)
{
	const char *headers[] = { "Content-Type: application/json", NULL, NULL };
	char *body = request_body(e, texts, sizes, n, a);
	struct egress_request request = { .method = "POST",
		                          .url = arena_printf(a, "%s/embeddings", e->url),
		                          .headers = headers,
		                          .body = body,
		                          .body_size = strlen(body),
		                          .timeout_ms = wait.ms,
		                          .cancelled = wait.cancelled,
		                          .max_bytes = ANSWER_MAX };

	if (*e->key)
		headers[1] = arena_printf(a, "Authorization: Bearer %s", e->key);
	if (egress_fetch(e->egress, &request, answer, a, err) < 0)
		return -1;
	if (answer->status == 429 || answer->status == 503)
		return error_busy(err, 10, "the embedding server is busy (%d)", answer->status);
	if (answer->status != 200)
		return error_set(err, ERROR_UPSTREAM, "the embedding server answered %d", answer->status);
	return 0;
}

int embed(const struct embedder *e, const char *const *texts, const size_t *sizes, size_t n,
          struct embed_wait wait, float **ret, int *dimension, struct arena *a, struct error *err)
{
	struct arena scratch;
	int rc = 0;

	arena_init(&scratch, 0);
	*dimension = 0;
	for (size_t i = 0; i < n && rc == 0; i += BATCH) {
		size_t count = n - i < BATCH ? n - i : BATCH;
		struct egress_response answer = { 0 };

		rc = ask(e, texts + i, sizes + i, count, wait, &answer, &scratch, err);
		if (rc == 0)
			rc = read_answer(answer.body, answer.body_size, i, count, n, ret, dimension, a, err);
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return rc;
}

const char *embed_model(const struct embedder *e, int dimension, struct arena *a)
{
	return arena_printf(a, "%s%d%s", embed_model_before(e, a), dimension, embed_model_behind(e, a));
}

const char *embed_model_before(const struct embedder *e, struct arena *a)
{
	return arena_printf(a, "openai:%s:", e->name);
}

const char *embed_model_behind(const struct embedder *e, struct arena *a)
{
	return arena_printf(a, "@%s", e->url);
}

int embed_scan(const char *text, float **ret, struct arena *a)
{
	int n = 0, room = 1;

	for (const char *s = text; *s; s++)
		room += *s == ',';
	*ret = arena_new(a, float, (size_t)room);
	for (const char *s = text; *s && *s != ']' && n < room; n++) {
		char *end;

		(*ret)[n] = strtof(s + 1, &end);
		s = end;
	}
	return n;
}

char *embed_print(const float *vector, int dimension, struct arena *a)
{
	size_t room = (size_t)dimension * 16 + 3, at = 0;
	char *text = arena_alloc(a, room);

	text[at++] = '[';
	for (int i = 0; i < dimension; i++)
		at += (size_t)snprintf(text + at, room - at, "%.4g,", (double)vector[i]);
	text[at - 1] = ']';
	return text;
}
