/* links: svc-documents/ingest/sniff.c svc-documents/ingest/charset.c svc-documents/ingest/normalise.c */
/* sniff: a Content-Type up to the first newline, then a file. Its type is one we know or none; read by its charset, it is UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "svc-documents/ingest/charset.h"
#include "svc-documents/ingest/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *eol = memchr(bytes, '\n', size);
	size_t head = eol ? (size_t)(eol - bytes) : 0, text_size;
	const char *file = (const char *)bytes + (eol ? head + 1 : 0), *type, *text;
	struct arena a;

	size -= eol ? head + 1 : 0;
	arena_init(&a, 0);
	type = sniff(file, size, arena_strndup(&a, (const char *)bytes, head));
	if (type && !strstr("pdf docx html md txt", type))
		abort();
	text = charset_to_utf8(file, size, arena_strndup(&a, (const char *)bytes, head), &text_size, &a);
	if (!utf8_valid(text, text_size) &&
	    !memchr(text, 0, text_size)) /* U+0000 is the extractor's to drop */
		abort();
	arena_done(&a);
	return 0;
}
