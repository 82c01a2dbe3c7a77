/* The text of an OpenDocument text: content.xml of its archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/docx.h"
#include "svc-documents/helper/math.h"
#include "svc-documents/helper/odt.h"

struct odt {
	struct out *o;
	struct parts parts;
	struct odt_styles styles;
	int in_table, in_note, in_text; /* how deep */
	struct odt_table table;
	struct out box,
	    *page; /* what boxes say whose paragraph has not ended; where all else is written meanwhile, or NULL */
	int box_depth;
	size_t page_item; /* item and in_code, of the page meanwhile */
	bool page_code;
	int raised;   /* depth of what is; 0: nothing */
	bool in_code; /* between fences */
	int list_depth;
	size_t item;                         /* where the last item's mark stands */
	struct odt_style *lists[ODT_LEVELS]; /* the open lists', or NULL */
};

static bool wanted(const char *name)
{
	size_t n = strlen(name), k = strlen("/content.xml");

	return (n > k && strcmp(name + n - k, "/content.xml") == 0) || /* of a formula */
	       strcmp(name, "content.xml") == 0 || strcmp(name, "styles.xml") == 0 ||
	       strcmp(name, "meta.xml") == 0 || strcmp(name, "META-INF/manifest.xml") == 0;
}

/* --- Styles ------------------------------------------------------------------------------------------------------- */

/* Is the paragraph's style that one, or made from it? */
static bool is_styled(const struct odt *d, xmlTextReaderPtr xml, const char *name)
{
	const struct odt_style *s;
	char own[ODT_NAME] = "";

	if (!xml_attribute(xml, "style-name", own, sizeof own))
		return false;
	s = odt_style_find(&d->styles, own);
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
	return depth >= 0 && depth < ODT_LEVELS && d->lists[depth] ? &d->lists[depth]->levels[depth] : NULL;
}

static void begin_list(struct odt *d, xmlTextReaderPtr xml)
{
	int i = d->list_depth++;
	char name[ODT_NAME] = "", go_on[8];
	struct odt_level *l;

	if (i >= ODT_LEVELS)
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
	d->lists[i] = *name ? odt_style_find(&d->styles, name) : i ? d->lists[i - 1] : NULL;
	l = level_of(d, i);
	if (l && !xml_attribute(xml, "continue-list", go_on, sizeof go_on) &&
	    !(xml_attribute(xml, "continue-numbering", go_on, sizeof go_on) && *go_on == 't'))
		l->count = l->start ? l->start - 1 : 0;
}

