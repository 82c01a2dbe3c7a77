#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"
#include "common/text/sentence.h"
#include "svc-chat/model/blocks_reader.h"

enum {
	QUESTION_MAX = 200, /* of a line that asks */
	LEAD_MAX = 40,      /* bytes of it */
	ITEM_MAX = 400,     /* bytes of an item that is one block; a longer one is taken by its sentences */
};

/* --- Lines ------------------------------------------------------------------------------------------------------- */

struct span line_span(const char *at, const char *end)
{
	while (at < end && strchr(" \t\n", *at))
		at++;
	while (end > at && strchr(" \t\n", end[-1]))
		end--;
	return (struct span){ at, (size_t)(end - at) };
}

const char *line_end(const char *s, const char *end)
{
	const char *eol = memchr(s, '\n', (size_t)(end - s));

	return eol ? eol : end;
}

static void *widen(struct arena *a, void *at, size_t count, size_t *room, size_t size)
{
	void *bigger;

	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 64;
	bigger = arena_alloc(a, *room * size);
	if (count)
		memcpy(bigger, at, count * size);
	return bigger;
}

bool line_asks(struct span s)
{
	static const char wide[] = "\xef\xbc\x9f"; /* ？ */

	return s.size > 1 &&
	       (s.at[s.size - 1] == '?' || (s.size > 3 && memcmp(s.at + s.size - 3, wide, 3) == 0)) &&
	       utf8_length(s.at, s.size) <= QUESTION_MAX &&
	       sentence_end(s.at, s.at + s.size) == s.at + s.size;
}

static bool says_something(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (isalnum((unsigned char)s.at[i]) || (s.at[i] & 0x80))
			return true;
	return false;
}

void reader_add_section(struct reader *r, struct span title, int level, bool question, bool given)
{
	struct blocks *b = r->out;
	ptrdiff_t above = (ptrdiff_t)b->section_count - 1;

	b->sections = widen(r->arena, b->sections, b->section_count, &r->section_room, sizeof *b->sections);
	while (above >= 0 && (b->sections[above].passage != r->passage || b->sections[above].level >= level))
		above--;
	b->sections[b->section_count++] =
	    (struct section){ title, r->passage, above, level, question, given };
	r->paragraph++;
	r->head = (struct span){ 0 };
}

void reader_add_block(struct reader *r, enum block_kind kind, struct span text, struct span lead)
{
	struct blocks *b = r->out;

	if (!says_something(text) || line_asks(text))
		return;
	b->at = widen(r->arena, b->at, b->count, &r->block_room, sizeof *b->at);
	b->at[b->count++] =
	    (struct block){ kind,         text, b->section_count - 1,
		            r->paragraph, lead, kind == BLOCK_ROW ? r->head : (struct span){ 0 } };
}

/* --- Prose ------------------------------------------------------------------------------------------------------ */

static size_t words_in(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.size; i++)
		n += s.at[i] != ' ' && (i == 0 || s.at[i - 1] == ' ');
	return n;
}

/* Is the first sentence of a paragraph only what it is about? "§ 4 Security. The customer ..." Not "Serves 6. Vegan.": what
 * a title is followed by is longer than one. */
static bool is_lead(struct span first, struct span rest)
{
	return rest.size && sentence_end(rest.at, rest.at + rest.size) - rest.at > LEAD_MAX &&
	       first.size <= LEAD_MAX && words_in(first) <= LEAD_WORDS && !line_asks(first) &&
	       !memchr(first.at, ':', first.size) && first.at[first.size - 1] != '!';
}

static void read_sentences(struct reader *r, enum block_kind kind, const char *s, const char *end)
{
	struct span lead = { 0 };
	bool first = true;

	while (s < end) {
		const char *stop = sentence_end(s, end);
		struct span one = line_span(s, stop);

		/* "3." is a number, no sentence */
		if (one.size < 4 && line_span(stop, end).size && isdigit((unsigned char)*one.at)) {
			stop = sentence_end(stop, end);
			one = line_span(s, stop);
		}
		if (first && is_lead(one, line_span(stop, end)))
			lead = one;
		else
			reader_add_block(r, kind, one, lead);
		first = false;
		s = stop;
	}
}

static size_t item_mark(struct span line)
{
	const char *p = line.at, *end = p + line.size;

	if (strchr("-*+", *p) && line.size > 2 && p[1] == ' ')
		return 2;
	if (line.size > 4 && memcmp(p, "\xe2\x80\xa2", 3) == 0)
		return 3;
	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > line.at && p + 1 < end && (*p == '.' || *p == ')') && p[1] == ' '
	           ? (size_t)(p + 2 - line.at)
	           : 0;
}

/* Does this line begin something new though no empty line is before it? An item, a clause, "Date: ...". */
static bool begins_anew(struct span line)
{
	size_t n;

	if (item_mark(line) || table_piped(line) || line_asks(line))
		return true;
	if (title_numbered(line.at, line.at + line.size) ||
	    (line.size > 2 && memcmp(line.at, "\xc2\xa7", 2) == 0))
		return true;
	n = title_label(line);
	return n >= 3 && line.at[n - 2] == ':';
}

