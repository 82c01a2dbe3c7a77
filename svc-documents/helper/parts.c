#include "svc-documents/helper/parts.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 20000, PARTS_MAX = 5000, NUMBER_MAX = 2000000000 };

/* --- The archive ------------------------------------------------------------------------------------------------ */

static char *inflate(struct archive *zip, size_t *size, size_t *left)
{
	size_t room = 64 * 1024;
	char *bytes = there(malloc(room));
	la_ssize_t n;

	*size = 0;
	while ((n = archive_read_data(zip, bytes + *size, room - *size)) != 0) {
		if (n < 0)
			end(VERDICT_DAMAGED, "the archive is damaged");
		*size += (size_t)n;
		if ((size_t)n > *left)
			end(VERDICT_TOO_LARGE, "too large once unpacked");
		*left -= (size_t)n;
		if (*size == room)
			bytes = there(realloc(bytes, room *= 2));
	}
	return bytes;
}

static void add(struct parts *p, const char *name, struct archive *zip, size_t *left)
{
	struct part *grown = there(realloc(p->at, (p->count + 1) * sizeof *p->at)), *one;

	p->at = grown;
	one = &grown[p->count++];
	one->name = there(strdup(name));
	one->bytes = inflate(zip, &one->size, left);
}

void parts_read(int file, bool (*wanted)(const char *name), struct parts *ret)
{
	struct archive *zip = archive_read_new();
	struct archive_entry *entry;
	size_t left = INFLATED_MAX;

	*ret = (struct parts){ 0 };
	if (!zip || archive_read_support_format_zip(zip) != ARCHIVE_OK ||
	    archive_read_open_fd(zip, file, 64 * 1024) != ARCHIVE_OK)
		end(VERDICT_DAMAGED, "not an archive");
	for (int i = 0; i < ENTRIES_MAX && archive_read_next_header(zip, &entry) == ARCHIVE_OK; i++) {
		const char *name = archive_entry_pathname(entry);

		if (!name || !wanted(name) || ret->count == PARTS_MAX)
			continue;
		if (archive_entry_is_encrypted(entry))
			end(VERDICT_ENCRYPTED, "encrypted");
		add(ret, name, zip, &left);
	}
}

void parts_unzip(int file, struct part *ret)
{
	struct archive *gzip = archive_read_new();
	struct archive_entry *entry;
	size_t left = INFLATED_MAX;

	*ret = (struct part){ 0 };
	if (!gzip || archive_read_support_format_raw(gzip) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(gzip) != ARCHIVE_OK ||
	    archive_read_open_fd(gzip, file, 64 * 1024) != ARCHIVE_OK ||
	    archive_read_next_header(gzip, &entry) != ARCHIVE_OK)
		end(VERDICT_DAMAGED, "not gzipped");
	ret->bytes = inflate(gzip, &ret->size, &left);
}

const struct part *parts_find(const struct parts *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->at[i].name, name) == 0)
			return &p->at[i];
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const char *left = ((const struct part *)a)->name, *right = ((const struct part *)b)->name;

	return strverscmp(left, right);
}

void parts_sort(struct parts *p)
{
	if (p->count)
		qsort(p->at, p->count, sizeof *p->at, by_number);
}

/* --- XML ---------------------------------------------------------------------------------------------------------- */

static void quiet(void *arg, const char *message, ...)
{
	(void)arg;
	(void)message;
}

static xmlTextReaderPtr open_as(const struct part *p, int more)
{
	xmlTextReaderPtr xml;

	xmlSetGenericErrorFunc(NULL, quiet);
	xml = xmlReaderForMemory(p->bytes, (int)p->size, NULL, NULL,
	                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | more);
	if (!xml)
		end(VERDICT_DAMAGED, "the document is damaged");
	return xml;
}

xmlTextReaderPtr xml_open(const struct part *p)
{
	return open_as(p, 0);
}

xmlTextReaderPtr xml_open_utf8(const struct part *p)
{
	return open_as(p, XML_PARSE_IGNORE_ENC);
}

void xml_refuse_entities(const char *bytes, size_t size)
{
	if (memmem(bytes, size, "<!ENTITY", 8))
		end(VERDICT_SAYS_WHY,
		    "The XML declares entities of its own, which can multiply text or point elsewhere: such files are not read.");
}

static int node_after(xmlTextReaderPtr xml, int rc)
{
	if (rc < 0)
		end(VERDICT_DAMAGED, "the document is damaged");
	if (rc == 1 && xmlTextReaderNodeType(xml) == XML_READER_TYPE_DOCUMENT_TYPE)
		end(VERDICT_DAMAGED, "a document type has no place here");
	return rc == 1 ? xmlTextReaderNodeType(xml) : 0;
}

int xml_next(xmlTextReaderPtr xml)
{
	return node_after(xml, xmlTextReaderRead(xml));
}

int xml_pass_over(xmlTextReaderPtr xml)
{
	return node_after(xml, xmlTextReaderNext(xml));
}

const char *xml_name(xmlTextReaderPtr xml)
{
	const char *name = (const char *)xmlTextReaderConstLocalName(xml);

	return name ? name : "";
}

bool xml_is(xmlTextReaderPtr xml, const char *name)
{
	return strcmp(xml_name(xml), name) == 0;
}

static bool attribute(xmlTextReaderPtr xml, bool whole, const char *name, char *ret, size_t size)
{
	bool found = false;

	*ret = '\0';
	if (xmlTextReaderMoveToFirstAttribute(xml) == 1)
		do {
			const char *value = (const char *)xmlTextReaderConstValue(xml);
			const char *own = whole ? (const char *)xmlTextReaderConstName(xml) : xml_name(xml);

			if (!value || !own || strcmp(own, name) != 0)
				continue;
			strncpy(ret, value, size - 1);
			ret[size - 1] = '\0';
			found = true;
			break;
		} while (xmlTextReaderMoveToNextAttribute(xml) == 1);
	xmlTextReaderMoveToElement(xml);
	return found;
}

bool xml_attribute(xmlTextReaderPtr xml, const char *name, char *ret, size_t size)
{
	return attribute(xml, false, name, ret, size);
}

bool xml_attribute_of(xmlTextReaderPtr xml, const char *name, char *ret, size_t size)
{
	return attribute(xml, true, name, ret, size);
}

long xml_number(xmlTextReaderPtr xml, const char *name, long otherwise)
{
	char text[24];
	long n = xml_attribute(xml, name, text, sizeof text) ? strtol(text, NULL, 10) : otherwise;

	return n > NUMBER_MAX ? NUMBER_MAX : n < -NUMBER_MAX ? -NUMBER_MAX : n;
}

/* --- Titles ------------------------------------------------------------------------------------------------------- */

void parts_title(const struct parts *p, struct out *o)
{
	const struct part *core = parts_find(p, "docProps/core.xml"), *meta = parts_find(p, "meta.xml");
	struct out title = { 0 };
	xmlTextReaderPtr xml;
	bool inside = false;
	int type;

	core = core ? core : meta; /* of OpenDocument */
	if (!core)
		return;
	xml = xml_open(core);
	while ((type = xml_next(xml))) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT)
			inside = xml_is(xml, "title");
		else if (type == XML_READER_TYPE_END_ELEMENT)
			inside = false;
		else if (inside && text)
			out_text(&title, text, strlen(text));
	}
	if (title.size < sizeof o->title && title.at)
		memcpy(o->title, title.at, title.size);
	free(title.at);
	xmlFreeTextReader(xml);
}
