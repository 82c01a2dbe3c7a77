#include "svc-chat/model/blocks.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/text/sentence.h"

enum {
	TITLE_MAX = 60,     /* characters of a line that is a title though nothing marks it */
	QUESTION_MAX = 200, /* of a line that asks */
	LEAD_WORDS = 4,     /* of a first sentence that is a title: "§ 4 Security." */
	LEAD_MAX = 40,      /* bytes of it */
	ABOVE_MAX = 30,     /* characters of a line that is the title of the lines right below it */
	BELOW_ALL = 9,
	ITEM_MAX = 400, /* bytes of an item that is one block; a longer one is taken by its sentences */
	TABLE_ROWS = 3, /* lines alike that make a table of values between commas */
};

struct reader {
	struct blocks *out;
	size_t block_room, section_room, paragraph, passage;
	struct span head; /* of the table being read */
	const char *end;  /* of the passage */
	struct arena *arena;
};

static struct span span(const char *at, const char *end)
{
	while (at < end && strchr(" \t\n", *at))
		at++;
	while (end > at && strchr(" \t\n", end[-1]))
		end--;
	return (struct span){ at, (size_t)(end - at) };
}

static const char *line_end(const char *s, const char *end)
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

static bool asks(struct span s)
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

static void add_section(struct reader *r, struct span title, int level, bool question, bool given)
{
	struct blocks *b = r->out;

	b->sections = widen(r->arena, b->sections, b->section_count, &r->section_room, sizeof *b->sections);
	b->sections[b->section_count++] = (struct section){ title, r->passage, level, question, given };
	r->paragraph++;
	r->head = (struct span){ 0 };
}

static void add_block(struct reader *r, enum block_kind kind, struct span text, struct span lead)
{
	struct blocks *b = r->out;

	if (!says_something(text) || asks(text))
		return;
	b->at = widen(r->arena, b->at, b->count, &r->block_room, sizeof *b->at);
	b->at[b->count++] =
	    (struct block){ kind,         text, b->section_count - 1,
		            r->paragraph, lead, kind == BLOCK_ROW ? r->head : (struct span){ 0 } };
}

/* --- Titles ----------------------------------------------------------------------------------------------------- */

/* Of "Q: ...", "Frage 3: ...", "A) ...": the bytes before what is said. */
static size_t label(struct span s)
{
	size_t n = 0;

	while (n < s.size && n < 12 && (isalpha((unsigned char)s.at[n]) || (s.at[n] & 0x80)))
		n++;
	if (n == 0)
		return 0;
	while (n < s.size && n < 16 && (s.at[n] == ' ' || isdigit((unsigned char)s.at[n])))
		n++;
	if (n >= s.size || (s.at[n] != ':' && s.at[n] != ')' && s.at[n] != '.'))
		return 0;
	n++;
	return n < s.size && s.at[n] == ' ' ? n + 1 : 0;
}

static struct span without(struct span s, size_t bytes)
{
	return span(s.at + bytes, s.at + s.size);
}

/* The title of a line marked as a heading (#, bold), and its level; 0: it is none. */
static int marked_title(struct span line, struct span *title)
{
	size_t level = strspn(line.at, "#");

	if (level >= 1 && level <= 6 && level < line.size && line.at[level] == ' ') {
		*title = without(line, level);
		while (title->size && strchr("# ", title->at[title->size - 1]))
			title->size--;
		return (int)level;
	}
	if (line.size > 5 && memcmp(line.at, "**", 2) == 0 && memcmp(line.at + line.size - 2, "**", 2) == 0 &&
	    !memmem(line.at + 2, line.size - 4, "**", 2)) {
		*title = span(line.at + 2, line.at + line.size - 2);
		return BELOW_ALL;
	}
	return 0;
}

static bool underlined(const char *eol, const char *end)
{
	struct span next = eol < end ? span(eol + 1, line_end(eol + 1, end)) : (struct span){ 0 };

	return next.size >= 3 && (strspn(next.at, "=") >= next.size || strspn(next.at, "-") >= next.size);
}

static bool numbered(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > s && p < end && (*p == '.' || *p == ')');
}

static bool ends_sentence(struct span line)
{
	static const char *const wide[] = { "\u3002", "\uff01", "\uff1f", "\uff1b",
		                            "\uff1a", "\uff0c", "\u3001" };

	for (size_t i = 0; line.size > 3 && i < sizeof wide / sizeof *wide; i++)
		if (memcmp(line.at + line.size - 3, wide[i], 3) == 0)
			return true;
	return strchr(".,;:!?\"'|)", line.at[line.size - 1]) != NULL;
}

/* A short line that ends like no sentence: alone between empty lines, above its own clauses ("2. Sickness", "2.1 ..."), or
 * in capitals. */
