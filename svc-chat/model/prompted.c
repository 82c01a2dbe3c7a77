#include "svc-chat/model/prompted.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/json/json.h"
#include "svc-chat/model/extent.h"

static const char args[] = "[ARGS]", closing[] = "</function>";
enum {
	LINE_LEAD = 120, /* between "Function call:" and its object */
	ARGS = sizeof args - 1,
	CLOSING = sizeof closing - 1,
};

enum form { NONE, TAG, OTHER_TAG, LINE, OTHER_LINE, MISTRAL, LLAMA, NAMED, FENCE, FORMS };

/* What begins a call, what ends it, and whether it stands at the start of a line. */
static const struct {
	const char *start, *end;
	bool at_line_start;
} forms[FORMS] = {
	[TAG] = { "<tool_call>", "</tool_call>", false },
	[OTHER_TAG] = { "<function_call>", "</function_call>", false },
	[LINE] = { "function call:", NULL, true },
	[OTHER_LINE] = { "tool call:", NULL, true },
	[MISTRAL] = { "[TOOL_CALLS]", NULL, false },
	[LLAMA] = { "<|python_tag|>", NULL, false },
	[NAMED] = { "<function=", NULL, false },
	[FENCE] = { "```", "```", true },
};

/* --- Reading a call ---------------------------------------------------------------------------------------------------- */

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

static bool is_offered(const struct prompted *p, const char *name)
{
	for (size_t i = 0; i < p->tool_count; i++)
		if (strcmp(p->tools[i].name, name) == 0)
			return true;
	return false;
}

static void take(struct prompted *p, const char *name, const char *arguments)
{
	calls_take(p->calls, &(struct call_piece){
	                         .index = (int)p->calls->count, .name = name, .arguments = arguments });
}

/* Whether the object is a call; then it is taken. */
static bool take_object(struct prompted *p, json_object *object, bool surely)
{
	static const char *const names[] = { "name", "tool", "tool_name", "function", NULL };
	static const char *const values[] = {
		"arguments", "parameters", "args", "input", "tool_input", NULL
	};
	json_object *function = json_get(object, "function");
	json_object *call = json_object_is_type(function, json_type_object) ? function : object, *arguments;
	const char *name = first_string(call, names);

	arguments = first_of(call, values);
	if (!name || !*name || (!arguments && !surely) || !(p->eager || is_offered(p, name)))
		return false;
	take(p, name,
	     json_object_is_type(arguments, json_type_string) ? json_object_get_string(arguments)
	     : arguments                                      ? json_print(arguments, p->held.arena)
	                                                      : "{}");
	return true;
}

/* The calls in a text of JSON; false when it holds none, or something else beside them. */
static bool take_json(struct prompted *p, const char *text, size_t size, bool surely)
{
	OWN(json) json_object *value = NULL;
	struct error ignored = { 0 };
	size_t count, before = p->calls->count;

	if (json_parse(text, size, &value, &ignored) < 0)
		return false;
	if (!json_object_is_type(value, json_type_array))
		return take_object(p, value, surely);
	count = json_object_array_length(value);
	for (size_t i = 0; i < count; i++)
		if (!take_object(p, json_object_array_get_idx(value, i), surely)) {
			p->calls->count = before;
			return false;
		}
	return count > 0;
}

/* What stands in a tag: an object, maybe fenced; also several, one a line. */
static bool take_body(struct prompted *p, const char *text, size_t size)
{
	bool taken = false;

	while (size && strchr(" \t\r\n`", text[size - 1]) && text[size - 1])
		size--;
	while (size && *text && strchr(" \t\r\n`", *text)) {
		text++;
		size--;
	}
	if (size > 4 && strncasecmp(text, "json", 4) == 0) {
		text += 4;
		size -= 4;
	}
	if (take_json(p, text, size, true))
		return true;
	for (const char *end = text + size; text < end;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		if (strspn(text, " \t\r") < (size_t)(stop - text) &&
		    !take_json(p, text, (size_t)(stop - text), true))
			return false;
		taken = true;
		text = stop + 1;
	}
	return taken;
}

