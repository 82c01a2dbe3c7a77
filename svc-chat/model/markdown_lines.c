#include "svc-chat/model/markdown.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* --- Lines -------------------------------------------------------------------------------------------------------- */

size_t markdown_blanks(struct view v)
{
	const char *at = v.at;

	while (at < v.end && (is_blank(*at) || is_line_end(*at)))
		at++;
	return (size_t)(at - v.at);
}

static size_t run_of(struct view v, char c)
{
	size_t n = 0;

	while (v.at + n < v.end && v.at[n] == c)
		n++;
	return n;
}

static void read_blanks(struct view blanks, struct markdown_line *ret)
{
	int lines = 0;

	for (; !view_ended(blanks); blanks.at++) {
		if (*blanks.at == '\n')
			lines++;
		if (is_line_end(*blanks.at))
			ret->indent = 0;
		else
			ret->indent += *blanks.at == '\t' ? 4 - ret->indent % 4 : 1;
	}
	ret->after_blank = lines > 1;
}

static enum markdown_answer read_fence(struct view line, struct markdown_line *ret)
{
	size_t run = run_of(line, *line.at);
	const char *at = line.at + run;
	bool bare = true, again = false;

	if (at == line.end && !line.final)
		return run < MARKDOWN_AHEAD ? MARKDOWN_MORE : MARKDOWN_YES;
	if (run < 3)
		return MARKDOWN_YES;
	for (; at < line.end && !is_line_end(*at) && at - line.at < MARKDOWN_AHEAD; at++) {
		bare &= is_blank(*at);
		again |= *at == *line.at;
	}
	if (at == line.end && !line.final)
		return MARKDOWN_MORE;
	if (again && *line.at == '`')
		return MARKDOWN_YES; /* a span of code */
	ret->fence = run;
	ret->fence_of = *line.at;
	ret->fence_bare = bare;
	return MARKDOWN_YES;
}

/* "- ", "12. " and so on; the column of what follows. */
static enum markdown_answer read_item(struct view line, size_t marker, struct markdown_line *ret)
{
	struct view rest = { line.at + marker, line.end, line.final };
	size_t blanks = run_of(rest, ' ');

	if (rest.at + blanks >= rest.end && !rest.final && blanks < 5)
		return MARKDOWN_MORE;
	if (!blanks)
		return MARKDOWN_YES;
	ret->marker = true;
	ret->content = ret->indent + marker + (blanks > 4 ? 1 : blanks);
	return MARKDOWN_YES;
}

static enum markdown_answer read_quoted(struct view line, struct markdown_line *ret)
{
	ret->marker = ret->quoted = true;
	while (!view_ended(line) && (*line.at == '>' || is_blank(*line.at)))
		line.at++;
	if (view_ended(line))
		return line.final ? MARKDOWN_YES : MARKDOWN_MORE;
	return *line.at == '`' || *line.at == '~' ? read_fence(line, ret) : MARKDOWN_YES;
}

enum markdown_answer markdown_line_read(struct view blanks, struct view line, struct markdown_line *ret)
{
	size_t run;

	*ret = (struct markdown_line){ 0 };
	read_blanks(blanks, ret);
	if (view_ended(line))
		return line.final ? MARKDOWN_YES : MARKDOWN_MORE;
	switch (*line.at) {
	case '`':
	case '~': return read_fence(line, ret);
	case '-':
	case '*':
	case '+': return read_item(line, 1, ret);
	case '>': return read_quoted(line, ret);
	case '#': ret->marker = ret->heading = true; return MARKDOWN_YES;
	default: break;
	}
	for (run = 0; run < 9 && line.at + run < line.end && isdigit((unsigned char)line.at[run]); run++)
		;
	if (run && line.at + run == line.end)
		return line.final ? MARKDOWN_YES : MARKDOWN_MORE;
	if (run && strchr(".)", line.at[run]))
		return read_item(line, run + 1, ret);
	return MARKDOWN_YES;
}

