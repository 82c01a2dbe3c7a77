#include "svc-documents/ingest/normalise.h"

#include "common/base/utf8.h"
#include <stdlib.h>
#include <string.h>

/* --- Bytes to characters ---------------------------------------------------------------------------------------- */

struct reader {
	const unsigned char *at, *end;
	enum { UTF8, UTF16_LE, UTF16_BE } form;
};

static void reader_init(struct reader *r, const char *bytes, size_t size)
{
	*r = (struct reader){ (const unsigned char *)bytes, (const unsigned char *)bytes + size, UTF8 };
	if (size >= 2 && r->at[0] == 0xff && r->at[1] == 0xfe)
		r->form = UTF16_LE;
	else if (size >= 2 && r->at[0] == 0xfe && r->at[1] == 0xff)
		r->form = UTF16_BE;
}

/* What Windows-1252 has where Latin-1 has control characters; 0: nothing. */
static uint32_t windows_1252(unsigned char byte)
{
	static const uint16_t high[32] = {
		0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
		0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
		0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
	};

	return byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
}

/* Bytes of the valid UTF-8 sequence at p, 0 when there is none. */
static size_t sequence(const unsigned char *p, const unsigned char *end)
{
	size_t n = p[0] < 0x80   ? 1
	           : p[0] < 0xc2 ? 0
	           : p[0] < 0xe0 ? 2
	           : p[0] < 0xf0 ? 3
	           : p[0] < 0xf5 ? 4
	                         : 0;

	if (n == 0 || (size_t)(end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || /* overlong, surrogates */
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

static uint32_t unit16(struct reader *r)
{
	uint32_t u =
	    r->form == UTF16_LE ? (uint32_t)(r->at[0] | r->at[1] << 8) : (uint32_t)(r->at[0] << 8 | r->at[1]);

	r->at += 2;
	return u;
}

static uint32_t next16(struct reader *r)
{
	uint32_t u, low;

	if (r->end - r->at < 2) {
		r->at = r->end;
		return 0;
	}
	u = unit16(r);
	if (u < 0xd800 || u > 0xdfff)
		return u;
	if (u > 0xdbff || r->end - r->at < 2)
		return 0;
	low = unit16(r);
	if (low < 0xdc00 || low > 0xdfff) {
		r->at -= 2;
		return 0;
	}
	return 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
}

/* The next character; 0 for what cannot be read. */
static uint32_t next(struct reader *r)
{
	const char *p = (const char *)r->at;
	uint32_t c;

	if (r->form != UTF8)
		return next16(r);
	if (sequence(r->at, r->end) == 0)
		return windows_1252(*r->at++);
	c = utf8_next(&p);
	r->at = (const unsigned char *)p;
	return c;
}

/* What a character counts as: itself, ' ', '\n', '\f', or 0 for nothing at all. */
static uint32_t kind(uint32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return c;
	if (c < 0x20)
		return c == '\n' || c == '\t' || c == '\f' ? c : 0;
	switch (c) {
	case 0x85:
	case 0x2028:
	case 0x2029: return '\n';
	case 0xa0:
	case 0x202f:
	case 0x3000: return ' ';
	case 0xad:
	case 0x200b:
	case 0x2060:
	case 0xfeff: return 0;
	}
	if ((c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	if (c >= 0x2000 && c <= 0x200a)
		return ' ';
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ? 0 : c; /* noncharacters */
}

/* --- Characters to text ----------------------------------------------------------------------------------------- */

struct writer {
	char *text; /* room for all: no character grows but those of one byte that are not UTF-8 */
	size_t size;
	size_t newlines; /* held back until something follows */
	char indent[16]; /* likewise */
	size_t blanks;   /* likewise: in indent when at the start of a line */
	struct page *pages;
	size_t page_count, page_room, page_start;
	bool any_form_feed;
};

static void put(struct writer *w, uint32_t c)
{
	bool fresh = w->size == 0 || w->newlines;

	if (w->size)
		for (size_t i = 0; i < w->newlines && i < 2; i++)
			w->text[w->size++] = '\n';
	if (fresh) {
		memcpy(w->text + w->size, w->indent, w->blanks);
		w->size += w->blanks;
	} else if (w->blanks) {
		w->text[w->size++] = ' ';
	}
	w->newlines = w->blanks = 0;
	w->size += utf8_put(w->text + w->size, c);
}

static void blank(struct writer *w, char c)
{
	if (w->blanks < sizeof w->indent)
		w->indent[w->blanks++] = c;
}

static void end_page(struct writer *w)
{
	if (w->page_count == w->page_room) {
		w->page_room = w->page_room ? w->page_room * 2 : 64;
		w->pages = realloc(w->pages, w->page_room * sizeof *w->pages);
		if (!w->pages)
			abort();
	}
	w->pages[w->page_count++] = (struct page){ w->page_start, w->size };
	w->page_start = w->size;
}

/* The text begins a page after its last: the empty line between them belongs to neither. */
static void settle_pages(struct clean *c)
{
	for (size_t i = 0; i < c->page_count; i++) {
		struct page *p = &c->pages[i];

		while (p->start < p->end && c->text[p->start] == '\n')
			p->start++;
	}
}

/* Is the next character, left unread, this one? */
static bool followed_by(const struct reader *r, uint32_t c)
{
	struct reader ahead = *r;

	return ahead.at < ahead.end && next(&ahead) == c;
}

/* One way of ending a line; a soft hyphen there is a hyphen that somebody saw. */
static uint32_t line_end(const struct reader *r, uint32_t c)
{
	if (c == '\r')
		return followed_by(r, '\n') ? 0 : '\n';
	if (c == 0xad)
		return followed_by(r, '\n') ? '-' : 0;
	return c;
}

static void copy(struct reader *r, struct writer *w)
{
	while (r->at < r->end) {
		uint32_t c = next(r);

		c = kind(line_end(r, c));
		switch (c) {
		case 0: break;
		case '\f':
			w->any_form_feed = true;
			end_page(w);
			w->newlines = 2;
			w->blanks = 0;
			break;
		case '\n':
			w->newlines++;
			w->blanks = 0;
			break;
		case ' ':
		case '\t': blank(w, (char)c); break;
		default: put(w, c);
		}
	}
}

/* --- Reflow ----------------------------------------------------------------------------------------------------- */

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool letter(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* Does the line that starts here begin something of its own: a list item, a numbered clause? */
static bool starts_item(const char *s, const char *end)
{
	const char *p = s;

	if (end - s >= 3 && memcmp(s, "\xe2\x80\xa2", 3) == 0) /* a bullet */
		return true;
	if ((*s == '-' || *s == '*') && end - s > 1 && s[1] == ' ')
		return true;
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.'))
		p++;
	return p > s && p < end && (*p == ' ' || *p == ')') &&
	       (p[-1] == '.' || *p == ')' || memchr(s, '.', (size_t)(p - s)));
}

/* Is the line too short to have been broken by the margin, and finished by its last character? */
static bool ends_paragraph(size_t length, size_t width, char last)
{
	return length * 4 < width * 3 && (last == '.' || last == '!' || last == '?' || last == ':');
}

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* A line of its own above a paragraph: short, without a full stop, and a long one begins anew below it. */
static bool is_title(const char *line, const char *eol, const char *end, size_t width)
{
	const char *below = memchr(eol + 1, '\n', (size_t)(end - eol - 1));
	size_t next = (size_t)((below ? below : end) - eol - 1);

	return (size_t)(eol - line) * 2 < width && next * 5 > width * 3 && !strchr(".,;:-", eol[-1]) &&
	       (upper(*line) || (*line >= '0' && *line <= '9')) && upper(eol[1]);
}

/* How wide the paragraph at s is set: the mean of its lines, the short ones left out. (Not the longest: pdftotext joins
 * a line to the next where it mends a divided word.) */
static size_t paragraph_width(const char *s, const char *end)
{
	size_t most = 0, sum = 0, lines = 0;

	for (int pass = 0; pass < 2; pass++)
		for (const char *line = s, *eol; line < end && *line != '\n';
		     line = eol < end ? eol + 1 : end) {
			size_t length;

			eol = memchr(line, '\n', (size_t)(end - line));
			if (!eol)
				eol = end;
			length = (size_t)(eol - line);
			if (pass == 0)
				most = length > most ? length : most;
			else if (length * 2 > most)
				sum += length, lines++;
		}
	return lines ? sum / lines : 0;
}

/* Where the page really ends: before a last paragraph that is its number. */
static size_t without_number(const char *text, const struct page *p)
{
	size_t end = p->end, digits = 0;

	while (end > p->start && text[end - 1] >= '0' && text[end - 1] <= '9')
		end--, digits++;
	if (digits == 0 || digits > 4 ||
	    (end > p->start && (end - p->start < 2 || text[end - 1] != '\n' || text[end - 2] != '\n')))
		return p->end;
	while (end > p->start && text[end - 1] == '\n')
		end--;
	return end;
}

/* Pages without their numbers; a sentence that goes on over the border stays in one paragraph. */
static void join_pages(struct clean *c)
{
	size_t out = 0;

	for (size_t i = 0; i < c->page_count; i++) {
		struct page *p = &c->pages[i];
		size_t size = without_number(c->text, p) - p->start;
		bool goes_on = out && size && letter(c->text[p->start]) &&
		               (lower(c->text[out - 1]) || c->text[out - 1] == ',');

		/* There were two newlines before each page but the first with text: this never overtakes the reading. */
		if (out && size) {
			c->text[out++] = '\n';
			if (!goes_on)
				c->text[out++] = '\n';
		}
		memmove(c->text + out, c->text + p->start, size);
		*p = (struct page){ out, out + size };
		out += size;
	}
	c->size = out;
	c->text[out] = '\0';
}

/* What stands between a line and the next: nothing after a divided word, a paragraph's border, or a blank. */
static const char *joint(const char *line, const char *eol, const char *end, size_t width)
{
	if (eol - line >= 2 && eol[-1] == '-' && letter(eol[-2]) && lower(eol[1]))
		return "-";
	if (ends_paragraph((size_t)(eol - line), width, eol[-1]) || is_title(line, eol, end, width))
		return "\n\n";
	return starts_item(eol + 1, end) ? "\n" : " ";
}

/* Borders of pages that lie at or before `byte` are where `out` is. Starts and ends come in turn, in order. */
static void move_borders(struct clean *c, size_t *passed, size_t byte, size_t out)
{
	for (; *passed < c->page_count * 2; ++*passed) {
		struct page *p = &c->pages[*passed / 2];
		size_t *border = *passed % 2 ? &p->end : &p->start;

		if (byte < *border)
			return;
		*border = out;
	}
}

/* Join the lines of each paragraph; pages move along. */
static void reflow_lines(struct clean *c)
{
	const char *s = c->text, *end = c->text + c->size, *line = s;
	char *text = malloc(c->size * 2 + 1);
	size_t out = 0, passed = 0, width = paragraph_width(s, end);

	if (!text)
		abort();
	for (; s < end; s++) {
		const char *between;

		move_borders(c, &passed, (size_t)(s - c->text), out);
		if (*s != '\n') {
			text[out++] = *s;
			continue;
		}
		if (s[1] == '\n') { /* an empty line */
			s++;
			width = paragraph_width(s + 1, end);
			between = "\n\n";
		} else {
			between = joint(line, s, end, width);
		}
		while (s + 1 < end && (s[1] == ' ' || s[1] == '\t'))
			s++; /* indentation has done its work */
		line = s + 1;
		if (*between == '-')
			out--;
		else
			for (; *between; between++)
				text[out++] = *between;
	}
	move_borders(c, &passed, c->size, out);
	free(c->text);
	c->text = text;
	c->size = out;
}

void normalise(const char *bytes, size_t size, bool reflow, struct clean *ret, struct arena *a)
{
	struct reader r;
	/* At worst every byte is one of Windows-1252 that takes three. */
	struct writer w = { .text = malloc(size * 3 + 1) };
	char *plain;

	if (!w.text)
		abort();
	reader_init(&r, bytes, size);
	copy(&r, &w);
	if (w.any_form_feed && (w.size > w.page_start))
		end_page(&w);
	w.text[w.size] = '\0';
	*ret = (struct clean){ w.text, w.size, w.pages, w.page_count };
	settle_pages(ret);
	if (reflow && ret->page_count)
		join_pages(ret);
	if (reflow)
		reflow_lines(ret);
	plain = ret->text;
	ret->text = arena_memdup(a, plain, ret->size);
	ret->pages = w.page_count ? arena_memdup(a, w.pages, w.page_count * sizeof *w.pages) : NULL;
	free(plain);
	free(w.pages);
}
