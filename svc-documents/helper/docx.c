/* The text of a Word document: word/document.xml of a zip archive, as Markdown. */
#include <archive.h>
#include <archive_entry.h>
#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"

enum { ENTRIES_MAX = 10000 };

/* --- The archive ------------------------------------------------------------------------------------------------ */

static char *inflate(struct archive *zip, size_t *size)
{
	size_t room = 256 * 1024;
	char *bytes = malloc(room);
	la_ssize_t n;

	*size = 0;
	while (bytes && (n = archive_read_data(zip, bytes + *size, room - *size)) != 0) {
		if (n < 0)
			end(VERDICT_DAMAGED, "the archive is damaged");
		*size += (size_t)n;
		if (*size > INFLATED_MAX)
			end(VERDICT_TOO_LARGE, "too large once unpacked");
		if (*size == room)
			bytes = realloc(bytes, room *= 2);
	}
	if (!bytes)
		end(VERDICT_TOO_LARGE, "out of memory");
	return bytes;
}

static char *find_document(int file, size_t *size)
{
	struct archive *zip = archive_read_new();
	struct archive_entry *entry;

	if (!zip || archive_read_support_format_zip(zip) != ARCHIVE_OK ||
	    archive_read_open_fd(zip, file, 64 * 1024) != ARCHIVE_OK)
		end(VERDICT_DAMAGED, "not an archive");
	for (int i = 0; i < ENTRIES_MAX && archive_read_next_header(zip, &entry) == ARCHIVE_OK; i++) {
		const char *name = archive_entry_pathname(entry);

		if (!name || strcmp(name, "word/document.xml") != 0)
			continue;
		if (archive_entry_is_encrypted(entry))
			end(VERDICT_ENCRYPTED, "encrypted");
		return inflate(zip, size);
	}
	end(VERDICT_DAMAGED, "no word/document.xml");
}

/* --- The document ----------------------------------------------------------------------------------------------- */

static bool is(const char *name, const char *what)
{
	return strcmp(name, what) == 0;
}

/* "Heading2" and its kin in a paragraph's style. */
static void heading(struct out *o, xmlTextReaderPtr xml)
{
	char *style = (char *)xmlTextReaderGetAttribute(xml, (const xmlChar *)"w:val");
	int level = 0;

	if (style && strncasecmp(style, "heading", 7) == 0 && style[7] >= '1' && style[7] <= '6')
		level = style[7] - '0';
	else if (style && strcasecmp(style, "title") == 0)
		level = 1;
	if (level) {
		out_plain(o, "######", (size_t)level);
		o->space = true;
	}
	xmlFree(style);
}

/* in_table: how many tables deep. */
static void start(struct out *o, xmlTextReaderPtr xml, const char *name, int in_table)
{
	if (is(name, "p") && !in_table)
		out_break(o, 1);
	else if (is(name, "pStyle"))
		heading(o, xml);
	else if (is(name, "numPr")) {
		out_plain(o, "-", 1);
		o->space = true;
	} else if (is(name, "tab"))
		o->space = true;
	else if (is(name, "br") || is(name, "cr"))
		out_break(o, 1);
}

static void stop(struct out *o, const char *name, int *in_table)
{
	if (is(name, "p") && *in_table)
		o->space = true;
	else if (is(name, "p"))
		out_break(o, 2);
	else if (is(name, "tc")) {
		out_plain(o, "|", 1);
		o->space = true;
	} else if (is(name, "tr"))
		out_break(o, 1);
	else if (is(name, "tbl")) {
		(*in_table)--;
		out_break(o, 2);
	}
}

static void read_document(xmlTextReaderPtr xml, struct out *o)
{
	bool in_text = false;
	int in_table = 0, rc;

	while ((rc = xmlTextReaderRead(xml)) == 1) {
		const char *name = (const char *)xmlTextReaderConstLocalName(xml);
		int type = xmlTextReaderNodeType(xml);

		if (type == XML_READER_TYPE_DOCUMENT_TYPE)
			end(VERDICT_DAMAGED, "a document type has no place here");
		if (type == XML_READER_TYPE_ELEMENT) {
			in_text = is(name, "t") && !xmlTextReaderIsEmptyElement(xml);
			in_table += is(name, "tbl");
			start(o, xml, name, in_table);
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			in_text = false;
			stop(o, name, &in_table);
		} else if (in_text) {
			const char *text = (const char *)xmlTextReaderConstValue(xml);

			if (text)
				out_text(o, text, strlen(text));
		}
	}
	if (rc < 0)
		end(VERDICT_DAMAGED, "the document is damaged");
}

static void quiet(void *arg, const char *message, ...)
{
	(void)arg;
	(void)message;
}

void docx_read(int file, struct out *o)
{
	size_t size;
	char *bytes = find_document(file, &size);
	xmlTextReaderPtr xml;

	xmlSetGenericErrorFunc(NULL, quiet);
	xml = xmlReaderForMemory(bytes, (int)size, NULL, NULL,
	                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!xml)
		end(VERDICT_DAMAGED, "the document is damaged");
	read_document(xml, o);
}
