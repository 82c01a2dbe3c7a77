#include "svc-chat/model/choose.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "svc-chat/model/measures.h"
#include "svc-chat/model/scene.h"

enum { LIST_MOST = 12, NAMED = 3 };

/* What a word of the question counts for, by where it is met. */
static const double in_heading = 0.8, in_question = 0.95, in_head = 0.9, in_lead = 0.8, in_outer = 0.7,
                    beside = 0.5, in_passage = 0.3, in_title = 0.4;
static const double against_digits = 1.0, against_names = 0.5; /* when the passage lacks it */
/* When the block lacks it: what tells which card it is, what there is a number of. */
static const double against_modifiers = 0.6, against_counted = 0.6;
static const double lacks_amount =
    0.6; /* what is left of the share of one that tells none of the kind asked for */
static const double enough = 0.33; /* of the question's weight */
static const double least_enough = 0.2, by_word = 0.03,
                    usual_words = 4;  /* more for each word fewer than usual */
static const double labelled = 1.3;   /* a block that begins with the word asked for and a colon */
static const double near_best = 0.75; /* of the best one's worth, to be quoted beside it */
static const double as_good = 0.985;  /* to belong to one list with it */
static const double half = 0.5;       /* the same, where the whole list is asked for */

/* --- Judging ---------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct block *b)
{
	return b->kind == BLOCK_ITEM || b->kind == BLOCK_ROW;
}

/* "How do I set it up?": an item of a list, below a heading that says so. */
static bool wants_steps(const struct scene *s, const struct block *b)
{
	return s->asked.wants_way && !s->asked.wants_number && b->kind == BLOCK_ITEM;
}

static double beside_block(const struct scene *s, size_t k, size_t i)
{
	const struct block *at = s->blocks->at;
	double has = 0;

	if (k > 0 && at[k - 1].paragraph == at[k].paragraph && at[k].kind != BLOCK_ROW)
		has = s->own[k - 1].has[i];
	if (k + 1 < s->blocks->count && at[k + 1].paragraph == at[k].paragraph && at[k].kind != BLOCK_ROW)
		has = fmax(has, s->own[k + 1].has[i]);
	return has;
}

/* In the headings that a section stands under. */
static double above(const struct scene *s, const struct section *section, size_t i)
{
	double has = 0;

	for (ptrdiff_t up = section->above; up >= 0; up = s->blocks->sections[up].above)
		has = fmax(has, s->section[up].has[i]);
	return has;
}

/* How far block k answers to word i of the question; *near: by itself or by what it stands under. */
static double meets(const struct scene *s, size_t k, size_t i, double *near)
{
	const struct block *b = &s->blocks->at[k];
	const struct section *section = &s->blocks->sections[b->section];
	double has = fmax(s->own[k].has[i], in_outer * above(s, section, i));

	has = fmax(has, s->section[b->section].has[i] * (section->question                     ? in_question
	                                                 : s->asked.wants_list && is_listed(b) ? 1.1
	                                                 : wants_steps(s, b)                   ? 1.1
	                                                                                       : in_heading));
	has = fmax(has, s->head[k].has[i] * in_head);
	has = fmax(has, s->lead[k].has[i] * in_lead);
	*near = has;
	has = fmax(has, beside_block(s, k, i) * beside);
	has = fmax(has, s->title[section->passage].has[i] * in_title);
	return fmax(has, s->passage[section->passage].has[i] * in_passage);
}

static bool has_name(struct span text)
{
	for (size_t i = 2; i < text.size; i++)
		if (isupper((unsigned char)text.at[i]) && text.at[i - 1] == ' ' && text.at[i - 2] != '.')
			return true;
	return false;
}

/* "Present: Ada, Grace" for "Who was present?" */
static bool labelled_so(const struct scene *s, const struct block *b)
{
	const char *colon = memchr(b->text.at, ':', b->text.size < 40 ? b->text.size : 40);
	struct terms terms;

	if (!colon)
		return false;
	terms_init(&terms, b->text.at, (size_t)(colon - b->text.at), s->stemmers, s->wish->language);
	for (struct term t; terms_next(&terms, &t);)
		for (size_t i = 0; i < s->asked.count; i++)
			if (s->asked.at[i].share == 1 && s->asked.at[i].term.hash == t.hash)
				return true;
	return false;
}

