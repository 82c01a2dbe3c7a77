#include "svc-chat/model/choose.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/text/sentence.h"
#include "common/text/spelling.h"
#include "common/text/terms.h"

enum { ASKED_MAX = 64, KIN_LEAST = 5, KIN_REST = 4, LIST_MOST = 12, NAMED = 3 };

/* What a word of the question counts for, by where it is met. */
static const double in_heading = 0.8, in_question = 0.95, in_head = 0.9, in_lead = 0.8, beside = 0.5,
                    in_passage = 0.3, in_title = 0.4;
static const double worth_near = 0.8,
                    worth_kin = 0.65; /* of a word spelled nearly so; of one that begins alike */
static const double share_before = 0.4, share_talk = 0.3, share_wide = 0.3;
static const double weight_title =
    0.35; /* of a word of the document's name: it tells which document, not what of it */
static const double weight_unknown = 1.3; /* of a word that no passage has: it may be what is asked for */
static const double weight_digits = 1.4;  /* of a word with digits: it names one thing */
static const double against_digits = 1.0, against_names = 0.5; /* when the passage lacks it */
static const double enough = 0.33;                             /* of the question's weight */
static const double least_enough = 0.2, by_word = 0.03,
                    usual_words = 4;  /* more for each word fewer than usual */
static const double labelled = 1.3;   /* a block that begins with the word asked for and a colon */
static const double near_best = 0.75; /* of the best one's worth, to be quoted beside it */
static const double as_good = 0.985;  /* to belong to one list with it */
static const double half = 0.5;       /* the same, where the whole list is asked for */

struct asked {
	struct term term;
	double share; /* 1 where it is asked, less in the talk around and in the question before */
	double weight;
	bool digits, name, wide, known;
	size_t blocks; /* that have it */
};

/* How far a text has each word asked for, 0 to 1. */
struct seen {
	float has[ASKED_MAX];
};

struct scene {
	const struct wish *wish;
	const struct blocks *blocks;
	struct asked asked[ASKED_MAX];
	size_t count;
	double all; /* weight of the question */
	bool wants_number, wants_name, wants_list, wants_way;
	struct seen *own, *section, *head, *lead; /* by block, section, block, block */
	struct seen *passage, *title, *name;      /* by passage */
	size_t passages;
	double *share, *worth; /* by block */
	uint16_t *words;
	struct stemmers *stemmers;
};

/* --- The question ----------------------------------------------------------------------------------------------- */

/* Words that ask, beyond those that every sentence has. Folded. */
static const char *const asking[LANGUAGES] = {
	[LANGUAGE_EN] =
	    " tell explain describe show give given list name know mean means please want need needs get say says said "
	    "find call called kind type thing things something anything going go make made use used let see like just "
	    "long exactly possible start started become became begin began used view viewed feature features kindly ask wonder wondering love "
	    "hope main info information question answer dear thank thanks hello hi mind able one there "
	    "located happen happens happened work works come came take takes ",
	[LANGUAGE_DE] =
	    " sagen sag erklaren erklare nennen nenne zeigen zeig bedeutet heisst heissen braucht brauche gibt geben "
	    "wissen bitte hallo danke mochte mochten viel lange hoch gross art gehen geht kommt ",
	[LANGUAGE_ES] =
	    " dime diga decir explica explique significa llama llamar necesito necesita quiero quisiera favor hola "
	    "gracias saber tipo puedo ",
	[LANGUAGE_FR] =
	    " dis dites expliquer explique signifie appelle besoin veux voudrais bonjour merci savoir sorte s'il ",
	[LANGUAGE_RU] = " скажите объясните нужно хочу пожалуиста называется значит ",
};
static const char numbers[] =
    " when many much long old often far large big tall heavy warm hot cost costs price fee year date time "
    "wann viel viele lange oft hoch kostet kosten preis uhr cuando cuanto cuanta cuantos cuantas "
    "cuesta precio hora quand combien heure coute prix сколько когда стоит ";
static const char names[] = " who whom whose where wer wem wen wo quien quienes donde qui ou кто где ";
static const char ways[] = " how wie como comment как ";
static const char lists[] = " which what list all welche que cuales quels quelles какие ";

