/* The styles of an OpenDocument text that matter to what it says, and the numbers they make. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/odt.h"

enum { STYLES_MAX = 5000 };

struct odt_style *odt_style_find(const struct odt_styles *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->at[i].name, name) == 0)
			return &s->at[i];
	return NULL;
}

/* NULL: there are too many. Its list has bullets then. */
static struct odt_style *add_style(struct odt_styles *s, xmlTextReaderPtr xml)
{
	struct odt_style *grown;

	if (s->count == STYLES_MAX)
		return NULL;
	grown = there(realloc(s->at, (s->count + 1) * sizeof *s->at));
	s->at = grown;
	grown = &s->at[s->count++];
	*grown = (struct odt_style){ 0 };
	xml_attribute(xml, "name", grown->name, sizeof grown->name);
	xml_attribute(xml, "parent-style-name", grown->parent, sizeof grown->parent);
	return grown;
}

/* A style that hides or raises is remembered, whatever else it does. */
static void read_letters(struct odt_styles *s, const char *unnamed, struct odt_style *style,
                         xmlTextReaderPtr xml)
{
	char display[8], position[20];
	bool hidden = xml_attribute(xml, "display", display, sizeof display) && strcmp(display, "none") == 0;
	bool raised = xml_attribute(xml, "text-position", position, sizeof position) &&
	              (strncmp(position, "super", 5) == 0 || strtol(position, NULL, 10) > 0);
	struct odt_style *grown;

	if (!unnamed) {
		style->hidden = hidden;
		style->raised = raised;
	}
	if (!unnamed || !(hidden || raised) || s->count == STYLES_MAX)
		return;
	grown = there(realloc(s->at, (s->count + 1) * sizeof *s->at));
	s->at = grown;
	s->at[s->count] = (struct odt_style){ .hidden = hidden, .raised = raised };
	snprintf(s->at[s->count++].name, ODT_NAME, "%s", unnamed);
}

static void read_level(struct odt_style *s, xmlTextReaderPtr xml)
{
	long level = xml_number(xml, "level", 1);
	char format[8] = "";
	struct odt_level *l = &s->levels[level >= 1 && level <= ODT_LEVELS ? level - 1 : 0];

	xml_attribute(xml, "num-format", format, sizeof format);
	l->format = *format;
	l->start = xml_number(xml, "start-value", 1);
	l->shown = xml_number(xml, "display-levels", 1);
	xml_attribute(xml, "num-prefix", l->prefix, sizeof l->prefix);
	xml_attribute(xml, "num-suffix", l->suffix, sizeof l->suffix);
}

/* Those of paragraphs that matter: title and listings. Thousands of others only look different. */
static bool is_wanted_style(xmlTextReaderPtr xml)
{
	static const char *const parents[] = { "Title", "Preformatted_20_Text", "Source_20_Code", NULL };
	char parent[ODT_NAME];

	if (!xml_is(xml, "style") || !xml_attribute(xml, "parent-style-name", parent, sizeof parent))
		return false;
	for (const char *const *p = parents; *p; p++)
		if (strcmp(*p, parent) == 0)
			return true;
	return false;
}

void odt_styles_read(struct odt_styles *s, const struct part *part)
{
	struct odt_style *list = NULL, *now = NULL, unnamed = { 0 };
	xmlTextReaderPtr xml;
	int type;

	if (!s || !part)
		return;
	xml = xml_open(part);
	while ((type = xml_next(xml))) {
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		if (xml_is(xml, "body"))
			break;
		if (xml_is(xml, "list-style")) {
			list = add_style(s, xml); /* those before it may have moved */
			now = NULL;
		} else if (is_wanted_style(xml)) {
			now = add_style(s, xml);
			list = NULL;
		} else if (xml_is(xml, "style")) {
			unnamed = (struct odt_style){ 0 };
			xml_attribute(xml, "name", unnamed.name, sizeof unnamed.name);
			now = &unnamed;
			list = NULL;
		} else if (xml_is(xml, "outline-style")) {
			list = &s->chapters;
			now = NULL;
		} else if (list &&
		           (xml_is(xml, "list-level-style-number") || xml_is(xml, "outline-level-style"))) {
			read_level(list, xml);
		} else if (now && xml_is(xml, "text-properties")) {
			read_letters(s, now == &unnamed ? unnamed.name : NULL, now, xml);
			now = NULL;
		}
	}
	xmlFreeTextReader(xml);
}

static void print_one(long n, char format, char *text, size_t size)
{
	static const char *const roman[] = { "i",   "ii",   "iii", "iv", "v",  "vi",
		                             "vii", "viii", "ix",  "x",  "xi", "xii" };

	if ((format == 'a' || format == 'A') && n >= 1 && n <= 26)
		snprintf(text, size, "%c", (int)(format + n - 1));
	else if ((format == 'i' || format == 'I') && n >= 1 && n <= 12)
		snprintf(text, size, "%s", roman[n - 1]);
	else
		snprintf(text, size, "%ld", n);
	for (char *c = text; format == 'I' && *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

void odt_number(struct odt_style *s, int level, char *ret, size_t size)
{
	const struct odt_level *l = &s->levels[level];
	int first = level + 1 - (int)(l->shown < 1 ? 1 : l->shown > level ? level + 1 : l->shown);
	size_t n = 0;

	*ret = '\0';
	if (!l->format)
		return;
	n += (size_t)snprintf(ret, size, "%s", l->prefix);
	for (int i = first; i <= level && n < size; i++) {
		char number[24];

		print_one(s->levels[i].count, s->levels[i].format, number, sizeof number);
		if (s->levels[i].format)
			n += (size_t)snprintf(ret + n, size - n, "%s%s", number, i < level ? "." : l->suffix);
	}
}
