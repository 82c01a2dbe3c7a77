#include "svc-documents/ingest/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <uchardet/uchardet.h>

#include "common/base/utf8.h"
#include "svc-documents/ingest/plausible.h"

enum { STRIDE = 2 << 20 };
enum {
	LEAD = 64 * 1024,
	LOOK = 1 << 20,
	NAME_SIZE = 40,
	EVIDENCE = 8, /* bytes beyond ASCII */
	PLAIN = 8,    /* one of so many of them may look odd */
};

/* --- Names -------------------------------------------------------------------------------------------------------- */

/* What browsers, and uchardet, call them; what iconv calls what is meant. Others mean nothing. */
static const struct {
	const char *label, *iconv;
} labels[] = {
	{ "utf-8", "UTF-8" },
	{ "utf8", "UTF-8" },
	{ "utf-16", "UTF-8" /* a page that says so in ASCII is none */ },
	{ "ascii", "CP1252" },
	{ "us-ascii", "CP1252" },
	{ "iso-8859-1", "CP1252" },
	{ "iso8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "windows-1252", "CP1252" },
	{ "cp1252", "CP1252" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "latin2", "ISO-8859-2" },
	{ "windows-1250", "CP1250" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "windows-1251", "CP1251" },
	{ "cp1251", "CP1251" },
	{ "koi8-r", "KOI8-U" },
	{ "koi8-u", "KOI8-U" },
	{ "ibm866", "CP866" },
	{ "x-mac-cyrillic", "MAC-CYRILLIC" },
	{ "mac-cyrillic", "MAC-CYRILLIC" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "windows-1256", "CP1256" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "windows-1253", "CP1253" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "windows-1255", "CP1255" },
	{ "iso-8859-9", "CP1254" },
	{ "latin5", "CP1254" },
	{ "windows-1254", "CP1254" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-11", "CP874" },
	{ "tis-620", "CP874" },
	{ "windows-874", "CP874" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "windows-1257", "CP1257" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-1258", "CP1258" },
	{ "viscii", "VISCII" },
	{ "macintosh", "MACINTOSH" },
	{ "x-mac-roman", "MACINTOSH" },
	{ "ibm437", "CP437" },
	{ "cp437", "CP437" },
	{ "ibm850", "CP850" },
	{ "cp850", "CP850" },
	{ "ibm852", "CP852" },
	{ "ibm857", "CP857" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "windows-31j", "CP932" },
	{ "cp932", "CP932" },
	{ "euc-jp", "EUC-JP-MS" },
	{ "iso-2022-jp", "ISO-2022-JP-3" },
	{ "gb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "hz-gb-2312", "GB18030" },
	{ "big5", "BIG5-HKSCS" },
	{ "big5-hkscs", "BIG5-HKSCS" },
	{ "euc-tw", "EUC-TW" },
	{ "euc-kr", "CP949" },
	{ "ks_c_5601-1987", "CP949" },
	{ "uhc", "CP949" },
	{ "cp949", "CP949" },
	{ "johab", "JOHAB" },
};

static const char *meaning(const char *label)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcasecmp(labels[i].label, label) == 0)
			return labels[i].iconv;
	return NULL;
}

/* What follows the key, in any case, up to what cannot belong to a name. */
static const char *name_after(const char *key, const char *s, size_t size)
{
	size_t k = strlen(key);
	char name[NAME_SIZE];

	for (size_t i = 0; i + k < size; i++) {
		size_t n = 0;

		if (strncasecmp(s + i, key, k) != 0)
			continue;
		i += k;
		while (i < size && s[i] && strchr("\"' =\t", s[i]))
			i++;
		while (i < size && n < sizeof name - 1 &&
		       (isalnum((unsigned char)s[i]) || (s[i] && strchr("-_:.", s[i]))))
			name[n++] = s[i++];
		name[n] = '\0';
		if (meaning(name))
			return meaning(name);
	}
	return NULL;
}

/* In <?xml encoding="…"?> or a <meta> of the first 64 KB: not in what a script says. */
static const char *declared(const char *bytes, size_t size)
{
	const char *end = bytes + (size < LEAD ? size : LEAD), *close, *name = NULL;

	for (const char *s = bytes; !name && (s = memchr(s, '<', (size_t)(end - s))); s++) {
		close = memchr(s, '>', (size_t)(end - s));
		if (!close)
			break;
		if (close - s > 6 && strncasecmp(s, "<meta", 5) == 0)
			name = name_after("charset", s, (size_t)(close - s));
		else if (close - s > 6 && strncasecmp(s, "<?xml", 5) == 0)
			name = name_after("encoding", s, (size_t)(close - s));
	}
	return name;
}

/* --- Bytes -------------------------------------------------------------------------------------------------------- */

enum charset_width charset_width(const char *bytes, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t zero[2] = { 0 }, blanks[2] = { 0 }, units = (size < LEAD ? size : LEAD) / 2;

	if (size >= 2 && s[0] == 0xff && s[1] == 0xfe)
		return CHARSET_UTF16_LE;
	if (size >= 2 && s[0] == 0xfe && s[1] == 0xff)
		return CHARSET_UTF16_BE;
	for (size_t i = 0; i < units; i++) {
		const unsigned char *u = s + 2 * i;

		if (u[0] == 0 && u[1] == 0)
			return CHARSET_BYTES; /* text has no U+0000 */
		zero[0] += u[0] == 0;
		zero[1] += u[1] == 0;
		blanks[0] += u[0] == 0 && (u[1] == ' ' || u[1] == '\n' || u[1] == '\r');
		blanks[1] += u[1] == 0 && (u[0] == ' ' || u[0] == '\n' || u[0] == '\r');
	}
	/* Blanks tell in every script; with letters of Latin they are many. The other half has hardly a NUL. */
	for (int i = 0; i < 2; i++)
		if (units > 3 && blanks[i] > 0 && zero[i] * 16 > units && zero[!i] * 64 < zero[i])
			return i ? CHARSET_UTF16_LE : CHARSET_UTF16_BE;
	return CHARSET_BYTES;
}

/* What does not fit becomes U+FFFD, counted in *lost. NULL: no such charset on this machine. */
static const char *convert(const char *name, const char *bytes, size_t size, size_t *ret_size, size_t *lost,
                           struct arena *a)
{
	iconv_t state = iconv_open("UTF-8", name);
	size_t room = size * 3 + 16, left = room;
	char *out, *to, *from = (char *)bytes;

	*lost = 0;
	if ((intptr_t)state == -1)
		return NULL;
	out = to = arena_bulk(a, room);
	while (size && iconv(state, &from, &size, &to, &left) == (size_t)-1 && errno != E2BIG) {
		size_t skipped = strncmp(name, "UTF-16", 6) == 0 && size > 1 ? 2 : 1;

		if (left < 3)
			break;
		memcpy(to, "\xef\xbf\xbd", 3);
		to += 3, left -= 3;
		from += skipped, size -= skipped;
		++*lost;
	}
	iconv_close(state);
	*ret_size = room - left;
	return out;
}

static size_t beyond_ascii(const char *bytes, size_t size)
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
		name = meaning(uchardet_get_charset(state));
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
	const char *text = convert(name, bytes, size, &text_size, &lost, a);

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
static const char *guess(const char *bytes, size_t size, struct arena *a)
{
	size_t sample = size < LEAD ? size : LEAD, beyond = beyond_ascii(bytes, sample), was, now, least;
	bool little = beyond < EVIDENCE && !memchr(bytes, 0x1b, sample);
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

/* Piece by piece, cut between characters. */
static bool valid(const char *bytes, size_t size, bool mapped)
{
	while (size) {
		size_t n = size < STRIDE ? size : STRIDE;

		for (int i = 0; i < 3 && n < size && (bytes[n] & 0xc0) == 0x80; i++)
			n--;
		if (!utf8_valid(bytes, n))
			return false;
		if (mapped)
			arena_rest(bytes, bytes + n);
		bytes += n;
		size -= n;
	}
	return true;
}

/* As mail from Japan comes: ASCII, with escapes to its own characters. */
static bool is_japanese_of_seven_bits(const char *bytes, size_t size)
{
	size = size < LOOK ? size : LOOK;
	return (memmem(bytes, size, "\x1b$B", 3) || memmem(bytes, size, "\x1b$@", 3)) &&
	       beyond_ascii(bytes, size) == 0;
}

void charset_to_utf8(const char *bytes, size_t size, const char *content_type, bool markup, bool mapped,
                     struct charset_text *ret, struct arena *a)
{
	enum charset_width width = charset_width(bytes, size);
	const char *name = NULL;
	bool guessed = false;
	size_t lost;

	*ret = (struct charset_text){ bytes, size, NULL };
	if (width != CHARSET_BYTES)
		name = width == CHARSET_UTF16_LE ? "UTF-16LE" : "UTF-16BE";
	else if (is_japanese_of_seven_bits(bytes, size))
		name = "ISO-2022-JP";
	else if (valid(bytes, size, mapped))
		return;
	if (!name && content_type)
		name = name_after("charset=", content_type, strlen(content_type));
	if (!name && markup)
		name = declared(bytes, size);
	/* One that says UTF-8 and is not, in more than a few places, says nothing. */
	if (!name || (strcmp(name, "UTF-8") == 0 && beyond_ascii(bytes, size) < EVIDENCE * 2)) {
		name = guess(bytes, size, a);
		guessed = true;
	}
	ret->text = convert(name, bytes, size, &ret->size, &lost, a);
	if (ret->text && strcmp(name, "UTF-8") == 0 && lost * 4 > beyond_ascii(bytes, size)) {
		name = guess(bytes, size, a);
		guessed = true;
		ret->text = convert(name, bytes, size, &ret->size, &lost, a);
	}
	if (!ret->text) {
		*ret =
		    (struct charset_text){ bytes, size, "The encoding of its characters could not be told." };
		return;
	}
	if (lost)
		ret->doubt = arena_printf(a, "%zu bytes are no characters of its encoding (%s).", lost, name);
	else if (guessed)
		ret->doubt = arena_printf(
		    a, "It does not say how its characters are encoded; it was read as %s.", name);
}