/* Does it, or what stands with it, tell the amount that is asked for? */
static bool tells_amount(const struct scene *s, size_t k)
{
	const struct block *at = s->blocks->at, *b = &at[k];
	const char *units = s->asked.units;

	if (measures_told(units, b->text) || measures_told(units, s->blocks->sections[b->section].title))
		return true;
	if (b->kind == BLOCK_ROW) /* "price: 39.90" */
		return b->head.size && asked_has_digit(b->text.at, b->text.size);
	return (k > 0 && at[k - 1].section == b->section && measures_told(units, at[k - 1].text)) ||
	       (k + 1 < s->blocks->count && at[k + 1].section == b->section &&
	        measures_told(units, at[k + 1].text));
}

static void judge(struct scene *s, size_t k)
{
	const struct block *b = &s->blocks->at[k];
	size_t p = s->blocks->sections[b->section].passage;
	double sum = 0, own = 0, against = 0;

	for (size_t i = 0; i < s->asked.count; i++) {
		const struct asked *a = &s->asked.at[i];
		double near, noun, has = meets(s, k, i, &near);

		if (a->modifies >= 0 && a->share == 1 && fmax(near, beside_block(s, k, i)) == 0 &&
		    meets(s, k, (size_t)a->modifies, &noun) > 0 && noun > 0)
			against += a->weight * against_modifiers;

		sum += a->weight * has;
		own += a->weight * near;
		if (a->counted && a->share == 1 && fmax(near, beside_block(s, k, i)) == 0)
			against += a->weight * against_counted;
		else if (s->passage[p].has[i] == 0 && s->title[p].has[i] == 0 && a->share == 1)
			against += a->weight * (a->digits ? against_digits : a->name ? against_names : 0);
	}
	s->share[k] = own > 0 && s->all > 0 ? (sum - against) / s->all : 0;
	s->worth[k] = (sum + 0.25 * own) * (1 + 0.15 / (double)(1 + p));
	if (s->asked.units && s->share[k] > 0 && tells_amount(s, k))
		s->worth[k] *= 1.15;
	else if (s->asked.units)
		s->share[k] *= lacks_amount;
	if (s->asked.wants_number && asked_has_digit(b->text.at, b->text.size))
		s->worth[k] *= 1.15;
	if (labelled_so(s, b))
		s->worth[k] *= labelled;
	if (s->asked.wants_name && has_name(b->text))
		s->worth[k] *= 1.08;
	if (s->asked.wants_list && (b->kind == BLOCK_ITEM || b->kind == BLOCK_ROW))
		s->worth[k] *= 1.2;
	if (s->words[k] < 3 && !(s->asked.wants_number && asked_has_digit(b->text.at, b->text.size)) &&
	    b->kind == BLOCK_SENTENCE && !s->blocks->sections[b->section].question)
		s->worth[k] *= 0.6;
	s->worth[k] /= 1 + 0.08 * log1p(s->words[k] / 20.0);
}

static bool same_text(const struct block *a, const struct block *b)
{
	return a->text.size == b->text.size && memcmp(a->text.at, b->text.at, a->text.size) == 0;
}

/* Two passages may overlap: a block is quoted once. */
static bool chosen_already(const struct scene *s, const struct choice *c, size_t k)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->blocks[i] == k || same_text(&s->blocks->at[c->blocks[i]], &s->blocks->at[k]))
			return true;
	return false;
}

static ptrdiff_t best(const struct scene *s, const struct choice *c, double least_share)
{
	ptrdiff_t ret = -1;

	for (size_t k = 0; k < s->blocks->count; k++)
		if (s->share[k] >= least_share && (ret < 0 || s->worth[k] > s->worth[ret]) &&
		    !chosen_already(s, c, k))
			ret = (ptrdiff_t)k;
	return ret;
}

/* Of a question of few words each one counts; a long one has words that only turn it nicely. */
static double threshold(const struct scene *s)
{
	double n = 0;

	for (size_t i = 0; i < s->asked.count; i++)
		n += s->asked.at[i].share == 1 && s->asked.at[i].weight > 0;
	return fmax(least_enough, enough + by_word * (usual_words - n));
}

/* Whether what it stands under is all that is asked for: "What do I need for the soup?" under "Soup". */
static bool under_all_asked(const struct scene *s, const struct block *b)
{
	size_t n = 0;

	for (size_t i = 0; i < s->asked.count; i++) {
		if (s->asked.at[i].share < 1 || s->asked.at[i].weight <= 0)
			continue;
		if (s->section[b->section].has[i] < worth_kin)
			return false;
		n++;
	}
	return n > 0 && !s->asked.wants_number;
}

