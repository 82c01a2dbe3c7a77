/* Which encoding bytes seem to be in, and what they say in it. */
#include "svc-documents/ingest/charset_guess.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <uchardet/uchardet.h>

#include "svc-documents/ingest/charset_names.h"
#include "svc-documents/ingest/plausible.h"

enum {
	LEAD = 64 * 1024,
	LOOK = 1 << 20,
	PLAIN = 8, /* one of so many of them may look odd */
};

size_t charset_put(iconv_t state, size_t unit, const char *bytes, size_t size, char **to, size_t *left)
{
	char *from = (char *)bytes;
	size_t lost = 0;

	iconv(state, NULL, NULL, NULL, NULL);
	while (size && iconv(state, &from, &size, to, left) == (size_t)-1 && errno != E2BIG) {
		size_t skipped = unit < size ? unit : size;

		if (*left < 3)
			break;
		memcpy(*to, "\xef\xbf\xbd", 3);
		*to += 3, *left -= 3;
		from += skipped, size -= skipped;
		lost++;
	}
	iconv(state, NULL, NULL, to, left); /* what it keeps: a letter of Hebrew waits for its points */
	return lost;
}

const char *charset_convert(const char *name, const char *bytes, size_t size, size_t *ret_size, size_t *lost,
                            struct arena *a)
{
	iconv_t state = iconv_open("UTF-8", name);
	size_t room = size * 3 + 16, left = room;
	char *out, *to;

	*lost = 0;
	if ((intptr_t)state == -1)
		return NULL;
	out = to = arena_bulk(a, room);
	*lost = charset_put(state, strncmp(name, "UTF-16", 6) == 0 ? 2 : 1, bytes, size, &to, &left);
	iconv_close(state);
	*ret_size = room - left;
	return out;
}

size_t charset_beyond_ascii(const char *bytes, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += (bytes[i] & 0x80) != 0;
	return n;
}

/* What uchardet takes it for. */
static const char *detected(const char *bytes, size_t size)
{
	uchardet_t state = uchardet_new();
	const char *name = NULL;

	if (uchardet_handle_data(state, bytes, size) == 0) {
		uchardet_data_end(state);
		name = charset_meaning(uchardet_get_charset(state));
	}
	uchardet_delete(state);
	return name && strcmp(name, "UTF-8") != 0 ? name : NULL;
}

/* Charsets of one byte a character that files really have; of two that look alike, the first. */
static const char *const narrow[] = { "CP1252",     "CP1251",     "MACINTOSH",  "CP850",  "CP852",
	                              "CP866",      "CP1253",     "CP737",      "CP1254", "CP857",
	                              "KOI8-U",     "CP1250",     "CP1255",     "CP437",  "ISO-8859-2",
	                              "ISO-8859-7", "ISO-8859-8", "ISO-8859-15" };
enum { NARROW_COUNT = sizeof narrow / sizeof *narrow };

/* SIZE_MAX: there is no such charset on this machine. */
static size_t odd(const char *name, const char *bytes, size_t size, struct arena *a)
{
	size_t lost, text_size;
	const char *text = charset_convert(name, bytes, size, &text_size, &lost, a);

	return text ? plausible_odd(text, text_size) : SIZE_MAX;
}

/* Charsets that differ in a few signs only: the one in which these stand better. */
static const char *sibling(const char *name, size_t was, const char *bytes, size_t size, struct arena *a)
{
	static const char *const siblings[][2] = { { "ISO-8859-7", "CP1253" },
		                                   { "CP1252", "ISO-8859-15" },
		                                   { "ISO-8859-2", "CP1250" },
		                                   { "ISO-8859-8", "CP1255" },
		                                   { "MAC-CYRILLIC", "CP1251" } };

	for (size_t i = 0; was && i < sizeof siblings / sizeof *siblings; i++)
		for (int k = 0; k < 2; k++)
			if (strcmp(siblings[i][k], name) == 0 && odd(siblings[i][!k], bytes, size, a) < was)
				return siblings[i][!k];
	return name;
}

static bool is_narrow(const char *name)
{
	for (int i = 0; i < NARROW_COUNT; i++)
		if (strcmp(narrow[i], name) == 0)
			return true;
	return strncmp(name, "ISO-8859-", 9) == 0 || strcmp(name, "MAC-CYRILLIC") == 0;
}

/* What it looks like: to uchardet, where there is enough to judge by; and if that reads oddly, what reads better by far. */
const char *charset_guess(const char *bytes, size_t size, struct arena *a)
{
	size_t sample = size < LEAD ? size : LEAD, beyond = charset_beyond_ascii(bytes, sample), was, now,
	       least;
	bool little = beyond < CHARSET_EVIDENCE && !memchr(bytes, 0x1b, sample);
	const char *name = detected(bytes, size < LOOK ? size : LOOK), *best;

	if (name && !is_narrow(name) && (!little || odd("CP1252", bytes, sample, a) * PLAIN > beyond))
		return name;
	best = name = little || !name ? "CP1252" : name;
	was = least = odd(name, bytes, sample, a);
	for (int i = 0; was * PLAIN > beyond && i < NARROW_COUNT; i++) {
		now = odd(narrow[i], bytes, sample, a);
		best = now < least && now * 2 <= was ? narrow[i] : best;
		least = now < least ? now : least;
	}
	return best == name ? sibling(name, was, bytes, sample, a) : best;
}

static bool is_cyrillic(const char *name)
{
	static const char *const names[] = {
		"CP1251", "KOI8-U", "CP866", "ISO-8859-5", "MAC-CYRILLIC", NULL
	};

	for (const char *const *n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return false;
}

/* A name that makes nonsense of the bytes, of which a guess makes sense. Between encodings of Russian it makes capitals of small
 * letters, which are odd only where a sentence begins. */
bool charset_lies(const char *name, const char *bytes, size_t size, struct arena *a)
{
	size_t sample = size < LEAD ? size : LEAD, beyond = charset_beyond_ascii(bytes, sample), was;
	const char *guessed;

	if (!is_narrow(name) || beyond < CHARSET_EVIDENCE * 2)
		return false;
	was = odd(name, bytes, sample, a);
	if (was < 2 || (was * PLAIN * 2 <= beyond && !is_cyrillic(name)))
		return false;
	guessed = charset_guess(bytes, size, a);
	return odd(guessed, bytes, sample, a) * 4 <= was &&
	       (was * PLAIN * 2 > beyond || is_cyrillic(guessed));
}
