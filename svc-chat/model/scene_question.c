/* What is asked for: the words of a question that say something, and whether it wants a number, a name, a list or a way. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/text/sentence.h"
#include "svc-chat/model/scene.h"

static const double share_talk = 0.3;

/* --- Words that ask ------------------------------------------------------------------------------------------------- */

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
	if (scene_has_digit((struct span){ t->word, t->word_size }) && share == share_talk)
		share = 1; /* "The display says E01. What should I do?" */
	a = &s->asked[s->count++];
	*a = (struct asked){ .term = *t, .share = share };
	a->digits = scene_has_digit((struct span){ t->word, t->word_size });
	a->name = !first && isupper((unsigned char)text[t->start]);
	a->wide = (unsigned char)t->word[0] >= 0xe3;
}

static bool sentence_asks(const char *s, const char *end)
{
	return memchr(s, '?', (size_t)(end - s)) || memmem(s, (size_t)(end - s), "\xef\xbc\x9f", 3);
}

void scene_ask(struct scene *s, const char *text, double share)
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
