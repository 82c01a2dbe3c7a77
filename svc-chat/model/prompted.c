#include "svc-chat/model/prompted.h"

#include <string.h>
#include <strings.h>

#include "svc-chat/model/markup.h"
#include "svc-chat/model/prompted_forms.h"

enum { LINE_LEAD = 120 /* between "Function call:" and its object */ };

/* --- What is held ------------------------------------------------------------------------------------------------------ */

void prompted_init(struct prompted *p, struct calls *calls, const struct model_request *request, bool eager,
                   struct arena *a)
{
	*p = (struct prompted){ .calls = calls,
		                .tools = request->tools,
		                .tool_count = request->tool_count,
		                .eager = eager,
		                .at_start = true,
		                .line_start = true };
	text_init(&p->held, a);
}

/* What is left is moved once, by scan(). */
static void drop(struct prompted *p, size_t size)
{
	p->held.at += size;
	p->held.length -= size;
	p->dropped += size;
}

static void pass(struct prompted *p, size_t size, struct text *out)
{
	if (p->gap)
		text_addc(out, p->gap);
	p->gap = '\0';
	text_add(out, p->held.at, size);
	for (size_t i = 0; i < size; i++) {
		p->quoted ^= p->held.at[i] == '`';
		if (p->held.at[i] == '\n') {
			p->line_start = true;
			p->quoted = false;
		}
		if (!strchr(" \t\r\n*", p->held.at[i]))
			p->line_start = false;
		p->at_start &= strchr(" \t\r\n", p->held.at[i]) != NULL;
	}
	drop(p, size);
}

/* It was no call after all. */
static void pass_form(struct prompted *p, size_t size, struct text *out)
{
	p->wasted += p->held.length;
	p->form = 0;
	p->at_start = p->behind = false;
	pass(p, size, out);
}

static void end_call(struct prompted *p, size_t size)
{
	drop(p, size);
	p->form = 0;
	p->gap = '\0';
	p->at_start = p->behind = true;
}

/* A call that could not be read is told to the model as one of a tool that there is not. */
static void take_mistake(struct prompted *p, size_t size)
{
	p->mistakes++;
	calls_take(p->calls,
	           &(struct call_piece){ .index = CALLS_TOLD + (int)p->calls->count,
	                                 .name = PROMPTED_UNREADABLE,
	                                 .arguments = arena_strndup(p->held.arena, p->held.at, size) });
}

