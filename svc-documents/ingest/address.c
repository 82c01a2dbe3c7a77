#include "svc-documents/ingest/address.h"

#include <idn2.h>
#include <string.h>

#include "common/base/text.h"

static void add_host(struct text *t, const char *host, size_t size, struct arena *a)
{
	char *ascii = NULL;

	if (idn2_to_ascii_8z(arena_strndup(a, host, size), &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) ==
	        IDN2_OK &&
	    *ascii)
		text_adds(t, ascii);
	else
		text_add(t, host, size); /* it is refused later, by its name */
	idn2_free(ascii);
}

/* Where the host begins: after "https://", or after the "//" of an address that takes its scheme from the page. NULL: nowhere. */
static const char *host_in(const char *url)
{
	const char *colon = url + strcspn(url, ":/?#");

	if (strncmp(colon, "://", 3) == 0)
		return colon + 3;
	return strncmp(url, "//", 2) == 0 ? url + 2 : NULL;
}

const char *address_ascii(const char *url, struct arena *a)
{
	const char *host = host_in(url), *stop;
	struct text t;
	size_t n;

	if (!host)
		return url;
	n = strcspn(host, ":/?#");
	stop = host + n;
	text_init(&t, a);
	text_add(&t, url, (size_t)(host - url));
	if (*host == '[')
		text_add(&t, host, n);
	else
		add_host(&t, host, n, a);
	for (const char *s = stop; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			text_addf(&t, "%%%02X", (unsigned char)*s);
		else
			text_addc(&t, *s);
	}
	return t.at;
}