static bool bare_title(struct span line, const char *eol, const char *end, bool alone)
{
	const char *next = eol < end ? eol + 1 : end;
	bool capitals = false;

	if (utf8_length(line.at, line.size) > TITLE_MAX || ends_sentence(line) ||
	    sentence_item(line.at, line.at + line.size))
		return numbered(line.at, line.at + line.size) && next < end && *next != '\n' &&
		       numbered(next, end) && utf8_length(line.at, line.size) <= TITLE_MAX &&
		       !ends_sentence(line) && strncmp(line.at, next, strcspn(line.at, ".)")) == 0;
	for (size_t i = 0; i < line.size; i++) {
		if (islower((unsigned char)line.at[i]))
			return alone && eol < end;
		capitals |= isupper((unsigned char)line.at[i]) != 0;
	}
	return capitals || (alone && eol < end);
}

/* A short line above a longer one that would have had room for the next word, too: so it does not end where it does because
 * the line was full, and is a title. */
static bool stands_above(struct span line, const char *eol, const char *end)
{
	struct span next = eol < end ? span(eol + 1, line_end(eol + 1, end)) : (struct span){ 0 };
	size_t word = 0, words = 1;

	while (word < next.size && next.at[word] != ' ')
		word++;
	for (size_t i = 0; i < line.size; i++) {
		if (isdigit((unsigned char)line.at[i]) || strchr(":;=|/\\<>@", line.at[i]))
			return false;
		words += line.at[i] == ' ';
	}
	return next.size > line.size + 1 + word && words <= LEAD_WORDS && !ends_sentence(line) &&
	       utf8_length(line.at, line.size) <= ABOVE_MAX && !sentence_item(line.at, line.at + line.size) &&
	       !islower((unsigned char)*line.at) && !islower((unsigned char)*next.at) && *next.at != '|';
}

/* --- Tables ----------------------------------------------------------------------------------------------------- */

static bool piped(struct span line)
{
	return line.size > 2 && *line.at == '|' && memchr(line.at + 1, '|', line.size - 1);
}

static bool ruler(struct span line)
{
	return line.size > 2 && strspn(line.at, "|-: \t") >= line.size && memchr(line.at, '-', line.size);
}

/* The character that divides the values of these lines, all into as many; 0: they are no table. */
static char divider(const char *s, const char *end)
{
	static const char dividers[] = "\t|;,";

	for (const char *d = dividers; *d; d++) {
		size_t first = 0, lines = 0;
		bool alike = true;

		for (const char *at = s, *eol; at < end && alike; at = eol + 1) {
			size_t n = 0;

			eol = line_end(at, end);
			for (const char *p = at; p < eol; p++) {
				n += *p == *d;
				alike &= !(*p == '.' && p + 1 < eol && p[1] == ' ' && *d == ',');
			}
			first = lines++ ? first : n;
			/* The ends of a passage may have been cut. */
			alike &= n == first || (lines > 1 && eol == end && n < first);
		}
		if (alike && first >= (*d == ',' ? 2 : 1) && lines >= (*d == '|' ? 2 : TABLE_ROWS))
			return *d;
	}
	return 0;
}

size_t blocks_cells(struct span row, struct span *ret, size_t room)
{
	bool pipes = piped(row);
	char d = pipes || memmem(row.at, row.size, " | ", 3) ? '|'
	         : memchr(row.at, '\t', row.size)            ? '\t'
	         : memchr(row.at, ';', row.size)             ? ';'
	                                                     : ',';
	const char *at = row.at + pipes, *end = row.at + row.size;
	size_t n = 0;

	if (pipes && end > at && end[-1] == '|')
		end--;
	while (n < room) {
		const char *stop = at;
		bool quoted = stop < end && *stop == '"';

		for (stop += quoted; stop < end && (quoted || *stop != d); stop++)
			if (*stop == '"' && quoted)
				quoted = false;
		ret[n] = span(at, stop);
		if (ret[n].size >= 2 && *ret[n].at == '"' && ret[n].at[ret[n].size - 1] == '"')
			ret[n] = span(ret[n].at + 1, ret[n].at + ret[n].size - 1);
		n++;
		if (stop >= end)
			break;
		at = stop + 1;
	}
	return n;
}

/* Rows of one table up to its last; its first row is the head, unless one is given. */
static const char *read_pipes(struct reader *r, const char *s)
{
	struct span first = span(s, line_end(s, r->end));
	const char *eol = line_end(s, r->end);
	struct span second = eol < r->end ? span(eol + 1, line_end(eol + 1, r->end)) : (struct span){ 0 };

	r->paragraph++;
	if (ruler(second)) {
		r->head = first;
		s = eol + 1;
	}
	for (; s < r->end; s = eol + 1) {
		struct span line = span(s, line_end(s, r->end));

		eol = line_end(s, r->end);
		if (!piped(line))
			break;
		if (!ruler(line))
			add_block(r, BLOCK_ROW, line, (struct span){ 0 });
		if (eol >= r->end)
			return r->end;
	}
	return s;
}

