/* links: $(READERS) -lgumbo -lxml2 -larchive */
/* html: any bytes as a web page: read without a fault, its text not much longer than it is, and its title within bounds. */
#include <gumbo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	abort(); /* nothing of this size is too large */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *copy = malloc(size + 1);
	struct out o = { 0 };
	GumboOutput *page;
	size_t tamed;

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	tamed = html_tame(copy, size);
	if (tamed > size)
		abort();
	page = gumbo_parse_with_options(&kGumboDefaultOptions, copy, tamed);
	memset(o.title, 'x', sizeof o.title);
	o.title[0] = '\0';
	html_text(page, &o);
	if (!memchr(o.title, '\0', sizeof o.title) || o.size > 64 * (size + 1))
		abort();
	free(o.at);
	gumbo_destroy_output(&kGumboDefaultOptions, page);
	free(copy);
	return 0;
}
