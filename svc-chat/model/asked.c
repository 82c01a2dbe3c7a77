#include "svc-chat/model/asked.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/text/sentence.h"
#include "svc-chat/model/measures.h"

static const double share_before = 0.4, share_talk = 0.3;
enum {
	TALK_LEAST = 120 /* bytes of a sentence before the question that is talk, and not what it is about */
};

/* Words that ask, beyond those that every sentence has. Folded. */
static const char *const asking[LANGUAGES] = {
	[LANGUAGE_EN] =
	    " tell explain describe show give given list name know mean means please want need needs get got say says said "
	    "find call called kind type thing things something anything go goes going make made use used let see like just "
	    "t s d ll re ve don doesn didn isn aren won exactly across released published possible start started became become begin began used view viewed feature features kindly ask wonder wondering love "
	    "hope main info information question answer dear thank thanks hello hi mind able one there number "
	    "located happen happens happened work works come came take takes ",
	[LANGUAGE_DE] =
	    " sagen sag erklaren erklare nennen nenne zeigen zeig bedeutet heisst heissen braucht brauche gibt geben "
	    "wissen bitte hallo danke mochte mochten viel art gehen geht kommt nehmen nimmt ",
	[LANGUAGE_ES] =
	    " dime diga decir explica explique significa llama llamar necesito necesita quiero quisiera favor hola "
	    "gracias saber tipo puedo ",
	[LANGUAGE_FR] =
	    " dis dites expliquer explique signifie appelle besoin veux voudrais bonjour merci savoir sorte s'il ",
	[LANGUAGE_RU] = " скажите объясните нужно хочу пожалуйста называется значит ",
};
/* Words that carry a sentence in languages that have no list of their own (language.h), and pairs of letters that do. */
static const char elsewhere[] =
    " nasil ne nedir kadar kac kacta hangi hangisi nerede nereye kim mi mu var yok ve bir bu ile icin olur misiniz miyim "
    "ما ماذا هو هي من متى كم اين اي هل في على الى عن مع كيف هذا هذه يمكن التي الذي و او انا "
    "क्या का की के को कब कौन कहाँ कैसे कितना कितनी कितने है हैं था थे थी में से पर और एक यह वह सी सा जाती जाता होगी होगा सकते "
    "什么 怎么 么时 时候 几点 多久 哪里 哪些 哪条 可以 如何 请问 是谁 吗 一天 少钱 "
    "何時 何で 何人 何を 何が ";
/* Measures, where somebody asks how much of it there is. */
static const char how_much[] = " long far old large big time lange weit lang alt hoch gross ";
static const char hows[] = " how much what wie ";
static const char how_many[] = " many viele cuantos cuantas ";
static const char numbers[] =
    " when many much long old often far large big tall heavy wide deep high loud fast warm hot cost costs price fee year date time "
    "temperature released "
    "wann viel viele lange oft hoch kostet kosten preis uhr cuando cuanto cuanta cuantos cuantas "
    "cuesta precio hora quand combien heure coute prix сколько когда стоит ";
static const char names[] = " who whom whose where wer wem wen wo quien quienes donde qui ou кто где ";
static const char ways[] = " how wie como comment как ";
static const char lists[] = " which what list all welche que cuales quels quelles какие ";
static const char before_nouns[] = " a an the by for of in on at with your our my any is ";
enum {
	LIST_REACH =
	    3 /* words behind "which" among which what is to be listed may stand: "what wall paints" */
};

static bool among(const char *list, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return list && strstr(list, padded) != NULL;
}

/* A sentence as its words are read. */
struct reading {
	struct sought *out;
	const struct wish *wish;
	const char *text;
	enum language own;
	double share, worth;
	bool first, flags; /* flags: what it wants is noted */
	char previous[TERM_MAX + 8];
	int list_left; /* words in which the list that is asked for may be named */

	int modifier, noun; /* of two that stand side by side; -1 */
	size_t end;         /* of the word before */
	bool article;       /* it was one that nouns follow */
};

bool asked_has_digit(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (isdigit((unsigned char)s[i]))
			return true;
	return false;
}

/* Hiragana alone is grammar, mostly. */
static bool two_hiragana(const struct term *t)
{
	return t->word_size == 6 && memcmp(t->word, "\xe3\x81", 2) >= 0 &&
	       memcmp(t->word, "\xe3\x83", 2) < 0 && memcmp(t->word + 3, "\xe3\x81", 2) >= 0 &&
	       memcmp(t->word + 3, "\xe3\x83", 2) < 0;
}

static bool says_nothing(const struct reading *r, const struct term *t)
{
	return language_common(r->own, t->word) || language_common(r->wish->language, t->word) ||
	       among(asking[r->own], t->word) || among(elsewhere, t->word) || two_hiragana(t) ||
	       (among(how_much, t->word) && among(hows, r->previous));
}

/* The place of the word among those asked for, or -1 when it says nothing. */
static int ask(struct reading *r, const struct term *t)
{
	struct sought *q = r->out;
	double share = r->worth;
	struct asked *a;

	if (says_nothing(r, t))
		return -1;
	for (size_t i = 0; i < q->count; i++)
		if (q->at[i].term.hash == t->hash) {
			q->at[i].share = fmax(q->at[i].share, share);
			return (int)i;
		}
	if (q->count == ASKED_MAX)
		return -1;
	if (asked_has_digit(t->word, t->word_size) && share == share_talk)
		share = 1; /* "The display says E01. What should I do?" */
	a = &q->at[q->count];
	*a = (struct asked){ .term = *t, .language = r->own, .share = share, .modifies = -1 };
	a->digits = asked_has_digit(t->word, t->word_size);
	a->name = !r->first && isupper((unsigned char)r->text[t->start]);
	a->wide = (unsigned char)t->word[0] >= 0xe3;
	a->counted = share == 1 && among(how_many, r->previous);
	return (int)q->count++;
}

