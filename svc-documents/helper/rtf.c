/* The text of an RTF document. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/recode.h"
#include "svc-documents/helper/rtf.h"

enum { GROUPS_MAX = 5000, STYLES_MAX = 1000, FONTS_MAX = 1000, WORD = 32 };

struct rtf {
	struct out *o;
	struct recoder *recoder;
	char charset[32];       /* of fonts that do not say theirs */
	short pages[FONTS_MAX]; /* code pages, by font; 0: not said */
	short font[GROUPS_MAX]; /* per open group */
	int fonts;              /* the group that describes them; 0: none */
	long described;         /* the one that is */
	bool raised[GROUPS_MAX];
	int shape;               /* the group of one that is seen; 0: none */
	char pending[16 * 1024]; /* bytes of that charset: a character may be two */
	size_t pending_size;
	bool hidden[GROUPS_MAX]; /* per open group */
	int skip[GROUPS_MAX];    /* bytes that stand for a character of \u */
	int note;                /* the group that is a note; 0: none */
	size_t note_start;       /* where it starts in what is written */
	int list;                /* the group that is a paragraph's number; 0: none */
	char number[32];         /* which stands before its text, and behind a heading's mark */
	bool in_cell;            /* of a table: paragraphs do not part its rows */
	int outline;             /* of the paragraph, which has not begun; -1: no heading */
	int sheet;               /* the group that describes styles; 0: none */
	long style;              /* the one that is described */
	char style_name[24];
	size_t style_name_size;
	signed char outlines[STYLES_MAX]; /* by style: one more than its rank */
	int depth, to_skip;
	long high; /* the first half of a character beyond 16 bits; 0: none */
};

/* What stands before a paragraph's text. */
static void lead_in(struct rtf *r)
{
	if (r->note)
		return;
	if (r->outline >= 0 && !r->in_cell) {
		out_plain(r->o, "######", r->outline < 5 ? (size_t)r->outline + 1 : 6);
		r->o->space = true;
		r->outline = -1;
	}
	if (*r->number) {
		out_text(r->o, r->number, strlen(r->number));
		r->o->space = true;
		r->number[0] = '\0';
	}
}

static void write_text(struct rtf *r, const char *text, size_t size)
{
	size_t had = strlen(r->number), blanks = strspn(text, " \t");

	if (r->list) {
		snprintf(r->number + had, sizeof r->number - had, "%.*s", (int)size, text);
		return;
	}
	if (r->note && r->o->size == r->note_start) { /* no blank behind its bracket */
		text += blanks < size ? blanks : size;
		size -= blanks < size ? blanks : size;
	}
	if (blanks < size)
		lead_in(r);
	if (r->raised[r->depth] && size && strspn(text, "0123456789+-") == size) /* 10^6 */
		out_plain(r->o, "^", 1);
	out_text(r->o, text, size);
}

static void flush(struct rtf *r)
{
	char charset[32] = "", *text;
	size_t n;

	if (r->pending_size == 0)
		return;
	if (r->pages[r->font[r->depth]])
		snprintf(charset, sizeof charset, "windows-%d", r->pages[r->font[r->depth]]);
	text = recode(r->recoder, *charset ? charset : r->charset, r->pending, r->pending_size, &n);
	write_text(r, text, n);
	free(text);
	r->pending_size = 0;
}

/* "heading 2;", of a style that does not say its rank. */
static void end_style(struct rtf *r)
{
	static const char heading[] = "heading ";
	const char *n = r->style_name + sizeof heading - 1;

	r->style_name[r->style_name_size] = '\0';
	if (strncasecmp(r->style_name, heading, sizeof heading - 1) == 0 && *n >= '1' && *n <= '9')
		r->outlines[r->style] = (signed char)(*n - '0');
	r->style_name_size = 0;
}

static void put_byte(struct rtf *r, char c)
{
	if (r->sheet && r->style_name_size < sizeof r->style_name - 1)
		r->style_name[r->style_name_size++] = c;
	if (r->hidden[r->depth])
		return;
	if (r->to_skip > 0) {
		r->to_skip--;
		return;
	}
	if (r->pending_size == sizeof r->pending)
		flush(r);
	r->pending[r->pending_size++] = c;
}

static void put_text(struct rtf *r, const char *text)
{
	flush(r);
	if (r->hidden[r->depth])
		return;
	write_text(r, text, strlen(text));
}

static void put_char(struct rtf *r, long c)
{
	char utf8[5] = { 0 };
	long high = r->high;

	c = c < 0 ? c + 65536 : c;
	r->high = c >= 0xd800 && c < 0xdc00 ? c : 0;
	if (r->high || (c >= 0xdc00 && c < 0xe000 && !high)) /* half of a pair */
		return;
	if (c >= 0xdc00 && c < 0xe000)
		c = 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00);
	out_utf8(utf8, c);
	put_text(r, utf8);
}

