#include "common/text/alike.h"

#include <stdio.h>
#include <string.h>

#include "common/text/sentence.h"
#include "common/text/spelling.h"

enum { TEXT_MAX = 600 /* bytes of a sentence that asks */, NEAR_LEAST = 7 /* letters */ };
static const double worth_of_near = 0.97;

enum asks { NOTHING, WHO, WHERE, WHEN, WHY, HOW, HOW_MUCH, WHAT, WHETHER, ASKS };

/* Folded, between blanks. `much` follows "how"; `whether` begins a question. */
struct vocabulary {
	const char *asks[ASKS], *much, *denies, *courtesies;
};
static const struct vocabulary vocabularies[LANGUAGES] = {
	[LANGUAGE_EN] = { { [WHO] = " who whom whose ",
	                    [WHERE] = " where ",
	                    [WHEN] = " when ",
	                    [WHY] = " why ",
	                    [HOW] = " how ",
	                    [WHAT] = " what which ",
	                    [WHETHER] = (" is are am was were do does did can could will would shall should "
	                                 "may might must has have had ") },
	                  " much many ",
	                  " not no never without cannot isn aren don doesn didn can't won wouldn shouldn isnt dont doesnt ",
	                  " hello hi hey dear thanks thank please kindly " },
	[LANGUAGE_DE] = { { [WHO] = " wer wem wen wessen ",
	                    [WHERE] = " wo woher wohin ",
	                    [WHEN] = " wann ",
	                    [WHY] = " warum wieso weshalb ",
	                    [HOW] = " wie ",
	                    [HOW_MUCH] = " wieviel wieviele ",
	                    [WHAT] = " was welche welcher welches welchen welchem ",
	                    [WHETHER] =
	                        (" ist sind bin war waren hat habe "
	                         "haben kann kannst konnen konnte darf durfen muss mussen soll sollte gibt wird werden ") },
	                  " viel viele ",
	                  " nicht kein keine keinen keinem keiner ohne nie niemals ",
	                  " hallo guten tag danke bitte " },
	[LANGUAGE_ES] = { { [WHO] = " quien quienes ",
	                    [WHERE] = " donde adonde ",
	                    [WHEN] = " cuando ",
	                    [HOW] = " como ",
	                    [HOW_MUCH] = " cuanto cuanta cuantos cuantas ",
	                    [WHAT] = " que cual cuales ",
	                    [WHETHER] = " es son esta estan hay puedo puede pueden se tiene tienen tengo " },
	                  "",
	                  " no sin nunca jamas ",
	                  " hola buenos dias gracias favor " },
	[LANGUAGE_FR] = { { [WHO] = " qui ",
	                    [WHERE] = " ou ",
	                    [WHEN] = " quand ",
	                    [WHY] = " pourquoi ",
	                    [HOW] = " comment ",
	                    [HOW_MUCH] = " combien ",
	                    [WHAT] = " que quoi quel quelle quels quelles qu ",
	                    [WHETHER] = " est sont puis peut peux avez faut doit y a " },
	                  "",
	                  " pas sans jamais aucun aucune ",
	                  " bonjour merci " },
	[LANGUAGE_IT] = { { [WHO] = " chi ",
	                    [WHERE] = " dove ",
	                    [WHEN] = " quando ",
	                    [WHY] = " perche ",
	                    [HOW] = " come ",
	                    [HOW_MUCH] = " quanto quanta quanti quante ",
	                    [WHAT] = " che cosa quale quali ",
	                    [WHETHER] = " posso puo possono si ce hai ha avete devo " },
	                  "",
	                  " non senza mai ",
	                  " ciao buongiorno grazie " },
	[LANGUAGE_PT] = { { [WHO] = " quem ",
	                    [WHERE] = " onde ",
	                    [WHEN] = " quando ",
	                    [HOW] = " como ",
	                    [HOW_MUCH] = " quanto quanta quantos quantas ",
	                    [WHAT] = " que qual quais ",
	                    [WHETHER] = " posso pode podem ha tem e sao devo " },
	                  "",
	                  " nao sem nunca ",
	                  " ola obrigado obrigada " },
	[LANGUAGE_NL] = { { [WHO] = " wie wiens ",
	                    [WHERE] = " waar ",
	                    [WHEN] = " wanneer ",
	                    [WHY] = " waarom ",
	                    [HOW] = " hoe ",
	                    [HOW_MUCH] = " hoeveel ",
	                    [WHAT] = " wat welke welk ",
	                    [WHETHER] = " is zijn kan kunnen mag moet heeft hebben heb wordt " },
	                  "",
	                  " niet geen zonder nooit ",
	                  " hallo hoi bedankt " },
	[LANGUAGE_SV] = { { [WHO] = " vem ",
	                    [WHERE] = " var ",
	                    [WHEN] = " nar ",
	                    [WHY] = " varfor ",
	                    [HOW] = " hur ",
	                    [WHAT] = " vad vilken vilket vilka ",
	                    [WHETHER] = " ar kan far maste har finns ska " },
	                  " mycket manga ",
	                  " inte ej utan aldrig ",
	                  " hej tack " },
	[LANGUAGE_RU] = { { [WHO] = " кто кого кому ",
	                    [WHERE] = " где куда откуда ",
	                    [WHEN] = " когда ",
	                    [WHY] = " почему зачем ",
	                    [HOW] = " как ",
	                    [HOW_MUCH] = " сколько ",
	                    [WHAT] = " что какои какая какие какое ",
	                    [WHETHER] = " можно есть нужно " },
	                  "",
	                  " не нет без никогда ",
	                  " привет здравствуите спасибо пожалуиста " },
};

