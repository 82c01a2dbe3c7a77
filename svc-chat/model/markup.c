#include "svc-chat/model/markup_body.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/json/json.h"
#include "svc-chat/model/loose.h"

/* --- Taking ----------------------------------------------------------------------------------------------------------- */

const struct model_tool *markup_tool(const struct markup *m, const char *name)
{
	for (size_t i = 0; i < m->tool_count; i++)
		if (strcmp(m->tools[i].name, name) == 0)
			return &m->tools[i];
	return NULL;
}

bool markup_call(const struct markup *m, const char *name, const char *arguments)
{
	if (!*name || !(m->eager || markup_tool(m, name)))
		return false;
	calls_take(m->calls, &(struct call_piece){ .index = CALLS_TOLD + (int)m->calls->count,
	                                           .name = name,
	                                           .arguments = arguments });
	return true;
}

static const char *first_string(json_object *object, const char *const *keys)
{
	for (; *keys; keys++)
		if (json_string(object, *keys))
			return json_string(object, *keys);
	return NULL;
}

static json_object *first_of(json_object *object, const char *const *keys)
{
	json_object *value = NULL;

	for (; *keys && !value; keys++)
		value = json_get(object, *keys);
	return value;
}

static bool are_arguments(json_object *value)
{
	return json_object_is_type(value, json_type_object) ||
	       (json_object_is_type(value, json_type_string) && *json_object_get_string(value) == '{');
}

static bool take_object(const struct markup *m, json_object *object)
{
	static const char *const names[] = { "name", "tool", "tool_name", "function", NULL };
	static const char *const values[] = {
		"arguments", "parameters", "args", "input", "tool_input", NULL
	};
	json_object *function = json_get(object, "function");
	json_object *call = json_object_is_type(function, json_type_object) ? function : object, *arguments;
	const char *name = first_string(call, names);

	arguments = first_of(call, values);
	return name && (m->surely || are_arguments(arguments)) &&
	       markup_call(m, name,
	                   json_object_is_type(arguments, json_type_string)
	                       ? json_object_get_string(arguments)
	                   : arguments ? json_print(arguments, m->arena)
	                               : "{}");
}

static bool take_value(const struct markup *m, json_object *value)
{
	size_t count = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

	if (!json_object_is_type(value, json_type_array))
		return take_object(m, value);
	for (size_t i = 0; i < count; i++)
		if (!take_object(m, json_object_array_get_idx(value, i)))
			return false;
	return count > 0;
}

/* --- Objects ---------------------------------------------------------------------------------------------------------- */

static json_object *read_value(struct body *b, struct text *json)
{
	json_object *value = NULL;
	struct error ignored = { 0 };

	text_init(json, b->m->arena);
	if (!loose_value(&b->at, b->end, json) || json_parse(json->at, json->length, &value, &ignored) < 0)
		return NULL;
	return value;
}

const char *markup_value(struct body *b)
{
	struct text json;
	OWN(json) json_object *value = read_value(b, &json);

	return value ? json.at : NULL;
}

static bool take_json(struct body *b)
{
	struct text json;
	OWN(json) json_object *value = read_value(b, &json);

	return value && take_value(b->m, value);
}

size_t markup_one_of(const char *const *list, const char *at, const char *end)
{
	for (; *list; list++)
		if ((size_t)(end - at) >= strlen(*list) && memcmp(at, *list, strlen(*list)) == 0)
			return strlen(*list);
	return 0;
}

/* --- Names ------------------------------------------------------------------------------------------------------------ */

/* Between calls, and between a name and its arguments; what stands behind an id goes up to the next mark. */
static const char *const junk[] = { "<|tool_calls_section_begin|>",
	                            "<|tool_calls_section_end|>",
	                            "<|tool_call_begin|>",
	                            "<|tool_call_argument_begin|>",
	                            "<|tool_call_end|>",
	                            "<｜tool▁calls▁begin｜>",
	                            "<｜tool▁calls▁end｜>",
	                            "<｜tool▁call▁begin｜>",
	                            "<｜tool▁call▁end｜>",
	                            "<｜tool▁sep｜>",
	                            "<|tool_sep|>",
	                            "[TOOL_CALLS]",
	                            "[ARGS]",
	                            "```json",
	                            "```",
	                            "`",
	                            "**",
	                            "call:",
	                            NULL };

