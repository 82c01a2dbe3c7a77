/* Styles of a Word document: which are headings, listings, lines of lists. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/docx.h"

enum { STYLES_MAX = 5000, ANCESTORS_MAX = 10 };

/* "heading 2", in every language of Word; "Heading2" where there is no more than an id. */
static int outline_of(const char *name)
{
	size_t n = 0;

	if (strcasecmp(name, "title") == 0)
		return 0;
	if (strncasecmp(name, "heading", 7) != 0)
		return -1;
	n = 7 + (name[7] == ' ');
	return name[n] >= '1' && name[n] <= '9' ? name[n] - '1' : -1;
}

/* What Word, LibreOffice and pandoc call listings. */
static bool is_code(const char *name)
{
	static const char *const names[] = { "source code",       "preformatted text",  "code", "code block",
		                             "html preformatted", "html vorformatiert", NULL };

	for (const char *const *n = names; *n; n++)
		if (strcasecmp(*n, name) == 0)
			return true;
	return false;
}

bool docx_is_on(xmlTextReaderPtr xml)
{
	char value[8];

	return !xml_attribute(xml, "val", value, sizeof value) ||
	       !(*value == '0' || *value == 'f' || *value == 'o');
}

static struct docx_style *add_style(struct docx_styles *s)
{
	struct docx_style *grown;

	if (s->count == STYLES_MAX)
		return NULL;
	grown = there(realloc(s->at, (s->count + 1) * sizeof *s->at));
	s->at = grown;
	s->at[s->count] = (struct docx_style){ .outline = -1, .number = -1 };
	return &s->at[s->count++];
}

static void read_style(xmlTextReaderPtr xml, struct docx_style *s)
{
	char value[DOCX_NAME];

	if (xml_is(xml, "name") && xml_attribute(xml, "val", value, sizeof value)) {
		s->outline = s->outline >= 0 ? s->outline : outline_of(value);
		s->contents = strncasecmp(value, "toc ", 4) == 0;
		s->code = is_code(value);
	} else if (xml_is(xml, "basedOn")) {
		xml_attribute(xml, "val", s->based_on, sizeof s->based_on);
	} else if (xml_is(xml, "outlineLvl")) {
		s->outline = (int)xml_number(xml, "val", -1);
	} else if (xml_is(xml, "numId")) {
		s->number = xml_number(xml, "val", -1);
	} else if (xml_is(xml, "ilvl")) {
		s->level = xml_number(xml, "val", 0);
	} else if (xml_is(xml, "vanish")) {
		s->hidden = docx_is_on(xml);
	}
}

void docx_styles_read(const struct part *styles, struct docx_styles *ret)
{
	struct docx_style *now = NULL;
	xmlTextReaderPtr xml;
	int type;

	*ret = (struct docx_styles){ 0 };
	if (!styles)
		return;
	xml = xml_open(styles);
	while ((type = xml_next(xml))) {
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		if (xml_is(xml, "style")) {
			now = add_style(ret);
			if (now)
				xml_attribute(xml, "styleId", now->id, sizeof now->id);
		} else if (now) {
			read_style(xml, now);
		}
	}
	xmlFreeTextReader(xml);
}

static const struct docx_style *by_id(const struct docx_styles *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->at[i].id, id) == 0)
			return &s->at[i];
	return NULL;
}

struct docx_style docx_style_find(const struct docx_styles *s, const char *id)
{
	const struct docx_style *one = by_id(s, id);
	struct docx_style ret = { .outline = one ? -1 : outline_of(id), .number = -1 };

	for (int i = 0; one && i < ANCESTORS_MAX; i++) {
		ret.outline = ret.outline >= 0 ? ret.outline : one->outline;
		ret.contents = ret.contents || one->contents;
		ret.code = ret.code || one->code;
		ret.hidden = ret.hidden || one->hidden;
		if (ret.number < 0) {
			ret.number = one->number;
			ret.level = one->level;
		}
		one = by_id(s, one->based_on);
	}
	return ret;
}
