#include "svc-chat/model/completion.h"

#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/json/json.h"
#include "svc-chat/model/repair.h"

enum { MODEL_NAME_MAX = 200 };

/* --- Texts, in the shapes that they have ---------------------------------------------------------------------------- */

/* What becomes text, and what becomes reasoning. */
struct pieces {
	struct text text, reasoning;
};

static void add_string(json_object *value, struct text *ret)
{
	if (json_object_is_type(value, json_type_string))
		text_add(ret, json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static void add_parts(json_object *list, struct text *text, struct text *reasoning, int depth);

/* One part of a content: {"type": "text", "text": "..."}, {"type": "thinking", "thinking": [...]}, and their kin. */
static void add_part(json_object *part, struct text *text, struct text *reasoning, int depth)
{
	static const struct {
		const char *key;
		bool thought;
	} keys[] = { { "thinking", true }, { "reasoning", true },      { "reasoning_content", true },
		     { "summary", true },  { "reasoning_text", true }, { "text", false },
		     { "refusal", false }, { "content", false },       { "value", false } };
	const char *type = json_string(part, "type");
	bool thought = type && (strstr(type, "think") || strstr(type, "reason") || strstr(type, "thought"));

	if (!json_object_is_type(part, json_type_object)) {
		add_string(part, text);
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_object *value = json_get(part, keys[i].key);
		struct text *ret = thought || keys[i].thought ? reasoning : text;

		if (value) {
			add_parts(value, ret, reasoning, depth + 1);
			return;
		}
	}
}

/* A string, a part, or a list of parts. */
static void add_parts(json_object *value, struct text *text, struct text *reasoning, int depth)
{
	if (depth > 4)
		return;
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			add_part(json_object_array_get_idx(value, i), text, reasoning, depth);
	else
		add_part(value, text, reasoning, depth);
}

static void read_message(json_object *message, struct pieces *ret)
{
	static const char *const thoughts[] = { "reasoning_content", "reasoning",
		                                "reasoning_details", "thinking",
		                                "reasoning_text",    "thinking_blocks",
		                                "thought",           NULL };
	json_object *content = json_get(message, "content");

	for (const char *const *key = thoughts; *key && !ret->reasoning.length; key++)
		add_parts(json_get(message, *key), &ret->reasoning, &ret->reasoning, 0);
	add_parts(content, &ret->text, &ret->reasoning, 0);
	if (json_object_is_type(content, json_type_int) || json_object_is_type(content, json_type_double))
		text_adds(&ret->text, json_object_get_string(content)); /* "2", read as JSON on its way */
	if (!ret->text.length)
		add_string(json_get(message, "refusal"), &ret->text);
	if (!ret->text.length)
		add_string(message, &ret->text);
}

/* --- The object ----------------------------------------------------------------------------------------------------- */

/* The answer; not another one that nobody asked for; or what some have in place of a list. */
static json_object *first_choice(json_object *object)
{
	json_object *choices = json_get(object, "choices");
	size_t n = json_object_is_type(choices, json_type_array) ? json_object_array_length(choices) : 0;

	for (size_t i = 0; i < n; i++)
		if (json_int(json_object_array_get_idx(choices, i), "index", 0) == 0)
			return json_object_array_get_idx(choices, i);
	if (json_object_is_type(choices, json_type_object))
		return choices;
	return n == 1 ? json_object_array_get_idx(choices, 0) : NULL;
}

/* Where the answer stands: as it is, or in {"code": 0, "data": {...}}; Ollama's and Cloudflare's own have no choices. */
static json_object *unwrapped(json_object *object)
{
	static const char *const keys[] = { "data", "result", "output", NULL };

	for (const char *const *key = keys; *key && !json_get(object, "choices"); key++) {
		json_object *inner = json_get(object, *key);

		if (json_get(inner, "choices") || json_string(inner, "response"))
			return inner;
	}
	return object;
}

static json_object *choice_of(json_object *answer)
{
	bool bare = !json_get(answer, "choices") &&
	            (json_object_is_type(json_get(answer, "message"), json_type_object) ||
	             json_string(answer, "response"));

	return bare ? answer : first_choice(answer);
}

/* A call, or a piece of one: {"index", "id", "function": {"name", "arguments"}}; or the function alone. */
static struct call_piece read_call(json_object *call, struct arena *a)
{
	static const char *const keys[] = { "arguments", "parameters", "input", NULL };
	json_object *function = json_get(call, "function"), *arguments = NULL;
	int64_t index = json_int(call, "index", -1);

	for (const char *const *key = keys; *key && !arguments; key++)
		arguments = json_get(function ? function : call, *key);

	return (struct call_piece){
		.index = index >= 0 && index < 1000 ? (int)index : -1,
		.id = arena_strdup(a, json_string(call, "id")),
		.name = arena_strdup(a, json_string(function ? function : call, "name")),
		.arguments = json_object_is_type(arguments, json_type_string)
		                 ? arena_strdup(a, json_object_get_string(arguments))
		             : json_object_is_type(arguments, json_type_object) ? json_print(arguments, a)
		                                                                : NULL,
	};
}

/* What a list has, or an object alone; of the parts of a content, those that are calls. */
static void add_calls(json_object *value, bool parts, struct completion *ret, struct call_piece *calls,
                      struct arena *a)
{
	size_t n = json_object_is_type(value, json_type_array)    ? json_object_array_length(value)
	           : json_object_is_type(value, json_type_object) ? 1
	                                                          : 0;

	for (size_t i = 0; i < n && ret->call_count < CALLS_MAX; i++) {
		json_object *one =
		    json_object_is_type(value, json_type_array) ? json_object_array_get_idx(value, i) : value;
		const char *type = json_string(one, "type");

		if (!parts || (type && (strcmp(type, "tool_use") == 0 || strcmp(type, "tool_call") == 0)))
			calls[ret->call_count++] = read_call(one, a);
	}
}

static void read_calls(json_object *message, struct completion *ret, struct arena *a)
{
	struct call_piece calls[CALLS_MAX], *kept;

	add_calls(json_get(message, "tool_calls"), false, ret, calls, a);
	if (!ret->call_count)
		add_calls(json_get(message, "function_call"), false, ret, calls, a);
	if (!ret->call_count)
		add_calls(json_get(message, "content"), true, ret, calls, a);
	if (!ret->call_count)
		return;
	kept = arena_new(a, struct call_piece, ret->call_count);
	memcpy(kept, calls, ret->call_count * sizeof *kept);
	ret->calls = kept;
}

/* NULL while it goes on, which some say in a word. */
static const char *read_finish(json_object *choice, struct arena *a)
{
	const char *finish = json_string(choice, "finish_reason");

	if (!finish)
		finish = json_string(choice, "done_reason"); /* Ollama */
	return finish && *finish && strcmp(finish, "null") != 0 && strcmp(finish, "None") != 0
	           ? arena_strdup(a, finish)
	           : NULL;
}

static void read_choice(json_object *choice, struct completion *ret, struct arena *a)
{
	struct pieces pieces;

	text_init(&pieces.text, a);
	text_init(&pieces.reasoning, a);
	read_message(json_get(choice, "delta"), &pieces);
	if (!pieces.text.length && !pieces.reasoning.length) {
		read_message(json_get(choice, "message"), &pieces);
		ret->whole = (pieces.text.length || pieces.reasoning.length) && !json_get(choice, "done");
	}
	if (!pieces.text.length && !json_get(choice, "delta") && !json_get(choice, "message"))
		add_string(json_get(choice, json_get(choice, "text") ? "text" : "response"), &pieces.text);
	read_calls(json_get(choice, "delta"), ret, a);
	if (!ret->call_count)
		read_calls(choice, ret, a);
	if (!ret->call_count) {
		read_calls(json_get(choice, "message"), ret, a);
		ret->whole_calls = ret->call_count > 0 && !json_get(choice, "done"); /* Ollama's are pieces */
	}
	ret->text = pieces.text.length ? pieces.text.at : NULL;
	ret->reasoning = pieces.reasoning.length ? pieces.reasoning.at : NULL;
	ret->finish = read_finish(choice, a);
}

/* 12, and 12.0. */
static int64_t tokens_of(json_object *usage, const char *name, const char *other)
{
	double n = json_real(usage, name, json_real(usage, other, 0));

	return n > 0 && n < 1e15 ? (int64_t)n : 0;
}

static void read_usage(json_object *usage, struct completion *ret)
{
	if (!json_object_is_type(usage, json_type_object))
		return;
	ret->has_usage = true;
	ret->prompt_tokens = tokens_of(usage, "prompt_tokens", "input_tokens");
	ret->completion_tokens = tokens_of(usage, "completion_tokens", "output_tokens");
}

/* As it is where it is right, repaired where not. */
static json_object *parse(const char *bytes, size_t size, struct arena *a)
{
	json_object *object = NULL;
	struct error ignored = { 0 };
	struct text text;

	if (json_parse(bytes, size, &object, &ignored) == 0)
		return object;
	text_init(&text, a);
	repair_json(bytes, size, &text);
	return json_parse(text.at, text.length, &object, &ignored) == 0 ? object : NULL;
}

/* "[DONE]", also as a string of JSON. */
static bool is_done(const char *bytes, size_t size)
{
	static const char around[] = " \t\r\n\"";

	while (size && *bytes && strchr(around, *bytes)) {
		bytes++;
		size--;
	}
	while (size && bytes[size - 1] && strchr(around, bytes[size - 1]))
		size--;
	return size == 6 && strncasecmp(bytes, "[DONE]", 6) == 0;
}

bool completion_read(const char *bytes, size_t size, struct completion *ret, struct arena *a)
{
	OWN(json) json_object *whole = NULL;
	json_object *object, *answer, *choice;
	const char *model;

	*ret = (struct completion){ .done = is_done(bytes, size) };
	if (ret->done)
		return true;
	object = whole = parse(bytes, size, a);
	if (json_object_is_type(whole, json_type_array) && json_object_array_length(whole) == 1)
		object = json_object_array_get_idx(whole, 0);
	ret->failed = complaint_of(object, &ret->complaint, a);
	if (!ret->failed && !json_object_is_type(object, json_type_object))
		return false;
	answer = unwrapped(object);
	choice = choice_of(answer);
	if (!ret->failed)
		ret->failed = complaint_of(choice, &ret->complaint, a);
	if (!ret->failed && !choice && !json_get(answer, "choices"))
		ret->remark = complaint_remark(object, &ret->complaint, a);
	read_choice(choice, ret, a);
	read_usage(json_get(json_get(object, "x_groq"), "usage"), ret); /* Groq */
	read_usage(json_get(choice, "usage"), ret);                     /* Moonshot */
	read_usage(json_get(answer, "usage"), ret);
	read_usage(json_get(object, "usage"), ret);
	model = json_string(object, "model");
	if (model && *model && strlen(model) <= MODEL_NAME_MAX)
		ret->model = arena_strdup(a, model);
	return true;
}
