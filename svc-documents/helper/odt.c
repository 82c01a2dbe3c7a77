/* The text of an OpenDocument text: content.xml of its archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/math.h"
#include "svc-documents/helper/parts.h"

enum { LISTS_DEEP = 10, STYLES_MAX = 5000, NAME = 60 };

struct odt_level {
	char format, suffix[8]; /* '1', 'a', 'A', 'i', 'I'; '\0': a bullet */
	long start, count;      /* of items, so far */
};
/* Of a list, or of a paragraph that is what its parent is. */
struct odt_style {
	char name[NAME], parent[NAME];
	struct odt_level levels[LISTS_DEEP];
};
struct odt_styles {
	struct odt_style *at;
	size_t count;
};

struct odt {
	struct out *o;
	struct parts parts;
	struct odt_styles styles;
	int in_table, in_note, in_text; /* how deep */
	int flat;     /* a table in a cell behind others, which stays in that cell's line; 0: none */
	int cell;     /* of the row */
	bool in_code; /* between fences */
	int list_depth;
	size_t item;                         /* where the last item's mark stands */
	struct odt_style *lists[LISTS_DEEP]; /* the open lists', or NULL */
};

static bool wanted(const char *name)
{
	size_t n = strlen(name), k = strlen("/content.xml");

	return (n > k && strcmp(name + n - k, "/content.xml") == 0) || /* of a formula */
	       strcmp(name, "content.xml") == 0 || strcmp(name, "styles.xml") == 0 ||
	       strcmp(name, "meta.xml") == 0 || strcmp(name, "META-INF/manifest.xml") == 0;
}

/* --- Styles ------------------------------------------------------------------------------------------------------- */

static struct odt_style *find_style(const struct odt_styles *s, const char *name)
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
	grown = realloc(s->at, (s->count + 1) * sizeof *s->at);
	if (!grown)
		end(VERDICT_TOO_LARGE, "out of memory");
	s->at = grown;
	grown = &s->at[s->count++];
	*grown = (struct odt_style){ 0 };
	xml_attribute(xml, "name", grown->name, sizeof grown->name);
	xml_attribute(xml, "parent-style-name", grown->parent, sizeof grown->parent);
	return grown;
}

static void read_level(struct odt_style *s, xmlTextReaderPtr xml)
{
	long level = xml_number(xml, "level", 1);
	char format[8] = "";
	struct odt_level *l = &s->levels[level >= 1 && level <= LISTS_DEEP ? level - 1 : 0];

	xml_attribute(xml, "num-format", format, sizeof format);
	l->format = *format;
	l->start = xml_number(xml, "start-value", 1);
	xml_attribute(xml, "num-suffix", l->suffix, sizeof l->suffix);
}

/* Those of paragraphs that matter: title and listings. Thousands of others only look different. */
static bool is_wanted_style(xmlTextReaderPtr xml)
{
	static const char *const parents[] = { "Title", "Preformatted_20_Text", "Source_20_Code", NULL };
	char parent[NAME];

	if (!xml_is(xml, "style") || !xml_attribute(xml, "parent-style-name", parent, sizeof parent))
		return false;
	for (const char *const *p = parents; *p; p++)
		if (strcmp(*p, parent) == 0)
			return true;
	return false;
}

static void read_styles(struct odt_styles *s, const struct part *part)
{
	struct odt_style *list = NULL;
	xmlTextReaderPtr xml;
	int type;

	if (!part)
		return;
	xml = xml_open(part);
	while ((type = xml_next(xml))) {
		if (type != XML_READER_TYPE_ELEMENT)
			continue;
		if (xml_is(xml, "body"))
			break;
		if (xml_is(xml, "list-style") || is_wanted_style(xml))
			list = add_style(s, xml); /* those before it may have moved */
		else if (list && xml_is(xml, "list-level-style-number"))
			read_level(list, xml);
	}
	xmlFreeTextReader(xml);
}

/* Is the paragraph's style that one, or made from it? */
static bool is_styled(const struct odt *d, xmlTextReaderPtr xml, const char *name)
{
	const struct odt_style *s;
	char own[NAME] = "";

	if (!xml_attribute(xml, "style-name", own, sizeof own))
		return false;
	s = find_style(&d->styles, own);
	return strcmp(own, name) == 0 || (s && strcmp(s->parent, name) == 0);
}

/* Before and behind the lines of a listing. */
static void fence(struct odt *d, bool code)
{
	if (d->in_code == code)
		return;
	out_break(d->o, code ? 2 : 1);
	out_plain(d->o, "```", 3);
	out_break(d->o, code ? 1 : 2);
	d->in_code = code;
}

