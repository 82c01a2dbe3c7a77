#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

enum { FIELDS = 12, PAGE = 1, BLOCK = 3, LINE = 4, WORD = 5 };

/* Room for one more. */
static void *grow(void *at, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return at;
	*room = *room ? *room + *room / 2 : 256;
	at = realloc(at, *room * size);
	if (!at)
		end(VERDICT_TOO_LARGE, "too much text");
	return at;
}

void pdf_add_page(struct pdf *p, const float *box)
{
	p->pages = grow(p->pages, p->page_count, &p->page_room, sizeof *p->pages);
	p->pages[p->page_count++] =
	    (struct pdf_page){ .line = (uint32_t)p->line_count, .width = box[2], .height = box[3] };
	pdf_add_block(p, box); /* none goes over pages */
}

void pdf_add_block(struct pdf *p, const float *box)
{
	p->blocks = grow(p->blocks, p->block_count, &p->block_room, sizeof *p->blocks);
	p->blocks[p->block_count++] =
	    (struct pdf_block){ .line = (uint32_t)p->line_count, .x = box[0], .w = box[2] };
}

void pdf_add_line(struct pdf *p, const float *box)
{
	if (p->block_count == 0 || p->page_count == 0)
		return;
	p->lines = grow(p->lines, p->line_count, &p->line_room, sizeof *p->lines);
	p->lines[p->line_count++] = (struct pdf_line){ .word = (uint32_t)p->word_count,
		                                       .block = (uint32_t)p->block_count - 1,
		                                       .x = box[0],
		                                       .y = box[1],
		                                       .w = box[2],
		                                       .h = box[3] };
	p->blocks[p->block_count - 1].lines++;
	p->pages[p->page_count - 1].lines++;
}

void pdf_copy_word(struct pdf *p, uint32_t word)
{
	p->words = grow(p->words, p->word_count, &p->word_room, sizeof *p->words);
	p->words[p->word_count++] = p->words[word];
}

uint32_t pdf_add_text(struct pdf *p, const char *text, size_t size)
{
	while (p->text_size + size > p->text_room)
		p->text = grow(p->text, p->text_room, &p->text_room, 1);
	if (p->text_size + size > OUTPUT_MAX)
		end(VERDICT_TOO_LARGE, "too much text");
	memcpy(p->text + p->text_size, text, size);
	p->text_size += size;
	return (uint32_t)(p->text_size - size);
}

void pdf_add_word(struct pdf *p, const float *box, const char *text, size_t size)
{
	if (p->line_count == 0 || size == 0)
		return;
	p->words = grow(p->words, p->word_count, &p->word_room, sizeof *p->words);
	p->words[p->word_count++] =
	    (struct pdf_word){ box[0], box[2], box[1], box[3], pdf_add_text(p, text, size), (uint32_t)size };
	p->lines[p->line_count - 1].words++;
	p->pages[p->page_count - 1].letters += (uint32_t)size;
}

/* Letters that TeX's fonts keep where others have control characters, and often do not name. */
static size_t write_named(const char *text, size_t size, char *to, size_t room)
{
	static const char *const names[0x20] = {
		[0x0b] = "ff", [0x0e] = "ffi", [0x0f] = "ffl", [0x10] = "“",   [0x11] = "”",
		[0x12] = "„",  [0x13] = "«",   [0x14] = "»",   [0x15] = "–",   [0x16] = "—",
		[0x1b] = "ff", [0x1c] = "fi",  [0x1d] = "fl",  [0x1e] = "ffi", [0x1f] = "ffl",
	};
	size_t n = 0;

	if (size == 2 && memcmp(text, "\xc2\x88", 2) == 0 && room > 3) { /* where TeX keeps its bullet */
		memcpy(to, "•", 3);
		return 3;
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *name = c < 0x20 ? names[c] : NULL;
		size_t length = name ? strlen(name) : 1;

		if (n + length > room)
			break;
		memcpy(to + n, name ? name : text + i, length);
		n += length;
	}
	return n;
}

/* level, page, paragraph, block, line, word, left, top, width, height, confidence, text */
static void read_row(struct pdf *p, char *row, size_t size)
{
	char *fields[FIELDS], *s = row;
	char word[2 * sizeof p->rest];
	float box[4];
	size_t n = 0;

	row[size] = '\0';
	for (fields[n++] = s; n < FIELDS && (s = strchr(s, '\t')); fields[n++] = s)
		*s++ = '\0';
	if (n < FIELDS)
		return;
	for (int i = 0; i < 4; i++) {
		box[i] = strtof(fields[6 + i], NULL);
		box[i] = isfinite(box[i]) ? box[i] : 0; /* what is no number has no place in an order */
	}
	switch (*row - '0') {
	case PAGE: pdf_add_page(p, box); break;
	case BLOCK: pdf_add_block(p, box); break;
	case LINE: pdf_add_line(p, box); break;
	case WORD:
		n = write_named(fields[11], size - (size_t)(fields[11] - row), word, sizeof word);
		pdf_add_word(p, box, word, n);
		break;
	default: break;
	}
}

void pdf_parse(struct pdf *p, const char *bytes, size_t size)
{
	const char *last = bytes + size;

	while (bytes < last) {
		const char *eol = memchr(bytes, '\n', (size_t)(last - bytes));
		size_t n = (size_t)((eol ? eol : last) - bytes), room = sizeof p->rest - 1 - p->rest_size;

		/* A word longer than a row may be is cut. */
		memcpy(p->rest + p->rest_size, bytes, n < room ? n : room);
		p->rest_size += n < room ? n : room;
		if (!eol)
			return;
		read_row(p, p->rest, p->rest_size);
		p->rest_size = 0;
		bytes = eol + 1;
	}
}

/* --- Characters --------------------------------------------------------------------------------------------------- */

static uint32_t decode(const unsigned char *s, size_t left)
{
	size_t n = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? *s : *s & (0xff >> (n + 1));

	for (size_t i = 1; i < n && i < left; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

uint32_t pdf_first_char(const char *s, size_t size)
{
	return size ? decode((const unsigned char *)s, size) : 0;
}

uint32_t pdf_last_char(const char *s, size_t size)
{
	size_t n = 1;

	while (n < size && n < 4 && ((unsigned char)s[size - n] & 0xc0) == 0x80)
		n++;
	return size ? decode((const unsigned char *)s + size - n, n) : 0;
}

size_t pdf_chars(const char *s, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

bool pdf_wide(uint32_t c)
{
	return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}
