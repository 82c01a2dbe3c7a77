/* The lines of a PDF as paragraphs, headings, rows and listings; pages end at form feeds. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/pdf.h"

enum joint { JOINT_PARAGRAPH, JOINT_LINE, JOINT_BLANK, JOINT_NOTHING, JOINT_HYPHEN };

struct pdf_writer {
	const struct pdf *p;
	struct out *o;
	uint64_t *words; /* a set of hashes: all words of the document */
	size_t words_room;
	const struct pdf_line *before;
	int borders; /* of pages, to be written before the next text */
	bool in_code;
};

/* --- Words of the document ---------------------------------------------------------------------------------------- */

/* Without what stands round it, in lower case. */
static uint64_t word_hash(const char *s, size_t size, const char *more, size_t more_size)
{
	uint64_t hash = 1469598103934665603u;

	for (size_t i = 0; i < size + more_size; i++) {
		char c = i < size ? s[i] : more[i - size];

		if (isalnum((unsigned char)c) || c == '-' || (c & 0x80))
			hash = (hash ^ (unsigned char)tolower((unsigned char)c)) * 1099511628211u;
	}
	return hash ? hash : 1;
}

static uint64_t *place(const struct pdf_writer *w, uint64_t hash)
{
	size_t i = hash & (w->words_room - 1);

	while (w->words[i] && w->words[i] != hash)
		i = (i + 1) & (w->words_room - 1);
	return &w->words[i];
}

static void collect_words(struct pdf_writer *w)
{
	const struct pdf *p = w->p;

	for (w->words_room = 1024; w->words_room < p->word_count * 2;)
		w->words_room *= 2;
	w->words = calloc(w->words_room, sizeof *w->words);
	if (!w->words)
		end(VERDICT_TOO_LARGE, "too much text");
	for (size_t i = 0; i < p->word_count; i++) {
		const char *s = p->text + p->words[i].text;
		size_t size = p->words[i].size;

		if (size && s[size - 1] != '-')
			*place(w, word_hash(s, size, NULL, 0)) = word_hash(s, size, NULL, 0);
	}
}

static bool known(const struct pdf_writer *w, const char *s, size_t size, const char *more, size_t more_size)
{
	uint64_t hash = word_hash(s, size, more, more_size);

	return *place(w, hash) == hash;
}

/* --- Joints ------------------------------------------------------------------------------------------------------- */

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool letter(char c)
{
	return isalpha((unsigned char)c) || (c & 0x80);
}

/* Parts that are written with their hyphen wherever they stand. */
static bool is_prefix(const char *s, size_t size)
{
	static const char *const prefixes[] = { "self",  "well",  "co",    "non",    "ex",     "all",
		                                "half",  "cross", "high",  "low",    "long",   "short",
		                                "full",  "part",  "quasi", "semi",   "anti",   "e",
		                                "one",   "two",   "three", "four",   "five",   "six",
		                                "seven", "eight", "nine",  "twenty", "thirty", "forty",
		                                "fifty", NULL };

	for (const char *const *p = prefixes; *p; p++)
		if (strlen(*p) == size && strncasecmp(*p, s, size) == 0)
			return true;
	return false;
}

/* A hyphen at a line's end: does it belong to the word? The document's other words tell, then the word itself. */
static bool keeps_hyphen(const struct pdf_writer *w, const char *next, size_t next_size)
{
	const struct out *o = w->o;
	size_t start = o->size - 1, size;
	const char *s;

	while (start > 0 && !strchr(" \n\f", o->at[start - 1]))
		start--;
	s = o->at + start;
	size = o->size - start; /* with its hyphen */
	while (size > 1 && !letter(*s))
		s++, size--;
	if (known(w, s, size - 1, next, next_size))
		return false;
	if (known(w, s, size, next, next_size) || memchr(s, '-', size - 1) || is_prefix(s, size - 1))
		return true;
	return size > 4 && known(w, s, size - 1, NULL, 0) && known(w, next, next_size, NULL, 0);
}

static bool starts_item(const char *s)
{
	const char *p = s;

	if (strncmp(s, "•", 3) == 0 || strncmp(s, "◦", 3) == 0 || strncmp(s, "▪", 3) == 0 ||
	    strncmp(s, "–", 3) == 0 || ((*s == '-' || *s == '*') && s[1] == ' '))
		return true;
	if (*p == '(')
		p++;
	if ((isalpha((unsigned char)*p) && p[1] == ')' && p[2] == ' ') ||
	    (lower(*p) && p[1] == '.' && p[2] == ' '))
		return true;
	while (isdigit((unsigned char)*p) || *p == '.')
		p++;
	return p > s && ((*p == ' ' && (p[-1] == '.' || memchr(s, '.', (size_t)(p - s)))) ||
	                 (*p == ')' && p[1] == ' '));
}

static bool ends_sentence(const struct out *o)
{
	uint32_t c = pdf_last_char(o->at, o->size);

	return strchr(".!?:", (int)(c < 0x80 ? c : 'x')) || c == 0x3002 || c == 0xff01 || c == 0xff1f ||
	       c == 0xff1a;
}