/* The lines from s that belong together; returns where they end. */
static const char *paragraph_end(const char *s, const char *end)
{
	const char *eol = line_end(s, end);
	struct span title;

	while (eol < end) {
		struct span next = line_span(eol + 1, line_end(eol + 1, end));

		if (!next.size || begins_anew(next) || title_marked(next, &title) ||
		    strncmp(next.at, "```", 3) == 0)
			break;
		eol = line_end(eol + 1, end);
	}
	return eol;
}

static const char *block_end(const char *s, const char *end)
{
	const char *border = memmem(s, (size_t)(end - s), "\n\n", 2);

	return border ? border : end;
}

/* --- A passage -------------------------------------------------------------------------------------------------- */

static const char *read_code(struct reader *r, const char *s)
{
	const char *eol = line_end(s, r->end), *stop = eol, *last;

	while (stop < r->end && strncmp(stop + 1, "```", 3) != 0)
		stop = line_end(stop + 1, r->end);
	last = stop;
	if (stop < r->end)
		last = line_end(stop + 1, r->end);
	r->paragraph++;
	if (eol < stop)
		reader_add_block(r, BLOCK_CODE, (struct span){ eol + 1, (size_t)(stop - eol - 1) },
		                 (struct span){ 0 });
	return last;
}

/* What answers a question begins "A:", "R:": without it. */
static const char *skip_answer_mark(const struct reader *r, const char *s, const char *end)
{
	static const char *const marks[] = {
		"answer",   "antwort",  "respuesta", "r\u00e9ponse", "reponse",
		"risposta", "resposta", "antwoord",  "svar",         "\u043e\u0442\u0432\u0435\u0442"
	};
	const struct section *section = &r->out->sections[r->out->section_count - 1];
	size_t n = title_label((struct span){ s, (size_t)(end - s) });

	if (!section->question || n < 3 || s[n - 2] != ':')
		return s;
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (n - 2 == strlen(marks[i]) && strncasecmp(s, marks[i], n - 2) == 0)
			return s + n;
	return n <= 4 ? s + n : s;
}

static const char *read_text(struct reader *r, const char *s, bool after_blank)
{
	const char *end = paragraph_end(s, r->end), *eol = line_end(s, r->end);
	struct span line = line_span(s, eol), all = line_span(s, end);
	size_t mark = item_mark(line);
	bool alone = after_blank && (end >= r->end || end[1] == '\n' || end + 1 >= r->end) && eol == end;

	if (line_asks(line) && (eol == end || after_blank || title_label(line))) {
		reader_add_section(r, title_without(line, title_label(line)), BELOW_ALL, true, false);
		return eol;
	}
	if (title_bare(line, eol, r->end, alone) ||
	    (after_blank && eol < end && title_above(line, eol, end))) {
		reader_add_section(r, line, BELOW_ALL, false, false);
		return eol;
	}
	s = skip_answer_mark(r, all.at, all.at + all.size);
	if (!mark)
		r->paragraph++;
	if (mark && all.size <= ITEM_MAX)
		reader_add_block(r, BLOCK_ITEM, title_without(all, strchr("-*+\xe2", *all.at) ? mark : 0),
		                 (struct span){ 0 });
	else
		read_sentences(r, BLOCK_SENTENCE, s, all.at + all.size);
	return end;
}

/* "Part II / Warranty", and below it the head of the table that the passage is a part of. */
static void read_heading(struct reader *r, const char *heading)
{
	const char *at = heading ? heading : "", *eol = strchrnul(at, '\n');
	int level = 1;

	for (const char *p = at; (p = strstr(p, " / ")) && p < eol; level++) {
		reader_add_section(r, line_span(at, p), level, false, true);
		at = p += 3;
	}
	reader_add_section(r, line_span(at, eol), level, false, true);
	r->out->sections[r->out->section_count - 1].question = line_asks(line_span(at, eol));
	if (*eol)
		r->head = line_span(eol + 1, eol + strlen(eol));
}

static void read_passage(struct reader *r, const struct passage *p)
{
	const char *s = p->text;
	bool after_blank = true;

	r->end = s + strlen(s);
	read_heading(r, p->heading);
	while (s < r->end) {
		const char *eol = line_end(s, r->end), *next;
		struct span line = line_span(s, eol), title = { 0 };
		int level = line.size ? title_marked(line, &title) : 0;
		bool blank = !line.size;

		if (blank) {
			next = eol;
		} else if (strncmp(line.at, "```", 3) == 0) {
			next = read_code(r, s);
		} else if (level) {
			reader_add_section(r, title, level, line_asks(title), false);
			next = eol;
		} else if (title_underlined(eol, r->end)) {
			reader_add_section(r, line, 1, line_asks(line), false);
			next = line_end(eol + 1, r->end);
		} else if (table_piped(line)) {
			next = table_read_pipes(r, s);
			next = next > s ? next - 1 : next;
		} else if (table_divider(s, block_end(s, r->end))) {
			next = block_end(s, r->end);
			table_read_values(r, s, next);
		} else {
			next = read_text(r, s, after_blank);
		}
		after_blank = blank;
		s = next < r->end ? next + 1 : r->end;
	}
}

void blocks_read(const struct passage *passages, size_t count, struct blocks *ret, struct arena *a)
{
	struct reader r = { .out = ret, .arena = a };

	*ret = (struct blocks){ 0 };
	for (r.passage = 0; r.passage < count; r.passage++)
		read_passage(&r, &passages[r.passage]);
}
