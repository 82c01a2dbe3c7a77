/* Text on its way out. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/utf8.h"
#include "svc-documents/helper/helper.h"

enum { LINKS_MAX = 3000, LINKS_BYTES = 512 * 1024, ADDRESS_MAX = 2000 };

static void put(struct out *o, const char *bytes, size_t size)
{
	if (size == 0)
		return;
	if (o->size + size > OUTPUT_MAX)
		end(VERDICT_TOO_LARGE, "too much text");
	if (o->size + size > o->room) {
		o->room = (o->size + size) * 2;
		o->at = there(realloc(o->at, o->room));
	}
	memcpy(o->at + o->size, bytes, size);
	o->size += size;
}

static void settle(struct out *o)
{
	if (o->newlines && o->size)
		put(o, "\n\n", (size_t)o->newlines);
	else if (o->space && o->size)
		put(o, " ", 1);
	o->newlines = 0;
	o->space = false;
}

void out_text(struct out *o, const char *text, size_t size)
{
	const char *last = text + size;

	while (text < last) {
		size_t blanks = 0, word;

		while (text + blanks < last && strchr(" \t\n\r\f", text[blanks]))
			blanks++; /* a NUL counts as one: it is dropped later */
		text += blanks;
		o->space = o->space || blanks;
		for (word = 0; text + word < last && !strchr(" \t\n\r\f", text[word]);)
			word++;
		if (word) {
			settle(o);
			put(o, text, word);
			text += word;
		}
	}
}

void out_plain(struct out *o, const char *text, size_t size)
{
	settle(o);
	put(o, text, size);
}

void out_break(struct out *o, int newlines)
{
	if (o->mark && o->mark == o->size)
		return;
	if (newlines > o->newlines)
		o->newlines = newlines;
	o->space = false;
}

/* What separates them, and ends their line, is encoded. */
void out_link(struct out *o, const char *address, size_t size)
{
	struct out *l = o->links;

	while (size && isspace((unsigned char)*address))
		address++, size--;
	while (size && isspace((unsigned char)address[size - 1]))
		size--;
	if (size == 0 || size > ADDRESS_MAX || *address == '#' || l->size > LINKS_BYTES ||
	    o->link_count == LINKS_MAX)
		return;
	if (o->link_count++)
		out_plain(l, " ", 1);
	for (size_t i = 0; i < size; i++) {
		if (address[i] == ' ')
			out_plain(l, "%20", 3);
		else if ((unsigned char)address[i] > ' ')
			out_plain(l, address + i, 1);
	}
}

char *out_take(struct out *o)
{
	char *taken = there(calloc(1, o->size + 1));

	if (o->size)
		memcpy(taken, o->at, o->size);
	o->size = 0;
	o->newlines = 0;
	o->space = false;
	return taken;
}

size_t out_utf8(char *to, long c)
{
	if (c < 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	return utf8_put(to, (uint32_t)c);
}

static void write_all(const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(1, bytes, size);

		if (n <= 0)
			_exit(VERDICT_CANNOT_RUN); /* nobody reads */
		bytes += n;
		size -= (size_t)n;
	}
}

void out_flush(const struct out *o)
{
	const char *const head[] = { o->title, o->warning, o->refresh, o->base, o->scans };

	for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
		write_all(head[i], strcspn(head[i], "\n"));
		write_all("\n", 1);
	}
	if (o->links)
		write_all(o->links->at, o->links->size);
	write_all("\n", 1);
	write_all(o->at, o->size);
}