static bool has(const char *list, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return list && strstr(list, padded);
}

static bool ends_with_question(const char *s, const char *end)
{
	static const char *const marks[] = { "?", "\xef\xbc\x9f", "\xd8\x9f" };

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		for (const char *at = s; at + strlen(marks[i]) <= end; at++)
			if (memcmp(at, marks[i], strlen(marks[i])) == 0)
				return true;
	return false;
}

/* The one sentence that asks; all of it when none does, or several. */
static const char *asking(const char *text, size_t *size)
{
	const char *end = text + strlen(text), *found = NULL, *stop;
	int n = 0;

	*size = (size_t)(end - text);
	for (const char *s = text; s < end; s = stop) {
		stop = sentence_end(s, end);
		if (stop <= s)
			break;
		if (ends_with_question(s, stop) && n++ == 0) {
			found = s;
			*size = (size_t)(stop - s);
		}
	}
	if (n == 1)
		return found;
	*size = (size_t)(end - text);
	return text;
}

enum language alike_language(const char *text, enum language otherwise)
{
	return language_guess(text, strlen(text), otherwise);
}

static void note_kind(struct alike *q, const struct vocabulary *v, const char *word, bool first)
{
	if (q->asks == HOW && has(v->much, word))
		q->asks = HOW_MUCH;
	for (int kind = WHO; kind < WHETHER && (q->asks == NOTHING || q->asks == WHETHER); kind++)
		if (has(v->asks[kind], word))
			q->asks = kind;
	if (first && q->asks == NOTHING && has(v->asks[WHETHER], word))
		q->asks = WHETHER;
}

static bool known_already(const struct alike *q, uint64_t hash)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->words[i].hash == hash)
			return true;
	return false;
}

/* False: there are too many. */
static bool add(struct alike *q, const struct term *t)
{
	struct alike_word *w = &q->words[q->count];

	if (known_already(q, t->hash))
		return true;
	if (q->count == ALIKE_WORDS)
		return false;
	memcpy(w->word, t->word, sizeof w->word);
	w->size = t->word_size;
	w->hash = t->hash;
	w->number = strpbrk(t->word, "0123456789") != NULL;
	q->count++;
	return true;
}

/* common: function words are taken, too. */
static bool read_words(const char *text, size_t size, enum language language, struct stemmers *stemmers,
                       bool common, struct alike *ret)
{
	const struct vocabulary *v = &vocabularies[language];
	struct terms terms;
	bool first = true;

	*ret = (struct alike){ .common = common };
	terms_init(&terms, text, size, stemmers, language);
	for (struct term t; terms_next(&terms, &t);) {
		bool courtesy = has(v->courtesies, t.word);

		if (t.joined || courtesy)
			continue;
		note_kind(ret, v, t.word, first);
		first = false;
		if (has(v->denies, t.word))
			ret->denies = true;
		if ((common || !language_common(language, t.word)) && !add(ret, &t)) {
			ret->count = 0;
			return false;
		}
	}
	return true;
}

void alike_read(const char *text, enum language language, struct stemmers *stemmers, struct alike *ret)
{
	size_t size;
	const char *from = asking(text, &size);

	*ret = (struct alike){ 0 };
	if (size > TEXT_MAX)
		return;
	if (read_words(from, size, language, stemmers, false, ret) && ret->count == 0)
		(void)read_words(from, size, language, stemmers, true, ret);
}

static double same(const struct alike_word *a, const struct alike_word *b)
{
	if (a->hash == b->hash)
		return 1;
	if (a->number || b->number || a->size < NEAR_LEAST || b->size < NEAR_LEAST)
		return 0;
	return spelling_near(a->word, a->size, b->word, b->size) ? worth_of_near : 0;
}

static double best(const struct alike *q, const struct alike_word *w)
{
	double most = 0;

	for (size_t i = 0; i < q->count; i++) {
		double worth = same(&q->words[i], w);

		most = worth > most ? worth : most;
	}
	return most;
}

/* Every number of the one stands in the other. */
static bool numbers_in(const struct alike *from, const struct alike *in)
{
	for (size_t i = 0; i < from->count; i++)
		if (from->words[i].number && best(in, &from->words[i]) < 1)
			return false;
	return true;
}

/* What and how ask for nearly anything: "What are the opening hours?", "When are you open?" */
static bool vague(int asks)
{
	return asks == NOTHING || asks == WHAT || asks == HOW || asks == WHETHER;
}

bool alike_possible(const struct alike *asked, const struct alike *known)
{
	return asked->count && known->count && asked->denies == known->denies &&
	       (asked->asks == known->asks || vague(asked->asks) || vague(known->asks)) &&
	       numbers_in(asked, known) && numbers_in(known, asked);
}

double alike_score(const struct alike *asked, const struct alike *known)
{
	double both = 0;

	if (!alike_possible(asked, known) || asked->common != known->common ||
	    (asked->asks != known->asks && asked->asks != NOTHING && known->asks != NOTHING))
		return 0;
	for (size_t i = 0; i < asked->count; i++) {
		double worth = best(known, &asked->words[i]);

		if (worth == 0)
			return 0;
		both += worth;
	}
	return both > (double)known->count ? 1 : 2 * both / (double)(asked->count + known->count);
}
