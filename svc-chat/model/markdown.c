#include "svc-chat/model/markdown.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* --- Code --------------------------------------------------------------------------------------------------------- */

/* A line end at v: is it a paragraph's end, too? */
static enum markdown_answer ends_paragraph(struct view v)
{
	size_t blanks = markdown_blanks(v);
	struct view rest = { v.at + blanks, v.end, v.final };
	struct markdown_line line;

	if (memchr(v.at + 1, '\n', blanks - 1))
		return MARKDOWN_YES;
	if (markdown_line_read((struct view){ v.at, rest.at, true }, rest, &line) == MARKDOWN_MORE)
		return MARKDOWN_MORE;
	return line.marker || line.fence ? MARKDOWN_YES : MARKDOWN_NO;
}

static size_t ticks_at(struct view v)
{
	size_t n = 0;

	while (v.at + n < v.end && v.at[n] == '`')
		n++;
	return n;
}

static enum markdown_answer closes(size_t run, struct view v)
{
	const char *start = v.at;

	while (!view_ended(v) && v.at - start < MARKDOWN_AHEAD) {
		enum markdown_answer over = *v.at == '\n' ? ends_paragraph(v) : MARKDOWN_NO;
		size_t n = ticks_at(v);

		if (over != MARKDOWN_NO)
			return over == MARKDOWN_YES ? MARKDOWN_NO : over;
		if (n && v.at + n == v.end && !v.final)
			return MARKDOWN_MORE;
		if (n == run)
			return MARKDOWN_YES;
		v.at += n ? n : 1;
	}
	return v.final || !view_ended(v) || v.at - start >= MARKDOWN_AHEAD ? MARKDOWN_NO : MARKDOWN_MORE;
}

enum markdown_answer markdown_in_span(const size_t *runs, size_t count, struct view v)
{
	for (size_t i = 0; i < count; i++) {
		enum markdown_answer answer = closes(runs[i], v);

		if (answer != MARKDOWN_NO)
			return answer;
	}
	return MARKDOWN_NO;
}

static const struct {
	const char *open, *close;
} spans[] = {
	{ "$$", "$$" },           { "$", "$" },          { "\\(", "\\)" },    { "\\[", "\\]" },
	{ "\\begin{", "\\end{" }, { "<code", "</code" }, { "<pre", "</pre" }, { "<kbd", "</kbd" },
	{ "<samp", "</samp" },
};

/* A dollar is a price's, or a variable's, unless it stands as TeX has it. */
static bool opens_dollar(char before, char next, size_t size)
{
	if (before == '$' || strchr("$).,;", next)) /* how dear a restaurant is */
		return false;
	return size == 2 ||
	       (!markdown_is_word(before) && !isspace((unsigned char)next) && !isdigit((unsigned char)next));
}

enum markdown_answer markdown_opens(struct view v, char before, const char **close, size_t *size)
{
	size_t left = (size_t)(v.end - v.at);

	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		size_t n = strlen(spans[i].open);

		if (memcmp(v.at, spans[i].open, left < n ? left : n) != 0)
			continue;
		if (left <= n && !v.final)
			return MARKDOWN_MORE;
		if (left <= n || (*v.at == '$' && !opens_dollar(before, v.at[n], n)))
			continue;
		*close = spans[i].close;
		*size = n;
		return MARKDOWN_YES;
	}
	return MARKDOWN_NO;
}

enum markdown_answer markdown_at_close(const char *close, struct view v, char before)
{
	size_t n = strlen(close), left = (size_t)(v.end - v.at);

	if (memcmp(v.at, close, left < n ? left : n) != 0)
		return MARKDOWN_NO;
	if (left <= n)
		return !v.final ? MARKDOWN_MORE : left == n ? MARKDOWN_YES : MARKDOWN_NO;
	return n > 1 || (!isspace((unsigned char)before) && !markdown_is_word(v.at[1])) ? MARKDOWN_YES
	                                                                                : MARKDOWN_NO;
}

enum markdown_answer markdown_closes(const char *close, struct view v)
{
	const char *start = v.at;
	char before = ']';

	for (; !view_ended(v) && v.at - start < MARKDOWN_AHEAD; before = *v.at++) {
		enum markdown_answer over = *v.at == '\n' ? ends_paragraph(v) : MARKDOWN_NO;
		enum markdown_answer here;

		if (over != MARKDOWN_NO)
			return over == MARKDOWN_YES ? MARKDOWN_NO : over;
		here = markdown_at_close(close, v, before);
		if (here != MARKDOWN_NO)
			return here;
	}
	return v.final || !view_ended(v) || v.at - start >= MARKDOWN_AHEAD ? MARKDOWN_NO : MARKDOWN_MORE;
}

/* --- Words and arithmetic ------------------------------------------------------------------------------------------- */

bool markdown_is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* The word that ends the view. */
static struct view last_word(struct view v)
{
	const char *at = v.end;

	while (at > v.at && !isspace((unsigned char)at[-1]) && at[-1] != '|')
		at--;
	return (struct view){ at, v.end, true };
}

