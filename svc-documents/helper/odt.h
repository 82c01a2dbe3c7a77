/* odt: what an OpenDocument text says of its styles: lists, chapters, listings, what is hidden. */
#ifndef PARLEY_DOCUMENTS_ODT_H
#define PARLEY_DOCUMENTS_ODT_H

#include "svc-documents/helper/docx.h"
#include "svc-documents/helper/parts.h"

enum { ODT_LEVELS = 10, ODT_NAME = 60 };

struct odt_level {
	char format, prefix[8], suffix[8]; /* '1', 'a', 'A', 'i', 'I'; '\0': a bullet */
	long shown;                        /* levels above that stand before it, itself among them */
	long start, count;                 /* of items, so far */
};
/* Of a list, or of a paragraph that is what its parent is. */
struct odt_style {
	char name[ODT_NAME], parent[ODT_NAME];
	bool hidden, raised;
	struct odt_level levels[ODT_LEVELS];
};
struct odt_styles {
	struct odt_style *at;
	size_t count;
	struct odt_style chapters; /* how headings are numbered */
};

void odt_styles_read(struct odt_styles *s,
                     const struct part *part); /* NULL: none; may be called again, for others */
struct odt_style *odt_style_find(const struct odt_styles *s,
                                 const char *name); /* NULL: nothing that matters */
/* What stands before the next item of that level (from 0), which is counted: "2.1", "a)"; empty for a bullet or nothing. */
void odt_number(struct odt_style *s, int level, char *ret, size_t size);

struct odt_table {
	struct docx_tables *tables;
	size_t cell;         /* where the last one starts */
	long covered, again; /* cells that it reaches across; how often it is there once more */
};
/* false: the element is none of a table. */
bool odt_table_start(struct odt_table *t, xmlTextReaderPtr xml, bool empty, struct out *o);
bool odt_table_stop(struct odt_table *t, xmlTextReaderPtr xml, struct out *o);

#endif