/* --- Lists -------------------------------------------------------------------------------------------------------- */

/* What counts the items of the innermost list; NULL: nobody does. */
static struct odt_level *level_of(const struct odt *d, int depth)
{
	return depth >= 0 && depth < LISTS_DEEP && d->lists[depth] ? &d->lists[depth]->levels[depth] : NULL;
}

static void begin_list(struct odt *d, xmlTextReaderPtr xml)
{
	int i = d->list_depth++;
	char name[NAME] = "", go_on[8];
	struct odt_level *l;

	if (i >= LISTS_DEEP)
		return;
	fence(d, false);
	if (d->o->mark && d->o->mark == d->o->size &&
	    d->item < d->o->size) { /* an item that is no more than a list */
		d->o->size = d->item;
		d->o->mark = 0;
		if ((l = level_of(d, i - 1)))
			l->count--;
	}
	xml_attribute(xml, "style-name", name, sizeof name);
	d->lists[i] = *name ? find_style(&d->styles, name) : i ? d->lists[i - 1] : NULL;
	l = level_of(d, i);
	if (l && !xml_attribute(xml, "continue-list", go_on, sizeof go_on) &&
	    !(xml_attribute(xml, "continue-numbering", go_on, sizeof go_on) && *go_on == 't'))
		l->count = l->start ? l->start - 1 : 0;
}

static void print_number(long n, char format, char *text, size_t size)
{
	static const char *const roman[] = { "i",   "ii",   "iii", "iv", "v",  "vi",
		                             "vii", "viii", "ix",  "x",  "xi", "xii" };

	if ((format == 'a' || format == 'A') && n >= 1 && n <= 26)
		snprintf(text, size, "%c", (int)(format + n - 1));
	else if (format == 'i' && n >= 1 && n <= 12)
		snprintf(text, size, "%s", roman[n - 1]);
	else
		snprintf(text, size, "%ld", n);
}

