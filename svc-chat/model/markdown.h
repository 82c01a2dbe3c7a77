/*
 * markdown: what of Markdown, code and arithmetic one must know to tell a citation from what only looks like it.
 *
 * Each function judges from the bytes that it is given, and says MARKDOWN_MORE when the outcome may be another once more
 * bytes are there; with a final view it never does. None looks further than MARKDOWN_AHEAD bytes.
 */
#ifndef PARLEY_CHAT_MARKDOWN_H
#define PARLEY_CHAT_MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

enum { MARKDOWN_AHEAD = 2048 };

struct view {
	const char *at, *end;
	bool final; /* nothing follows the end */
};
static inline bool view_ended(struct view v)
{
	return v.at >= v.end;
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}
static inline bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

enum markdown_answer { MARKDOWN_NO, MARKDOWN_YES, MARKDOWN_MORE };

/* Spaces, tabs and line ends at the beginning of v. */
size_t markdown_blanks(struct view v);

/* How a line begins. */
struct markdown_line {
	bool after_blank;     /* an empty line is before it */
	size_t indent;        /* columns */
	bool marker, heading; /* it begins a list's item, a quotation, a heading */
	bool quoted;          /* a quotation's: its fence, if any, is of what stands in it */
	size_t content;       /* of an item: the column of its text */
	size_t fence;         /* so many backticks or tildes; 0: no fence */
	char fence_of;        /* which */
	bool fence_bare;      /* nothing else in the line: it can close a block */
};
/* blanks: what stands between the line before and this one's first character. MARKDOWN_YES or MARKDOWN_MORE. */
enum markdown_answer markdown_line_read(struct view blanks, struct view line, struct markdown_line *ret);

/* Where in the text's blocks one is; all zero before its first line. */
struct markdown_block {
	bool code_line; /* a line of code by indentation, or the end of a fenced block */
	size_t fence;   /* backticks or tildes of the fenced block; 0: in none */
	char fence_of;
	/* The rest is its own. */
	bool quoted;        /* the fenced block stands in a quotation */
	bool no_code;       /* the line before is text: an indented one goes on with it */
	size_t list_indent; /* columns; 0: in no list */
};
/* A line begins. True when the paragraph before it has ended. */
bool markdown_enter(struct markdown_block *b, const struct markdown_line *line);

/* Does one of these runs of backticks, which stand before v, find its like behind it, within the paragraph? */
enum markdown_answer markdown_in_span(const size_t *runs, size_t count, struct view v);

/* Does something begin at v that has no citations, mathematics or code of HTML? before: the character before it. *close:
 * what ends it; *size: of what begins it. */
enum markdown_answer markdown_opens(struct view v, char before, const char **close, size_t *size);
/* Does its end stand at v? */
enum markdown_answer markdown_at_close(const char *close, struct view v, char before);
/* Does it end somewhere behind a bracket, within the paragraph? */
enum markdown_answer markdown_closes(const char *close, struct view behind);

/* Behind "[1]" at a line's start: ": address", with a title or not, and nothing else? *size: of that. */
enum markdown_answer markdown_definition(struct view v, size_t *size);

/*
 * Is a bracket of bare numbers between these two a citation, not an index, an interval or a list? indexed: a bracket that
 * ends right before it stood right behind a word. several: it holds more than one number.
 */
enum markdown_answer markdown_cites(struct view before, bool indexed, bool several, struct view behind);

/* Does a sentence or a line end here, but for more brackets of numbers? */
enum markdown_answer markdown_ends_sentence(struct view v);

bool markdown_is_word(char c); /* what a name in a program may hold */

#endif
