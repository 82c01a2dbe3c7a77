/*
 * The provider that needs no model: it quotes the sentences of the passages that fit the question best, with their
 * numbers, and says that it quotes.
 *
 * A sentence is worth the sum of its question words' weights (the rarer in these passages, the more), a little more in
 * passages that the search ranked higher and that hold more of the question, and less when it is long. What holds too
 * small a part of the question is not quoted: then the answer is that nothing was found.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "common/base/text.h"
#include "svc-chat/model/provider.h"
#include "svc-chat/model/sentences.h"

enum {
	QUESTION_WORDS = 32,
	SENTENCES_MAX = 2000,
	QUOTES_MAX = 3,
	QUOTE_BYTES = 700, /* of one sentence; a longer one is no sentence but a table */
	PIECE_BYTES = 24,
};

static const double enough = 0.34;    /* of the question's weight, to be quoted at all */
static const double near_best = 0.75; /* of the best sentence's worth, to be quoted beside it */

struct word {
	char text[WORD_MAX];
	int sentences; /* that have it */
	double weight;
};

struct sentence {
	const char *text;
	size_t size;
	size_t passage; /* from 0 */
	uint32_t has;   /* bit i: words[i] of the question */
	int words;
	double worth;
};

struct scene {
	struct word words[QUESTION_WORDS];
	size_t word_count;
	struct sentence *sentences;
	size_t sentence_count;
	bool wants_number;
};

/* Words that say what kind of sentence a question is, not what it is about. */
static const char stop_words[] =
    "a about all also am an and any anything are as at be been but by called can could describe did do does document "
    "documents done during explain find for from get give given had has have he her him his how i if in into is it its "
    "just kind know like long made make many me mean more most much must my name no not of off on once one only or our "
    "out please said same say she should show so some tell than that the their them then there these they thing this "
    "those to too type us use used very want was we were what when where which while who whom whose why will with would "
    "you your";

static bool is_stop_word(const char *word)
{
	const char *at = stop_words, *end = stop_words + sizeof stop_words - 1;
	char known[WORD_MAX];

	while (word_next(&at, end, known))
		if (strcmp(known, word) == 0)
			return true;
	return false;
}

static void read_question(struct scene *s, const char *question)
{
	const char *at = question, *end = question + strlen(question);
	char word[WORD_MAX] = "";

	s->wants_number = strcasestr(question, "how many") || strcasestr(question, "how much") ||
	                  strcasestr(question, "how long") || strcasestr(question, "when") ||
	                  strcasestr(question, "what year");
	while (s->word_count < QUESTION_WORDS && word_next(&at, end, word)) {
		bool known = is_stop_word(word);

		for (size_t i = 0; i < s->word_count && !known; i++)
			known = strcmp(s->words[i].text, word) == 0;
		if (!known)
			memcpy(s->words[s->word_count++].text, word, sizeof word);
	}
}

/* The same word, or long ones that begin alike ("govern", "government"). */
static bool alike(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return !(a[n] | b[n]) || (n >= 5 && strlen(a + n) <= 4 && strlen(b + n) <= 4);
}

static void read_sentence(struct scene *s, struct sentence *sentence)
{
	const char *at = sentence->text, *end = at + sentence->size;
	char word[WORD_MAX];

	while (word_next(&at, end, word)) {
		sentence->words++;
		for (size_t i = 0; i < s->word_count; i++)
			if (alike(s->words[i].text, word))
				sentence->has |= 1u << i;
	}
	for (size_t i = 0; i < s->word_count; i++)
		s->words[i].sentences += sentence->has >> i & 1;
}

static void read_passages(struct scene *s, const struct chat_request *request, struct arena *a)
{
	s->sentences = arena_new(a, struct sentence, SENTENCES_MAX);
	for (size_t i = 0; i < request->passage_count; i++) {
		const char *at = request->passages[i].text;
		struct sentence *next = s->sentences + s->sentence_count;

		while (s->sentence_count < SENTENCES_MAX && sentence_next(&at, &next->text, &next->size)) {
			if (next->size > QUOTE_BYTES)
				continue;
			next->passage = i;
			read_sentence(s, next);
			next = s->sentences + ++s->sentence_count;
		}
	}
}

static double weight_of(const struct scene *s, uint32_t has)
{
	double sum = 0;

	for (size_t i = 0; i < s->word_count; i++)
		sum += (has >> i & 1) ? s->words[i].weight : 0;
	return sum;
}

static bool has_digit(const struct sentence *sentence)
{
	for (size_t i = 0; i < sentence->size; i++)
		if (isdigit((unsigned char)sentence->text[i]))
			return true;
	return false;
}

/* What the sentence holds counts most; what its neighbours hold tells what it speaks of ("It was built in 1066."). */
static double worth_of(const struct scene *s, size_t i, uint32_t passage_has)
{
	const struct sentence *it = &s->sentences[i];
	uint32_t around = it->has;
	double worth;

	if (i > 0 && s->sentences[i - 1].passage == it->passage)
		around |= s->sentences[i - 1].has;
	worth = weight_of(s, it->has) + 0.3 * weight_of(s, around & ~it->has) +
	        0.1 * weight_of(s, passage_has & ~it->has);
	worth *= 1 + 0.2 / (double)(1 + it->passage);
	if (s->wants_number && has_digit(it))
		worth *= 1.2;
	if (it->words < 4) /* a heading says nothing */
		worth *= 0.3;
	return worth / (1 + 0.1 * log1p(it->words / 20.0));
}

