/* pdf_joint: what stands between two lines of a PDF: a paragraph's end, a line's end, a blank, nothing; and hyphens. */
#ifndef PARLEY_DOCUMENTS_PDF_JOINT_H
#define PARLEY_DOCUMENTS_PDF_JOINT_H

#include "svc-documents/helper/pdf.h"

enum joint { JOINT_PARAGRAPH, JOINT_LINE, JOINT_BLANK, JOINT_NOTHING, JOINT_HYPHEN };

/* Where the writing is. */
struct pdf_writer {
	const struct pdf *p;
	struct out *o;
	uint64_t *words; /* a set of hashes: all words of the document */
	size_t words_room;
	const struct pdf_line *before;
	int borders; /* of pages, to be written before the next text */
	bool in_code;
};

/* The words by which hyphens are judged: w->words, to be freed. */
void pdf_collect_words(struct pdf_writer *w);
/* How the text that ends with w->before goes on with this line. */
enum joint pdf_joint(const struct pdf_writer *w, const struct pdf_line *l, const char *text);
bool pdf_ends_sentence(const struct out *o);

#endif