/* Past blanks, marks, and any of these signs. */
static void skip_junk(struct body *b, const char *signs)
{
	while (b->at < b->end) {
		size_t size = markup_one_of(junk, b->at, b->end);

		if (!size && *b->at && strchr(signs, *b->at))
			size = 1;
		if (!size)
			return;
		b->at += size;
	}
}

static const char *read_name(struct body *b)
{
	static const char id[] = "[CALL_ID]", prefix[] = "functions.", suffix[] = ".call";
	const char *from = b->at, *name;
	size_t size;

	while (b->at < b->end && (isalnum((unsigned char)*b->at) || strchr("_-.", *b->at)) && *b->at)
		b->at++;
	size = (size_t)(b->at - from);
	if (b->at < b->end && *b->at == ':') /* Kimi's counter */
		while (b->at < b->end && (isdigit((unsigned char)*b->at) || *b->at == ':'))
			b->at++;
	if ((size_t)(b->end - b->at) > sizeof id && memcmp(b->at, id, sizeof id - 1) == 0)
		while (++b->at < b->end && *b->at != '[')
			;
	name = arena_strndup(b->m->arena, from, size);
	if (strncmp(name, prefix, sizeof prefix - 1) == 0)
		name += sizeof prefix - 1;
	size = strlen(name);
	if (size > sizeof suffix && strcmp(name + size - (sizeof suffix - 1), suffix) == 0)
		name = arena_strndup(b->m->arena, name, size - (sizeof suffix - 1));
	return name;
}

/* "name({...})", "name(a='x')": behind its bracket. */
static bool take_bracketed(struct body *b, const char *name)
{
	const char *arguments = NULL;
	struct text object;

	b->at = loose_skip(b->at + 1, b->end);
	if (b->at < b->end && *b->at == '{') {
		arguments = markup_value(b);
		skip_junk(b, " \t\r\n)");
		return arguments && markup_call(b->m, name, arguments);
	}
	text_init(&object, b->m->arena);
	return loose_arguments(&b->at, b->end, &object) && markup_call(b->m, name, object.at);
}

static bool take_named(struct body *b)
{
	static const char pair[] = "<arg_key>";
	const char *name = read_name(b), *arguments = NULL;

	skip_junk(b, " \t\r\n:>");
	if (strcmp(name, "function") == 0 && !markup_tool(b->m, name)) { /* DeepSeek says first what it is */
		name = read_name(b);
		skip_junk(b, " \t\r\n:>");
	}
	if (!*name)
		return false;
	if (b->at < b->end && *b->at == '(')
		return take_bracketed(b, name);
	if (b->at < b->end && *b->at == '{') {
		arguments = markup_value(b);
		return arguments && markup_call(b->m, name, arguments);
	}
	if ((size_t)(b->end - b->at) >= sizeof pair && memcmp(b->at, pair, sizeof pair - 1) == 0)
		return markup_pairs(b, name);
	return b->m->surely && b->at == b->end && markup_tool(b->m, name) && markup_call(b->m, name, "{}");
}

/* --- All of it -------------------------------------------------------------------------------------------------------- */

static bool take_one(struct body *b)
{
	const char *behind, *name;

	switch (markup_tag(b->at, b->end, &behind, &name, b->m->arena)) {
	case TAG_CALL: b->at = behind; return markup_tagged(b, name);
	case TAG_END: b->at = behind; return true; /* of nothing */
	default: break;
	}
	if (*b->at == '{' || (*b->at == '[' && *loose_skip(b->at + 1, b->end) == '{'))
		return take_json(b);
	if (*b->at == '[') { /* Python's list of calls */
		b->at = loose_skip(b->at + 1, b->end);
		return b->at < b->end && take_named(b);
	}
	return take_named(b);
}

bool markup_take(const struct markup *m, const char *text, size_t size)
{
	struct body b = { m, text, text + size };
	size_t before = m->calls->count, bytes = m->calls->bytes;

	if (size > 4 && strncasecmp(text, "json", 4) == 0)
		b.at += 4;
	for (skip_junk(&b, " \t\r\n;,"); b.at < b.end; skip_junk(&b, " \t\r\n;,])"))
		if (!take_one(&b)) {
			m->calls->count = before;
			m->calls->bytes = bytes;
			return false;
		}
	return m->calls->count > before;
}
