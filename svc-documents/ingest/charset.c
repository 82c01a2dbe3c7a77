#include "svc-documents/ingest/charset.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"
#include "svc-documents/ingest/charset_guess.h"
#include "svc-documents/ingest/charset_names.h"

enum { STRIDE = 2 << 20 };
enum {
	LEAD = 64 * 1024,
	LOOK = 1 << 20,
	NAME_SIZE = 40,
	MIXED = 8 /* bytes that are no UTF-8 for each character that is, at most */
};

/* --- Names -------------------------------------------------------------------------------------------------------- */

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
		if (charset_meaning(name))
			return charset_meaning(name);
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

static bool has_mark(const char *bytes, size_t size)
{
	return size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
}

/* Signs and characters of China, Japan and Korea: nearly all that there is, when it is read so? */
static bool looks_eastern(const unsigned char *s, size_t units, bool little)
{
	size_t eastern = 0;

	for (size_t i = 0; i < units; i++) {
		unsigned c =
		    little ? s[2 * i] | (unsigned)s[2 * i + 1] << 8 : s[2 * i + 1] | (unsigned)s[2 * i] << 8;

		eastern += (c >= 0x3000 && c < 0xa000) || (c >= 0xac00 && c < 0xd7b0) || c >= 0xff00;
	}
	return eastern * 4 >= units * 3;
}

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
	for (int i = 0; i < 2; i++)
		if (units > 3 && blanks[i] > 0 && looks_eastern(s, units, i))
			return i ? CHARSET_UTF16_LE : CHARSET_UTF16_BE;
	return CHARSET_BYTES;
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

/* --- Two encodings in one file ---------------------------------------------------------------------------------------- */

/* Behind the line that starts at s. */
static const char *line_end(const char *s, const char *end)
{
	const char *eol = memchr(s, '\n', (size_t)(end - s));

	return eol ? eol + 1 : end;
}

/* Characters of more than one byte, and bytes that are none. */
static void count_characters(const char *s, const char *end, size_t *whole, size_t *stray)
{
	*whole = *stray = 0;
	while (s < end) {
		int n = utf8_sequence((const unsigned char *)s, (const unsigned char *)end);

		*whole += n > 1;
		*stray += n == 0;
		s += n ? n : 1;
	}
}

/* UTF-8, but for some lines that somebody added in another encoding, or a few bytes that were hurt. Of other encodings hardly a
 * line is UTF-8 by chance, and not so many. */
static bool is_mixed(const char *bytes, size_t size)
{
	const char *end = bytes + size;
	size_t good = 0, bad = 0, whole, stray;

	for (const char *s = bytes, *next; s < end; s = next) {
		next = line_end(s, end);
		count_characters(s, next, &whole, &stray);
		good += stray * 4 <= whole ? whole : 0;
		bad += stray * 4 <= whole ? 0 : stray;
	}
	return good >= 2 && good * MIXED >= bad;
}

/* A line that is nearly UTF-8 loses what is none; the others, together, are in one encoding. */
static void unmix(const char *bytes, size_t size, struct charset_text *ret, struct arena *a)
{
	const char *end = bytes + size, *name = NULL;
	char *others = arena_bulk(a, size + 1), *out, *to;
	size_t others_size = 0, whole, stray, lost = 0, left = size * 3 + 16;
	iconv_t utf8 = iconv_open("UTF-8", "UTF-8"), other;

	for (const char *s = bytes, *next; s < end; s = next) {
		next = line_end(s, end);
		count_characters(s, next, &whole, &stray);
		if (stray * 4 <= whole)
			continue;
		memcpy(others + others_size, s, (size_t)(next - s));
		others_size += (size_t)(next - s);
	}
	name = others_size ? charset_guess(others, others_size, a) : "UTF-8";
	other = iconv_open("UTF-8", name);
	out = to = arena_bulk(a, left);
	for (const char *s = bytes, *next; s < end; s = next) {
		iconv_t state;

		next = line_end(s, end);
		count_characters(s, next, &whole, &stray);
		state = stray * 4 <= whole ? utf8 : other;
		if (stray && (intptr_t)state != -1) {
			lost += charset_put(state, 1, s, (size_t)(next - s), &to, &left);
			continue;
		}
		memcpy(to, s, (size_t)(next - s));
		to += next - s;
		left -= (size_t)(next - s);
	}
	if ((intptr_t)utf8 != -1)
		iconv_close(utf8);
	if ((intptr_t)other != -1)
		iconv_close(other);
	ret->text = out;
	ret->size = (size_t)(to - out);
	ret->doubt = arena_printf(
	    a, "Its characters are in two encodings: it was read as UTF-8, and some lines as %s%s.", name,
	    lost ? "; some bytes are no characters" : "");
}

/* As mail from Japan comes: ASCII, with escapes to its own characters. */
static bool is_japanese_of_seven_bits(const char *bytes, size_t size)
{
	size = size < LOOK ? size : LOOK;
	return (memmem(bytes, size, "\x1b$B", 3) || memmem(bytes, size, "\x1b$@", 3)) &&
	       charset_beyond_ascii(bytes, size) == 0;
}

void charset_to_utf8(const char *bytes, size_t size, const char *content_type, bool markup, bool mapped,
                     struct charset_text *ret, struct arena *a)
{
	enum charset_width width = charset_width(bytes, size);
	const char *name = NULL;
	bool guessed = false;
	size_t lost, skip;

	*ret = (struct charset_text){ bytes, size, NULL };
	if (width != CHARSET_BYTES) {
		name = width == CHARSET_UTF16_LE ? "UTF-16LE" : "UTF-16BE";
		skip = has_mark(bytes, size) ? 2 : 0;
		bytes += skip;
		size -= skip;
	}
	if (!name && is_japanese_of_seven_bits(bytes, size))
		name = "ISO-2022-JP";
	if (!name && valid(bytes, size, mapped))
		return;
	if (!name && is_mixed(bytes, size)) {
		unmix(bytes, size, ret, a);
		return;
	}
	if (!name && content_type)
		name = name_after("charset=", content_type, strlen(content_type));
	if (!name && markup)
		name = declared(bytes, size);
	/* One that says UTF-8 and is not, in more than a few places, says nothing. */
	if (!name ||
	    (strcmp(name, "UTF-8") == 0 && charset_beyond_ascii(bytes, size) < CHARSET_EVIDENCE * 2)) {
		name = charset_guess(bytes, size, a);
		guessed = true;
	}
	if (!guessed && charset_lies(name, bytes, size, a)) {
		name = charset_guess(bytes, size, a);
		guessed = true;
	}
	ret->text = charset_convert(name, bytes, size, &ret->size, &lost, a);
	if (ret->text && strcmp(name, "UTF-8") == 0 && lost * 4 > charset_beyond_ascii(bytes, size)) {
		name = charset_guess(bytes, size, a);
		guessed = true;
		ret->text = charset_convert(name, bytes, size, &ret->size, &lost, a);
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