static bool under_any_asked(const struct scene *s, const struct block *b)
{
	for (size_t i = 0; i < s->asked.count; i++)
		if (s->asked.at[i].share == 1 && s->section[b->section].has[i] >= worth_kin)
			return true;
	return false;
}

/* Does it say anything of what is asked, or does only its heading? */
static bool says_itself(const struct scene *s, size_t k)
{
	for (size_t i = 0; i < s->asked.count; i++)
		if (s->asked.at[i].share == 1 && s->asked.at[i].weight > 0 && s->own[k].has[i] > 0)
			return true;
	return false;
}

/* Items or rows that answer as well as the best one of theirs are one answer: all of them, in their order. */
static void take_list(const struct scene *s, struct choice *c, size_t top)
{
	const struct block *b = s->blocks->at, *one = &b[top];
	bool all = one->kind == BLOCK_ITEM &&
	           (under_all_asked(s, one) || (s->asked.wants_list && under_any_asked(s, one)));
	double least = (all ? half : s->asked.wants_list ? 0.9 : as_good) * s->worth[top];
	size_t n = 0;

	for (size_t k = 0; k < s->blocks->count; k++)
		n += is_listed(&b[k]) && b[k].section == one->section && b[k].paragraph == one->paragraph &&
		     s->worth[k] >= least;
	if (n < 2 || n > LIST_MOST || (!s->asked.wants_list && n > 3 && one->kind == BLOCK_ROW))
		return;
	c->count = 0;
	c->list = true;
	for (size_t k = 0; k < s->blocks->count; k++)
		if (is_listed(&b[k]) && b[k].section == one->section && b[k].paragraph == one->paragraph &&
		    s->worth[k] >= least)
			c->blocks[c->count++] = k;
}

/* The words that no passage has, as they were typed. */
static const char *missing(const struct scene *s, struct arena *a)
{
	const char *question = s->wish->question;
	size_t n = 0, size = strlen(question), told = 0;
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < s->asked.count && n < NAMED; i++) {
		const struct term *term = &s->asked.at[i].term;
		size_t from = term->start, to = term->end;

		if (s->asked.at[i].blocks || s->asked.at[i].share < 1 || s->asked.at[i].known || to > size)
			continue;
		while (from > 0 && isalnum((unsigned char)question[from - 1])) /* a part: "iPhone" */
			from--;
		while (to < size && isalnum((unsigned char)question[to]))
			to++;
		if (n && to <= told)
			continue;
		told = to;
		text_addf(&t, "%s%.*s", n++ ? ", " : "", (int)(to - from), question + from);
	}
	return n ? t.at : NULL;
}

void choose_blocks(const struct wish *wish, const struct blocks *blocks, const struct passage *passages,
                   size_t passage_count, struct choice *ret, struct arena *a)
{
	struct scene *s = arena_new(a, struct scene, 1);
	double top, least;

	*ret = (struct choice){ .nearest = -1 };
	*s = (struct scene){ .wish = wish, .blocks = blocks, .stemmers = stemmers_new() };
	asked_read(wish, s->stemmers, &s->asked);
	scene_look(s, passages, passage_count, a);
	scene_weigh(s);
	s->share = arena_new(a, double, blocks->count);
	s->worth = arena_new(a, double, blocks->count);
	for (size_t k = 0; k < blocks->count; k++)
		judge(s, k);
	ret->nearest = best(s, ret, 0.05);
	least = threshold(s);
	for (ptrdiff_t k = best(s, ret, least); k >= 0 && ret->count < 3; k = best(s, ret, least)) {
		top = s->worth[ret->count ? ret->blocks[0] : (size_t)k];
		if (s->worth[k] < near_best * top)
			break;
		if (ret->count && blocks->at[k].section == blocks->at[ret->blocks[0]].section &&
		    says_itself(s, ret->blocks[0]) && !says_itself(s, (size_t)k))
			break;
		ret->blocks[ret->count++] = (size_t)k;
	}
	if (ret->count && is_listed(&blocks->at[ret->blocks[0]]))
		take_list(s, ret, ret->blocks[0]);
	if (!ret->list && ret->count > 1 && blocks->at[ret->blocks[0]].kind != BLOCK_SENTENCE)
		ret->count = 1;
	ret->missing = missing(s, a);
	stemmers_free(s->stemmers);
}
