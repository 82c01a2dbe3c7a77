#include "svc-chat/model/citations_judge.h"

#include <string.h>

enum { CITE_SIZE = sizeof CITE_START - 1 };

char citations_last(const struct citations *c)
{
	return c->before_size && !c->spaces ? c->before[c->before_size - 1] : ' ';
}

/* All of them passages, or all of them what passages there could be more of; or anything else. */
enum numbers citations_numbers(const struct citations *c, const struct mark *mark)
{
	int ours = 0, invented = 0;

	for (int i = 0; i < mark->count; i++) {
		ours += mark->numbers[i] >= 1 && mark->numbers[i] <= c->passages;
		invented += mark->numbers[i] > c->passages && mark->numbers[i] <= CITATIONS_MAX;
	}
	return ours == mark->count       ? NUMBERS_OURS
	       : invented == mark->count ? NUMBERS_INVENTED
	                                 : NUMBERS_OTHER;
}

/* Does it stand where citations stand, not where a link, an index or arithmetic has its numbers? */
static enum markdown_answer stands_well(const struct citations *c, const struct mark *mark, bool invented,
                                        struct view behind)
{
	char before[sizeof c->before + 1];
	enum markdown_answer answer;

	if (!mark->plain)
		return MARKDOWN_YES;
	if (!view_ended(behind) && *behind.at == '(')
		return MARKDOWN_NO;
	if (c->cited_before && !c->spaces)
		return MARKDOWN_YES;
	memcpy(before, c->before, c->before_size);
	before[c->before_size] = ' ';
	answer = markdown_cites((struct view){ before, before + c->before_size + (c->spaces > 0), true },
	                        c->indexed, mark->several, behind);
	return answer == MARKDOWN_YES && invented ? markdown_ends_sentence(behind) : answer;
}

enum markdown_answer citations_cites(const struct citations *c, const struct mark *mark, enum numbers numbers,
                                     struct view behind)
{
	enum markdown_answer in_code;

	if (numbers == NUMBERS_OTHER)
		return MARKDOWN_NO;
	in_code = markdown_in_span(c->ticks, c->tick_count, behind);
	if (in_code == MARKDOWN_NO && c->span)
		in_code = markdown_closes(c->span, behind);
	if (in_code != MARKDOWN_NO)
		return in_code == MARKDOWN_YES ? MARKDOWN_NO : MARKDOWN_MORE;
	return stands_well(c, mark, numbers == NUMBERS_INVENTED, behind);
}

/* "a[", and "a[1][", and "[[1, 2], [" */
bool citations_indexes(const struct citations *c)
{
	char last = citations_last(c);

	return markdown_is_word(last) || last == '[' || (last == ']' && c->indexed && !c->cited_before);
}

/* "(#1)" behind a bracket: a link to nowhere, which models make of their citations. *size: of it. */
enum markdown_answer citations_nowhere(struct view behind, size_t *size)
{
	const char *at = behind.at;

	*size = 0;
	if (view_ended(behind) || *at != '(')
		return MARKDOWN_NO;
	while (++at < behind.end && at - behind.at < 48 && *at != '\n') {
		if (at == behind.at + 1 && *at != '#')
			return MARKDOWN_NO;
		if (*at == ')') {
			*size = (size_t)(at + 1 - behind.at);
			return MARKDOWN_YES;
		}
	}
	return at == behind.end && !behind.final ? MARKDOWN_MORE : MARKDOWN_NO;
}

/* "[cite_start]", with which Gemini begins what it cites. */
enum markdown_answer citations_begin(const struct view *v)
{
	size_t left = (size_t)(v->end - v->at), same = left < CITE_SIZE ? left : CITE_SIZE;

	if (memcmp(v->at, CITE_START, same) != 0)
		return MARKDOWN_NO;
	return left >= CITE_SIZE ? MARKDOWN_YES : v->final ? MARKDOWN_NO : MARKDOWN_MORE;
}

/* Is there a definition of one of our passages at the line? *size: of it. */
enum markdown_answer citations_definition(const struct citations *c, struct view line, size_t *size)
{
	struct mark mark;
	enum mark_found found =
	    view_ended(line) ? MARK_NONE : mark_read(line.at, line.end, line.final, &mark);
	enum markdown_answer answer;

	if (found != MARK_FOUND)
		return found == MARK_MORE ? MARKDOWN_MORE : MARKDOWN_NO;
	if (citations_numbers(c, &mark) != NUMBERS_OURS)
		return MARKDOWN_NO;
	answer = markdown_definition((struct view){ line.at + mark.size, line.end, line.final }, size);
	*size += mark.size;
	if (answer == MARKDOWN_YES && !line.final &&
	    line.at + *size + markdown_blanks((struct view){ line.at + *size, line.end, true }) == line.end &&
	    line.end - line.at < CITATIONS_AHEAD)
		return MARKDOWN_MORE; /* what follows it counts */
	return answer;
}
