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
	bool legal; /* all numbers in it are decimal */
	char format[32], text[40];
};
struct abstract {
	long id;
	char link[40], named[40]; /* the style that says what it is; that it says it for */
	struct level levels[DOCX_LEVELS];
	long counters[DOCX_LEVELS];
	bool begun[DOCX_LEVELS];
};
struct list {
	long id, abstract;
	long starts[DOCX_LEVELS];       /* that differ from the abstract's; -1 */
	struct level *own[DOCX_LEVELS]; /* likewise; NULL */
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

static long level_in(xmlTextReaderPtr xml)
{
	long level = xml_number(xml, "ilvl", 0);

	return level < 0 || level >= DOCX_LEVELS ? 0 : level;
}

static void read_level(xmlTextReaderPtr xml, struct level *l)
{
	if (xml_is(xml, "start"))
		l->start = xml_number(xml, "val", 1);
	else if (xml_is(xml, "isLgl"))
		l->legal = docx_is_on(xml);
	else if (xml_is(xml, "numFmt"))
		xml_attribute(xml, "val", l->format, sizeof l->format);
	else if (xml_is(xml, "lvlText"))
		xml_attribute(xml, "val", l->text, sizeof l->text);
}

static void read_abstract(xmlTextReaderPtr xml, struct abstract *a, long *level)
{
	if (xml_is(xml, "lvl")) {
		*level = level_in(xml);
		a->levels[*level].start = 1;
	} else if (xml_is(xml, "numStyleLink")) {
		xml_attribute(xml, "val", a->link, sizeof a->link);
	} else if (xml_is(xml, "styleLink")) {
		xml_attribute(xml, "val", a->named, sizeof a->named);
	} else {
		read_level(xml, &a->levels[*level]);
	}
}

static void read_list(xmlTextReaderPtr xml, struct list *l, long *level)
{
	if (xml_is(xml, "abstractNumId")) {
		l->abstract = xml_number(xml, "val", -1);
	} else if (xml_is(xml, "lvlOverride")) {
		*level = level_in(xml);
	} else if (xml_is(xml, "startOverride")) {
		l->starts[*level] = xml_number(xml, "val", 1);
	} else if (xml_is(xml, "lvl") && !l->own[*level]) {
		l->own[*level] = there(calloc(1, sizeof **l->own));
		l->own[*level]->start = 1;
	} else if (l->own[*level]) {
		read_level(xml, l->own[*level]);
	}
}

struct docx_numbering *docx_numbering_read(const struct part *numbering)
{
	struct docx_numbering *n = there(calloc(1, sizeof *n));
	bool in_list = false;
	long level = 0;
	xmlTextReaderPtr xml;
	int type;

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

/* 十二, as it is counted up to 99; digits beyond. */
static void ideographs(long number, char *ret, size_t size)
{
	static const char *const digits[] = { "", "一", "二", "三", "四", "五", "六", "七", "八", "九" };

	if (number > 99)
		snprintf(ret, size, "%ld", number);
	else
		snprintf(ret, size, "%s%s%s", number >= 20 ? digits[number / 10] : "",
		         number >= 10 ? "十" : "", digits[number % 10]);
}

/* The letters of an alphabet that Word counts with; after the last, each stands twice. */
static void letters(const char *alphabet, size_t bytes, long number, char *ret, size_t size)
{
	long count = (long)(strlen(alphabet) / bytes), times = (number - 1) / count + 1;
	const char *one = alphabet + (size_t)((number - 1) % count) * bytes;
	size_t n = 0;

	for (*ret = '\0'; times-- > 0 && n + bytes < size; n += bytes)
		snprintf(ret + n, size - n, "%.*s", (int)bytes, one);
}

static void print_number(const char *format, long number, char *ret, size_t size)
{
	static const struct {
		const char *format, *letters;
		size_t bytes;
	} alphabets[] = { { "letter", "abcdefghijklmnopqrstuvwxyz", 1 },
		          { "russianLower", "абвгдежзиклмнопрстуфхцчшщыэюя", 2 },
		          { "russianUpper", "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ", 2 },
		          { "ganada", "가나다라마바사아자차카타파하", 3 },
		          { "CircleNum", "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳", 3 },
		          { "EnclosedCircle", "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳", 3 } };
	bool upper = strncmp(format, "upper", 5) == 0;

	snprintf(ret, size, strcmp(format, "decimalZero") == 0 ? "%02ld" : "%ld", number);
	if (number <= 0 || number > 3999)
		return;
	if (strcasestr(format, "roman"))
		roman(number, ret, size);
	else if (strstr(format, "Counting") || strncmp(format, "ideographDigital", 16) == 0)
		ideographs(number, ret, size);
	for (size_t i = 0; i < sizeof alphabets / sizeof *alphabets; i++)
		if (strcasestr(format, alphabets[i].format))
			letters(alphabets[i].letters, alphabets[i].bytes, number, ret, size);
	for (char *c = ret; upper && *c; c++)
		*c = (char)toupper((unsigned char)*c);
}

static const struct level *level_of(const struct abstract *a, const struct list *l, long level)
{
	return l->own[level] ? l->own[level] : &a->levels[level];
}

/* "%1.%2" with the counters in their places. */
static void print_mark(const struct abstract *a, const struct list *list, long level, char *ret, size_t size)
{
	const struct level *l = level_of(a, list, level);
	size_t n = 0;

	for (const char *s = l->text; *s && n + 1 < size; s++) {
		char number[24];
		long of;

		if (*s != '%' || s[1] < '1' || s[1] > '9') {
			ret[n++] = *s;
			continue;
		}
		of = *++s - '1';
		print_number(l->legal && of != level ? "decimal" : level_of(a, list, of)->format,
		             a->counters[of], number, sizeof number);
		n += (size_t)snprintf(ret + n, size - n, "%s", number);
		n = n < size ? n : size - 1;
	}
	ret[n] = '\0';
}

/* What a list is: a style may say it in its place. */
static struct abstract *abstract_of(const struct docx_numbering *n, const struct list *l)
{
	struct abstract *a = NULL;

