#include "svc-chat/model/scene.h"

#include <math.h>
#include <string.h>

#include "common/text/spelling.h"
#include "common/text/synonyms.h"

enum { SLIP_LEAST = 4 /* bytes */, KIN_LEAST = 5, KIN_REST = 4 };

static const double worth_near = 0.8,
                    worth_synonym = 0.7; /* of a word spelled nearly so; of one for the same */
static const double weight_title =
    0.35; /* of a word of the document's name: it tells which document, not what of it */
static const double weight_unknown = 1.3; /* of a word that no passage has: it may be what is asked for */
static const double weight_digits = 1.4;  /* of a word with digits: it names one thing */
static const double share_wide = 0.3;

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
	if (a->whole && !a->whole_known)
		return 0;
	if (a->term.hash == t->hash || (a->digits && same_decade(&a->term, t)))
		return 1;
	if (a->digits || t->joined)
		return 0;
	if (!a->known && !a->wide && spelling_near(a->term.word, a->term.word_size, t->word, t->word_size))
		return worth_near;
	for (size_t i = 0; i < a->means_count; i++)
		if (a->means[i] == t->hash)
			return worth_synonym;
	return !a->wide && begin_alike(&a->term, t) ? worth_kin : 0;
}

static uint16_t look(struct scene *s, struct span text, struct seen *ret)
{
	struct terms terms;
	uint16_t n = 0;

	terms_init(&terms, text.at, text.size, s->stemmers, s->wish->language);
	for (struct term t; terms_next(&terms, &t); n += n < UINT16_MAX && !t.joined)
		for (size_t i = 0; i < s->asked.count; i++)
			ret->has[i] = fmaxf(ret->has[i], (float)likeness(&s->asked.at[i], &t));
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
				for (size_t i = 0; i < s->asked.count; i++) {
					s->asked.at[i].known |= s->asked.at[i].term.hash == t.hash;
					s->asked.at[i].whole_known |= s->asked.at[i].whole == t.hash;
				}
		}
	}
}

static void find_synonyms(struct scene *s, struct arena *arena)
{
	for (size_t i = 0; i < s->asked.count; i++) {
		struct asked *a = &s->asked.at[i];
		uint64_t means[SYNONYMS_MAX];

		if (a->known || a->digits || a->part)
			continue;
		a->means_count = synonyms_find(a->term.word, a->term.word_size, a->language,
		                               1u << s->wish->language, s->stemmers, means);
		a->means = arena_memdup(arena, means, a->means_count * sizeof *means);
	}
}

void scene_look(struct scene *s, const struct passage *passages, size_t count, struct arena *a)
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
	find_synonyms(s, a);
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

/* "mcuh": a word that carries a sentence, mistyped. */
static bool slip(const struct asked *a)
{
	return a->term.word_size >= SLIP_LEAST && !a->wide &&
	       language_nearly_common(a->language, a->term.word);
}

void scene_weigh(struct scene *s)
{
	double n = (double)s->blocks->count + 1;

	for (size_t i = 0; i < s->asked.count; i++) {
		struct asked *a = &s->asked.at[i];
		bool anywhere = false, titled = false;

		for (size_t k = 0; k < s->blocks->count; k++)
			a->blocks += s->own[k].has[i] > 0;
		anywhere = a->blocks > 0;
		for (size_t k = 0; k < s->blocks->section_count && !anywhere; k++)
			anywhere = s->section[k].has[i] > 0;
		if (!anywhere && !a->digits && (a->share < 1 || slip(a))) {
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