/* "name({...})", "name {...}", "name>{...}" and "name[ARGS]{...}": the name before the object, if there is one. */
static const char *name_before(const char *text, size_t size, struct arena *a)
{
	size_t from = 0;

	while (from < size && strchr(" \t\r\n*`:", text[from]))
		from++;
	if (size - from > ARGS && memcmp(text + size - ARGS, args, ARGS) == 0)
		size -= ARGS;
	while (size > from && strchr(" \t\r\n*`(:>", text[size - 1]))
		size--;
	return size > from ? arena_strndup(a, text + from, size - from) : NULL;
}

/* --- The filter -------------------------------------------------------------------------------------------------------- */

void prompted_init(struct prompted *p, struct calls *calls, const struct model_request *request, bool eager,
                   struct arena *a)
{
	*p = (struct prompted){ .calls = calls,
		                .tools = request->tools,
		                .tool_count = request->tool_count,
		                .eager = eager,
		                .line_start = true };
	text_init(&p->held, a);
}

/* What is left is moved once, by scan(). */
static void drop(struct prompted *p, size_t size)
{
	p->held.at += size;
	p->held.length -= size;
}

static void pass(struct prompted *p, size_t size, struct text *out)
{
	text_add(out, p->held.at, size);
	for (size_t i = 0; i < size; i++)
		if (p->held.at[i] == '\n')
			p->line_start = true;
		else if (!strchr(" \t\r*", p->held.at[i]))
			p->line_start = false;
	drop(p, size);
}

/* The form that begins here; FORMS: one may, when more comes. */
static enum form begins(const struct prompted *p)
{
	enum form best = NONE;

	for (enum form f = TAG; f < FORMS; f++) {
		size_t size = strlen(forms[f].start);

		if ((forms[f].at_line_start && !p->line_start) || (p->in_code && f != FENCE))
			continue;
		if (p->held.length < size) {
			if (strncasecmp(p->held.at, forms[f].start, p->held.length) == 0)
				best = FORMS;
		} else if (strncasecmp(p->held.at, forms[f].start, size) == 0) {
			return f;
		}
	}
	return best;
}

/* What is surely text: up to where something may begin. */
static size_t plain(const struct prompted *p)
{
	size_t i = 1;

	while (i < p->held.length && p->held.at[i - 1] != '\n' && p->held.at[i] != '<' &&
	       p->held.at[i] != '[' && !p->line_start)
		i++;
	return i;
}

/* A call that could not be read is told to the model as one of a tool that there is not. */
static void take_mistake(struct prompted *p, size_t size)
{
	p->mistakes++;
	take(p, PROMPTED_UNREADABLE, arena_strndup(p->held.arena, p->held.at, size));
}

/* The tag's whole body is there, or all that will come. True when something was done. */
static bool read_tag(struct prompted *p, bool final, struct text *out)
{
	size_t start = strlen(forms[p->form].start);
	const char *end = strcasestr(p->held.at + start, forms[p->form].end);
	size_t body = end ? (size_t)(end - p->held.at) - start : p->held.length - start;

	if (!end && !final)
		return false;
	if (!take_body(p, p->held.at + start, body)) {
		if (!p->eager) { /* it speaks of something else */
			p->form = NONE;
			pass(p, start, out);
			return true;
		}
		take_mistake(p, p->held.length < start + body ? p->held.length : start + body);
	}
	drop(p, start + body + (end ? strlen(forms[p->form].end) : 0));
	p->form = NONE;
	return true;
}

/* Where its arguments, or a list of calls, begin. */
static const char *find_object(const char *text)
{
	const char *object = strpbrk(text, "{[");

	return object && strncmp(object, args, ARGS) == 0 ? strpbrk(object + ARGS, "{[") : object;
}

/* Past what closes a call whose object ends at `end`; false: more of that may come. */
static bool skip_close(const struct prompted *p, size_t end, size_t *stop)
{
	const char *at = p->held.at + end;
	size_t left, same;

	at += strspn(at, p->form == NAMED ? ") \t\r\n`*" : ") \t\r`*");
	left = p->held.length - (size_t)(at - p->held.at);
	same = p->form == NAMED && strncmp(at, closing, left < CLOSING ? left : CLOSING) == 0 ? CLOSING : 0;
	*stop = (size_t)(at - p->held.at) + (left < same ? left : same);
	return *stop < p->held.length || (same && left >= same);
}

