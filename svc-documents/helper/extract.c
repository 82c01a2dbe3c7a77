/* parley-extract: see helper.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"

void end(int verdict, const char *why)
{
	dprintf(2, "%s\n", why);
	_exit(verdict);
}

/* --- Output ----------------------------------------------------------------------------------------------------- */

static void put(struct out *o, const char *bytes, size_t size)
{
	if (o->size + size > OUTPUT_MAX)
		end(VERDICT_TOO_LARGE, "too much text");
	if (o->size + size > o->room) {
		o->room = (o->size + size) * 2;
		o->at = realloc(o->at, o->room);
		if (!o->at)
			end(VERDICT_TOO_LARGE, "out of memory");
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
	if (newlines > o->newlines)
		o->newlines = newlines;
	o->space = false;
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

void out_flush(const struct out *o, const char *title)
{
	write_all(title, strcspn(title, "\n"));
	write_all("\n", 1);
	write_all(o->at, o->size);
}

/* --- Input ------------------------------------------------------------------------------------------------------ */

static char *read_input(size_t *size)
{
	size_t room = 1024 * 1024;
	char *bytes = malloc(room);
	ssize_t n;

	*size = 0;
	while (bytes && (n = read(0, bytes + *size, room - *size)) > 0) {
		*size += (size_t)n;
		if (*size > INPUT_MAX)
			end(VERDICT_TOO_LARGE, "the file is too large");
		if (*size == room)
			bytes = realloc(bytes, room *= 2);
	}
	if (!bytes)
		end(VERDICT_TOO_LARGE, "out of memory");
	return bytes;
}

static void pdf(void)
{
	char last[16];

	/* One page more than are taken tells that there are too many. */
	snprintf(last, sizeof last, "%d", PAGES_MAX + 1);
	execlp("pdftotext", "pdftotext", "-enc", "UTF-8", "-eol", "unix", "-l", last, "/dev/stdin", "-",
	       (char *)NULL);
	end(VERDICT_CANNOT_RUN, "pdftotext (package poppler-utils) cannot be started");
}

static void html(void)
{
	struct out o = { 0 };
	char title[256] = "";
	size_t size;
	char *bytes = read_input(&size);

	html_read(bytes, size, &o, title, sizeof title);
	out_flush(&o, title);
}

static void docx(void)
{
	struct out o = { 0 };

	docx_read(0, &o);
	out_flush(&o, "");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *kind;
		void (*read)(void);
		int seconds; /* of processor time */
	} kinds[] = { { "pdf", pdf, 60 }, { "html", html, 10 }, { "docx", docx, 10 } };

	for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].kind, argv[1]) != 0)
			continue;
		confine(kinds[i].seconds);
		kinds[i].read();
		_exit(0); /* nothing is worth tidying up */
	}
	end(VERDICT_CANNOT_RUN, "usage: parley-extract pdf|html|docx <file >text");
}
