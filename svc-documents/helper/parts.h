/* parts: files that are archives of XML: their parts, and a reader of such a part that knows its places. */
#ifndef PARLEY_DOCUMENTS_PARTS_H
#define PARLEY_DOCUMENTS_PARTS_H

#include <libxml/tree.h>
#include <libxml/xmlreader.h>

#include "svc-documents/helper/helper.h"

struct part {
	char *name, *bytes;
	size_t size;
};
struct parts {
	struct part *at;
	size_t count;
};
/* Those parts of a zip archive whose names are wanted, unpacked; their bytes are counted as they come. */
void parts_read(int file, bool (*wanted)(const char *name), struct parts *ret);
/* What a gzipped file holds, likewise. */
void parts_unzip(int file, struct part *ret);
/* NULL when it is not there. */
const struct part *parts_find(const struct parts *p, const char *name);
/* In the order of the numbers in their names: slide2 before slide10. */
void parts_sort(struct parts *p);

/* The part that another is related to: by the relation's id, or by how its type ends ("/styles"); NULL is any. */
const struct part *parts_related(const struct parts *p, const char *of, const char *id, const char *type);
/* The words in the shapes of a diagram (SmartArt), a line each. */
void diagram_write(const struct part *diagram, struct out *o);
/* What somebody wrote of the picture that the element stands for, as a paragraph; false: nobody did. */
bool picture_describe(xmlTextReaderPtr xml, struct out *o);

/* The title in docProps/core.xml or meta.xml, if that is among them, to o->title. */
void parts_title(const struct parts *p, struct out *o);

/* Ends the program when it is no XML or has a document type. */
xmlTextReaderPtr xml_open(const struct part *p);
xmlTextReaderPtr xml_open_utf8(const struct part *p); /* whatever its declaration says */
/* Those of the document's own can multiply text, or point elsewhere: ends the program, and says so. */
void xml_refuse_entities(const char *bytes, size_t size);
/* The next node: its type, 0 at the end. */
int xml_next(xmlTextReaderPtr xml);
/* The node behind the element and all that it holds. */
int xml_pass_over(xmlTextReaderPtr xml);
const char *xml_name(xmlTextReaderPtr xml); /* without its prefix */
bool xml_is(xmlTextReaderPtr xml, const char *name);
/* An attribute by its name without prefix, into ret; false when there is none. */
bool xml_attribute(xmlTextReaderPtr xml, const char *name, char *ret, size_t size);
/* The same by its whole name ("r:id"), where there are two: <sldId id="256" r:id="rId2"/>. */
bool xml_attribute_of(xmlTextReaderPtr xml, const char *name, char *ret, size_t size);
/* Within an int, with room to count on from it. */
long xml_number(xmlTextReaderPtr xml, const char *name, long otherwise);

#endif
