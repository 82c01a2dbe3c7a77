/* links: $(READERS) -lgumbo -lxml2 -larchive */
/* pdf: any bytes as what pdftotext tells of a document: its text is not much longer, with a form feed a page. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	abort(); /* nothing of this size is too large */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pdf p = { 0 };
	struct out o = { 0 };
	size_t borders = 0, half = size / 2;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '\f')
			return 0;
	pdf_parse(&p, (const char *)bytes, half);
	pdf_parse(&p, (const char *)bytes + half, size - half);
	pdf_judge(&p);
	pdf_write(&p, &o);
	for (size_t i = 0; i < o.size; i++)
		borders += o.at[i] == '\f';
	if (borders != p.page_count || o.size > 64 * (size + 1))
		abort();
	free(o.at);
	free(p.text);
	free(p.words);
	free(p.lines);
	free(p.blocks);
	free(p.pages);
	return 0;
}