static bool among(const char *list, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return list && strstr(list, padded) != NULL;
}

static bool has_digit(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (isdigit((unsigned char)s[i]))
			return true;
	return false;
}

static void ask(struct scene *s, const struct term *t, const char *text, double share, bool first,
                enum language own)
{
	struct asked *a;

	if (language_common(own, t->word) || language_common(s->wish->language, t->word) ||
	    among(asking[own], t->word))
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->asked[i].term.hash == t->hash) {
			s->asked[i].share = fmax(s->asked[i].share, share);
			return;
		}
	if (s->count == ASKED_MAX)
		return;
	if (has_digit(t->word, t->word_size) && share == share_talk)
		share = 1; /* "The display says E01. What should I do?" */
	a = &s->asked[s->count++];
	*a = (struct asked){ .term = *t, .share = share };
	a->digits = has_digit(t->word, t->word_size);
	a->name = !first && isupper((unsigned char)text[t->start]);
	a->wide = (unsigned char)t->word[0] >= 0xe3;
}

static bool sentence_asks(const char *s, const char *end)
{
	return memchr(s, '?', (size_t)(end - s)) || memmem(s, (size_t)(end - s), "\xef\xbc\x9f", 3);
}

static void read_question(struct scene *s, const char *text, double share)
{
	const char *end = text + strlen(text), *stop = text;
	enum language own = language_guess(text, (size_t)(end - text), s->wish->language);
	bool any = sentence_asks(text, end), first = true, list_word = false, talk;
	const char *last;
	size_t sentences = 0;
	double worth = share;
	struct terms terms;

	while (end > text && strchr(" \n\t\r", end[-1]))
		end--;
	last = end;
	for (const char *at = text; at < end; sentences++)
		at = sentence_end(at, end);
	terms_init(&terms, text, (size_t)(end - text), s->stemmers, s->wish->language);
	for (struct term t; terms_next(&terms, &t);) {
		for (; text + t.start >= stop && stop < end; first = true) {
			const char *from = stop;

			stop = sentence_end(from, end);
			talk = any ? !sentence_asks(from, stop) : sentences > 3 && stop < last;
			worth = sentences > 2 && talk ? share * share_talk : share;
		}
		if (share == 1 && worth == 1) {
			s->wants_number |= among(numbers, t.word);
			s->wants_name |= among(names, t.word);
			s->wants_way |= among(ways, t.word);
			s->wants_list |= list_word && t.word_size > 3 &&
			                 (t.word[t.word_size - 1] == 's' || own != LANGUAGE_EN);
			list_word = among(lists, t.word);
		}
		if (!t.joined) {
			ask(s, &t, text, worth, first, own);
			first = false;
		}
	}
	s->wants_list |=
	    share == 1 && (strcasestr(text, "are there") || strcasestr(text, "ingredients") ||
	                   strcasestr(text, "who was") || strcasestr(text, "who were") ||
	                   strcasestr(text, "list ") == text || strstr(text, "\xe5\x93\xaa\xe4\xba\x9b"));
}

/* --- The passages ----------------------------------------------------------------------------------------------- */

static bool begin_alike(const struct term *a, const struct term *b)
{
	size_t n = 0;

	while (n < a->size && n < b->size && a->text[n] == b->text[n])
		n++;
	return n >= KIN_LEAST && a->size - n <= KIN_REST && b->size - n <= KIN_REST;
}

/* "1950" and "1950s" */
static bool same_decade(const struct term *a, const struct term *b)
{
	size_t n = a->word_size < b->word_size ? a->word_size : b->word_size;

	return n >= 4 && memcmp(a->word, b->word, n) == 0 &&
	       !strcmp(a->word_size > n ? a->word + n : b->word + n, "s");
}

static double likeness(const struct asked *a, const struct term *t)
{
	if (a->term.hash == t->hash || (a->digits && same_decade(&a->term, t)))
		return 1;
	if (a->digits || a->wide || t->joined)
		return 0;
	if (!a->known && spelling_near(a->term.word, a->term.word_size, t->word, t->word_size))
		return worth_near;
	return begin_alike(&a->term, t) ? worth_kin : 0;
}

