/* A full stop that closes a sentence, not one that shortens a word or stands in a number. */
#include "common/text/sentence.h"

#include <string.h>

#include "common/base/utf8.h"

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool word_byte(char c)
{
	return upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80);
}

/* Is the word before this full stop one that is written with it? An initial ("J."), "e.g.", "Mr.". */
static bool abbreviated(const char *start, const char *stop)
{
	static const char *const short_forms[] = {
		"Mr",
		"Mrs",
		"Ms",
		"Dr",
		"Prof",
		"St",
		"Sr",
		"Jr",
		"vs",
		"cf",
		"al",
		"No",
		"Fig",
		"fig",
		"vol",
		"Vol",
		"pp",
		"ca",
		"Inc",
		"Ltd",
		"Gen",
		"Col",
		"Lt",
		"Capt",
		"Sgt",
		"Sra",
		"Srta",
		"Ud",
		"Uds",
		"p\u00e1g",
		"art",
		"Art",
		"env",
		"Mme",
		"Mlle",
		"bzw",
		"usw",
		"inkl",
		"zzgl",
		"ggf",
		"evtl",
		"Nr",
		"Tel",
		"Abs",
		"Str",
		"approx",
		"\u0443\u043b",
		"\u0440\u0443\u0431",
		"\u0442\u0435\u043b",
		"\u0434\u043e\u043c",
		"\u0441\u0442\u0440",
	};
	const char *word = stop;
	size_t size;

	while (word > start && word_byte(word[-1]))
		word--;
	size = (size_t)(stop - word);
	if (size == 1 && (upper(*word) || (word > start && word[-1] == '.')))
		return true;
	for (size_t i = 0; i < sizeof short_forms / sizeof *short_forms; i++)
		if (strlen(short_forms[i]) == size && memcmp(short_forms[i], word, size) == 0)
			return true;
	return false;
}

/* "am 28. November": a number of one or two digits after a word that goes before dates. */
static bool ordinal(const char *start, const char *stop)
{
	static const char *const before[] = { "am",  "vom", "zum", "dem", "den", "der",
		                              "des", "im",  "bis", "und", "Am",  "Vom" };
	const char *number = stop, *word;

	while (number > start && number[-1] >= '0' && number[-1] <= '9')
		number--;
	if (number == stop || stop - number > 2 || number - start < 3 || number[-1] != ' ')
		return false;
	for (word = number - 1; word > start && word_byte(word[-1]);)
		word--;
	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		if ((size_t)(number - 1 - word) == strlen(before[i]) &&
		    memcmp(before[i], word, strlen(before[i])) == 0)
			return true;
	return false;
}

static bool one_of(uint32_t c, const uint32_t *set)
{
	for (; *set; set++)
		if (*set == c)
			return true;
	return false;
}

/* Quotes and brackets that close, and marks of footnotes: they belong to the sentence before. */
static const char *skip_closers(const char *s, const char *end)
{
	static const uint32_t closers[] = { '"',    '\'',   ')',    ']',    0xbb, 0x2019,
		                            0x201d, 0x300d, 0x300f, 0xff09, 0 };

	while (s < end) {
		const char *p = s;

		if (*s == '[') { /* [12] */
			const char *close = memchr(s, ']', (size_t)(end - s < 24 ? end - s : 24));

			if (!close)
				break;
			s = close + 1;
			continue;
		}
		if (!one_of(utf8_next(&p), closers))
			break;
		s = p;
	}
	return s;
}

static bool blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

/* A small letter goes on with the sentence: of Latin, Latin-1 (0xdf to 0xff) or Cyrillic. */
static bool lower_follows(const char *s, const char *end)
{
	uint32_t c;

	while (s < end && blank(*s))
		s++;
	if (s >= end)
		return false;
	c = utf8_next(&s);
	return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff) || (c >= 0x430 && c <= 0x45f);
}

const char *sentence_end(const char *s, const char *end)
{
	static const uint32_t wide_stops[] = {
		0x3002, 0xff01, 0xff1f, 0xff61, 0x0964, 0
	}; /* need no blank after */
	static const uint32_t stops[] = { '.', '!', '?', 0x2026, 0x061f, 0x06d4, 0 };
	const char *start = s;

	while (s < end) {
		const char *stop = s, *after;
		uint32_t c = utf8_next(&s);

		if (c < 0x80 && c != '.' && c != '!' && c != '?')
			continue; /* nearly always */
		if (one_of(c, wide_stops))
			return skip_closers(s, end);
		if (!one_of(c, stops))
			continue;
		after = skip_closers(s, end);
		if (after < end && !blank(*after))
			continue;
		if (c == '.' &&
		    (abbreviated(start, stop) || ordinal(start, stop) || lower_follows(after, end)))
			continue;
		return after;
	}
	return end;
}

bool sentence_item(const char *line, const char *end)
{
	const char *p = line;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (end - p >= 2 && (*p == '-' || *p == '*' || *p == '+' || *p == '|') && (p[1] == ' ' || *p == '|'))
		return true;
	if (end - p >= 3 && memcmp(p, "\xe2\x80\xa2", 3) == 0)
		return true;
	for (line = p; p < end && *p >= '0' && *p <= '9';)
		p++;
	return p > line && end - p >= 2 && (*p == '.' || *p == ')') && p[1] == ' ';
}