static struct view without_blanks(struct view v)
{
	while (v.end > v.at && is_blank(v.end[-1]))
		v.end--;
	return v;
}

static bool is_one_of(struct view word, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == (size_t)(word.end - word.at) &&
		    strncasecmp(*list, word.at, strlen(*list)) == 0)
			return true;
	return false;
}

static const char *const operators[] = { "=", "+", "∈", "∉", "⊂", "⊆", "∪", "∩",  "×", "÷",
	                                 "≤", "≥", "≈", "≠", "±", "⊃", "⊇", "!=", NULL };
/* Of one number behind a blank they lead from word to word. */
static const char *const arrows[] = { "→", "↦", "=>", "->", "∖", "·", NULL };
/* Between blanks and numbers alone; elsewhere they are emphasis, a list, a tag. */
static const char between_numbers[] = "*<>";
static const char *const keys[] = { "press", "drücke", "drücken", "appuyez", "pulse", NULL };
static const char *const lists[] = { "interval",    "intervals",   "range",     "between", "list",
	                             "array",       "vector",      "tuple",     "matrix",  "set",
	                             "intervall",   "bereich",     "liste",     "vektor",  "menge",
	                             "intervalle",  "intervallo",  "intervalo", "vecteur", "matrice",
	                             "coordinates", "koordinaten", "shape",     NULL };

static bool ends_with_arrow(struct view before)
{
	for (const char *const *op = arrows; *op; op++)
		if ((size_t)(before.end - before.at) >= strlen(*op) &&
		    memcmp(before.end - strlen(*op), *op, strlen(*op)) == 0)
			return true;
	return false;
}

/* An operator ends what is before; not the "+" of a list's item. */
static bool ends_with_operator(struct view before, bool arrow)
{
	if (arrow && ends_with_arrow(before))
		return true;
	for (const char *const *op = operators; *op; op++) {
		size_t n = strlen(*op);
		struct view left;

		if ((size_t)(before.end - before.at) < n || memcmp(before.end - n, *op, n) != 0)
			continue;
		left = without_blanks((struct view){ before.at, before.end - n, true });
		return **op != '+' || (!view_ended(left) && !is_line_end(left.end[-1]));
	}
	return before.end - before.at > 2 && strchr(between_numbers, before.end[-1]) &&
	       before.end[-2] == ' ' && (isdigit((unsigned char)before.end[-3]) || before.end[-3] == ']');
}

static enum markdown_answer begins_with_one(struct view behind, const char *const *op)
{
	for (; *op; op++) {
		size_t n = strlen(*op), left = (size_t)(behind.end - behind.at);

		if (left < n && !behind.final && memcmp(behind.at, *op, left) == 0)
			return MARKDOWN_MORE;
		if (left >= n && memcmp(behind.at, *op, n) == 0)
			return MARKDOWN_YES;
	}
	return MARKDOWN_NO;
}

static enum markdown_answer begins_with_operator(struct view behind, bool several)
{
	const char *start = behind.at;
	enum markdown_answer arrow;

	while (!view_ended(behind) && is_blank(*behind.at))
		behind.at++;
	if (behind.at > start && !view_ended(behind) && *behind.at && strchr(between_numbers, *behind.at)) {
		if (behind.end - behind.at < 3)
			return behind.final ? MARKDOWN_NO : MARKDOWN_MORE;
		return behind.at[1] == ' ' && (isdigit((unsigned char)behind.at[2]) || behind.at[2] == '[')
		           ? MARKDOWN_YES
		           : MARKDOWN_NO;
	}
	arrow = several || behind.at == start ? begins_with_one(behind, arrows) : MARKDOWN_NO;
	return arrow == MARKDOWN_NO ? begins_with_one(behind, operators) : arrow;
}

/* Where the next bracket is, right here or behind a comma; NULL: there is none. At the view's end: it may come. */
static const char *next_bracket(struct view v)
{
	const char *at = v.at;

	if (!view_ended(v) && *at == ',' && ++at < v.end && *at == ' ')
		at++;
	return at == v.end || *at == '[' ? at : NULL;
}

/* A sentence or a line ends here, but for more brackets like the one before. */
enum markdown_answer markdown_ends_sentence(struct view v)
{
	const char *next;

	while (!view_ended(v) && (next = next_bracket(v))) {
		const char *at = next < v.end ? next + 1 : next;

		while (at < v.end && at - v.at < 64 && *at && strchr("0123456789,- ", *at))
			at++;
		if (at == v.end)
			return v.final ? MARKDOWN_NO : MARKDOWN_MORE;
		if (*at != ']')
			return MARKDOWN_NO;
		v.at = at + 1;
	}
	if (view_ended(v))
		return v.final ? MARKDOWN_YES : MARKDOWN_MORE;
	if (is_line_end(*v.at) || (unsigned char)*v.at >= 0x80 || *v.at == '|')
		return MARKDOWN_YES;
	if (*v.at == ' ') { /* the end of a table's cell? */
		if (v.end - v.at < 2)
			return v.final ? MARKDOWN_NO : MARKDOWN_MORE;
		return v.at[1] == '|' ? MARKDOWN_YES : MARKDOWN_NO;
	}
	if (!strchr(".!?", *v.at) || !*v.at)
		return MARKDOWN_NO;
	if (++v.at == v.end)
		return v.final ? MARKDOWN_YES : MARKDOWN_MORE;
	return markdown_is_word(*v.at) || strchr("[(.=", *v.at) ? MARKDOWN_NO : MARKDOWN_YES;
}

