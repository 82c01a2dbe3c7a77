/* The text of a book: the pages of its archive, in the order of their spine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/parts.h"

enum { ITEMS = 2000, NAME = 200 };

static bool wanted(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".opf") == 0 || strcmp(dot, ".xhtml") == 0 || strcmp(dot, ".html") == 0 ||
	               strcmp(dot, ".htm") == 0 || strcmp(dot, ".xml") == 0);
}

struct item {
	char id[NAME], name[NAME];
};

/* %20 and its kin; the name within the archive lies beside the package's own. */
static void place(const char *package, const char *href, char *ret)
{
	const char *slash = strrchr(package, '/');
	size_t n = slash ? (size_t)(slash - package) + 1 : 0;

	memcpy(ret, package, n < NAME ? n : 0);
	for (n = n < NAME ? n : 0; *href && *href != '#' && n < NAME - 1; href++) {
		char digits[3] = { href[0] == '%' ? href[1] : 0, href[0] == '%' && href[1] ? href[2] : 0, 0 };

		ret[n++] = digits[1] ? (char)strtol(digits, NULL, 16) : *href;
		href += digits[1] ? 2 : 0;
	}
	ret[n] = '\0';
}

static void write_page(const struct parts *parts, const char *name, struct out *o)
{
	const struct part *p = parts_find(parts, name);
	struct out page = { 0 };

	if (!p)
		return;
	html_read(p->bytes, p->size, &page);
	out_break(o, 2);
	if (page.size)
		out_plain(o, page.at, page.size);
	out_break(o, 2);
	free(page.at);
}

static void read_package(const struct parts *parts, const struct part *package, struct out *o)
{
	struct item *items = there(calloc(ITEMS, sizeof *items));
	xmlTextReaderPtr xml = xml_open(package);
	char href[NAME], id[NAME];
	size_t count = 0;
	bool title = false;
	int type;

	while ((type = xml_next(xml))) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_TEXT && title && text && strlen(text) < sizeof o->title &&
		    !*o->title)
			snprintf(o->title, sizeof o->title, "%s", text);
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		title = xml_is(xml, "title");
		if (xml_is(xml, "item") && count < ITEMS && xml_attribute(xml, "href", href, sizeof href)) {
			xml_attribute(xml, "id", items[count].id, sizeof items[count].id);
			place(package->name, href, items[count++].name);
		} else if (xml_is(xml, "itemref") && xml_attribute(xml, "idref", id, sizeof id)) {
			for (size_t i = 0; i < count; i++)
				if (strcmp(items[i].id, id) == 0)
					write_page(parts, items[i].name, o);
		}
	}
	free(items);
	xmlFreeTextReader(xml);
}

void epub_read(int file, struct out *o)
{
	const struct part *package = NULL;
	struct parts parts;

	parts_read(file, wanted, &parts);
	for (size_t i = 0; i < parts.count && !package; i++)
		if (strlen(parts.at[i].name) > 4 && strcmp(strrchr(parts.at[i].name, '.'), ".opf") == 0)
			package = &parts.at[i];
	if (parts_find(&parts, "META-INF/encryption.xml"))
		snprintf(o->warning, sizeof o->warning,
		         "Parts of the book are encrypted: they cannot be read.");
	if (!package)
		end(VERDICT_DAMAGED, "no package");
	read_package(&parts, package, o);
}
