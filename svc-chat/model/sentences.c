#include "svc-chat/model/sentences.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"

/* --- Sentences ---------------------------------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* What the full stop at `stop` ends is an abbreviation. */
static bool abbreviation(const char *start, const char *stop)
{
	static const char *const known[] = {
		"mr", "mrs", "ms",  "dr", "prof", "st",     "no",  "vs",  "fig",
		"jr", "sr",  "inc", "ca", "cf",   "approx", "e.g", "i.e", "etc"
	};
	const char *word = stop;
	size_t size;

	while (word > start && (isalpha((unsigned char)word[-1]) || word[-1] == '.'))
		word--;
	size = (size_t)(stop - word);
	if (size == 1 && isupper((unsigned char)*word))
		return true;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (size == strlen(known[i]) && strncasecmp(word, known[i], size) == 0)
			return true;
	return false;
}

/* Bytes of a footnote mark ("[12]") at p. */
static size_t footnote(const char *p)
{
	size_t digits = *p == '[' ? strspn(p + 1, "0123456789") : 0;

	return digits && p[digits + 1] == ']' ? digits + 2 : 0;
}

/* Bytes of closing quotes, brackets and footnote marks at p. */
static size_t closing(const char *p)
{
	static const char *const marks[] = {
		"\"", "'", ")", "]", "\xe2\x80\x9d", "\xe2\x80\x99", "\xc2\xbb"
	};
	size_t n = 0, i = 0;

	while (i < sizeof marks / sizeof *marks) {
		size_t mark = footnote(p + n);

		if (!mark && strncmp(p + n, marks[i], strlen(marks[i])) == 0)
			mark = strlen(marks[i]);
		n += mark;
		i = mark ? 0 : i + 1;
	}
	return n;
}

/* The sentence that begins at start ends at p: the byte after its end, or NULL when it goes on. */
static const char *sentence_end(const char *start, const char *p)
{
	static const char *const wide[] = { "\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f" }; /* 。！？ */
	const char *after;

	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (strncmp(p, wide[i], 3) == 0)
			return p + 3;
	if (*p == '.' || *p == '!' || *p == '?') {
		after = p + 1 + closing(p + 1);
		if ((blank(*after) || !*after) && !(*p == '.' && *after && abbreviation(start, p)))
			return after;
	}
	if (*p == '\n') {
		for (after = p + 1; *after == ' ' || *after == '\t' || *after == '\r'; after++)
			;
		if (*after == '\n' || strncmp(after, "- ", 2) == 0 || strncmp(after, "* ", 2) == 0 ||
		    strncmp(after, "\xe2\x80\xa2", 3) == 0)
			return p + 1;
	}
	return NULL;
}

int sentence_next(const char **at, const char **sentence, size_t *size)
{
	const char *start = *at, *end, *p;

	while (blank(*start))
		start++;
	if (!*start) {
		*at = start;
		return 0;
	}
	for (p = start; *p; p++) {
		end = sentence_end(start, p);
		if (end) {
			p = end;
			break;
		}
	}
	*at = p;
	while (p > start && blank(p[-1]))
		p--;
	*sentence = start;
	*size = (size_t)(p - start);
	return 1;
}

/* --- Words -------------------------------------------------------------------------------------------------------- */

/* The character at *at (valid UTF-8), which moves on. */
static uint32_t character(const char **at, const char *end)
{
	const unsigned char *p = (const unsigned char *)*at;
	uint32_t c = *p;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more)
		c &= 0x3fu >> more;
	for (*at += 1; more-- && *at < end; *at += 1)
		c = c << 6 | ((unsigned char)**at & 0x3f);
	return c;
}

static uint32_t fold(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if (c >= 0x100 && c <= 0x17e && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x178)
		return (c >= 0x139 && c <= 0x148) || c >= 0x179 ? c + (c & 1) : c | 1;
	return c;
}

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return isalnum((int)c);
	return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) &&
	       !(c >= 0x3000 && c <= 0x3004) && !(c >= 0x3008 && c <= 0x3020) &&
	       !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xfe30 && c <= 0xfe4f) && c != 0xff1a && c != 0xff1b &&
	       c != 0xff1f;
}

/* Scripts that are written without blanks between words. */
static bool stands_alone(uint32_t c)
{
	return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

/* English endings: enough to let "guarantees" meet "guarantee", "invaded" "invade" and "shipped" "ship". */
static size_t without_ending(const char *word, size_t size)
{
	static const char *const endings[] = { "ies", "ing", "ed", "es", "s", "e", "y" };

	for (size_t i = 0; i < size; i++)
		if (!islower((unsigned char)word[i]))
			return size;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t left = size - strlen(endings[i]);

		if (size < 3 + strlen(endings[i]) || memcmp(word + left, endings[i], size - left) != 0 ||
		    (left == size - 1 && word[left] == 's' && word[left - 1] == 's'))
			continue;
		if (word[left - 1] == word[left - 2] && strchr("bdgmnprt", word[left - 1]))
			left--;
		return left;
	}
	return size;
}

int word_next(const char **at, const char *end, char word[WORD_MAX])
{
	size_t size = 0;

	while (*at < end) {
		const char *here = *at;
		uint32_t c = character(at, end);

		if (!is_letter(c)) {
			if (size)
				break;
			continue;
		}
		if (stands_alone(c) && size) {
			*at = here;
			break;
		}
		if (size + 4 < WORD_MAX)
			size += utf8_put(word + size, fold(c));
		if (stands_alone(c))
			break;
	}
	size = without_ending(word, size);
	word[size] = '\0';
	return size > 0;
}
