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
