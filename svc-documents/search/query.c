#include "svc-documents/search/query.h"

#include <stdio.h>
#include <string.h>

#include "common/text/sentence.h"
#include "svc-documents/search/words.h"

static const double worth_of_talk = 0.3, worth_of_near = 0.8, worth_of_meant = 0.5;
enum { MESSAGE_SENTENCES = 2 /* more is a message, of which a part asks */ };

int query_find(const struct query *q, uint64_t hash, enum language language, double *worth)
{
	*worth = 1;
	for (size_t i = 0; i < q->count; i++)
		if (q->terms[i].hashes[language] == hash)
			return (int)i;
	for (size_t i = 0; i < q->count; i++)
		for (size_t k = 0; k < q->terms[i].near_count; k++)
			if (q->terms[i].near[k] == hash) {
				*worth = k < q->terms[i].spelled ? worth_of_near : worth_of_meant;
				return (int)i;
			}
	return -1;
}

/* A question of nothing but function words ("to be or not to be") means them. */
static void take_seriously(struct query *q)
{
	for (size_t i = 0; i < q->count; i++)
		if (!q->terms[i].common)
			return;
	for (size_t i = 0; i < q->count; i++)
		q->terms[i].common = false;
}

/* The word as each language spoken in the documents has it. */
static void set_hashes(struct query_term *t, struct stemmers *stemmers, unsigned spoken, enum language own)
{
	for (int l = 0; l < LANGUAGES; l++) {
		struct terms again;
		struct term as;

		t->hashes[l] = t->term.hash;
		if (l == (int)own || !(spoken >> l & 1))
			continue;
		terms_init(&again, t->term.word, t->term.word_size, stemmers, (enum language)l);
		if (terms_next(&again, &as))
			t->hashes[l] = as.hash;
	}
}

static bool asks(const char *s, const char *end)
{
	for (; s < end; s++)
		if (*s == '?' || (end - s >= 3 && memcmp(s, "\xef\xbc\x9f", 3) == 0))
			return true;
	return false;
}

/* What of it is the question: of a message of several sentences those that ask, or else the last. */
enum part { WHOLE, ASKS, ENDS };
static enum part part_of(const char *text, const char *end)
{
	bool any = false;
	int n = 0;

	for (const char *s = text; s < end; n++) {
		const char *stop = sentence_end(s, end);

		any |= asks(s, stop);
		for (s = stop; s < end && strchr(" \n\t\r", *s);)
			s++;
	}
	return n > MESSAGE_SENTENCES ? (any ? ASKS : n > MESSAGE_SENTENCES + 1 ? ENDS : WHOLE) : WHOLE;
}

static void add(struct query *q, const struct term *t, double worth, struct stemmers *stemmers,
                unsigned spoken)
{
	double same;
	int i = query_find(q, t->hash, q->language, &same);

	if (i < 0 && q->count == QUERY_TERMS)
		return;
	if (i < 0) {
		struct query_term *new = &q->terms[i = (int)q->count++];

		*new = (struct query_term){ .term = *t, .worth = worth };
		new->common = language_common(q->language, t->word);
		set_hashes(new, stemmers, spoken, q->language);
	}
	if (worth > q->terms[i].worth)
		q->terms[i].worth = worth;
	if (!t->joined)
		q->order[q->length++] = (size_t)i;
}

/* Words that ask for a number and for a name, folded. */
static unsigned wanted(enum language l, const char *word)
{
	static const struct {
		const char *numbers, *names;
	} asking[LANGUAGES] = {
		[LANGUAGE_EN] = { " when many much long often old year ", " who whom whose where " },
		[LANGUAGE_DE] = { " wann viel viele lange oft wieviel ", " wer wem wen wo " },
		[LANGUAGE_ES] = { " cuando cuanto cuanta cuantos cuantas ", " quien quienes donde " },
		[LANGUAGE_FR] = { " quand combien ", " qui ou " },
	};
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	if (asking[l].numbers && strstr(asking[l].numbers, padded))
		return WORD_NUMBER;
	return asking[l].names && strstr(asking[l].names, padded) ? WORD_NAME : 0;
}

void query_parse(const char *text, struct stemmers *stemmers, unsigned spoken, enum language mostly,
                 struct query *ret, struct arena *a)
{
	const char *end = text + strlen(text), *stop = text;
	enum part part = part_of(text, end);
	struct terms terms;
	double worth = 1;

	*ret = (struct query){ .terms = arena_new(a, struct query_term, QUERY_TERMS),
		               .order = arena_new(a, size_t, QUERY_TERMS * 4),
		               .language = language_guess(text, (size_t)(end - text), mostly) };
	terms_init(&terms, text, (size_t)(end - text), stemmers, ret->language);
	for (struct term t; terms_next(&terms, &t) && ret->length < QUERY_TERMS * 4;) {
		while (part && text + t.start >= stop && stop < end) {
			const char *from = stop;

			stop = sentence_end(from, end);
			worth = (part == ASKS ? asks(from, stop) : stop >= end) ? 1 : worth_of_talk;
		}
		add(ret, &t, worth, stemmers, spoken);
		ret->wants |= worth == 1 ? wanted(ret->language, t.word) : 0;
	}
	take_seriously(ret);
}

size_t query_hashes(const struct query *q, bool near, uint64_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < q->count; i++) {
		const struct query_term *t = &q->terms[i];
		const uint64_t *hashes = near ? t->near : t->hashes;
		size_t count = near ? t->near_count : t->common ? 0 : LANGUAGES;

		/* Of most terms all languages have the same. */
		for (size_t k = 0; k < count; k++) {
			bool seen = false;

			for (size_t m = 0; m < k; m++)
				seen |= hashes[m] == hashes[k];
			if (!seen)
				ret[n++] = hashes[k];
		}
	}
	return n;
}
