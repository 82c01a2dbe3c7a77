/* links: svc-documents/ingest/robots.c svc-documents/ingest/site.c svc-documents/ingest/address.c -lidn2 */
/* robots: any file is read, any path judged; any address a page may name is resolved, and stays one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/ingest/robots.h"
#include "svc-documents/ingest/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct site_limits limits = { .url = "http://www.example.org/" };
	struct robots r;
	struct arena a;
	const char *text, *url;

	arena_init(&a, 0);
	robots_read((const char *)bytes, size, &r, &a);
	text = arena_strndup(&a, (const char *)bytes, size);
	limits.robots = r.rules;
	url = site_address("http://example.org/a/b", text, &a);
	if (url && !site_address(url, url, &a))
		abort();
	if (url)
		(void)site_wants(&limits, url);
	(void)robots_allow(r.rules, text);
	arena_done(&a);
	return 0;
}