	for (size_t i = 0; i < n->abstract_count; i++)
		a = n->abstracts[i].id == l->abstract ? &n->abstracts[i] : a;
	for (size_t i = 0; a && *a->link && i < n->abstract_count; i++)
		if (strcmp(n->abstracts[i].named, a->link) == 0)
			return &n->abstracts[i];
	return a;
}

void docx_number(struct docx_numbering *n, long list, long level, char *ret, size_t size)
{
	struct abstract *a = NULL;
	struct list *l = NULL;

	*ret = '\0';
	for (size_t i = 0; i < n->list_count; i++)
		l = n->lists[i].id == list ? &n->lists[i] : l;
	a = l ? abstract_of(n, l) : NULL;
	if (level < 0 || level >= DOCX_LEVELS)
		level = 0;
	if (!a) {
		if (list > 0)
			snprintf(ret, size, "-");
		return;
	}
	for (int i = 0; !l->begun && i < DOCX_LEVELS; i++)
		if (l->starts[i] >= 0)
			a->begun[i] = false;
	for (long i = 0; i <= level; i++) {
		if (!a->begun[i])
			a->counters[i] =
			    (l->starts[i] >= 0 ? l->starts[i] : level_of(a, l, i)->start) - (i == level);
		a->begun[i] = true;
	}
	l->begun = true;
	a->counters[level]++;
	for (long i = level + 1; i < DOCX_LEVELS; i++) {
		a->counters[i] = 0;
		a->begun[i] = false;
	}
	if (strcmp(level_of(a, l, level)->format, "bullet") == 0)
		snprintf(ret, size, "-");
	else if (strcmp(level_of(a, l, level)->format, "none") != 0)
		print_mark(a, l, level, ret, size);
}
