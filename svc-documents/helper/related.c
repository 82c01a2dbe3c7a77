/* How the parts of an Office document find each other: "word/document.xml" keeps that in "word/_rels/document.xml.rels". */
#include <stdio.h>
#include <string.h>

#include "svc-documents/helper/parts.h"

enum { NAME = 300 };

static void name_of_relations(const char *of, char *ret, size_t size)
{
	const char *slash = strrchr(of, '/');
	int folder = slash ? (int)(slash - of) + 1 : 0;

	snprintf(ret, size, "%.*s_rels/%s.rels", folder, of, of + folder);
}

/* "../media/a.png" lies beside the folder of whom it is named by; "/word/a.xml" where it says. */
static void place(const char *of, const char *target, char *ret, size_t size)
{
	const char *slash = strrchr(of, '/');
	size_t folder = slash && *target != '/' ? (size_t)(slash - of) : 0;

	while (folder && strncmp(target, "../", 3) == 0) {
		target += 3;
		while (folder && of[--folder] != '/')
			;
	}
	target += *target == '/' || strncmp(target, "./", 2) == 0 ? strspn(target, "./") : 0;
	snprintf(ret, size, "%.*s%s%s", (int)folder, of, folder ? "/" : "", target);
}

static bool ends_with(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);

	return n >= k && strcmp(text + n - k, with) == 0;
}

const struct part *parts_related(const struct parts *p, const char *of, const char *id, const char *type)
{
	char name[2 * NAME], value[NAME], target[NAME];
	const struct part *relations, *ret = NULL;
	xmlTextReaderPtr xml;
	int kind;

	name_of_relations(of, name, sizeof name);
	relations = parts_find(p, name);
	if (!relations)
		return NULL;
	xml = xml_open(relations);
	while (!ret && (kind = xml_next(xml))) {
		if (kind != XML_READER_TYPE_ELEMENT || !xml_is(xml, "Relationship"))
			continue;
		if (id && !(xml_attribute(xml, "Id", value, sizeof value) && strcmp(value, id) == 0))
			continue;
		if (type && !(xml_attribute(xml, "Type", value, sizeof value) && ends_with(value, type)))
			continue;
		if (!xml_attribute(xml, "Target", target, sizeof target))
			continue;
		place(of, target, name, sizeof name);
		ret = parts_find(p, name);
	}
	xmlFreeTextReader(xml);
	return ret;
}

void diagram_write(const struct part *diagram, struct out *o)
{
	xmlTextReaderPtr xml = xml_open(diagram);
	bool inside = false;
	int type;

	while ((type = xml_next(xml))) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT)
			inside = xml_is(xml, "t") && !xmlTextReaderIsEmptyElement(xml);
		else if (type == XML_READER_TYPE_END_ELEMENT && xml_is(xml, "p"))
			out_break(o, 1);
		else if (type == XML_READER_TYPE_END_ELEMENT)
			inside = false;
		else if (inside && text)
			out_text(o, text, strlen(text));
	}
	xmlFreeTextReader(xml);
}

/* "A cat on a mat. Description automatically generated", in whatever language. */
static bool by_nobody(const char *words)
{
	return strstr(words, "AI-generated") ||
	       (strstr(words, "utomati") &&
	        (strstr(words, "escri") || strstr(words, "eschr") || strstr(words, "eskri")));
}

bool picture_describe(xmlTextReaderPtr xml, struct out *o)
{
	char words[500];

	if (!xml_attribute(xml, "descr", words, sizeof words) || !strchr(words, ' ') || by_nobody(words))
		return false;
	out_break(o, 2);
	out_text(o, words, strlen(words));
	out_break(o, 2);
	return true;
}
