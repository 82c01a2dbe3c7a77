/*
 * The text is taken token by token: a run of plain bytes, a line's beginning, backticks, a bracket. A token is judged
 * by what stands before it and by a bounded number of bytes behind it; when those are not there yet, everything from
 * the token on waits. So a judgement depends on the text alone, and no judgement is ever taken back.
 */
#include "svc-chat/model/citations_judge.h"

#include <ctype.h>
#include <string.h>

enum { PRIVATE_MOST = 256 };

/* What is held, as the judges see it. */
enum step { STEP_ON, STEP_MORE };

void citations_init(struct citations *c, int passages)
{
	*c = (struct citations){ .passages = passages < CITATIONS_MAX ? passages : CITATIONS_MAX };
}

void citations_go_on(struct citations *c, int passages)
{
	struct citations before = *c;

	citations_init(c, passages);
	c->count = before.count;
	memcpy(c->cited, before.cited, sizeof c->cited);
	memcpy(c->place, before.place, sizeof c->place);
}

/* --- Giving out --------------------------------------------------------------------------------------------------- */

static void remember(struct citations *c, const char *bytes, size_t size)
{
	const size_t room = sizeof c->before;

	if (size >= room) {
		memcpy(c->before, bytes + size - room, room);
		c->before_size = room;
		return;
	}
	if (c->before_size + size > room) {
		size_t kept = room - size;

		memmove(c->before, c->before + c->before_size - kept, kept);
		c->before_size = kept;
	}
	memcpy(c->before + c->before_size, bytes, size);
	c->before_size += size;
}

/* Spaces wait for what follows them: an invented citation goes with the one before it. */
static void give_spaces(struct citations *c, struct text *out)
{
	for (; c->spaces; c->spaces--) {
		text_addc(out, ' ');
		remember(c, " ", 1);
		c->cited_before = false;
	}
}

static size_t give(struct citations *c, const char *bytes, size_t size, struct text *out)
{
	if (size) {
		give_spaces(c, out);
		text_add(out, bytes, size);
		remember(c, bytes, size);
		c->cited_before = false;
	}
	return size;
}

/* The number outside of a passage, given to it now if it is new. */
static int place_of(struct citations *c, int passage)
{
	if (!c->place[passage]) {
		c->cited[c->count++] = passage;
		c->place[passage] = c->count;
	}
	return c->place[passage];
}

static void cite(struct citations *c, const struct mark *mark, struct text *out)
{
	bool seen[CITATIONS_MAX + 1] = { false };
	bool first = true;

	give_spaces(c, out);
	for (int i = 0; i < mark->count; i++) {
		int place = place_of(c, mark->numbers[i]);

		if (!seen[place])
			text_addf(out, "%s%d", first ? "[" : ", ", place);
		seen[place] = true;
		first = false;
	}
	text_addc(out, ']');
	remember(c, "]", 1);
	c->cited_before = true;
}

static void leave_out(struct citations *c)
{
	if (c->spaces)
		c->spaces--;
	c->cited_before = !c->spaces;
}

/* --- Brackets ------------------------------------------------------------------------------------------------------- */

static enum step take_number_bracket(struct citations *c, struct view *v, struct text *out)
{
	struct mark mark;
	enum mark_found found = mark_read(v->at, v->end, v->final, &mark);
	struct view behind = { v->at + mark.size, v->end, v->final };
	size_t link = 0;
	enum markdown_answer answer,
	    nowhere = found == MARK_FOUND ? citations_nowhere(behind, &link) : MARKDOWN_NO;
	enum numbers numbers;

	if (found == MARK_MORE || nowhere == MARKDOWN_MORE ||
	    (found == MARK_FOUND && view_ended(behind) && !v->final))
		return STEP_MORE;
	mark.plain &= nowhere == MARKDOWN_NO;
	behind.at += link;
	numbers = found == MARK_FOUND ? citations_numbers(c, &mark) : NUMBERS_OTHER;
	answer = citations_cites(c, &mark, numbers, behind);
	if (answer == MARKDOWN_MORE)
		return STEP_MORE;
	if (answer == MARKDOWN_YES) {
		if (numbers == NUMBERS_OURS && !c->strip)
			cite(c, &mark, out);
		else
			leave_out(c);
		v->at = behind.at;
		return STEP_ON;
	}
	c->indexed = citations_indexes(c);
	behind.at = v->at + mark.size;
	if (found == MARK_FOUND && (view_ended(behind) || *behind.at != '('))
		v->at += give(c, v->at, mark.size, out);
	else if (found ==
	         MARK_FOUND) /* the text of a link: its closing bracket comes as a token of its own */
		v->at += give(c, v->at, mark.size - 1, out);
	else
		v->at += give(c, v->at, mark_opens(v->at, v->end), out);
	return STEP_ON;
}

