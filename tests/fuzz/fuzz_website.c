/* links: svc-integrations/website/look.c svc-integrations/website/tags.c svc-integrations/website/policy.c */
/* website: any page is looked through, under any policy; what it says of a piece lies within the page. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-integrations/website/look.h"
#include "svc-integrations/website/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(struct piece p, const char *page, size_t size)
{
	if (p.at < page || p.at > page + size || p.size > (size_t)(page + size - p.at))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct website_seen seen;
	const char *page, *at;
	struct piece value;
	struct arena a;
	struct tag tag;

	arena_init(&a, 0);
	page = at = arena_strndup(&a, (const char *)bytes, size);
	size = strlen(page);
	while (tag_next(&at, &tag)) {
		check(tag.name, page, size);
		check(tag.attributes, page, size);
		if (tag.script.at)
			check(tag.script, page, size);
		if (tag_attribute(&tag, "content", &value))
			check(value, page, size);
	}
	website_see(&(struct website_page){ .html = page,
	                                    .origin = website_origin(page, &a),
	                                    .policies = (const char *const[]){ page, NULL },
	                                    .chatbot = "0192aaaa-0000-7000-8000-000000000001",
	                                    .script = "https://parley.example" },
	            &seen, &a);
	if (seen.blocked && !seen.script)
		abort();
	arena_done(&a);
	return 0;
}
