#include "svc-documents/ingest/normalise.h"

#include "common/base/utf8.h"
#include <stdlib.h>
#include <string.h>

enum { STRIDE = 2 * 1024 * 1024 };

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
	bool paged;
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

/* The text begins a page after its last: what stands between them belongs to neither. */
static void settle_pages(struct clean *c)
{
	for (size_t i = 0; i < c->page_count; i++) {
		struct page *p = &c->pages[i];

		while (p->start < p->end && (c->text[p->start] == '\n' || c->text[p->start] == ' '))
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

/* What was read and written is needed no more for a while. */
struct behind {
	const char *read;
	size_t written;
	bool mapped;
};

static void rest(struct behind *b, const struct reader *r, const struct clean *c, const struct writer *w)
{
	const char *at = (const char *)r->at;

	clean_rest(c, &b->written, w->size);
	if (!b->mapped || at - b->read < STRIDE)
		return;
	arena_rest(b->read, at);
	b->read = at;
}

void clean_rest(const struct clean *c, size_t *rested, size_t reached)
{
	if (!c->bulk || reached < *rested + STRIDE)
		return;
	arena_rest(c->text + *rested, c->text + reached);
	*rested = reached;
}

static void copy_one(struct reader *r, struct writer *w)
{
	uint32_t c = next(r);

	c = kind(line_end(r, c));
	switch (c) {
	case 0: break;
	case '\f':
		if (w->paged) {
			end_page(w);
			break;
		}
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

void normalise(const char *bytes, size_t size, bool paged, bool mapped, struct clean *ret, struct arena *a)
{
	/* At worst every byte is one of Windows-1252 that takes three. */
	size_t room = size * 3 + 1;
	struct behind behind = { .read = bytes, .mapped = mapped };
	struct writer w = { .text = arena_bulk(a, room), .paged = paged };
	struct reader r;

	reader_init(&r, bytes, size);
	*ret = (struct clean){ .text = w.text, .bulk = room >= ARENA_BULK };
	while (r.at < r.end) {
		const unsigned char *stop = r.end - r.at < STRIDE ? r.end : r.at + STRIDE;

		while (r.at < stop)
			copy_one(&r, &w);
		rest(&behind, &r, ret, &w);
	}
	if (paged && w.size > w.page_start)
		end_page(&w);
	w.text[w.size] = '\0';
	ret->size = w.size;
	ret->pages = w.page_count ? arena_memdup(a, w.pages, w.page_count * sizeof *w.pages) : NULL;
	ret->page_count = w.page_count;
	free(w.pages);
	settle_pages(ret);
}