/* In a fenced block, or at the door of one. */
static bool enter_fence(struct markdown_block *b, const struct markdown_line *line)
{
	if (b->fence && b->quoted && !line->quoted) /* the quotation ends, and what stands in it */
		b->fence = 0;
	if (b->fence) {
		if (line->quoted == b->quoted && line->fence >= b->fence && line->fence_of == b->fence_of &&
		    line->fence_bare) {
			b->fence = 0;
			b->no_code = false;
			b->code_line = true; /* to its end */
		}
		return true;
	}
	if (line->fence < 3 || line->indent >= b->list_indent + 4)
		return false;
	b->fence = line->fence;
	b->fence_of = line->fence_of;
	b->quoted = line->quoted;
	return true;
}

bool markdown_enter(struct markdown_block *b, const struct markdown_line *line)
{
	bool may_be_code = !b->no_code || line->after_blank || b->code_line;

	if (enter_fence(b, line))
		return true;
	b->code_line = false;
	b->no_code = !line->heading;
	if (line->marker && line->indent < b->list_indent + 4) {
		b->list_indent = line->content;
		return true;
	}
	if (line->after_blank && line->indent < b->list_indent)
		b->list_indent = line->indent >= 2 ? line->indent : 0;
	b->code_line = may_be_code && line->indent >= b->list_indent + 4;
	return line->after_blank;
}

/* --- Definitions of references -------------------------------------------------------------------------------------- */

/* An address: one word, in angle brackets or with what addresses have. */
static size_t address_of(const char *at, const char *end, bool far)
{
	size_t n = 0;

	while (at + n < end && !is_blank(at[n]) && !is_line_end(at[n]))
		n++;
	if (far)
		return n > 7 && (strncasecmp(at, "http", 4) == 0 || strncasecmp(at, "<http", 5) == 0) ? n : 0;
	if (n < 2)
		return 0;
	return *at == '<' || *at == '#' || memchr(at, '/', n) || memchr(at, ':', n) || memchr(at, '.', n - 1)
	           ? n
	           : 0;
}

static size_t title_of(const char *at, const char *end)
{
	char close = at < end && *at == '(' ? ')' : at < end && strchr("\"'", *at) ? *at : '\0';
	const char *stop = close ? memchr(at + 1, close, (size_t)(end - at - 1)) : NULL;

	return stop ? (size_t)(stop + 1 - at) : 0;
}

static size_t blanks_of(const char *at, const char *end)
{
	size_t n = 0;

	while (at + n < end && is_blank(at[n]))
		n++;
	return n;
}

/* The definition in whole lines. */
static bool define(struct view v, size_t *size)
{
	const char *at = v.at + 1, *end = v.end;
	bool far;
	size_t n;

	at += blanks_of(at, end);
	far = at < end && is_line_end(*at);
	if (far)
		at += markdown_blanks((struct view){ at, end, true });
	n = address_of(at, end, far);
	if (!n)
		return false;
	at += n;
	at += blanks_of(at, end);
	at += title_of(at, end);
	at += blanks_of(at, end);
	*size = (size_t)(at - v.at);
	return at == end || is_line_end(*at);
}

enum markdown_answer markdown_definition(struct view v, size_t *size)
{
	const char *end;
	bool word = false;
	int lines = 0;

	*size = 0;
	if (view_ended(v))
		return v.final ? MARKDOWN_NO : MARKDOWN_MORE;
	if (*v.at != ':')
		return MARKDOWN_NO;
	for (end = v.at + 1; end < v.end && end - v.at < MARKDOWN_AHEAD / 2; end++) {
		if (*end == '\n' && (word || ++lines == 2))
			break;
		word |= !isspace((unsigned char)*end);
	}
	if (end == v.end && !v.final)
		return MARKDOWN_MORE;
	return define((struct view){ v.at, end, true }, size) ? MARKDOWN_YES : MARKDOWN_NO;
}