/* The first line names the columns when it has no digits and others have. */
static void read_values(struct reader *r, const char *s, const char *end)
{
	const char *eol = line_end(s, end);
	bool digits = false;

	r->paragraph++;
	for (const char *p = s; p < eol; p++)
		digits |= isdigit((unsigned char)*p) != 0;
	if (!digits && !r->head.size) {
		r->head = span(s, eol);
		s = eol < end ? eol + 1 : end;
	}
	for (; s < end; s = eol + 1) {
		eol = line_end(s, end);
		add_block(r, BLOCK_ROW, span(s, eol), (struct span){ 0 });
	}
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
	       first.size <= LEAD_MAX && words_in(first) <= LEAD_WORDS && !asks(first) &&
	       !memchr(first.at, ':', first.size) && first.at[first.size - 1] != '!';
}

static void read_sentences(struct reader *r, enum block_kind kind, const char *s, const char *end)
{
	struct span lead = { 0 };
	bool first = true;

	while (s < end) {
		const char *stop = sentence_end(s, end);
		struct span one = span(s, stop);

		/* "3." is a number, no sentence */
		if (one.size < 4 && span(stop, end).size && isdigit((unsigned char)*one.at)) {
			stop = sentence_end(stop, end);
			one = span(s, stop);
		}
		if (first && is_lead(one, span(stop, end)))
			lead = one;
		else
			add_block(r, kind, one, lead);
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

	if (item_mark(line) || piped(line) || asks(line))
		return true;
	if (numbered(line.at, line.at + line.size) || (line.size > 2 && memcmp(line.at, "\xc2\xa7", 2) == 0))
		return true;
	n = label(line);
	return n >= 3 && line.at[n - 2] == ':';
}

/* The lines from s that belong together; returns where they end. */
static const char *paragraph_end(const char *s, const char *end)
{
	const char *eol = line_end(s, end);
	struct span title;

	while (eol < end) {
		struct span next = span(eol + 1, line_end(eol + 1, end));

		if (!next.size || begins_anew(next) || marked_title(next, &title) ||
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
		add_block(r, BLOCK_CODE, (struct span){ eol + 1, (size_t)(stop - eol - 1) },
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
	size_t n = label((struct span){ s, (size_t)(end - s) });

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
	struct span line = span(s, eol), all = span(s, end);
	size_t mark = item_mark(line);
	bool alone = after_blank && (end >= r->end || end[1] == '\n' || end + 1 >= r->end) && eol == end;

	if (asks(line) && (eol == end || after_blank || label(line))) {
		add_section(r, without(line, label(line)), BELOW_ALL, true, false);
		return eol;
	}
	if (bare_title(line, eol, r->end, alone) ||
	    (after_blank && eol < end && stands_above(line, eol, end))) {
		add_section(r, line, BELOW_ALL, false, false);
		return eol;
	}
	s = skip_answer_mark(r, all.at, all.at + all.size);
	if (!mark)
		r->paragraph++;
	if (mark && all.size <= ITEM_MAX)
		add_block(r, BLOCK_ITEM, without(all, strchr("-*+\xe2", *all.at) ? mark : 0),
		          (struct span){ 0 });
	else
		read_sentences(r, BLOCK_SENTENCE, s, all.at + all.size);
	return end;
}

/* "Part II / Warranty", and below it the head of the table that the passage is a part of. */
static void read_heading(struct reader *r, const char *heading)
{
	const char *at = heading ? heading : "", *eol = strchrnul(at, '\n');

	for (const char *p = at; (p = strstr(p, " / ")) && p < eol;)
		at = p += 3;
	add_section(r, span(at, eol), BELOW_ALL, false, true);
	r->out->sections[r->out->section_count - 1].question = asks(span(at, eol));
	if (*eol)
		r->head = span(eol + 1, eol + strlen(eol));
}

static void read_passage(struct reader *r, const struct passage *p)
{
	const char *s = p->text;
	bool after_blank = true;

	r->end = s + strlen(s);
	read_heading(r, p->heading);
	while (s < r->end) {
		const char *eol = line_end(s, r->end), *next;
		struct span line = span(s, eol), title = { 0 };
		int level = line.size ? marked_title(line, &title) : 0;
		bool blank = !line.size;

		if (blank) {
			next = eol;
		} else if (strncmp(line.at, "```", 3) == 0) {
			next = read_code(r, s);
		} else if (level) {
			add_section(r, title, level, asks(title), false);
			next = eol;
		} else if (underlined(eol, r->end)) {
			add_section(r, line, 1, asks(line), false);
			next = line_end(eol + 1, r->end);
		} else if (piped(line)) {
			next = read_pipes(r, s);
			next = next > s ? next - 1 : next;
		} else if (divider(s, block_end(s, r->end))) {
			next = block_end(s, r->end);
			read_values(r, s, next);
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