static void begin_item(struct odt *d, xmlTextReaderPtr xml)
{
	int level = d->list_depth - 1;
	struct odt_level *l = level_of(d, level);
	char mark[80] = "";

	if (l) {
		l->count = xml_number(xml, "start-value", l->count + 1);
		odt_number(d->lists[level], level, mark, sizeof mark);
	}
	if (!*mark)
		snprintf(mark, sizeof mark, "-");
	d->o->mark = 0;
	out_break(d->o, 1);
	d->item = d->o->size;
	out_plain(d->o, mark, strlen(mark));
	d->o->space = true;
	d->o->mark = d->o->size;
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

static bool is_hidden(const struct odt *d, xmlTextReaderPtr xml)
{
	const struct odt_style *s;
	char value[ODT_NAME];

	if (xml_is(xml, "section"))
		return xml_attribute(xml, "display", value, sizeof value) && strcmp(value, "none") == 0;
	if (xml_is(xml, "hidden-text") || xml_is(xml, "hidden-paragraph"))
		return xml_attribute(xml, "is-hidden", value, sizeof value) && *value == 't';
	if (!xml_is(xml, "p") && !xml_is(xml, "h") && !xml_is(xml, "span"))
		return false;
	s = xml_attribute(xml, "style-name", value, sizeof value) ? odt_style_find(&d->styles, value) : NULL;
	return s && s->hidden;
}

static bool is_left_out(const struct odt *d, xmlTextReaderPtr xml)
{
	static const char *const names[] = { "annotation",       "tracked-changes",
		                             "table-of-content", "note-citation",
		                             "sequence-decls",   "ruby-text",
		                             "placeholder",      NULL };

	for (const char *const *n = names; *n; n++)
		if (xml_is(xml, *n))
			return true;
	return is_hidden(d, xml);
}

/* The number of a heading, where the document counts them. */
static void write_chapter(struct odt *d, xmlTextReaderPtr xml, int level)
{
	struct odt_style *s = &d->styles.chapters;
	char mark[80], none[8];

	if (xml_attribute(xml, "is-list-header", none, sizeof none) && *none == 't')
		return;
	s->levels[level].count = s->levels[level].count ? s->levels[level].count + 1 : s->levels[level].start;
	for (int i = level + 1; i < ODT_LEVELS; i++)
		s->levels[i].count = 0;
	odt_number(s, level, mark, sizeof mark);
	if (!*mark)
		return;
	out_text(d->o, mark, strlen(mark));
	d->o->space = true;
}

static void begin_span(struct odt *d, xmlTextReaderPtr xml)
{
	char name[ODT_NAME];
	const struct odt_style *s =
	    xml_attribute(xml, "style-name", name, sizeof name) ? odt_style_find(&d->styles, name) : NULL;

	if (s && s->raised && !d->raised)
		d->raised = xmlTextReaderDepth(xml);
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
	if (xml_is(xml, "h") && !d->list_depth && level <= ODT_LEVELS)
		write_chapter(d, xml, (int)level - 1);
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

/* --- Elements ----------------------------------------------------------------------------------------------------- */

static void start_of_table(struct odt *d, xmlTextReaderPtr xml, bool empty)
{
	if (xml_is(xml, "table") && !empty) {
		fence(d, false);
		d->o->mark = 0;
		d->in_table++;
	}
	odt_table_start(&d->table, xml, empty, d->o);
}

/* A box is said behind the paragraph that it hangs on. */
static void begin_box(struct odt *d, xmlTextReaderPtr xml)
{
	if (d->page || d->in_table || d->in_note)
		return;
	d->page = d->o;
	d->page_item = d->item;
	d->page_code = d->in_code;
	d->box_depth = xmlTextReaderDepth(xml);
	d->o = &d->box;
	d->in_code = false;
	out_break(d->o, 2);
}

static void end_box(struct odt *d, xmlTextReaderPtr xml)
{
	if (!d->page || xmlTextReaderDepth(xml) != d->box_depth)
		return;
	fence(d, false);
	d->o = d->page;
	d->item = d->page_item;
	d->in_code = d->page_code;
	d->page = NULL;
}

static void write_box(struct odt *d)
{
	if (d->page || d->in_text || !d->box.size)
		return;
	fence(d, false);
	out_break(d->o, 2);
	out_plain(d->o, d->box.at, d->box.size);
	out_break(d->o, 2);
	d->box.size = 0;
	d->box.newlines = 0;
	d->box.space = false;
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
	} else if (xml_is(xml, "title") || xml_is(xml, "desc")) { /* of a picture */
		d->o->space = true;
	} else if (xml_is(xml, "object")) {
		write_formula(d, xml);
	} else if (xml_is(xml, "s")) {
		write_blanks(d, xml);
	} else if (xml_is(xml, "tab") || (xml_is(xml, "line-break") && d->in_table)) {
		d->o->space = true;
	} else if (xml_is(xml, "line-break")) {
		out_break(d->o, 1);
	} else if (xml_is(xml, "table") || xml_is(xml, "table-row") || xml_is(xml, "table-cell") ||
	           xml_is(xml, "covered-table-cell")) {
		start_of_table(d, xml, empty);
	} else if (xml_is(xml, "text-box") && !empty) {
		begin_box(d, xml);
	} else if (xml_is(xml, "span") && !empty) {
		begin_span(d, xml);
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
		write_box(d);
	} else if (xml_is(xml, "text-box")) {
		end_box(d, xml);
		write_box(d); /* of one that hangs on a page, not on a paragraph */
	} else if (xml_is(xml, "span") && xmlTextReaderDepth(xml) == d->raised) {
		d->raised = 0;
	} else if (xml_is(xml, "list")) {
		d->list_depth -= d->list_depth > 0;
		d->o->mark = 0;
	} else if (odt_table_stop(&d->table, xml, d->o)) {
		d->in_table -= xml_is(xml, "table") && d->in_table > 0;
	} else if (xml_is(xml, "note")) {
		d->in_note -= d->in_note > 0;
		d->o->space = false;
		out_plain(d->o, ")", 1);
	}
}

static void write_text(struct odt *d, const char *text)
{
	if (d->in_code) {
		out_plain(d->o, text, strlen(text));
		return;
	}
	if (d->raised && *text && text[strspn(text, "0123456789+-")] == '\0') /* 10^6 */
		out_plain(d->o, "^", 1);
	out_text(d->o, text, strlen(text));
}

static void read_content(struct odt *d, const struct part *content)
{
	xmlTextReaderPtr xml = xml_open(content);
	int type = xml_next(xml);

	while (type) {
		const char *text = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT && is_left_out(d, xml)) {
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
	struct odt d = { .o = o, .table.tables = docx_tables_open() };
	const struct part *content, *manifest;

	parts_read(file, wanted, &d.parts);
	content = parts_find(&d.parts, "content.xml");
	manifest = parts_find(&d.parts, "META-INF/manifest.xml");
	if (!content)
		end(VERDICT_DAMAGED, "no content.xml");
	if (manifest && memmem(manifest->bytes, manifest->size, "encryption-data", 15))
		end(VERDICT_ENCRYPTED, "encrypted");
	parts_title(&d.parts, o);
	odt_styles_read(&d.styles, parts_find(&d.parts, "styles.xml"));
	odt_styles_read(&d.styles, content);
	read_content(&d, content);
}
