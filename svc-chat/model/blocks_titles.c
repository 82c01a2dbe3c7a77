/* Which line is a title of what stands below it. */
#include <ctype.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/text/sentence.h"
#include "svc-chat/model/blocks_reader.h"

enum {
	TITLE_MAX = 60, /* characters of a line that is a title though nothing marks it */
	ABOVE_MAX = 30, /* characters of a line that is the title of the lines right below it */
};

/* Of "Q: ...", "Frage 3: ...", "A) ...": the bytes before what is said. */
size_t title_label(struct span s)
{
	size_t n = 0;

	while (n < s.size && n < 12 && (isalpha((unsigned char)s.at[n]) || (s.at[n] & 0x80)))
		n++;
	if (n == 0)
		return 0;
	while (n < s.size && n < 16 && (s.at[n] == ' ' || isdigit((unsigned char)s.at[n])))
		n++;
	if (n >= s.size || (s.at[n] != ':' && s.at[n] != ')' && s.at[n] != '.'))
		return 0;
	n++;
	return n < s.size && s.at[n] == ' ' ? n + 1 : 0;
}

struct span title_without(struct span s, size_t bytes)
{
	return line_span(s.at + bytes, s.at + s.size);
}

/* The title of a line marked as a heading (#, bold), and its level; 0: it is none. */
int title_marked(struct span line, struct span *title)
{
	size_t level = strspn(line.at, "#");

	if (level >= 1 && level <= 6 && level < line.size && line.at[level] == ' ') {
		*title = title_without(line, level);
		while (title->size && strchr("# ", title->at[title->size - 1]))
			title->size--;
		return (int)level;
	}
	if (line.size > 5 && memcmp(line.at, "**", 2) == 0 && memcmp(line.at + line.size - 2, "**", 2) == 0 &&
	    !memmem(line.at + 2, line.size - 4, "**", 2)) {
		*title = line_span(line.at + 2, line.at + line.size - 2);
		return BELOW_ALL;
	}
	return 0;
}

bool title_underlined(const char *eol, const char *end)
{
	struct span next = eol < end ? line_span(eol + 1, line_end(eol + 1, end)) : (struct span){ 0 };

	return next.size >= 3 && (strspn(next.at, "=") >= next.size || strspn(next.at, "-") >= next.size);
}

bool title_numbered(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > s && p < end && (*p == '.' || *p == ')');
}

static bool ends_sentence(struct span line)
{
	static const char *const wide[] = { "\u3002", "\uff01", "\uff1f", "\uff1b",
		                            "\uff1a", "\uff0c", "\u3001" };

	for (size_t i = 0; line.size > 3 && i < sizeof wide / sizeof *wide; i++)
		if (memcmp(line.at + line.size - 3, wide[i], 3) == 0)
			return true;
	return strchr(".,;:!?\"'|)", line.at[line.size - 1]) != NULL;
}

/* A short line that ends like no sentence: alone between empty lines, above its own clauses ("2. Sickness", "2.1 ..."), or
 * in capitals. */
bool title_bare(struct span line, const char *eol, const char *end, bool alone)
{
	const char *next = eol < end ? eol + 1 : end;
	bool capitals = false;

	if (utf8_length(line.at, line.size) > TITLE_MAX || ends_sentence(line) ||
	    sentence_item(line.at, line.at + line.size))
		return title_numbered(line.at, line.at + line.size) && next < end && *next != '\n' &&
		       title_numbered(next, end) && utf8_length(line.at, line.size) <= TITLE_MAX &&
		       !ends_sentence(line) && strncmp(line.at, next, strcspn(line.at, ".)")) == 0;
	for (size_t i = 0; i < line.size; i++) {
		if (islower((unsigned char)line.at[i]))
			return alone && eol < end;
		capitals |= isupper((unsigned char)line.at[i]) != 0;
	}
	return capitals || (alone && eol < end);
}

/* A short line above a longer one that would have had room for the next word, too: so it does not end where it does because
 * the line was full, and is a title. */
bool title_above(struct span line, const char *eol, const char *end)
{
	struct span next = eol < end ? line_span(eol + 1, line_end(eol + 1, end)) : (struct span){ 0 };
	size_t word = 0, words = 1;

	while (word < next.size && next.at[word] != ' ')
		word++;
	for (size_t i = 0; i < line.size; i++) {
		if (isdigit((unsigned char)line.at[i]) || strchr(":;=|/\\<>@", line.at[i]))
			return false;
		words += line.at[i] == ' ';
	}
	return next.size > line.size + 1 + word && words <= LEAD_WORDS && !ends_sentence(line) &&
	       utf8_length(line.at, line.size) <= ABOVE_MAX && !sentence_item(line.at, line.at + line.size) &&
	       !islower((unsigned char)*line.at) && !islower((unsigned char)*next.at) && *next.at != '|';
}