static void begin_item(struct odt *d, xmlTextReaderPtr xml)
{
	struct odt_level *l = level_of(d, d->list_depth - 1);
	char number[24], mark[40] = "-";

	if (l)
		l->count = xml_number(xml, "start-value", l->count + 1);
	if (l && l->format) {
		print_number(l->count, l->format, number, sizeof number);
		snprintf(mark, sizeof mark, "%s%s", number, l->suffix);
	}
	d->o->mark = 0;
	out_break(d->o, 1);
	d->item = d->o->size;
	out_plain(d->o, mark, strlen(mark));
	d->o->space = true;
	d->o->mark = d->o->size;
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

static bool is_left_out(xmlTextReaderPtr xml)
{
	static const char *const names[] = { "annotation",    "tracked-changes", "table-of-content",
		                             "note-citation", "sequence-decls",  NULL };

	for (const char *const *n = names; *n; n++)
		if (xml_is(xml, *n))
			return true;
	return false;
}

static void begin_paragraph(struct odt *d, xmlTextReaderPtr xml)
{
	long level = xml_is(xml, "h") ? xml_number(xml, "outline-level", 1) : is_styled(d, xml, "Title");

	d->in_text++;
	if (d->in_table || d->in_note)
		return;
	fence(d, is_styled(d, xml, "Preformatted_20_Text") || is_styled(d, xml, "Source_20_Code"));
	if (level <= 0)
		return;
	d->o->mark = 0;
	out_break(d->o, 2);
	out_plain(d->o, "######", level < 6 ? (size_t)level : 6);
	d->o->space = true;
}

static void write_blanks(struct odt *d, xmlTextReaderPtr xml)
{
	long n = d->in_code ? xml_number(xml, "c", 1) : 0;

	d->o->space = d->o->space || !d->in_code;
	for (long i = 0; i < n && i < 80; i++)
		out_plain(d->o, " ", 1);
}

/* An object that is a formula, in the text where it stands: "./Object 1" is a part's folder. */
static void write_formula(struct odt *d, xmlTextReaderPtr xml)
{
	char where[200], name[240];
	const char *from = where;
	const struct part *p;
	xmlDocPtr tree;

	if (!xml_attribute(xml, "href", where, sizeof where - 1))
		return;
	from += strncmp(from, "./", 2) == 0 ? 2 : 0;
	snprintf(name, sizeof name, "%s%scontent.xml", from,
	         *from && from[strlen(from) - 1] == '/' ? "" : "/");
	p = parts_find(&d->parts, name);
	if (!p || memmem(p->bytes, p->size, "<!ENTITY", 8))
		return;
	tree = xmlReadMemory(p->bytes, (int)p->size, NULL, NULL,
	                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (tree && xmlDocGetRootElement(tree) &&
	    strcmp((const char *)xmlDocGetRootElement(tree)->name, "math") == 0)
		math_write(xmlDocGetRootElement(tree), d->o);
	xmlFreeDoc(tree);
}

static void begin_table(struct odt *d)
{
	fence(d, false);
	d->o->mark = 0;
	d->in_table++;
	if (!d->flat && d->in_table > 1 && d->cell > 0)
		d->flat = d->in_table;
	if (!d->flat)
		out_break(d->o, 2);
}

static void end_table(struct odt *d)
{
	if (!d->flat)
		out_break(d->o, 2);
	if (d->flat == d->in_table)
		d->flat = 0;
	d->in_table -= d->in_table > 0;
}

static void end_row(struct odt *d)
{
	if (d->flat) {
		d->o->space = false;
		out_plain(d->o, ";", 1);
		d->o->space = true;
		return;
	}
	if (d->o->size > 1 && d->o->at[d->o->size - 1] == '|')
		d->o->size -= 2;
	out_break(d->o, 1);
}

static void start(struct odt *d, xmlTextReaderPtr xml)
{
	bool empty = xmlTextReaderIsEmptyElement(xml) == 1;

	if ((xml_is(xml, "h") || xml_is(xml, "p")) && !empty) {
		begin_paragraph(d, xml);
	} else if (xml_is(xml, "list") && !empty) {
		begin_list(d, xml);
	} else if (xml_is(xml, "list-item") && !d->in_table && !empty) {
		begin_item(d, xml);
	} else if (xml_is(xml, "object")) {
		write_formula(d, xml);
	} else if (xml_is(xml, "s")) {
		write_blanks(d, xml);
	} else if (xml_is(xml, "tab") || (xml_is(xml, "line-break") && d->in_table)) {
		d->o->space = true;
	} else if (xml_is(xml, "line-break")) {
		out_break(d->o, 1);
	} else if (xml_is(xml, "table") && !empty) {
		begin_table(d);
	} else if (xml_is(xml, "table-row") && !d->flat) {
		d->cell = 0;
	} else if (xml_is(xml, "text-box") && !d->in_table && !d->in_note) {
		out_break(d->o, 2);
	} else if (xml_is(xml, "note") && !empty) {
		d->in_note++;
		d->o->space = true;
		out_plain(d->o, "(", 1);
	} else if (xml_is(xml, "note-body")) {
		d->o->mark = d->item = d->o->size; /* no blank behind the bracket, and no item before it */
	}
}

static void end_paragraph(struct odt *d)
{
	d->in_text -= d->in_text > 0;
	if (d->in_table)
		d->o->space = true;
	else if (!d->in_note)
		out_break(d->o, d->in_code ? 1 : 2);
}

static void stop(struct odt *d, xmlTextReaderPtr xml)
{
	if (xml_is(xml, "h") || xml_is(xml, "p")) {
		end_paragraph(d);
	} else if (xml_is(xml, "list")) {
		d->list_depth -= d->list_depth > 0;
		d->o->mark = 0;
	} else if (xml_is(xml, "table-cell")) {
		d->o->space = true;
		d->cell += !d->flat;
		if (!d->flat)
			out_plain(d->o, "|", 1);
		d->o->space = true;
	} else if (xml_is(xml, "table-row")) {
		end_row(d);
	} else if (xml_is(xml, "table")) {
		end_table(d);
	} else if (xml_is(xml, "note")) {
		d->in_note -= d->in_note > 0;
		d->o->space = false;
		out_plain(d->o, ")", 1);
	}
}

static void write_text(struct odt *d, const char *text)
{
	if (d->in_code)
		out_plain(d->o, text, strlen(text));
	else
		out_text(d->o, text, strlen(text));
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
			write_text(d, text);
		type = xml_next(xml);
	}
	fence(d, false);
	xmlFreeTextReader(xml);
}

void odt_read(int file, struct out *o)
{
	struct odt d = { .o = o };
	const struct part *content, *manifest;

	parts_read(file, wanted, &d.parts);
	content = parts_find(&d.parts, "content.xml");
	manifest = parts_find(&d.parts, "META-INF/manifest.xml");
	if (!content)
		end(VERDICT_DAMAGED, "no content.xml");
	if (manifest && memmem(manifest->bytes, manifest->size, "encryption-data", 15))
		end(VERDICT_ENCRYPTED, "encrypted");
	parts_title(&d.parts, o);
	read_styles(&d.styles, parts_find(&d.parts, "styles.xml"));
	read_styles(&d.styles, content);
	read_content(&d, content);
}