static uint16_t look(struct scene *s, struct span text, struct seen *ret)
{
	struct terms terms;
	uint16_t n = 0;

	terms_init(&terms, text.at, text.size, s->stemmers, s->wish->language);
	for (struct term t; terms_next(&terms, &t); n += n < UINT16_MAX && !t.joined)
		for (size_t i = 0; i < s->count; i++)
			ret->has[i] = fmaxf(ret->has[i], (float)likeness(&s->asked[i], &t));
	return n;
}

static struct span string(const char *s)
{
	return (struct span){ s ? s : "", s ? strlen(s) : 0 };
}

/* Words that stand exactly so somewhere are not looked for in other spellings. */
static void note_known(struct scene *s, const struct passage *passages, size_t count)
{
	for (size_t p = 0; p < count; p++) {
		const char *const texts[] = { passages[p].text, passages[p].document, passages[p].heading };

		for (size_t k = 0; k < 3; k++) {
			struct span text = string(texts[k]);
			struct terms terms;

			terms_init(&terms, text.at, text.size, s->stemmers, s->wish->language);
			for (struct term t; terms_next(&terms, &t);)
				for (size_t i = 0; i < s->count; i++)
					s->asked[i].known |= s->asked[i].term.hash == t.hash;
		}
	}
}

static void read_passages(struct scene *s, const struct passage *passages, size_t count, struct arena *a)
{
	const struct blocks *b = s->blocks;

	s->own = arena_new(a, struct seen, b->count);
	s->head = arena_new(a, struct seen, b->count);
	s->lead = arena_new(a, struct seen, b->count);
	s->section = arena_new(a, struct seen, b->section_count);
	s->passage = arena_new(a, struct seen, count);
	s->title = arena_new(a, struct seen, count);
	s->name = arena_new(a, struct seen, count);
	s->passages = count;
	s->words = arena_new(a, uint16_t, b->count);
	note_known(s, passages, count);
	for (size_t i = 0; i < b->section_count; i++)
		look(s, b->sections[i].title, &s->section[i]);
	for (size_t i = 0; i < b->count; i++) {
		s->words[i] = look(s, b->at[i].text, &s->own[i]);
		look(s, b->at[i].head, &s->head[i]);
		look(s, b->at[i].lead, &s->lead[i]);
	}
	for (size_t p = 0; p < count; p++) {
		look(s, string(passages[p].text), &s->passage[p]);
		look(s, string(passages[p].document), &s->title[p]);
		look(s, string(passages[p].document), &s->name[p]);
		look(s, string(passages[p].heading), &s->title[p]);
	}
}

static void weigh(struct scene *s)
{
	double n = (double)s->blocks->count + 1;

	for (size_t i = 0; i < s->count; i++) {
		struct asked *a = &s->asked[i];
		bool anywhere = false, titled = false;

		for (size_t k = 0; k < s->blocks->count; k++)
			a->blocks += s->own[k].has[i] > 0;
		anywhere = a->blocks > 0;
		for (size_t k = 0; k < s->blocks->section_count && !anywhere; k++)
			anywhere = s->section[k].has[i] > 0;
		if (!anywhere && a->share < 1 && !a->digits) {
			a->weight = 0; /* what was said besides and stands nowhere says nothing */
			continue;
		}
		a->weight =
		    log(1 + n / ((double)a->blocks + 0.5)) * a->share * (a->digits ? weight_digits : 1);
		for (size_t p = 0; p < s->passages && !a->digits; p++)
			titled |= s->name[p].has[i] == 1;
		a->weight *= titled ? weight_title : !anywhere && !a->wide ? weight_unknown : 1;
		if (!anywhere && a->wide)
			a->weight *= share_wide; /* pairs of letters over the border of two words */
		s->all += a->weight;
	}
}