static bool read_line(struct prompted *p, bool final, struct text *out)
{
	size_t start = strlen(forms[p->form].start), stop, from, end;
	const char *object = find_object(p->held.at + start);
	const char *name,
	    *newline = strchr(p->held.at + start + strspn(p->held.at + start, " \t\r\n*"), '\n');

	from = object ? (size_t)(object - p->held.at) : p->held.length;
	if (from - start > LINE_LEAD ||
	    (newline && p->form != NAMED && (size_t)(newline - p->held.at) < from)) {
		p->form = NONE;
		pass(p, start, out);
		return true;
	}
	end = object ? extent_of(object, p->held.length - from) : 0;
	end += end ? from : 0;
	stop = p->held.length;
	if (!(end && skip_close(p, end, &stop)) && !final)
		return false;
	if (!end && !(object && p->eager)) {
		p->form = NONE;
		pass(p, start, out);
		return true;
	}
	name = name_before(p->held.at + start, from - start, p->held.arena);
	if (!end || !(name && (p->eager || is_offered(p, name))
	                  ? (take(p, name, arena_strndup(p->held.arena, object, end - from)), true)
	                  : take_json(p, object, end - from, true))) {
		if (!p->eager) {
			p->form = NONE;
			pass(p, start, out);
			return true;
		}
		take_mistake(p, end ? end : p->held.length);
	}
	drop(p, stop);
	p->form = NONE;
	return true;
}

/* A fenced block of JSON is held until its end; others are text. */
static bool read_fence(struct prompted *p, bool final, struct text *out)
{
	static const char *const kinds[] = { "", "json", "tool_call", "tool_calls", "function_call", "tool" };
	const char *line = strchr(p->held.at, '\n'), *body, *end;
	bool may_be = false;
	size_t info;

	if (!line && !final)
		return false;
	info = line ? (size_t)(line - p->held.at) - 3 : p->held.length - 3;
	while (info && strchr(" \t\r", p->held.at[3 + info - 1]))
		info--;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		may_be |= info == strlen(kinds[i]) && strncasecmp(p->held.at + 3, kinds[i], info) == 0;
	body = line ? line + strspn(line, " \t\r\n") : "";
	if (may_be && line && !*body && !final)
		return false; /* its first sign tells more */
	end = may_be && line ? strstr(body, "\n```") : NULL;
	if (may_be && !p->in_code && (*body == '{' || *body == '[')) {
		if (!end && !final)
			return false;
		if (take_json(p, body, end ? (size_t)(end - body) : strlen(body), p->eager)) {
			drop(p, end ? (size_t)(end + 4 - p->held.at) : p->held.length);
			p->form = NONE;
			return true;
		}
	}
	p->in_code = !p->in_code;
	p->form = NONE;
	pass(p, line ? (size_t)(line - p->held.at) + 1 : p->held.length, out);
	return true;
}

static bool read_form(struct prompted *p, bool final, struct text *out)
{
	if (p->held.length > PROMPTED_HELD)
		final = true;
	switch ((enum form)p->form) {
	case LINE:
	case OTHER_LINE:
	case MISTRAL:
	case LLAMA:
	case NAMED: return read_line(p, final, out);
	case FENCE: return read_fence(p, final, out);
	default: return read_tag(p, final, out);
	}
}

static void take_all(struct prompted *p, bool final, struct text *out)
{
	while (p->held.length) {
		enum form form;

		if (p->form) {
			if (!read_form(p, final, out))
				return;
			continue;
		}
		form = begins(p);
		if (form == FORMS && !final)
			return;
		if (form == NONE || form == FORMS)
			pass(p, plain(p), out);
		else
			p->form = (int)form;
	}
}

static void scan(struct prompted *p, bool final, struct text *out)
{
	char *start = p->held.at;

	take_all(p, final, out);
	memmove(start, p->held.at, p->held.length + 1);
	p->held.at = start;
}

void prompted_feed(struct prompted *p, const char *bytes, size_t size, struct text *out)
{
	while (size) {
		size_t room = PROMPTED_HELD + 1 - p->held.length, piece = size < room ? size : room;

		text_add(&p->held, bytes, piece);
		scan(p, false, out);
		bytes += piece;
		size -= piece;
	}
}

void prompted_restart(struct prompted *p)
{
	p->held.length = 0;
	p->held.at[0] = '\0';
	p->form = NONE;
	p->line_start = true;
	p->in_code = false;
}

void prompted_end(struct prompted *p, struct text *out)
{
	scan(p, true, out);
}
