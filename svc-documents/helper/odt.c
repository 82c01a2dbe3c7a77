/* The text of an OpenDocument text: content.xml of its archive. */
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/parts.h"

static bool wanted(const char *name)
{
	return strcmp(name, "content.xml") == 0 || strcmp(name, "META-INF/manifest.xml") == 0;
}

struct odt {
	struct out *o;
	int in_table, in_note, in_text; /* how deep */
};

static bool is_left_out(xmlTextReaderPtr xml)
{
	static const char *const names[] = { "annotation",    "tracked-changes", "table-of-content",
		                             "note-citation", "sequence-decls",  NULL };

	for (const char *const *n = names; *n; n++)
		if (xml_is(xml, *n))
			return true;
	return false;
}

static void start(struct odt *d, xmlTextReaderPtr xml)
{
	bool empty = xmlTextReaderIsEmptyElement(xml) == 1;

	if ((xml_is(xml, "h") || xml_is(xml, "p")) && !empty) {
		long level = xml_is(xml, "h") ? xml_number(xml, "outline-level", 1) : 0;

		d->in_text++;
		if (level > 0 && !d->in_table && !d->in_note) {
			out_break(d->o, 2);
			out_plain(d->o, "######", level < 6 ? (size_t)level : 6);
			d->o->space = true;
		}
	} else if (xml_is(xml, "list-item") && !d->in_table) {
		out_break(d->o, 1);
		out_plain(d->o, "-", 1);
		d->o->space = true;
	} else if (xml_is(xml, "tab") || xml_is(xml, "s") || (xml_is(xml, "line-break") && d->in_table)) {
		d->o->space = true;
	} else if (xml_is(xml, "line-break")) {
		out_break(d->o, 1);
	} else if (xml_is(xml, "table") && !empty) {
		d->in_table++;
		out_break(d->o, 2);
	} else if (xml_is(xml, "note") && !empty) {
		d->in_note++;
		d->o->space = true;
		out_plain(d->o, "(", 1);
	}
}

static void stop(struct odt *d, xmlTextReaderPtr xml)
{
	if (xml_is(xml, "h") || xml_is(xml, "p")) {
		d->in_text -= d->in_text > 0;
		if (d->in_table)
			d->o->space = true;
		else if (!d->in_note)
			out_break(d->o, 2);
	} else if (xml_is(xml, "table-cell")) {
		d->o->space = true;
		out_plain(d->o, "|", 1);
		d->o->space = true;
	} else if (xml_is(xml, "table-row")) {
		if (d->o->size > 1 && d->o->at[d->o->size - 1] == '|')
			d->o->size -= 2;
		out_break(d->o, 1);
	} else if (xml_is(xml, "table")) {
		d->in_table -= d->in_table > 0;
		out_break(d->o, 2);
	} else if (xml_is(xml, "note")) {
		d->in_note -= d->in_note > 0;
		out_plain(d->o, ")", 1);
	}
}

static void read_content(struct odt *d, const struct part *content)
{
	xmlTextReaderPtr xml = xml_open(content);
	int type = xml_next(xml);

	while (type) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT && is_left_out(xml)) {
			type = xml_pass_over(xml);
			continue;
		}
		if (type == XML_READER_TYPE_ELEMENT)
			start(d, xml);
		else if (type == XML_READER_TYPE_END_ELEMENT)
			stop(d, xml);
		else if (d->in_text && text)
			out_text(d->o, text, strlen(text));
		type = xml_next(xml);
	}
	xmlFreeTextReader(xml);
}

void odt_read(int file, struct out *o)
{
	struct odt d = { .o = o };
	struct parts parts;
	const struct part *content, *manifest;

	parts_read(file, wanted, &parts);
	content = parts_find(&parts, "content.xml");
	manifest = parts_find(&parts, "META-INF/manifest.xml");
	if (!content)
		end(VERDICT_DAMAGED, "no content.xml");
	if (manifest && memmem(manifest->bytes, manifest->size, "encryption-data", 15))
		end(VERDICT_ENCRYPTED, "encrypted");
	read_content(&d, content);
}