static void put_break(struct rtf *r, int newlines)
{
	flush(r);
	if (r->hidden[r->depth])
		return;
	r->number[0] = '\0';
	if (r->in_cell || r->note)
		r->o->space = true;
	else
		out_break(r->o, newlines);
}

static void end_row(struct rtf *r)
{
	struct out *o = r->o;

	flush(r);
	while (!r->hidden[r->depth] && o->size && strchr("| ", o->at[o->size - 1]))
		o->size--; /* behind its last cell */
	r->in_cell = false;
	put_break(r, 1);
	r->in_cell = true; /* until a paragraph says otherwise */
}

/* A note stands where it is called. */
static void begin_note(struct rtf *r)
{
	if (r->note || r->depth == 0 || r->hidden[r->depth - 1])
		return;
	r->hidden[r->depth] = false; /* as one that a reader may pass over */
	flush(r);
	r->o->space = true;
	out_plain(r->o, "(", 1);
	r->note = r->depth;
	r->note_start = r->o->size;
}

static void end_note(struct rtf *r)
{
	r->note = 0;
	r->o->space = false;
	out_plain(r->o, ")", 1);
}

/* Its properties are told anew. */
static void begin_paragraph(struct rtf *r)
{
	flush(r);
	if (r->note || r->list)
		return;
	r->in_cell = false;
	r->outline = -1;
}

/* \s and \outlinelevel, where styles are described and where they are used. */
static void set_style(struct rtf *r, bool is_level, long number)
{
	if (number < 0 || number >= (is_level ? 9 : STYLES_MAX))
		return;
	if (r->sheet && is_level)
		r->outlines[r->style] = (signed char)(number + 1);
	else if (r->sheet)
		r->style = number;
	else if (!r->hidden[r->depth] && !r->note)
		r->outline = is_level ? (int)number : r->outlines[number] - 1;
}

static bool set_font(struct rtf *r, const char *word, long number)
{
	bool known = number >= 0 && number < FONTS_MAX;

	if (strcmp(word, "fonttbl") == 0) {
		r->fonts = r->depth;
	} else if (strcmp(word, "f") == 0 && r->fonts) {
		r->described = known ? number : 0;
	} else if (strcmp(word, "f") == 0 && known) {
		flush(r);
		r->font[r->depth] = (short)number;
	} else if (strcmp(word, "fcharset") == 0 && r->fonts && number > 0) {
		r->pages[r->described] = rtf_code_page(number);
	} else if (strcmp(word, "cpg") == 0 && r->fonts && number > 0 && number < 10000) {
		r->pages[r->described] = (short)number;
	} else {
		return false;
	}
	return true;
}

/* Who wrote it where. */
static bool set_charset(struct rtf *r, const char *word, bool has_number, long number)
{
	if (strcmp(word, "ansicpg") == 0 && has_number)
		snprintf(r->charset, sizeof r->charset, number == 10000 ? "macintosh" : "windows-%ld",
		         number);
	else if (strcmp(word, "mac") == 0)
		snprintf(r->charset, sizeof r->charset, "macintosh");
	else if (strcmp(word, "pc") == 0 || strcmp(word, "pca") == 0)
		snprintf(r->charset, sizeof r->charset, word[2] ? "windows-850" : "windows-437");
	else
		return false;
	return true;
}

/* A box's text is text, though a reader may pass over the shape that holds it. */
static bool begin_box(struct rtf *r, const char *word)
{
	if (strcmp(word, "shpinst") == 0 && r->depth && !r->hidden[r->depth - 1])
		r->shape = r->depth;
	if (strcmp(word, "shptxt") != 0 || !r->shape)
		return false;
	r->hidden[r->depth] = false;
	put_break(r, 2);
	return true;
}