/* --- Judging ---------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct block *b)
{
	return b->kind == BLOCK_ITEM || b->kind == BLOCK_ROW;
}

/* "How do I set it up?": an item of a list, below a heading that says so. */
static bool wants_steps(const struct scene *s, const struct block *b)
{
	return s->wants_way && !s->wants_number && b->kind == BLOCK_ITEM;
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

/* How far block k answers to word i of the question; *near: by itself or by what it stands under. */
static double meets(const struct scene *s, size_t k, size_t i, double *near)
{
	const struct block *b = &s->blocks->at[k];
	const struct section *section = &s->blocks->sections[b->section];
	double has = s->own[k].has[i];

	has = fmax(has, s->section[b->section].has[i] * (section->question               ? in_question
	                                                 : s->wants_list && is_listed(b) ? 1.1
	                                                 : wants_steps(s, b)             ? 1.1
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
		for (size_t i = 0; i < s->count; i++)
			if (s->asked[i].share == 1 && s->asked[i].term.hash == t.hash)
				return true;
	return false;
}

static void judge(struct scene *s, size_t k)
{
	const struct block *b = &s->blocks->at[k];
	size_t p = s->blocks->sections[b->section].passage;
	double sum = 0, own = 0, against = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct asked *a = &s->asked[i];
		double near, has = meets(s, k, i, &near);

		sum += a->weight * has;
		own += a->weight * near;
		if (s->passage[p].has[i] == 0 && s->title[p].has[i] == 0 && a->share == 1)
			against += a->weight * (a->digits ? against_digits : a->name ? against_names : 0);
	}
	s->share[k] = own > 0 && s->all > 0 ? (sum - against) / s->all : 0;
	s->worth[k] = (sum + 0.25 * own) * (1 + 0.15 / (double)(1 + p));
	if (s->wants_number && has_digit(b->text.at, b->text.size))
		s->worth[k] *= 1.15;
	if (labelled_so(s, b))
		s->worth[k] *= labelled;
	if (s->wants_name && has_name(b->text))
		s->worth[k] *= 1.08;
	if (s->wants_list && (b->kind == BLOCK_ITEM || b->kind == BLOCK_ROW))
		s->worth[k] *= 1.2;
	if (s->words[k] < 3 && !(s->wants_number && has_digit(b->text.at, b->text.size)) &&
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

	for (size_t i = 0; i < s->count; i++)
		n += s->asked[i].share == 1 && s->asked[i].weight > 0;
	return fmax(least_enough, enough + by_word * (usual_words - n));
}

/* Whether what it stands under is all that is asked for: "What do I need for the soup?" under "Soup". */
static bool under_all_asked(const struct scene *s, const struct block *b)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->asked[i].share < 1 || s->asked[i].weight <= 0)
			continue;
		if (s->section[b->section].has[i] < worth_kin)
			return false;
		n++;
	}
	return n > 0 && !s->wants_number;
}

/* Does it say anything of what is asked, or does only its heading? */
static bool says_itself(const struct scene *s, size_t k)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->asked[i].share == 1 && s->asked[i].weight > 0 && s->own[k].has[i] > 0)
			return true;
	return false;
}

/* Items or rows that answer as well as the best one of theirs are one answer: all of them, in their order. */
static void take_list(const struct scene *s, struct choice *c, size_t top)
{
	const struct block *b = s->blocks->at, *one = &b[top];
	bool all = one->kind == BLOCK_ITEM && under_all_asked(s, one);
	double least = (all ? half : s->wants_list ? 0.9 : as_good) * s->worth[top];
	size_t n = 0;

	for (size_t k = 0; k < s->blocks->count; k++)
		n += is_listed(&b[k]) && b[k].section == one->section && b[k].paragraph == one->paragraph &&
		     s->worth[k] >= least;
	if (n < 2 || n > LIST_MOST || (!s->wants_list && n > 3 && one->kind == BLOCK_ROW))
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
	for (size_t i = 0; i < s->count && n < NAMED; i++) {
		const struct term *term = &s->asked[i].term;
		size_t from = term->start, to = term->end;

		if (s->asked[i].blocks || s->asked[i].share < 1 || s->asked[i].known || to > size)
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
	read_question(s, wish->question, 1);
	if (wish->before)
		read_question(s, wish->before, share_before);
	read_passages(s, passages, passage_count, a);
	weigh(s);
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
