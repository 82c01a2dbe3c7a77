/* parley-extract: see helper.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"
#include "svc-documents/helper/ocr.h"
#include "svc-documents/helper/parts.h"
#include "svc-documents/helper/recode.h"

void end(int verdict, const char *why)
{
	dprintf(2, "%s\n", why);
	_exit(verdict);
}

/* What is asked for. */
struct request {
	struct jail jail;
	const char *languages; /* of text in pictures, or NULL */
	int first, last;       /* pages of a scan */
};

/* --- Input ------------------------------------------------------------------------------------------------------ */

static char *read_input(size_t *size)
{
	size_t room = 1024 * 1024;
	char *bytes = there(malloc(room));
	ssize_t n;

	*size = 0;
	while ((n = read(0, bytes + *size, room - *size)) > 0) {
		*size += (size_t)n;
		if (*size > INPUT_MAX)
			end(VERDICT_TOO_LARGE, "the file is too large");
		if (*size == room)
			bytes = there(realloc(bytes, room *= 2));
	}
	return bytes;
}

static void pdf(const struct request *r, struct out *o)
{
	pdf_read(&r->jail, o);
}

static void html(const struct request *r, struct out *o)
{
	size_t size;
	char *bytes;

	jail_read(&r->jail);
	bytes = read_input(&size);
	html_read(bytes, size, o);
	if (o->shell)
		end(VERDICT_SAYS_WHY,
		    "The page has hardly any text of its own: it seems to need JavaScript, which is not run here.");
}

static void docx(const struct request *r, struct out *o)
{
	jail_read(&r->jail);
	docx_read(0, o);
}

static void pptx(const struct request *r, struct out *o)
{
	jail_read(&r->jail);
	pptx_read(0, o);
}

static void xlsx(const struct request *r, struct out *o)
{
	jail_read(&r->jail);
	xlsx_read(0, o);
}

static void odt(const struct request *r, struct out *o)
{
	jail_read(&r->jail);
	odt_read(0, o);
}

static void epub(const struct request *r, struct out *o)
{
	jail_read(&r->jail);
	epub_read(0, o);
}

static void eml(const struct request *r, struct out *o)
{
	struct recoder *recoder = recoder_open();
	size_t size;
	char *bytes;

	jail_read(&r->jail);
	bytes = read_input(&size);
	mail_read(recoder, bytes, size, o);
}

static void rtf(const struct request *r, struct out *o)
{
	struct recoder *recoder = recoder_open();
	size_t size;
	char *bytes;

	jail_read(&r->jail);
	bytes = read_input(&size);
	rtf_read(recoder, bytes, size, o);
}

static void html_with_links(const struct request *r, struct out *o)
{
	static struct out links;

	o->links = &links;
	html(r, o);
}

/* What is characters, and only that. */
static void characters(const struct request *r, struct out *o,
                       void (*read)(const char *, size_t, struct out *))
{
	size_t size;
	char *bytes;

	jail_read(&r->jail);
	bytes = read_input(&size);
	read(bytes, size, o);
}

static void csv(const struct request *r, struct out *o)
{
	characters(r, o, csv_read);
}

static void json(const struct request *r, struct out *o)
{
	characters(r, o, json_read);
}

static void xml(const struct request *r, struct out *o)
{
	characters(r, o, xml_read);
}

static void xml_for_links(const struct request *r, struct out *o)
{
	static struct out links;

	o->links = &links;
	characters(r, o, xml_links);
}

/* Sitemaps come so: in UTF-8, as they must be. */
static void xml_gz(const struct request *r, struct out *o)
{
	struct part all;

	jail_read(&r->jail);
	parts_unzip(0, &all);
	(o->links ? xml_links : xml_read)(all.bytes, all.size, o);
}

static void xml_gz_for_links(const struct request *r, struct out *o)
{
	static struct out links;

	o->links = &links;
	xml_gz(r, o);
}

static void srt(const struct request *r, struct out *o)
{
	characters(r, o, subtitles_read);
}

/* --- Text in pictures --------------------------------------------------------------------------------------------- */

static struct ocr *recogniser(const struct request *r)
{
	struct ocr *ocr = r->languages ? ocr_open(r->languages) : NULL;

	if (!ocr)
		end(VERDICT_SAYS_WHY, "Reading text in images needs tesseract, which is not installed here.");
	return ocr;
}

static void image(const struct request *r, struct out *o)
{
	struct ocr *ocr = recogniser(r);
	size_t size;
	char *bytes;

	jail_read(&r->jail);
	bytes = read_input(&size);
	image_read(ocr, bytes, size, r->jail.seconds - 5, o);
}

static void scan(const struct request *r, struct out *o)
{
	struct ocr *ocr = recogniser(r);

	scan_read(ocr, &r->jail, r->first, r->last, o);
}

/* What the service says of it when it starts. */
static void ocr_test(const struct request *r, struct out *o)
{
	struct ocr *ocr = recogniser(r);
	char text[256];

	jail_read(&r->jail);
	ocr_describe(ocr, text, sizeof text);
	out_plain(o, text, strlen(text));
}

/* And of the jail. */
static void jail_test(const struct request *r, struct out *o)
{
	char text[128];

	jail_describe(text, sizeof text);
	jail_read(&r->jail);
	out_plain(o, text, strlen(text));
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *format;
		void (*read)(const struct request *r, struct out *o);
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
		        { "xml.gz", xml_gz },
		        { "srt", srt },
		        { "png", image },
		        { "jpeg", image },
		        { "tiff", image },
		        { "webp", image },
		        { "gif", image },
		        { "bmp", image },
		        { "scan", scan },
		        { "html links", html_with_links },
		        { "xml links", xml_for_links },
		        { "xml.gz links", xml_gz_for_links },
		        { "ocr", ocr_test },
		        { "jail", jail_test } };
	struct request r = { 0 };
	struct out o = { 0 };

	if (argc >= 4) {
		r.jail.megabytes = number(argv[2]);
		r.jail.seconds = number(argv[3]);
		r.languages = argv[4];
	}
	if (argc == 7) {
		r.first = number(argv[5]);
		r.last = number(argv[6]);
	}
	for (size_t i = 0; r.jail.megabytes > 0 && i < sizeof readers / sizeof *readers; i++) {
		if (strcmp(readers[i].format, argv[1]) != 0)
			continue;
		jail_enter(&r.jail);
		readers[i].read(&r, &o);
		out_flush(&o);
		_exit(0); /* nothing is worth tidying up */
	}
	end(VERDICT_CANNOT_RUN,
	    "usage: parley-extract FORMAT MEGABYTES SECONDS [LANGUAGES [FIRST LAST]] <file >text");
}
