#include "svc-documents/helper/pdf_joint.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

void pdf_collect_words(struct pdf_writer *w)
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
	if (size == 2 && isupper((unsigned char)*s)) /* X-ray */
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

bool pdf_ends_sentence(const struct out *o)
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

	if (last == '-' && o->size > 1 && isdigit((unsigned char)o->at[o->size - 2]) &&
	    isdigit((unsigned char)*text))
		return JOINT_NOTHING; /* 1990-1995 */
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
	if (pdf_wide(last) && pdf_wide(first) && full && !pdf_ends_sentence(o))
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
		return isdigit((unsigned char)*text) && pdf_ends_sentence(w->o) ? JOINT_LINE
		                                                                : inside(w, text);
	if ((pdf_ends_sentence(w->o) && (was_short || indented)) || l->y - before->y > l->h * 2.2f)
		return JOINT_PARAGRAPH;
	return inside(w, text);
}

enum joint pdf_joint(const struct pdf_writer *w, const struct pdf_line *l, const char *text)
{
	return w->before->block == l->block ? within(w, l, text) : across(w, l, text);
}