static enum step take_bracket(struct citations *c, struct view *v, struct text *out)
{
	enum markdown_answer start = citations_begin(v);

	if (start == MARKDOWN_YES) {
		v->at += strlen(CITE_START);
		return STEP_ON;
	}
	return start == MARKDOWN_MORE ? STEP_MORE : take_number_bracket(c, v, out);
}

/* --- Lines -------------------------------------------------------------------------------------------------------- */

/* Forget the definition of a reference behind the blanks at v (which end at `line`), and the shorter of the blanks
 * before and behind it. */
static void drop_definition(struct citations *c, struct view *v, const char *line, size_t size)
{
	char *base = c->held + (v->at - c->held);
	size_t ahead = (size_t)(line - v->at),
	       behind = markdown_blanks((struct view){ line + size, v->end, true });
	char *from = ahead >= behind ? base + ahead : base;
	size_t drop = ahead >= behind ? size + behind : ahead + size;

	if (line + size + behind == v->end || !c->begun) { /* nothing follows, or nothing came before */
		from = base;
		drop = ahead + size + behind;
	}
	memmove(from, from + drop, (size_t)(v->end - from) - drop);
	c->held_size -= drop;
	v->end -= drop;
}

/* Line ends, blanks, and how the next line that is not blank begins. */
static enum step take_line_start(struct citations *c, struct view *v, struct text *out)
{
	size_t blanks = markdown_blanks(*v), size;
	struct view rest = { v->at + blanks, v->end, v->final };
	struct markdown_line line;
	enum markdown_answer answer;

	if (blanks > CITATIONS_AHEAD / 2) { /* nobody writes so: let it go */
		v->at += give(c, v->at, blanks, out);
		c->begun = true;
		return STEP_ON;
	}
	if (view_ended(rest) && !rest.final)
		return STEP_MORE;
	answer = c->block.fence ? MARKDOWN_NO : citations_definition(c, rest, &size);
	if (answer == MARKDOWN_YES) {
		drop_definition(c, v, rest.at, size);
		return STEP_ON;
	}
	if (answer == MARKDOWN_MORE ||
	    markdown_line_read((struct view){ v->at, rest.at, true }, rest, &line) == MARKDOWN_MORE)
		return STEP_MORE;
	line.after_blank |= !c->begun;
	v->at += give(c, v->at, blanks, out);
	c->begun = true;
	c->in_url = false;
	if (markdown_enter(&c->block, &line)) {
		c->tick_count = 0;
		c->span = NULL;
	}
	return STEP_ON;
}

/* --- Tokens ------------------------------------------------------------------------------------------------------- */

/* Backticks: of a length that was seen before they close (or would have closed) code, else they may open it. */
static enum step take_ticks(struct citations *c, struct view *v, struct text *out)
{
	size_t run = 0, i = 0;

	while (v->at + run < v->end && v->at[run] == '`')
		run++;
	if (v->at + run == v->end && !v->final && run < CITATIONS_AHEAD)
		return STEP_MORE;
	while (i < c->tick_count && c->ticks[i] != run)
		i++;
	if (i < c->tick_count)
		c->tick_count = i;
	else if (i < sizeof c->ticks / sizeof *c->ticks)
		c->ticks[c->tick_count++] = run;
	v->at += give(c, v->at, run, out);
	return STEP_ON;
}

/* A backslash takes the next character with it, outside of code. */
static enum step take_escape(struct citations *c, struct view *v, struct text *out)
{
	size_t size = v->end - v->at > 1 && ispunct((unsigned char)v->at[1]) && !c->tick_count ? 2 : 1;

	if (v->end - v->at == 1 && !v->final)
		return STEP_MORE;
	v->at += give(c, v->at, size, out);
	return STEP_ON;
}

/* Mathematics or code of HTML begins or ends. */
static enum step take_span(struct citations *c, struct view *v, struct text *out)
{
	enum markdown_answer answer = MARKDOWN_NO;
	const char *close = NULL;
	size_t size = 0;

	if (c->span) {
		answer = markdown_at_close(c->span, *v, citations_last(c));
		size = strlen(c->span);
	} else if (!c->tick_count) {
		answer = markdown_opens(*v, citations_last(c), &close, &size);
	}
	if (answer == MARKDOWN_MORE)
		return STEP_MORE;
	if (answer == MARKDOWN_NO && *v->at == '\\')
		return take_escape(c, v, out);
	if (answer == MARKDOWN_YES)
		c->span = close;
	v->at += give(c, v->at, answer == MARKDOWN_YES ? size : 1, out);
	return STEP_ON;
}

