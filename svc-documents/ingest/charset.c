#include "svc-documents/ingest/charset.h"

#include <ctype.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/json/json.h"
#include "svc-documents/ingest/normalise.h"

enum { LEAD = 2048, NAME_MAX_SIZE = 40 };

/* What follows "charset=", in any case, up to what cannot belong to a name. */
static int find_name(const char *s, size_t size, char name[NAME_MAX_SIZE])
{
	static const char key[] = "charset=";
	size_t k = sizeof key - 1, n = 0;

	for (size_t i = 0; i + k < size; i++) {
		if (strncasecmp(s + i, key, k) != 0)
			continue;
		i += k;
		while (i < size && strchr("\"' ", s[i]) && s[i])
			i++;
		while (i < size && n < NAME_MAX_SIZE - 1 &&
		       (isalnum((unsigned char)s[i]) || strchr("-_:.", s[i])) && s[i])
			name[n++] = s[i++];
		name[n] = '\0';
		return n > 0;
	}
	return 0;
}

/* NULL when the charset is unknown here or does not fit. */
static const char *convert(const char *name, const char *bytes, size_t size, size_t *ret_size,
                           struct arena *a)
{
	iconv_t state = iconv_open("UTF-8", name);
	size_t room = size * 4 + 16, left = room;
	char *out, *to, *from = (char *)bytes;
	size_t rc;

	if ((intptr_t)state == -1)
		return NULL;
	out = to = arena_alloc(a, room);
	rc = iconv(state, &from, &size, &to, &left);
	iconv_close(state);
	if (rc == (size_t)-1)
		return NULL;
	*ret_size = room - left;
	return out;
}

const char *charset_to_utf8(const char *bytes, size_t size, const char *content_type, size_t *ret_size,
                            struct arena *a)
{
	char name[NAME_MAX_SIZE];
	const char *text = NULL;
	struct clean clean;

	*ret_size = size;
	if (utf8_valid(bytes, size))
		return bytes;
	if ((content_type && find_name(content_type, strlen(content_type), name)) ||
	    find_name(bytes, size < LEAD ? size : LEAD, name))
		text = convert(name, bytes, size, ret_size, a);
	if (text)
		return text;
	normalise(bytes, size, false, &clean, a);
	*ret_size = clean.size;
	return clean.text;
}
