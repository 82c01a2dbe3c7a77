/* Footnotes and endnotes of a Word document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/docx.h"

enum { NOTES_OPEN = 64 /* called in one paragraph */ };

struct note {
	bool end; /* of the document, not of the page */
	long id;
	int shown; /* the number that stands in the text */
};
/* All that there are, once one is called. */
struct note_texts {
	struct note_text {
		bool end;
		long id;
		size_t start, size; /* in text */
	} * at;
	size_t count, room;
	struct out text;
	bool read;
};
struct docx_notes {
	const struct part *footnotes, *endnotes;
	struct note at[NOTES_OPEN]; /* called, and yet to be written */
	int count, shown;
	struct note_texts texts;
};

struct docx_notes *docx_notes_open(const struct part *footnotes, const struct part *endnotes)
{
	struct docx_notes *n = there(calloc(1, sizeof *n));

	n->footnotes = footnotes;
	n->endnotes = endnotes;
	return n;
}

void docx_note_call(struct docx_notes *n, long id, bool at_end, struct out *o)
{
	char mark[24];

	if (n->count == NOTES_OPEN)
		return;
	n->at[n->count++] = (struct note){ at_end, id, ++n->shown };
	snprintf(mark, sizeof mark, "[%d]", n->shown);
	out_plain(o, mark, strlen(mark));
}

static void add_note_text(struct note_texts *t, bool at_end, long id)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->at = there(realloc(t->at, t->room * sizeof *t->at));
	}
	t->at[t->count++] = (struct note_text){ at_end, id, t->text.size, 0 };
}

static void read_notes(struct note_texts *t, const struct part *p, bool at_end)
{
	bool inside = false, text = false;
	xmlTextReaderPtr xml;
	int type;

	if (!p)
		return;
	xml = xml_open(p);
	while ((type = xml_next(xml))) {
		const char *value = (const char *)xmlTextReaderConstValue(xml);
		bool note = xml_is(xml, "footnote") || xml_is(xml, "endnote");

		if (type == XML_READER_TYPE_ELEMENT && note)
			add_note_text(t, at_end, xml_number(xml, "id", -1));
		if (type == XML_READER_TYPE_ELEMENT) {
			inside = inside || note;
			text = xml_is(xml, "t") && !xmlTextReaderIsEmptyElement(xml);
			t->text.space = t->text.space || xml_is(xml, "p");
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			inside = inside && !note;
			text = false;
		} else if (inside && text && value) {
			out_text(&t->text, value, strlen(value));
			t->at[t->count - 1].size = t->text.size - t->at[t->count - 1].start;
		}
	}
	xmlFreeTextReader(xml);
}

static const struct note_text *find_note(struct docx_notes *all, const struct note *n)
{
	struct note_texts *t = &all->texts;

	if (!t->read) {
		read_notes(t, all->footnotes, false);
		read_notes(t, all->endnotes, true);
		t->read = true;
	}
	for (size_t i = 0; i < t->count; i++)
		if (t->at[i].id == n->id && t->at[i].end == n->end)
			return &t->at[i];
	return NULL;
}

static void write_note(struct docx_notes *all, const struct note *n, struct out *o)
{
	const struct note_text *text = find_note(all, n);
	char mark[24];

	if (!text)
		return;
	snprintf(mark, sizeof mark, "[%d]", n->shown);
	out_break(o, 2);
	out_plain(o, mark, strlen(mark));
	o->space = true;
	if (text->size)
		out_text(o, all->texts.text.at + text->start, text->size);
	out_break(o, 2);
}

bool docx_notes_wait(const struct docx_notes *n)
{
	return n->count > 0;
}

void docx_notes_write(struct docx_notes *n, struct out *o)
{
	for (int i = 0; i < n->count; i++)
		write_note(n, &n->at[i], o);
	n->count = 0;
}
