#include "svc-documents/search/terms.h"

#include "common/base/utf8.h"
#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

struct sb_stemmer *stemmer_new(void)
{
	struct sb_stemmer *s = sb_stemmer_new("english", "UTF_8");

	if (!s)
		abort(); /* no memory: libstemmer always has English */
	return s;
}

void stemmer_free(struct sb_stemmer *s)
{
	sb_stemmer_delete(s);
}

void terms_init(struct terms *t, const char *text, size_t size, struct sb_stemmer *stemmer)
{
	*t = (struct terms){ .text = text, .size = size, .stemmer = stemmer };
}

/* Scripts written without spaces between words: Thai to Myanmar, Khmer, Kana to Hangul, Han. */
static bool unspaced(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0e00, 0x0eff }, { 0x1000, 0x109f },   { 0x1780, 0x17ff }, { 0x3040, 0x30ff },
		{ 0x31f0, 0x31ff }, { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff }, { 0x20000, 0x3ffff },
	};

	if (c < ranges[0].first)
		return false;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static bool mark(uint32_t c)
{
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M);
}

static bool wordy(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return uc_is_general_category_withtable(c,
	                                        UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_M);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Marks that readers leave out: accents, Hebrew points, Arabic vowel signs. Those of Indic scripts are letters. */
static bool silent(uint32_t c)
{
	return (c < 0x0900 || c >= 0x1ab0) && mark(c);
}

/* Letters that NFKD leaves whole, though people type them otherwise. */
static const char *spelled(uint32_t c)
{
	switch (c) {
	case 0xdf: return "ss";
	case 0xe6: return "ae";
	case 0xf8: return "o";
	case 0xf0: return "d";
	case 0xfe: return "th";
	case 0x111: return "d";
	case 0x131: return "i";
	case 0x142: return "l";
	case 0x153: return "oe";
	case 0x3c2: return "\xcf\x83"; /* final sigma */
	default: return NULL;
	}
}

struct word {
	char *at, *end;
};

static void put(struct word *w, uint32_t c)
{
	if (w->at < w->end)
		w->at += utf8_put(w->at, c);
}

/* One character of a word, folded. */
static void fold(struct word *w, uint32_t c)
{
	uint32_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	const char *s;
	int tag, n;

	if (c < 0x80) {
		put(w, c >= 'A' && c <= 'Z' ? c + 32 : c);
		return;
	}
	if (silent(c))
		return;
	c = uc_tolower(c);
	n = uc_decomposition(c, &tag, parts);
	if (n > 0) {
		for (int i = 0; i < n; i++)
			fold(w, parts[i]);
	} else if ((s = spelled(c))) {
		for (const char *p = s; *p;)
			put(w, utf8_next(&p));
	} else {
		put(w, c);
	}
}

static uint64_t hash64(const char *text, size_t size)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
	return h;
}

