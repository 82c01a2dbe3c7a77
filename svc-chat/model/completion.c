#include "svc-chat/model/completion.h"

#include <string.h>

#include "common/base/utf8.h"
#include "common/json/json.h"

enum { WORDS_MAX = 200 }; /* bytes of the peer's own words about itself */

/* Of {"error": {"message": "..."}} or {"error": "..."}, or, as some have it, {"message": "..."} or {"detail": "..."}. */
static const char *complaint_of(json_object *object)
{
	json_object *error = json_get(object, "error");
	const char *text = json_object_is_type(error, json_type_string) ? json_object_get_string(error)
	                                                                : json_string(error, "message");

	if (!text && !error)
		text = json_string(object, "message");
	if (!text && !error)
		text = json_string(object, "detail");
	return text;
}

/* One line, whole characters, not too long: it goes into a sentence of ours. */
static const char *shorten(const char *text, struct arena *a)
{
	char *line = arena_strndup(a, text, utf8_clip(text, strlen(text), WORDS_MAX));

	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	return line;
}

const char *completion_complaint(const char *bytes, size_t size, struct arena *a)
{
	OWN(json) json_object *object = NULL;
	struct error ignored = { 0 };
	const char *text = NULL;

	if (json_parse(bytes, size, &object, &ignored) == 0)
		text = complaint_of(object);
	return text ? shorten(text, a) : "";
}

static const char *text_of(json_object *message, const char *key, struct arena *a)
{
	const char *text = json_string(message, key);

	return text && *text ? arena_strdup(a, text) : NULL;
}

static int64_t at_least_zero(int64_t n)
{
	return n > 0 ? n : 0;
}

int completion_read(const char *bytes, size_t size, struct completion *ret, struct arena *a,
                    struct error *err)
{
	OWN(json) json_object *object = NULL;
	json_object *choices, *choice, *message, *usage;
	struct error unread = { 0 };

	*ret = (struct completion){ 0 };
	if (size == 6 && memcmp(bytes, "[DONE]", 6) == 0) {
		ret->done = true;
		return 0;
	}
	if (json_parse(bytes, size, &object, &unread) < 0 || !json_object_is_type(object, json_type_object)) {
		error_set(err, ERROR_UPSTREAM, "the model's answer could not be read");
		error_detail(err, "%s", unread.message);
		return -1;
	}
	if (json_get(object, "error"))
		return error_set(err, ERROR_UPSTREAM, "the model refused: %s",
		                 complaint_of(object) ? shorten(complaint_of(object), a) : "no reason given");
	choices = json_get(object, "choices");
	choice = json_object_is_type(choices, json_type_array) && json_object_array_length(choices)
	             ? json_object_array_get_idx(choices, 0)
	             : NULL;
	message = json_get(choice, "delta") ? json_get(choice, "delta") : json_get(choice, "message");
	ret->text = text_of(message, "content", a);
	ret->reasoning = text_of(message, "reasoning_content", a);
	if (!ret->reasoning) /* as vLLM and OpenRouter have it */
		ret->reasoning = text_of(message, "reasoning", a);
	ret->finish = text_of(choice, "finish_reason", a);
	ret->model = json_string(object, "model") ? shorten(json_string(object, "model"), a) : NULL;
	usage = json_get(object, "usage");
	if (json_object_is_type(usage, json_type_object)) {
		ret->has_usage = true;
		ret->prompt_tokens = at_least_zero(json_int(usage, "prompt_tokens", 0));
		ret->completion_tokens = at_least_zero(json_int(usage, "completion_tokens", 0));
	}
	return 0;
}