/* A word of a language, or a price, not of a program: two characters at least, and none that programs have. */
static bool is_natural(struct view word)
{
	if (word.end - word.at < 2)
		return false;
	if (word.at[0] == '$' && isdigit((unsigned char)word.at[1]))
		word.at++;
	for (; word.at < word.end; word.at++)
		if (!*word.at || strchr("_$=(){}[]<>\\/#@&|;", *word.at))
			return false;
	return true;
}

static bool holds(struct view v, const char *what)
{
	return memmem(v.at, (size_t)(v.end - v.at), what, strlen(what)) != NULL;
}

/* "f(x)": the parenthesis opens right behind a letter. */
static bool is_call(struct view word)
{
	const char *open = memchr(word.at, '(', (size_t)(word.end - word.at));

	return open && open > word.at && markdown_is_word(open[-1]);
}

/* "\in", of TeX */
static bool is_command(struct view word)
{
	if (word.end - word.at < 2 || *word.at != '\\')
		return false;
	while (++word.at < word.end)
		if (!isalpha((unsigned char)*word.at))
			return false;
	return true;
}

/* "f(x, [1": an argument of a call that is open still. */
static bool is_argument(struct view word)
{
	return is_call(word) && word.end[-1] == ',' && !memchr(word.at, ')', (size_t)(word.end - word.at));
}

/* A member of an object ("key": [1]), a list in a list, something between braces. */
static bool is_data(struct view left, bool indexed, bool several)
{
	size_t size = (size_t)(left.end - left.at);
	const char *open = memrchr(left.at, '{', size), *close = memrchr(left.at, '}', size);

	if (open && (!close || close < open))
		return true;
	if (size < 2)
		return size && several && left.end[-1] == '[';
	return (left.end[-1] == ':' && strchr("\"'", left.end[-2])) ||
	       (several && (left.end[-1] == '[' || (indexed && memcmp(left.end - 2, "],", 2) == 0)));
}

/* ".map(" behind a list: somebody calls it. */
static enum markdown_answer begins_method(struct view behind)
{
	const char *at = behind.at;

	if (view_ended(behind) || *at++ != '.')
		return MARKDOWN_NO;
	while (at < behind.end && at - behind.at < 24 && (islower((unsigned char)*at) || *at == '_'))
		at++;
	if (at == behind.end)
		return behind.final ? MARKDOWN_NO : MARKDOWN_MORE;
	return at > behind.at + 1 && *at == '(' ? MARKDOWN_YES : MARKDOWN_NO;
}

/* Where a word of the list stands, also behind an article ("l'intervalle"). */
static bool is_named(struct view word, const char *const *list)
{
	const char *article = memrchr(word.at, '\'', (size_t)(word.end - word.at));

	return is_one_of((struct view){ article ? article + 1 : word.at, word.end, true }, list);
}

/* A statement's, not a shop's. */
static bool is_return(struct view before, struct view word)
{
	static const char *const name[] = { "return", NULL };
	const char *start = word.at;

	while (start > before.at && is_blank(start[-1]))
		start--;
	return is_one_of(word, name) && (start == before.at || strchr("\n;{", start[-1]));
}

enum markdown_answer markdown_cites(struct view before, bool indexed, bool several, struct view behind)
{
	struct view left = without_blanks(before), word = last_word(left);
	bool glued = left.end == before.end && !view_ended(word);
	enum markdown_answer arithmetic = begins_with_operator(behind, several);

	if (several && arithmetic == MARKDOWN_NO)
		arithmetic = begins_method(behind);

	if (glued && (holds(word, "://") || is_call(word) || (word.end[-1] == ']' && indexed)))
		return MARKDOWN_NO;
	if (glued && markdown_is_word(word.end[-1]))
		return is_natural(word) ? markdown_ends_sentence(behind) : MARKDOWN_NO;
	if (ends_with_operator(left, several || left.end == before.end) ||
	    (!glued && (is_command(word) || is_argument(word))))
		return MARKDOWN_NO;
	if (is_one_of(word, keys) || (several && (is_named(word, lists) || is_return(before, word))))
		return MARKDOWN_NO;
	if (is_data(left, indexed, several) || (!view_ended(behind) && *behind.at == '{'))
		return MARKDOWN_NO;
	return arithmetic == MARKDOWN_NO    ? MARKDOWN_YES
	       : arithmetic == MARKDOWN_YES ? MARKDOWN_NO
	                                    : MARKDOWN_MORE;
}
