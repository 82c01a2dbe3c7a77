/* links: svc-documents/ingest/sniff.c svc-documents/ingest/charset.c svc-documents/ingest/charset_names.c svc-documents/ingest/charset_guess.c svc-documents/ingest/plausible.c svc-documents/formats.c -luchardet */
/* sniff: a Content-Type up to the first newline, then a file. Its type is one we know or none; read by its charset, it is UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "svc-documents/ingest/charset.h"
#include "svc-documents/ingest/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *eol = memchr(bytes, '\n', size);
	size_t head = eol ? (size_t)(eol - bytes) : 0;
	const char *file = (const char *)bytes + (eol ? head + 1 : 0), *name;
	struct charset_text c;
	struct arena a;

	size -= eol ? head + 1 : 0;
	arena_init(&a, 0);
	name = arena_strndup(&a, (const char *)bytes, head);
	(void)sniff(file, size, name, name);
	charset_to_utf8(file, size, name, true, false, &c, &a);
	if (c.text != file && !utf8_valid(c.text, c.size) &&
	    !memchr(c.text, 0, c.size)) /* U+0000 is dropped later */
		abort();
	arena_done(&a);
	return 0;
}