/* Function words of English: they carry a sentence, not its subject. In order, for bsearch(). */
enum { FUNCTION_WORD_MAX = 5 };
static const char *const function_words[] = {
	"a",    "about", "after", "all",  "also",  "an",    "and",   "any",  "are",  "as",    "at",
	"be",   "been",  "being", "but",  "by",    "can",   "could", "did",  "do",   "does",  "for",
	"from", "had",   "has",   "have", "he",    "her",   "his",   "how",  "i",    "if",    "in",
	"into", "is",    "it",    "its",  "many",  "me",    "more",  "most", "much", "my",    "no",
	"not",  "of",    "on",    "or",   "other", "our",   "she",   "so",   "some", "such",  "than",
	"that", "the",   "their", "them", "then",  "there", "these", "they", "this", "those", "to",
	"was",  "we",    "were",  "what", "when",  "where", "which", "who",  "whom", "whose", "why",
	"will", "with",  "would", "you",  "your",
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool is_function_word(const char *word)
{
	return bsearch(word, function_words, sizeof function_words / sizeof *function_words,
	               sizeof *function_words, by_text) != NULL;
}

static void finish(struct terms *t, struct term *ret, bool stem)
{
	const char *text = ret->word;

	ret->size = strlen(ret->word);
	ret->common = ret->size <= FUNCTION_WORD_MAX && is_function_word(ret->word);
	if (stem) {
		text =
		    (const char *)sb_stemmer_stem(t->stemmer, (const sb_symbol *)ret->word, (int)ret->size);
		ret->size = (size_t)sb_stemmer_length(t->stemmer);
		if (ret->size >= sizeof ret->text)
			ret->size = sizeof ret->text - 1;
	}
	memcpy(ret->text, text, ret->size);
	ret->text[ret->size] = '\0';
	ret->hash = hash64(ret->text, ret->size);
}

/* Two neighbours of a run without spaces, or a lone one. */
static void finish_pair(struct terms *t, struct term *ret, uint32_t second, size_t end)
{
	struct word w = { ret->word, ret->word + TERM_MAX };

	fold(&w, t->pair);
	if (second)
		fold(&w, second);
	*w.at = '\0';
	ret->start = t->pair_at;
	ret->end = end;
	finish(t, ret, false);
}

static uint32_t peek(const struct terms *t, size_t at, size_t *after)
{
	const char *p = t->text + at;
	uint32_t c = utf8_next(&p);

	*after = (size_t)(p - t->text);
	return c;
}

/* "1,500" goes on over its comma, "2.5" over its point. */
static bool joins_number(const struct terms *t, size_t at)
{
	const char *s = t->text + at;

	return (*s == ',' || *s == '.') && at > 0 && digit(s[-1]) && at + 1 < t->size && digit(s[1]) &&
	       (*s == '.' ||
	        (at + 3 < t->size && digit(s[2]) && digit(s[3]) && (at + 4 == t->size || !digit(s[4]))));
}

/* The possessive of the word before: 's. */
static size_t skip_possessive(const struct terms *t, size_t at)
{
	size_t after, s_end;
	uint32_t c;

	if (at >= t->size)
		return at;
	c = peek(t, at, &after);
	if ((c != '\'' && c != 0x2019) || after >= t->size || (t->text[after] | 32) != 's')
		return at;
	s_end = after + 1;
	if (s_end < t->size && wordy(peek(t, s_end, &after)))
		return at;
	return s_end;
}

static void read_word(struct terms *t, struct term *ret)
{
	struct word w = { ret->word, ret->word + TERM_MAX };

	ret->start = t->at;
	while (t->at < t->size) {
		size_t after;
		uint32_t c = peek(t, t->at, &after);

		if (joins_number(t, t->at)) {
			if (c == '.')
				put(&w, c);
		} else if (!wordy(c) || unspaced(c)) {
			break;
		} else {
			fold(&w, c);
		}
		t->at = after;
	}
	*w.at = '\0';
	ret->end = t->at;
	t->at = skip_possessive(t, t->at);
	finish(t, ret, true);
}

/* A character of a run without spaces: 1 when it ends a pair. */
static int read_pair(struct terms *t, struct term *ret, uint32_t c, size_t after)
{
	bool second = t->pair != 0;

	if (second)
		finish_pair(t, ret, c, after);
	t->pair = c;
	t->pair_at = t->at;
	t->pair_used = second;
	t->at = after;
	return second;
}

/* The run is over: 1 when it was a single character, which then stands for itself. */
static int end_run(struct terms *t, struct term *ret)
{
	bool lone = t->pair && !t->pair_used;

	if (lone)
		finish_pair(t, ret, 0, t->at);
	t->pair = 0;
	return lone;
}

int terms_next(struct terms *t, struct term *ret)
{
	while (t->at < t->size) {
		size_t after;
		uint32_t c = peek(t, t->at, &after);

		if (unspaced(c) && silent(c)) {
			t->at = after; /* a sound mark of Kana on its own: nothing by itself, and no end */
		} else if (unspaced(c) && wordy(c)) {
			if (read_pair(t, ret, c, after))
				return 1;
		} else if (end_run(t, ret)) {
			return 1;
		} else if (wordy(c) && !mark(c)) {
			read_word(t, ret);
			if (ret->word[0])
				return 1;
		} else {
			t->at = after;
		}
	}
	return end_run(t, ret);
}
