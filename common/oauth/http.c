#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/query.h"
#include "common/oauth/internal.h"

enum { REDIRECTS = 3, LONGEST_MS = 15 * 1000 };

/* --- What may be read -------------------------------------------------------------------------------------------------- */

static bool is_visible(const char *text, size_t most)
{
	size_t length = 0;

	for (; text[length]; length++)
		if (text[length] <= ' ' || text[length] > '~' || length == most)
			return false;
	return length > 0;
}

bool oauth_is_url(const char *url)
{
	const char *host = !strncasecmp(url, "https://", 8)  ? url + 8
	                   : !strncasecmp(url, "http://", 7) ? url + 7
	                                                     : NULL;
	size_t length = host ? strcspn(host, "/?") : 0;

	return length && is_visible(url, OAUTH_URL_BYTES) && !strpbrk(url, "#\\<>\"{}|^`") &&
	       !memchr(host, '@', length) && *host != ':';
}

bool oauth_is_no_weaker(const char *url, const char *from)
{
	return strncasecmp(url, "https:", 6) == 0 || strncasecmp(from, "http:", 5) == 0;
}

const char *oauth_word(json_object *object, const char *key, size_t most, struct arena *a)
{
	const char *text = json_string(object, key);

	return text && is_visible(text, most) ? arena_strdup(a, text) : NULL;
}

const char *oauth_scope(const char *text, struct arena *a)
{
	if (!text || strlen(text) > OAUTH_WORD_BYTES)
		return NULL;
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			return NULL;
	text += strspn(text, " ");
	return *text ? arena_strdup(a, text) : NULL;
}

const char *oauth_words(json_object *object, const char *key, struct arena *a)
{
	json_object *list = json_get(object, key);
	struct text words;

	if (!json_object_is_type(list, json_type_array))
		return NULL;
	text_init(&words, a);
	text_adds(&words, "");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);
		const char *word =
		    json_object_is_type(one, json_type_string) ? json_object_get_string(one) : "";

		if (is_visible(word, 200) && words.length < OAUTH_WORD_BYTES - 200)
			text_addf(&words, "%s%s", words.length ? " " : "", word);
	}
	return words.at;
}

bool oauth_has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words ? words : ""; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, " ") == length && memcmp(at, word, length) == 0)
			return true;
	return false;
}

/* --- What goes out ------------------------------------------------------------------------------------------------------ */

void oauth_form_add(struct text *form, const char *name, const char *value)
{
	if (!value)
		return;
	text_addf(form, "%s%s=", form->length ? "&" : "", name);
	query_encode(form, value);
}

/* --- Requests ------------------------------------------------------------------------------------------------------------ */

static int time_left(const struct oauth *o)
{
	int64_t left = o->deadline - clock_mono_ms();

	return left < 1 ? 1 : left > LONGEST_MS ? LONGEST_MS : (int)left;
}

/* A JSON object, or NULL. */
static json_object *read_object(const struct egress_response *answer)
{
	json_object *object = NULL;
	struct error unreadable = { 0 };

	if (!answer->body || json_parse(answer->body, answer->body_size, &object, &unreadable) < 0)
		return NULL;
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

int oauth_get(const struct oauth *o, const char *url, json_object **ret, struct error *err)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct egress_response answer;

	*ret = NULL;
	if (egress_fetch(o->egress,
	                 &(struct egress_request){ .method = "GET",
	                                           .url = url,
	                                           .headers = headers,
	                                           .timeout_ms = time_left(o),
	                                           .max_bytes = OAUTH_BYTES,
	                                           .max_redirects = REDIRECTS,
	                                           .cancelled = o->cancelled },
	                 &answer, o->arena, err) < 0) {
		if (err->code == ERROR_UNKNOWN_OUTCOME || err->code == ERROR_TOO_LARGE)
			err->code = ERROR_UPSTREAM; /* nothing was to be changed */
		return -1;
	}
	if (answer.status == 200)
		*ret = read_object(&answer);
	return *ret != NULL;
}

int oauth_post(const struct oauth *o, const char *url, const char *const *headers, const char *body,
               int *status, json_object **ret, struct error *err)
{
	struct egress_response answer;

	*ret = NULL;
	if (egress_fetch(o->egress,
	                 &(struct egress_request){ .method = "POST",
	                                           .url = url,
	                                           .headers = headers,
	                                           .body = body,
	                                           .body_size = strlen(body),
	                                           .timeout_ms = time_left(o),
	                                           .max_bytes = OAUTH_BYTES,
	                                           .once = true,
	                                           .cancelled = o->cancelled },
	                 &answer, o->arena, err) < 0) {
		if (err->code == ERROR_TOO_LARGE)
			err->code = ERROR_UPSTREAM;
		return -1;
	}
	*status = answer.status;
	*ret = read_object(&answer);
	return 0;
}

int oauth_refused(enum error_code code, const char *what, int status, json_object *answer, struct error *err)
{
	const char *word = json_string(answer, "error"), *more = json_string(answer, "error_description");

	if (word && !is_visible(word, 100))
		word = NULL;
	error_set(err, code, "%s%s%s", what, word ? ": " : "", word ? word : "");
	error_detail(err, "HTTP %d %.300s", status, more ? more : "");
	return -1;
}