/* Two words behind a function word are one thing: "by credit card?" */
static void note_compound(struct reading *r, const struct term *t, int now)
{
	bool beside = t->start == r->end + 1, asked = r->share == 1 && r->worth == 1;

	if (now >= 0 && r->modifier >= 0 && r->noun < 0 && beside && !r->out->at[now].digits) {
		r->noun = now;
		r->out->at[r->modifier].modifies = now;
	} else {
		r->modifier = now >= 0 && r->article && asked ? now : -1;
		r->noun = -1;
	}
	r->article = now < 0 && among(before_nouns, t->word);
	r->end = t->end;
}

static void note_wants(struct reading *r, const struct term *t)
{
	struct sought *q = r->out;
	bool plural = t->word_size > 3 && t->word[t->word_size - 1] == 's' &&
	              !(t->word[t->word_size - 2] == 's') && !language_common(r->own, t->word);

	const char *units;

	if (!r->flags)
		return;
	units = measures_units(t->word, r->previous);
	if (units)
		q->units = units;
	q->wants_number |= among(numbers, t->word);
	q->wants_name |= among(names, t->word);
	q->wants_way |= among(ways, t->word);
	q->wants_list |=
	    r->list_left == LIST_REACH ? plural || r->own != LANGUAGE_EN : r->list_left > 0 && plural;
	r->list_left = among(lists, t->word)              ? LIST_REACH
	               : among(" are were ", t->word)     ? r->list_left
	               : language_common(r->own, t->word) ? 0
	               : r->list_left > 0                 ? r->list_left - 1
	                                                  : 0;
}

/* Of a name's parts, where it ends. "QPS-104", "cache_size": such a one is met whole or not at all. */
static void note_whole(struct reading *r, const struct term *t)
{
	const char *s = r->text + t->start;
	size_t size = t->end - t->start;
	bool whole =
	    memchr(s, '_', size) || (isdigit((unsigned char)s[size - 1]) && isalpha((unsigned char)*s));

	for (size_t i = 0; i < r->out->count; i++) {
		struct asked *a = &r->out->at[i];

		if (a->share != r->worth || a->term.start < t->start || a->term.end > t->end)
			continue;
		a->part = true;
		a->whole = whole ? t->hash : 0;
	}
}

static bool sentence_asks(const char *s, const char *end)
{
	return memchr(s, '?', (size_t)(end - s)) || memmem(s, (size_t)(end - s), "\xef\xbc\x9f", 3);
}

static void read_sentences(struct reading *r, struct stemmers *stemmers)
{
	const char *text = r->text, *end = text + strlen(text), *stop = text, *last;
	bool any = sentence_asks(text, end), talk;
	size_t sentences = 0;
	struct terms terms;

	while (end > text && strchr(" \n\t\r", end[-1]))
		end--;
	last = end;
	for (const char *at = text; at < end; sentences++)
		at = sentence_end(at, end);
	terms_init(&terms, text, (size_t)(end - text), stemmers, r->wish->language);
	for (struct term t; terms_next(&terms, &t);) {
		for (; text + t.start >= stop && stop < end; r->first = true) {
			const char *from = stop;

			stop = sentence_end(from, end);
			talk = any ? !sentence_asks(from, stop) && (sentences > 2 || stop - from > TALK_LEAST)
			           : sentences > 3 && stop < last;
			r->worth = talk ? r->share * share_talk : r->share;
		}
		if (r->worth == r->share)
			note_wants(r, &t);
		if (t.joined) {
			note_whole(r, &t);
			continue;
		}
		note_compound(r, &t, ask(r, &t));
		r->first = false;
		memcpy(r->previous, t.word, sizeof r->previous);
	}
}

static void read_one(const struct wish *wish, const char *text, double share, bool flags,
                     struct stemmers *stemmers, struct sought *ret)
{
	struct reading r = { .out = ret,
		             .wish = wish,
		             .text = text,
		             .share = share,
		             .worth = share,
		             .first = true,
		             .flags = flags,
		             .modifier = -1,
		             .noun = -1 };

	r.own = language_guess(text, strlen(text), wish->language);
	read_sentences(&r, stemmers);
	ret->wants_list |=
	    flags && (strcasestr(text, "are there") || strcasestr(text, "ingredients") ||
	              strcasestr(text, "who was") || strcasestr(text, "who were") ||
	              strcasestr(text, "list ") == text || strstr(text, "\xe5\x93\xaa\xe4\xba\x9b"));
}

void asked_read(const struct wish *wish, struct stemmers *stemmers, struct sought *ret)
{
	*ret = (struct sought){ 0 };
	read_one(wish, wish->question, 1, true, stemmers, ret);
	/* "And Gold?" wants what was asked of Silver. */
	if (wish->before)
		read_one(wish, wish->before, share_before,
		         !(ret->wants_number || ret->wants_name || ret->wants_way || ret->wants_list),
		         stemmers, ret);
}
