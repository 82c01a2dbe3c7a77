/* Pages are tamed before they are parsed: a parser opens formatting anew in each paragraph, and keeps what is nested. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/helper.h"

enum { FORMATS_MAX = 64, DEPTH_MAX = 250, NODES_MAX = 3000000, NAME_SIZE = 12 };

static bool one_of(const char *name, size_t size, const char *const *set)
{
	for (; *set; set++)
		if (strlen(*set) == size && strncasecmp(*set, name, size) == 0)
			return true;
	return false;
}

/* Elements that a parser keeps open until they are closed, and opens again wherever it can. */
static bool is_format(const char *name, size_t size)
{
	static const char *const formats[] = { "a", "b",     "big",    "code",   "em", "font", "i", "nobr",
		                               "s", "small", "strike", "strong", "tt", "u",    NULL };

	return one_of(name, size, formats);
}

static bool has_no_end(const char *name, size_t size)
{
	static const char *const none[] = { "area",   "base",  "br",   "col",  "embed", "hr",
		                            "img",    "input", "link", "meta", "param", "source",
		                            "track",  "wbr",   "p",    "li",   "dt",    "dd",
		                            "option", "tr",    "td",   "th",   NULL };

	return one_of(name, size, none);
}

/* Behind the tag that starts at s: quotes may hold a >. */
static const char *tag_end(const char *s, const char *end)
{
	char quote = 0;

	for (; s < end; s++) {
		if (quote)
			quote = *s == quote ? 0 : quote;
		else if (*s == '>')
			return s + 1;
		else if ((*s == '"' || *s == '\'') && s[-1] == '=')
			quote = *s;
	}
	return end;
}

/* Does it say that it is XML, where <a id="x"/> ends where it begins? */
static bool is_xhtml(const char *bytes, size_t size)
{
	static const char names_space[] = "http://www.w3.org/1999/xhtml";

	size = size < 2000 ? size : 2000;
	return (size > 5 && memcmp(bytes, "<?xml", 5) == 0) || memmem(bytes, size, "//DTD XHTML", 11) ||
	       memmem(bytes, size, names_space, sizeof names_space - 1);
}

size_t html_tame(char *bytes, size_t size)
{
	const char *s = bytes, *last = bytes + size;
	bool xhtml = is_xhtml(bytes, size);
	char *out = bytes;
	long formats = 0, depth = 0, nodes = 0;

	while (s < last) {
		const char *lt = memchr(s, '<', (size_t)(last - s)), *name, *stop;
		bool closes;
		long *open;
		size_t n = 0;

		lt = lt ? lt : last;
		memmove(out, s, (size_t)(lt - s));
		out += lt - s;
		if (lt == last)
			break;
		closes = lt + 1 < last && lt[1] == '/';
		name = lt + 1 + closes;
		while (name + n < last && n < NAME_SIZE && isalnum((unsigned char)name[n]))
			n++;
		stop = n ? tag_end(name + n, last) : lt + 1;
		open = is_format(name, n) ? &formats : has_no_end(name, n) ? NULL : &depth;
		if (n && ++nodes > NODES_MAX)
			end(VERDICT_TOO_LARGE, "too many elements");
		if (n && open && !closes && xhtml && stop[-1] == '>' && stop[-2] == '/')
			lt =
			    stop; /* empty: a parser of HTML takes it for open, and all that follows for its own */
		else if (n && open && closes)
			*open -= *open > 0;
		else if (n && open && ++*open > (open == &formats ? FORMATS_MAX : DEPTH_MAX))
			lt = stop; /* left out */
		memmove(out, lt, (size_t)(stop - lt));
		out += stop - lt;
		s = stop;
	}
	return (size_t)(out - bytes);
}
