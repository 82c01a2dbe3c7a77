/* The numbers that Word counts before paragraphs. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/docx.h"

enum { LISTS_MAX = 5000 };

struct level {
	long start;
	char format[20], text[40];
};
struct abstract {
	long id;
	struct level levels[DOCX_LEVELS];
	long counters[DOCX_LEVELS]; /* 0: not begun */
};
struct list {
	long id, abstract;
	long starts[DOCX_LEVELS]; /* that differ from the abstract's; -1 */
	bool begun;
};
struct docx_numbering {
	struct abstract *abstracts;
	struct list *lists;
	size_t abstract_count, list_count;
};

static void *grow(void *at, size_t count, size_t size)
{
	void *grown = count < LISTS_MAX ? realloc(at, (count + 1) * size) : NULL;

	if (!grown)
		end(VERDICT_TOO_LARGE, "too many lists");
	memset((char *)grown + count * size, 0, size);
	return grown;
}

static void read_abstract(xmlTextReaderPtr xml, struct abstract *a, long *level)
{
	struct level *l = &a->levels[*level];

	if (xml_is(xml, "lvl")) {
		*level = xml_number(xml, "ilvl", 0);
		*level = *level < 0 || *level >= DOCX_LEVELS ? 0 : *level;
		a->levels[*level].start = 1;
	} else if (xml_is(xml, "start")) {
		l->start = xml_number(xml, "val", 1);
	} else if (xml_is(xml, "numFmt")) {
		xml_attribute(xml, "val", l->format, sizeof l->format);
	} else if (xml_is(xml, "lvlText")) {
		xml_attribute(xml, "val", l->text, sizeof l->text);
	}
}

static void read_list(xmlTextReaderPtr xml, struct list *l, long *level)
{
	if (xml_is(xml, "abstractNumId")) {
		l->abstract = xml_number(xml, "val", -1);
	} else if (xml_is(xml, "lvlOverride")) {
		*level = xml_number(xml, "ilvl", 0);
		*level = *level < 0 || *level >= DOCX_LEVELS ? 0 : *level;
	} else if (xml_is(xml, "startOverride")) {
		l->starts[*level] = xml_number(xml, "val", 1);
	}
}

struct docx_numbering *docx_numbering_read(const struct part *numbering)
{
	struct docx_numbering *n = calloc(1, sizeof *n);
	bool in_list = false;
	long level = 0;
	xmlTextReaderPtr xml;
	int type;

	if (!n)
		end(VERDICT_TOO_LARGE, "out of memory");
	if (!numbering)
		return n;
	xml = xml_open(numbering);
	while ((type = xml_next(xml))) {
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		if (xml_is(xml, "abstractNum")) {
			n->abstracts = grow(n->abstracts, n->abstract_count, sizeof *n->abstracts);
			n->abstracts[n->abstract_count++].id = xml_number(xml, "abstractNumId", -1);
			in_list = false;
			level = 0;
		} else if (xml_is(xml, "num")) {
			n->lists = grow(n->lists, n->list_count, sizeof *n->lists);
			n->lists[n->list_count].id = xml_number(xml, "numId", -1);
			for (int i = 0; i < DOCX_LEVELS; i++)
				n->lists[n->list_count].starts[i] = -1;
			n->list_count++;
			in_list = true;
		} else if (in_list) {
			read_list(xml, &n->lists[n->list_count - 1], &level);
		} else if (n->abstract_count) {
			read_abstract(xml, &n->abstracts[n->abstract_count - 1], &level);
		}
	}
	xmlFreeTextReader(xml);
	return n;
}

static void roman(long number, char *ret, size_t size)
{
	static const struct {
		long value;
		const char *text;
	} digits[] = { { 1000, "m" }, { 900, "cm" }, { 500, "d" }, { 400, "cd" }, { 100, "c" },
		       { 90, "xc" },  { 50, "l" },   { 40, "xl" }, { 10, "x" },   { 9, "ix" },
		       { 5, "v" },    { 4, "iv" },   { 1, "i" } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof digits / sizeof *digits; i++)
		for (; number >= digits[i].value && n + 3 < size; number -= digits[i].value)
			n += (size_t)snprintf(ret + n, size - n, "%s", digits[i].text);
	ret[n] = '\0';
}

static void print_number(const char *format, long number, char *ret, size_t size)
{
	bool upper = strncmp(format, "upper", 5) == 0;

	if (strcasestr(format, "roman") && number > 0 && number < 4000)
		roman(number, ret, size);
	else if (strcasestr(format, "letter") && number > 0)
		snprintf(ret, size, "%c", (char)('a' + (number - 1) % 26));
	else
		snprintf(ret, size, strcmp(format, "decimalZero") == 0 ? "%02ld" : "%ld", number);
	for (char *c = ret; upper && *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

/* "%1.%2" with the counters in their places. */
static void print_mark(const struct abstract *a, const struct level *l, char *ret, size_t size)
{
	size_t n = 0;

	for (const char *s = l->text; *s && n + 1 < size; s++) {
		char number[24];

		if (*s != '%' || s[1] < '1' || s[1] > '9') {
			ret[n++] = *s;
			continue;
		}
		s++;
		print_number(a->levels[*s - '1'].format, a->counters[*s - '1'], number, sizeof number);
		n += (size_t)snprintf(ret + n, size - n, "%s", number);
		n = n < size ? n : size - 1;
	}
	ret[n] = '\0';
}

void docx_number(struct docx_numbering *n, long list, long level, char *ret, size_t size)
{
	struct abstract *a = NULL;
	struct list *l = NULL;

	*ret = '\0';
	for (size_t i = 0; i < n->list_count; i++)
		l = n->lists[i].id == list ? &n->lists[i] : l;
	for (size_t i = 0; l && i < n->abstract_count; i++)
		a = n->abstracts[i].id == l->abstract ? &n->abstracts[i] : a;
	if (level < 0 || level >= DOCX_LEVELS)
		level = 0;
	if (!a) {
		if (list > 0)
			snprintf(ret, size, "-");
		return;
	}
	for (int i = 0; !l->begun && i < DOCX_LEVELS; i++)
		if (l->starts[i] >= 0)
			a->counters[i] = 0;
	for (long i = 0; i <= level; i++)
		if (a->counters[i] == 0)
			a->counters[i] =
			    (l->starts[i] >= 0 ? l->starts[i] : a->levels[i].start) - (i == level);
	l->begun = true;
	a->counters[level]++;
	for (long i = level + 1; i < DOCX_LEVELS; i++)
		a->counters[i] = 0;
	if (strcmp(a->levels[level].format, "bullet") == 0)
		snprintf(ret, size, "-");
	else if (strcmp(a->levels[level].format, "none") != 0)
		print_mark(a, &a->levels[level], ret, size);
}