static void judge(struct scene *s)
{
	for (size_t i = 0; i < s->word_count; i++)
		s->words[i].weight = log(1 + ((double)s->sentence_count + 1) / (s->words[i].sentences + 0.5));
	for (size_t from = 0, to; from < s->sentence_count; from = to) {
		uint32_t passage_has = 0;

		for (to = from;
		     to < s->sentence_count && s->sentences[to].passage == s->sentences[from].passage; to++)
			passage_has |= s->sentences[to].has;
		for (size_t i = from; i < to; i++)
			s->sentences[i].worth = worth_of(s, i, passage_has);
	}
}

/* Two passages may overlap: the same sentence is quoted once. */
static bool said_already(const struct sentence *it, struct sentence *const *chosen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (it == chosen[i] ||
		    (it->size == chosen[i]->size && memcmp(it->text, chosen[i]->text, it->size) == 0))
			return true;
	return false;
}

static size_t choose(struct scene *s, struct sentence *chosen[QUOTES_MAX])
{
	double all = weight_of(s, UINT32_MAX);
	size_t count = 0;

	while (count < QUOTES_MAX) {
		struct sentence *best = NULL;

		for (size_t i = 0; i < s->sentence_count; i++) {
			struct sentence *it = &s->sentences[i];

			if ((!best || it->worth > best->worth) && weight_of(s, it->has) >= enough * all &&
			    it->has && !said_already(it, chosen, count))
				best = it;
		}
		if (!best || (count && best->worth < near_best * chosen[0]->worth))
			break;
		chosen[count++] = best;
	}
	return count;
}

/* On one line, and without brackets that would look like a citation of ours ("[12]" in an encyclopedia). */
static void add_quote(struct text *t, const struct sentence *sentence)
{
	size_t start = t->length;

	for (size_t i = 0; i < sentence->size; i++) {
		const char *at = sentence->text + i;
		size_t digits = *at == '[' ? strspn(at + 1, "0123456789, ") : 0;

		if (digits && i + digits + 1 < sentence->size && at[digits + 1] == ']')
			i += digits + 1;
		else if (isspace((unsigned char)*at)) {
			if (t->length > start && t->at[t->length - 1] != ' ')
				text_addc(t, ' ');
		} else
			text_addc(t, *at);
	}
}

static bool is_greeting(const char *question)
{
	static const char *const greetings[] = { "hello",        "hi",           "hey",
		                                 "good morning", "good evening", "good afternoon",
		                                 "hallo",        "hola",         "bonjour" };
	size_t size = strcspn(question, "!.,?\n");

	while (size && question[size - 1] == ' ')
		size--;
	for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++)
		if (size == strlen(greetings[i]) && strncasecmp(question, greetings[i], size) == 0 &&
		    strspn(question + size, "!.,? \n") == strlen(question + size))
			return true;
	return false;
}

static const char *compose(const struct chat_request *request, struct arena *a)
{
	struct scene *s = arena_new(a, struct scene, 1);
	struct sentence *chosen[QUOTES_MAX];
	size_t count;
	struct text t;

	if (is_greeting(request->question))
		return *request->welcome
		           ? request->welcome
		           : "Hello! Ask me something, and I shall look it up in the documents.";
	if (!request->has_documents)
		return "I have no documents to answer from. Add some to this chatbot, and I can quote from them.";
	read_question(s, request->question);
	read_passages(s, request, a);
	judge(s);
	count = choose(s, chosen);
	if (!count)
		return "I found nothing in the documents about that.";
	text_init(&t, a);
	text_adds(&t, count == 1
	                  ? "This is what the documents say, word for word:\n"
	                  : "These sentences of the documents fit the question best, word for word:\n");
	for (size_t i = 0; i < count; i++) {
		text_adds(&t, "\n> ");
		add_quote(&t, chosen[i]);
		text_addf(&t, " [%zu]%s", chosen[i]->passage + 1, i + 1 < count ? "\n" : "");
	}
	return t.at;
}

/* In pieces of a few words, as a model would. */
static int answer(struct chat_provider *p, const struct chat_request *request, const struct chat_sink *sink,
                  struct chat_result *ret, struct arena *a, struct error *err)
{
	const char *text = compose(request, a), *at = text;

	(void)p;
	ret->model = "builtin";
	while (*at) {
		size_t size = strnlen(at, PIECE_BYTES);

		while (at[size] && !isspace((unsigned char)at[size]))
			size++;
		if (atomic_load(request->cancelled))
			return error_set(err, ERROR_UNAVAILABLE, "the answer was interrupted");
		if (sink->text(sink->arg, at, size))
			break;
		at += size;
	}
	return 0;
}

struct chat_provider *provider_builtin(void)
{
	static struct chat_provider builtin = { .name = "builtin", .answer = answer };

	return &builtin;
}