static bool take(struct prompted *p, const char *text, size_t size, bool surely)
{
	struct arena scratch;
	bool taken;

	arena_init(&scratch, 0);
	taken = markup_take(&(struct markup){ .calls = p->calls,
	                                      .tools = p->tools,
	                                      .tool_count = p->tool_count,
	                                      .eager = p->eager,
	                                      .surely = surely,
	                                      .arena = &scratch },
	                    text, size);
	arena_done(&scratch);
	return taken;
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

/* --- Reading one -------------------------------------------------------------------------------------------------------- */

/* Where the form that is read ends; NULL: not yet. What was looked through once is not again. */
static const char *find_end(struct prompted *p, size_t start)
{
	const struct form *f = &prompted_form[p->form];
	size_t *sought = &p->sought[p->form], size = strlen(f->end), from;
	const char *end;

	from = *sought > p->dropped + start ? *sought - p->dropped : start;
	from = from < p->held.length ? from : p->held.length;
	end = strcasestr(p->held.at + from, f->end);
	*sought = p->dropped + (end                     ? (size_t)(end - p->held.at)
	                        : p->held.length > size ? p->held.length - size + 1
	                                                : 0);
	return end;
}

/* True when something was done. */
static bool read_wrapped(struct prompted *p, bool final, struct text *out)
{
	const struct form *f = &prompted_form[p->form];
	size_t start = strlen(f->start), from = f->kind == WHOLE ? 0 : start, stop;
	const char *end = find_end(p, start);

	if (!end && !final)
		return false;
	stop = end ? (size_t)(end - p->held.at) : p->held.length;
	if (!take(p, p->held.at + from, stop - from, true)) {
		if (!p->eager) { /* it speaks of something else */
			pass_form(p, start, out);
			return true;
		}
		take_mistake(p, stop);
	}
	end_call(p, stop + (end ? strlen(f->end) : 0));
	return true;
}

/* Where its arguments, or a list of calls, begin; NULL: not yet. */
static const char *find_object(const char *text)
{
	static const char *const marks[] = { "[ARGS]", "[CALL_ID]" };
	enum { MARKS = sizeof marks / sizeof *marks };
	const char *at = strpbrk(text, "{[");

	for (size_t i = 0; at && i < MARKS;) {
		int so = prompted_starts(at, marks[i]);

		if (so < 0)
			return NULL;
		at = so > 0 ? strpbrk(at + strlen(marks[i]), "{[") : at;
		i = so > 0 ? 0 : i + 1;
	}
	return at;
}

/* Past what closes a call whose object ends at `end`; false: more of that may come. */
static bool skip_close(const struct prompted *p, size_t end, size_t *stop)
{
	*stop = end + strspn(p->held.at + end, ") \t\r`*;");
	return *stop < p->held.length;
}

/* Somebody may speak of such an object, or of such a word: it takes arguments, or a word with an object behind it. */
static bool is_surely_call(const struct prompted *p, bool object)
{
	const struct form *f = &prompted_form[p->form];

	return p->eager || (f->kind != BARE && (object || f->place != AT_LINE));
}

static bool read_object(struct prompted *p, bool final, struct text *out)
{
	bool bare = prompted_form[p->form].kind == BARE;
	size_t start = bare ? 0 : strlen(prompted_form[p->form].start), end, stop;
	const char *text = p->held.at + start, *newline, *object;

	object = p->object ? NULL : find_object(text);
	if (object) {
		p->object = (size_t)(object - p->held.at) + 1;
		p->extent = (struct extent){ 0 };
	}
	object = p->held.at + (p->object ? p->object - 1 : p->held.length);
	newline = bare ? NULL : strchr(text + strspn(text, " \t\r\n*"), '\n');
	if ((size_t)(object - text) > LINE_LEAD || (newline && newline < object)) {
		pass_form(p, start ? start : 1, out);
		return true;
	}
	end = p->object ? extent_more(&p->extent, object, p->held.length - (p->object - 1)) : 0;
	end += end ? p->object - 1 : 0;
	stop = p->held.length;
	if (!(end && skip_close(p, end, &stop)) && !final)
		return false;
	if (!take(p, text, (end ? end : p->held.length) - start, is_surely_call(p, p->object != 0))) {
		if (!p->eager || !p->object) {
			pass_form(p, start ? start : 1, out);
			return true;
		}
		take_mistake(p, end ? end : p->held.length);
	}
	end_call(p, stop);
	return true;
}

/* A fenced block of JSON is held until its end; others are text. */
static bool read_fence(struct prompted *p, bool final, struct text *out)
{
	static const char *const kinds[] = { "",     "json",     "tool_call", "tool_calls", "function_call",
		                             "tool", "tool_code" };
	const char *line = strchr(p->held.at, '\n'), *body, *end;
	bool may_be = false, code;
	size_t info;

	if (!line && !final)
		return false;
	info = line ? (size_t)(line - p->held.at) - 3 : p->held.length - 3;
	while (info && strchr(" \t\r", p->held.at[3 + info - 1]))
		info--;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		may_be |= info == strlen(kinds[i]) && strncasecmp(p->held.at + 3, kinds[i], info) == 0;
	code = may_be && info == strlen("tool_code");
	body = line ? prompted_behind_blanks(line) : "";
	if (may_be && line && !*body && !final)
		return false; /* its first sign tells more */
	end = may_be && line ? strstr(body, "\n```") : NULL;
	if (may_be && !p->in_code && (*body == '{' || *body == '[' || code)) {
		if (!end && !final)
			return false;
		if (take(p, body, end ? (size_t)(end - body) : strlen(body), p->eager)) {
			end_call(p, end ? (size_t)(end + 4 - p->held.at) : p->held.length);
			return true;
		}
	}
	p->in_code = !p->in_code;
	p->form = 0;
	pass(p, line ? (size_t)(line - p->held.at) + 1 : p->held.length, out);
	return true;
}

static bool read_form(struct prompted *p, bool final, struct text *out)
{
	if (p->held.length > PROMPTED_HELD)
		final = true;
	switch (prompted_form[p->form].kind) {
	case OBJECT:
	case BARE: return read_object(p, final, out);
	case FENCED: return read_fence(p, final, out);
	case CLOSER: end_call(p, strlen(prompted_form[p->form].start)); return true;
	default: return read_wrapped(p, final, out);
	}
}

/* --- The filter ---------------------------------------------------------------------------------------------------------- */

/* Blanks behind a call are nothing, until text comes. */
static void skip_gap(struct prompted *p)
{
	size_t blanks = p->behind ? strspn(p->held.at, " \t\r\n") : 0;

	if (!blanks)
		return;
	if (memchr(p->held.at, '\n', blanks)) {
		p->gap = '\n';
		p->line_start = true;
		p->quoted = false;
	} else if (!p->gap) {
		p->gap = ' ';
	}
	drop(p, blanks);
}

static void take_all(struct prompted *p, bool final, struct text *out)
{
	for (skip_gap(p); p->held.length; skip_gap(p)) {
		int form;

		if (p->form) {
			if (!read_form(p, final, out))
				return;
			continue;
		}
		form = prompted_begins(p);
		if (form < 0 && !final && p->held.length <= PROMPTED_HELD)
			return;
		if (form <= 0) {
			p->behind = false;
			pass(p, plain(p), out);
		} else {
			p->form = form;
			p->object = 0;
		}
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
	p->dropped += p->held.length;
	p->held.length = 0;
	p->held.at[0] = '\0';
	p->form = 0;
	p->line_start = p->at_start = true;
	p->behind = p->in_code = p->quoted = false;
	p->gap = '\0';
}

void prompted_end(struct prompted *p, struct text *out)
{
	scan(p, true, out);
}
