/* links: svc-documents/helper/html.c svc-documents/helper/out.c -lgumbo */
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
	GumboOutput *page = gumbo_parse_with_options(&kGumboDefaultOptions, (const char *)bytes, size);
	struct out o = { 0 };
	char title[256];

	memset(title, 'x', sizeof title);
	title[0] = '\0';
	html_text(page, &o, title, sizeof title);
	if (!memchr(title, '\0', sizeof title) || o.size > 64 * (size + 1))
		abort();
	free(o.at);
	gumbo_destroy_output(&kGumboDefaultOptions, page);
	return 0;
}