/* How a paragraph goes on with this line. */
static enum joint inside(const struct pdf_writer *w, const char *text)
{
	const struct out *o = w->o;
	uint32_t last = pdf_last_char(o->at, o->size), first = pdf_first_char(text, strlen(text));

	if (last == '-' && o->size > 1 && letter(o->at[o->size - 2]) && lower(*text))
		return keeps_hyphen(w, text, strcspn(text, " ")) ? JOINT_NOTHING : JOINT_HYPHEN;
	if (last == '-' && o->size > 1 && o->at[o->size - 2] != ' ' && letter(*text))
		return JOINT_NOTHING;
	return pdf_wide(last) && pdf_wide(first) ? JOINT_NOTHING : JOINT_BLANK;
}

/* A sentence that goes on in another block or on the next page. */
static enum joint across(const struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	const struct pdf_line *before = w->before;
	const struct out *o = w->o;
	const struct pdf_block *b = &w->p->blocks[before->block];
	uint32_t last = pdf_last_char(o->at, o->size), first = pdf_first_char(text, strlen(text));
	bool next_page = w->borders > 0, same_size = fabsf(before->h - l->h) < before->h * 0.12f;
	bool full = b->lines > 1 && before->x + before->w > b->x + b->w - before->h * 1.5f;

	if (!same_size || before->kind != PDF_BODY || l->kind != PDF_BODY || starts_item(text))
		return JOINT_PARAGRAPH;
	if (pdf_wide(last) && pdf_wide(first) && full && !ends_sentence(o))
		return JOINT_NOTHING;
	if (!(lower(*text) || (next_page && full)) || !(lower((char)last) || last == ',' || last == '-'))
		return JOINT_PARAGRAPH;
	return next_page || l->y < before->y ? inside(w, text) : JOINT_PARAGRAPH;
}

/* Do the words of two lines stand below each other, one by one? Those of a text do so by chance only. */
static bool aligned(const struct pdf_writer *w, const struct pdf_line *l, const struct pdf_line *m)
{
	if (l->block != m->block || l->words != m->words || l->words < 2 || l->words > 8)
		return false;
	for (uint32_t i = 0; i < l->words; i++)
		if (fabsf(w->p->words[l->word + i].x - w->p->words[m->word + i].x) > 1)
			return false;
	return true;
}

/* Rows of a table whose columns are close: this line is one, or stands below some. */
static bool is_row(const struct pdf_writer *w, const struct pdf_line *l)
{
	const struct pdf_block *b = &w->p->blocks[l->block];
	uint32_t i = (uint32_t)(l - w->p->lines) - b->line;

	return (i > 0 && aligned(w, l - 1, l)) || (i + 1 < b->lines && aligned(w, l, l + 1)) ||
	       (i > 1 && aligned(w, l - 2, l - 1));
}