static enum step take_close(struct citations *c, struct view *v, struct text *out)
{
	if (v->end - v->at == 1 && !v->final)
		return STEP_MORE;
	c->in_url = v->end - v->at > 1 && v->at[1] == '(';
	v->at += give(c, v->at, 1, out);
	return STEP_ON;
}

static size_t up_to(const char *stops, const struct view *v)
{
	size_t n = 0;

	while (v->at + n < v->end && !(v->at[n] && strchr(stops, v->at[n])))
		n++;
	return n;
}

/* What a run of plain text ends at: also the first byte of a full-width bracket. */
static const bool ends_plain[256] = {
	[' '] = true, ['\r'] = true, ['\n'] = true, ['`'] = true,  ['\\'] = true, ['$'] = true,
	['<'] = true, [']'] = true,  ['['] = true,  [0xe3] = true, [0xee] = true, [0xef] = true
};

/* Words, and single spaces between them. */
static size_t plain_run(const struct view *v)
{
	const unsigned char *at = (const unsigned char *)v->at, *end = (const unsigned char *)v->end;

	while (at < end && !ends_plain[*at]) {
		at++;
		if (end - at > 1 && *at == ' ' && !ends_plain[at[1]])
			at++;
	}
	return (size_t)((const char *)at - v->at);
}

/* U+E200 ... U+E201: a citation in ChatGPT's own signs, of sources that only it has. */
static enum step take_private(struct citations *c, struct view *v, struct text *out)
{
	size_t left = (size_t)(v->end - v->at), most = left < PRIVATE_MOST ? left : PRIVATE_MOST;
	size_t same = left < 3 ? left : 3;
	const char *close = NULL;

	if (memcmp(v->at, "\xee\x88\x80", same) == 0) {
		close = memmem(v->at, most, "\xee\x88\x81", 3);
		if (!close && !v->final && left < PRIVATE_MOST)
			return STEP_MORE;
	}
	if (!close) {
		v->at += give(c, v->at, 1, out);
		return STEP_ON;
	}
	leave_out(c);
	v->at = close + 3;
	return STEP_ON;
}

static enum step take_token(struct citations *c, struct view *v, struct text *out)
{
	size_t plain;

	if (!c->begun || *v->at == '\n' || *v->at == '\r')
		return take_line_start(c, v, out);
	if (c->block.fence || c->block.code_line) {
		v->at += give(c, v->at, up_to("\r\n", v), out);
		return STEP_ON;
	}
	if (c->in_url) {
		plain = up_to(")\r\n", v);
		c->in_url = v->at + plain == v->end;
		v->at += give(c, v->at, plain, out);
		return STEP_ON;
	}
	switch (*v->at) {
	case '`': return take_ticks(c, v, out);
	case ' ':
		c->spaces++;
		v->at++;
		return STEP_ON;
	case '$':
	case '<':
	case '\\': return take_span(c, v, out);
	case ']': return take_close(c, v, out);
	case '\xee': return take_private(c, v, out);
	default: break;
	}
	plain = plain_run(v);
	if (!plain && (mark_opens(v->at, v->end) || (v->end - v->at < 3 && !v->final)))
		return take_bracket(c, v, out);
	v->at += give(c, v->at, plain ? plain : 1, out);
	return STEP_ON;
}

static void take_all(struct citations *c, bool final, struct text *out)
{
	struct view v = { c->held, c->held + c->held_size, final };

	while (v.at < v.end && take_token(c, &v, out) == STEP_ON)
		;
	if (v.at == c->held && c->held_size == sizeof c->held) { /* there is no room for what it waits for */
		v.final = true;
		(void)take_token(c, &v, out);
	}
	c->held_size = (size_t)(v.end - v.at);
	memmove(c->held, v.at, c->held_size);
}

void citations_feed(struct citations *c, const char *bytes, size_t size, struct text *out)
{
	if (!c->passages) {
		text_add(out, bytes, size);
		return;
	}
	while (size) {
		size_t room = sizeof c->held - c->held_size, piece = size < room ? size : room;

		memcpy(c->held + c->held_size, bytes, piece);
		c->held_size += piece;
		bytes += piece;
		size -= piece;
		take_all(c, false, out);
	}
}

void citations_end(struct citations *c, struct text *out)
{
	take_all(c, true, out);
	give_spaces(c, out);
}

char *citations_strip(const char *text, struct arena *a)
{
	struct citations c;
	struct text t;

	text_init(&t, a);
	citations_init(&c, CITATIONS_MAX);
	c.strip = true;
	citations_feed(&c, text, strlen(text), &t);
	citations_end(&c, &t);
	return t.at;
}
