/* parley-extract: see helper.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"
#include "svc-documents/helper/recode.h"

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

static void pdf(const struct jail *jail, struct out *o)
{
	pdf_read(jail, o);
}

static void html(const struct jail *jail, struct out *o)
{
	size_t size;
	char *bytes;

	jail_read(jail);
	bytes = read_input(&size);
	html_read(bytes, size, o);
	if (o->shell)
		end(VERDICT_SAYS_WHY,
		    "The page has hardly any text of its own: it seems to need JavaScript, which is not run here.");
}

static void docx(const struct jail *jail, struct out *o)
{
	jail_read(jail);
	docx_read(0, o);
}

static void pptx(const struct jail *jail, struct out *o)
{
	jail_read(jail);
	pptx_read(0, o);
}

static void xlsx(const struct jail *jail, struct out *o)
{
	jail_read(jail);
	xlsx_read(0, o);
}

static void odt(const struct jail *jail, struct out *o)
{
	jail_read(jail);
	odt_read(0, o);
}

static void epub(const struct jail *jail, struct out *o)
{
	jail_read(jail);
	epub_read(0, o);
}

static void eml(const struct jail *jail, struct out *o)
{
	struct recoder *recoder = recoder_open();
	size_t size;
	char *bytes;

	jail_read(jail);
	bytes = read_input(&size);
	mail_read(recoder, bytes, size, o);
}

static void rtf(const struct jail *jail, struct out *o)
{
	struct recoder *recoder = recoder_open();
	size_t size;
	char *bytes;

	jail_read(jail);
	bytes = read_input(&size);
	rtf_read(recoder, bytes, size, o);
}

static void html_with_links(const struct jail *jail, struct out *o)
{
	static struct out links;

	o->links = &links;
	html(jail, o);
}

/* What is characters, and only that. */
static void characters(const struct jail *jail, struct out *o,
                       void (*read)(const char *, size_t, struct out *))
{
	size_t size;
	char *bytes;

	jail_read(jail);
	bytes = read_input(&size);
	read(bytes, size, o);
}

static void csv(const struct jail *jail, struct out *o)
{
	characters(jail, o, csv_read);
}

static void json(const struct jail *jail, struct out *o)
{
	characters(jail, o, json_read);
}

static void xml(const struct jail *jail, struct out *o)
{
	characters(jail, o, xml_read);
}

static void xml_for_links(const struct jail *jail, struct out *o)
{
	static struct out links;

	o->links = &links;
	characters(jail, o, xml_links);
}

static void srt(const struct jail *jail, struct out *o)
{
	characters(jail, o, subtitles_read);
}

/* What the service says of the jail when it starts. */
static void jail_test(const struct jail *jail, struct out *o)
{
	char text[128];

	jail_describe(text, sizeof text);
	jail_read(jail);
	out_plain(o, text, strlen(text));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *format;
		void (*read)(const struct jail *jail, struct out *o);
	} readers[] = { { "pdf", pdf },
		        { "html", html },
		        { "docx", docx },
		        { "pptx", pptx },
		        { "xlsx", xlsx },
		        { "odt", odt },
		        { "epub", epub },
		        { "eml", eml },
		        { "rtf", rtf },
		        { "csv", csv },
		        { "json", json },
		        { "xml", xml },
		        { "srt", srt },
		        { "html links", html_with_links },
		        { "xml links", xml_for_links },
		        { "jail", jail_test } };
	struct jail jail = { 0 };
	struct out o = { 0 };

	if (argc == 4) {
		jail.megabytes = (int)strtol(argv[2], NULL, 10);
		jail.seconds = (int)strtol(argv[3], NULL, 10);
	}
	for (size_t i = 0; jail.megabytes > 0 && i < sizeof readers / sizeof *readers; i++) {
		if (strcmp(readers[i].format, argv[1]) != 0)
			continue;
		jail_enter(&jail);
		readers[i].read(&jail, &o);
		out_flush(&o);
		_exit(0); /* nothing is worth tidying up */
	}
	end(VERDICT_CANNOT_RUN, "usage: parley-extract FORMAT MEGABYTES SECONDS <file >text");
}