/* Within a block: paragraphs are set off by an indent, a gap, or a last line that is short. */
static enum joint within(const struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	const struct pdf_line *before = w->before;
	const struct pdf_block *b = &w->p->blocks[l->block];
	float right = b->x + b->w;
	bool was_short = before->x + before->w < right - b->w * 0.15f;
	bool indented = l->x > b->x + l->h * 0.8f && before->x < b->x + l->h * 0.4f;

	if (l->kind != before->kind || l->level != before->level)
		return JOINT_PARAGRAPH;
	if (l->kind == PDF_HEADING)
		return l->y - before->y < l->h * 2 ? JOINT_BLANK : JOINT_PARAGRAPH;
	if (starts_item(text) || is_row(w, l))
		return JOINT_LINE;
	if (l->kind == PDF_NOTE)
		return isdigit((unsigned char)*text) && ends_sentence(w->o) ? JOINT_LINE : inside(w, text);
	if ((ends_sentence(w->o) && (was_short || indented)) || l->y - before->y > l->h * 2.2f)
		return JOINT_PARAGRAPH;
	return inside(w, text);
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

static void write_borders(struct pdf_writer *w)
{
	for (; w->borders > 0; w->borders--)
		out_plain(w->o, "\f", 1);
}

static void join(struct pdf_writer *w, enum joint joint)
{
	struct out *o = w->o;

	if (joint == JOINT_PARAGRAPH)
		out_break(o, 2);
	else if (joint == JOINT_LINE)
		out_break(o, 1);
	else if (joint == JOINT_BLANK)
		o->space = true;
	else if (joint == JOINT_HYPHEN)
		o->size--;
	write_borders(w);
}

static void end_code(struct pdf_writer *w)
{
	if (!w->in_code)
		return;
	out_break(w->o, 1);
	out_plain(w->o, "```", 3);
	out_break(w->o, 2);
	w->in_code = false;
}

/* Line for line, indented as it stands. */
static void write_code(struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	const struct pdf_block *b = &w->p->blocks[l->block];
	int indent = (int)lroundf((l->x - b->x) / b->advance);

	if (!w->in_code) {
		join(w, JOINT_PARAGRAPH);
		out_plain(w->o, "```", 3);
		w->in_code = true;
	}
	join(w, JOINT_LINE);
	for (int i = 0; i < indent && i < 40; i++)
		out_plain(w->o, " ", 1);
	out_plain(w->o, text, strlen(text));
}

static int by_x(const void *a, const void *b)
{
	const struct pdf_line *l = *(const struct pdf_line *const *)a,
	                      *m = *(const struct pdf_line *const *)b;

	return (l->x > m->x) - (l->x < m->x);
}

/* The lines of one row of a table: its cells from the left, each with what it says below. They are not written again. */
static bool write_row(struct pdf_writer *w, const struct pdf_page *page, uint32_t row)
{
	struct pdf_line *cells[64];
	size_t n = 0;

	for (uint32_t i = 0; i < page->lines && n < 64; i++)
		if (w->p->lines[page->line + i].row == row)
			cells[n++] = &w->p->lines[page->line + i];
	qsort(cells, n, sizeof *cells, by_x);
	for (size_t i = 0; i < n; i++) {
		char *text = pdf_line_text(w->p, cells[i]);
		bool same = i && fabsf(cells[i]->x - cells[i - 1]->x) < cells[i]->h;

		join(w, i ? JOINT_BLANK : JOINT_LINE);
		if (i && !same) {
			out_plain(w->o, "|", 1);
			w->o->space = true;
		}
		out_text(w->o, text, strlen(text));
		free(text);
		cells[i]->row = 0;
	}
	return n > 0;
}

static bool has_row(const struct pdf_writer *w, const struct pdf_page *page, uint32_t row)
{
	for (uint32_t i = 0; row && i < page->lines; i++)
		if (w->p->lines[page->line + i].row == row)
			return true;
	return false;
}

/* A table is written where its first line stands, row by row: their numbers have no gaps, those of two tables have one. */
static void write_table(struct pdf_writer *w, const struct pdf_page *page, const struct pdf_line *l)
{
	uint32_t row = l->row;

	if (row == 0)
		return;
	while (has_row(w, page, row - 1))
		row--;
	join(w, JOINT_PARAGRAPH);
	while (write_row(w, page, row))
		row++;
	out_break(w->o, 2);
}

static void write_text(struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	const struct pdf_line *before = w->before;
	enum joint joint = JOINT_PARAGRAPH;

	if (before && w->o->size && !w->o->newlines)
		joint = before->block == l->block ? within(w, l, text) : across(w, l, text);
	join(w, joint);
	if (l->kind == PDF_HEADING && joint == JOINT_PARAGRAPH) {
		out_plain(w->o, "####", l->level < 4 ? l->level : 4);
		w->o->space = true;
	}
	out_text(w->o, text, strlen(text));
}

static void write_line(struct pdf_writer *w, const struct pdf_page *page, const struct pdf_line *l)
{
	char *text;

	if (l->kind == PDF_GONE || l->words == 0)
		return;
	if (l->kind != PDF_CODE || (w->before && w->before->block != l->block))
		end_code(w);
	if (l->kind == PDF_TABLE) {
		write_table(w, page, l);
		w->before = NULL;
		return;
	}
	text = pdf_line_text(w->p, l);
	if (l->kind == PDF_CODE)
		write_code(w, l, text);
	else
		write_text(w, l, text);
	w->before = l;
	free(text);
}

/* Notes at the foot of a page whose sentence goes on overleaf come behind its paragraph. */
static void write_notes(struct pdf_writer *w, const struct pdf_page *page)
{
	bool any = false;

	for (uint32_t i = 0; i < page->lines; i++)
		if (w->p->lines[page->line + i].kind == PDF_NOTE) {
			if (!any)
				w->before = NULL;
			any = true;
			write_line(w, page, &w->p->lines[page->line + i]);
		}
	if (any) {
		out_break(w->o, 2);
		w->before = NULL;
	}
}

static bool goes_on(const struct pdf_writer *w)
{
	return w->o->size && w->before && w->before->kind == PDF_BODY && !ends_sentence(w->o) &&
	       !w->o->newlines;
}

void pdf_write(struct pdf *p, struct out *o)
{
	struct pdf_writer w = { .p = p, .o = o };
	const struct pdf_page *owing = NULL; /* its notes */

	collect_words(&w);
	for (size_t i = 0; i < p->page_count; i++) {
		const struct pdf_page *page = &p->pages[i];

		for (uint32_t k = 0; k < page->lines; k++) {
			const struct pdf_line *l = &p->lines[page->line + k];

			if (l->kind == PDF_NOTE)
				continue;
			write_line(&w, page, l);
			if (owing && !goes_on(&w)) {
				write_notes(&w, owing);
				owing = NULL;
			}
		}
		if (owing)
			write_notes(&w, owing);
		owing = page;
		if (!goes_on(&w) || i + 1 == p->page_count) {
			write_notes(&w, page);
			owing = NULL;
		}
		w.borders++;
	}
	end_code(&w);
	o->newlines = 0;
	o->space = false;
	write_borders(&w);
	free(w.words);
}