static void control(struct rtf *r, const char *word, bool has_number, long number)
{
	static const struct {
		const char *word, *text;
	} texts[] = { { "tab", " " },     { "emdash", "—" },  { "endash", "–" },    { "bullet", "•" },
		      { "lquote", "‘" },  { "rquote", "’" },  { "ldblquote", "“" }, { "rdblquote", "”" },
		      { "emspace", " " }, { "enspace", " " }, { "cell", " | " },    { "nestcell", " | " } };

	if (strcmp(word, "stylesheet") == 0)
		r->sheet = r->depth;
	if (strcmp(word, "listtext") == 0) {
		flush(r);
		r->list = r->depth;
		r->number[0] = '\0';
	}
	set_font(r, word, has_number ? number : -1);
	if (set_charset(r, word, has_number, number) || begin_box(r, word))
		return;
	if (rtf_is_apart(word))
		r->hidden[r->depth] = true;
	else if (strcmp(word, "par") == 0 || strcmp(word, "sect") == 0 || strcmp(word, "page") == 0)
		put_break(r, 2);
	else if (strcmp(word, "line") == 0)
		put_break(r, 1);
	else if (strcmp(word, "row") == 0 || strcmp(word, "nestrow") == 0)
		end_row(r);
	else if (strcmp(word, "pard") == 0 && !r->hidden[r->depth])
		begin_paragraph(r);
	else if (strcmp(word, "intbl") == 0)
		r->in_cell = r->in_cell || !r->hidden[r->depth];
	else if (strcmp(word, "s") == 0 || strcmp(word, "outlinelevel") == 0)
		set_style(r, *word == 'o', number);
	else if (strcmp(word, "footnote") == 0)
		begin_note(r);
	else if (strcmp(word, "super") == 0 || strcmp(word, "nosupersub") == 0 ||
	         strcmp(word, "plain") == 0) {
		flush(r);
		r->raised[r->depth] = *word == 's' && (!has_number || number != 0);
	} else if (strcmp(word, "uc") == 0)
		r->skip[r->depth] = number >= 0 && number < 10 ? (int)number : 1;
	else if (strcmp(word, "v") == 0 || strcmp(word, "deleted") == 0)
		r->hidden[r->depth] = !has_number || number != 0;
	else if (strcmp(word, "u") == 0 && has_number) {
		put_char(r, number);
		r->to_skip = r->hidden[r->depth] ? 0 : r->skip[r->depth];
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i].word, word) == 0)
			put_text(r, texts[i].text);
}

static int hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
	                                    : 0;
}

/* What follows a backslash; returns what comes behind it. */
static const char *read_control(struct rtf *r, const char *s, const char *last)
{
	char word[WORD] = "";
	size_t n = 0;
	long number = 0;
	bool negative, has_number = false;

	if (s >= last)
		return last;
	if (*s == '\'' && last - s > 2) {
		put_byte(r, (char)(hex(s[1]) * 16 + hex(s[2])));
		return s + 3;
	}
	if (!isalpha((unsigned char)*s)) {
		if (*s == '*')
			r->hidden[r->depth] = true;
		else if (*s == '~')
			put_text(r, " ");
		else if (*s == '_')
			put_text(r, "-");
		else if (*s == '\\' || *s == '{' || *s == '}')
			put_byte(r, *s);
		else if (*s == '\n' || *s == '\r')
			put_break(r, 2);
		return s + 1;
	}
	for (; s < last && isalpha((unsigned char)*s); s++)
		if (n < sizeof word - 1)
			word[n++] = *s;
	negative = s < last && *s == '-';
	for (s += negative; s < last && isdigit((unsigned char)*s); s++, has_number = true)
		number = number < 100000000 ? number * 10 + (*s - '0') : number;
	if (strcmp(word, "bin") == 0 && number < last - s)
		return s + number + (*s == ' ');
	control(r, word, has_number, negative ? -number : number);
	return s < last && *s == ' ' ? s + 1 : s;
}

void rtf_read(struct recoder *recoder, const char *bytes, size_t size, struct out *o)
{
	struct rtf r = {
		.o = o, .recoder = recoder, .charset = "windows-1252", .skip = { 1 }, .outline = -1
	};

	for (const char *s = bytes, *last = bytes + size; s < last;) {
		char c = *s++;

		if (c == '\\') {
			s = read_control(&r, s, last);
		} else if (c == '{') {
			flush(&r);
			if (++r.depth == GROUPS_MAX)
				end(VERDICT_DAMAGED, "nested too deeply");
			r.hidden[r.depth] = r.hidden[r.depth - 1];
			r.raised[r.depth] = r.raised[r.depth - 1];
			r.font[r.depth] = r.font[r.depth - 1];
			r.skip[r.depth] = r.skip[r.depth - 1];
			r.to_skip = 0;
		} else if (c == '}') {
			flush(&r);
			if (r.note && r.note == r.depth)
				end_note(&r);
			if (r.list == r.depth)
				r.list = 0;
			if (r.sheet)
				end_style(&r);
			if (r.sheet == r.depth)
				r.sheet = 0;
			if (r.shape == r.depth)
				r.shape = 0;
			if (r.fonts == r.depth)
				r.fonts = 0;
			r.depth -= r.depth > 0;
			r.to_skip = 0;
		} else if (c != '\r' && c != '\n') {
			put_byte(&r, c);
		}
	}
	flush(&r);
}
