#include "common/text/terms.h"

#include "common/base/utf8.h"
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

void terms_init(struct terms *t, const char *text, size_t size, struct stemmers *stemmers,
                enum language language)
{
	*t = (struct terms){ .text = text, .size = size, .stemmers = stemmers, .language = language };
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

static const uint64_t FNV = 0xcbf29ce484222325u;

static uint64_t hash_on(uint64_t h, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u; /* FNV-1a */
	return h;
}

/* A word as it is read. What is beyond TERM_MAX bytes is not kept but told apart by its hash. */
struct word {
	char *at, *end;
	uint64_t rest;
	bool short_i; /* \u0439 is a letter of its own: Russian endings are known by it */
};

static void put(struct word *w, uint32_t c)
{
	char bytes[4];
	size_t n = utf8_put(bytes, c);

	if (w->at + n <= w->end) {
		memcpy(w->at, bytes, n);
		w->at += n;
	} else {
		w->end = w->at;
		w->rest = hash_on(w->rest, bytes, n);
	}
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
	if (c == 0x439 && w->short_i) {
		put(w, c);
		return;
	}
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

/* The word is read: its stem and hash. */
static void finish(struct terms *t, struct term *ret, uint64_t rest, bool stemmed)
{
	const char *text = ret->word;

	ret->word_size = ret->size = strlen(ret->word);
	if (stemmed && t->stemmers)
		text = stem(t->stemmers, t->language, ret->word, ret->size, &ret->size);
	if (ret->size > TERM_MAX)
		ret->size = TERM_MAX;
	memcpy(ret->text, text, ret->size);
	ret->text[ret->size] = '\0';
	ret->hash = hash_on(FNV ^ rest, ret->text, ret->size);
}

/* Two neighbours of a run without spaces, or a lone one. */
static void finish_pair(struct terms *t, struct term *ret, uint32_t second, size_t end)
{
	struct word w = { ret->word, ret->word + TERM_MAX, 0, false };

	fold(&w, t->pair);
	if (second)
		fold(&w, second);
	*w.at = '\0';
	ret->start = t->pair_at;
	ret->end = end;
	ret->joined = false;
	finish(t, ret, 0, false);
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

static bool upper(uint32_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool lower(uint32_t c)
{
	return c >= 'a' && c <= 'z';
}

/* Does the next part of a name begin at this letter: the R of maxRetries, the S of HTTPServer? Not the s of PDFs. */
static bool hump(const struct terms *t, size_t start, size_t at)
{
	const char *s = t->text + at, *end = t->text + t->size;

	if (at == start || at >= t->size || !upper((unsigned char)*s))
		return false;
	if (lower((unsigned char)s[-1]))
		return true;
	return upper((unsigned char)s[-1]) && end - s >= 3 && lower((unsigned char)s[1]) &&
	       lower((unsigned char)s[2]);
}

/* Between the parts of a name: max_retries, e-mail, CV-3342. Bytes of the joint, when a word goes on behind it. */
static size_t joint(const struct terms *t, size_t at)
{
	size_t after, next;
	uint32_t c;

	if (at >= t->size)
		return 0;
	c = peek(t, at, &after);
	if ((c != '_' && c != '-' && c != 0x2010 && c != 0x2011) || after >= t->size)
		return 0;
	c = peek(t, after, &next);
	return wordy(c) && !mark(c) && !unspaced(c) ? after - at : 0;
}

/* A part of a name is also part of the name as one word, which follows its last part. */
static void note_part(struct terms *t, const struct term *part, bool more)
{
	struct compound *c = &t->compound;

	if (!c->parts && !more)
		return;
	if (c->parts == 0)
		*c = (struct compound){ .start = part->start };
	c->parts++;
	if (c->size + part->word_size > TERM_MAX)
		c->spoilt = true;
	if (!c->spoilt) {
		memcpy(c->text + c->size, part->word, part->word_size);
		c->size += part->word_size;
	}
	c->end = part->end;
	for (size_t i = 0; i < part->word_size; i++)
		c->letters |= !digit(part->word[i]);
	if (!more) {
		c->due = !c->spoilt && c->letters;
		c->parts = 0;
	}
}

static void give_compound(struct terms *t, struct term *ret)
{
	struct compound *c = &t->compound;

	memcpy(ret->word, c->text, c->size);
	ret->word[c->size] = '\0';
	ret->start = c->start;
	ret->end = c->end;
	ret->joined = true;
	*c = (struct compound){ 0 };
	finish(t, ret, 0, true);
}

static void read_word(struct terms *t, struct term *ret)
{
	struct word w = { ret->word, ret->word + TERM_MAX, 0, t->language == LANGUAGE_RU };
	size_t gap;
	bool more;

	ret->start = t->at;
	ret->joined = false;
	while (t->at < t->size) {
		size_t after;
		uint32_t c;

		/* Most of a text: small letters, which are themselves, and begin nothing. */
		for (; t->at < t->size && lower((unsigned char)t->text[t->at]) && w.at < w.end; t->at++)
			*w.at++ = t->text[t->at];
		if (t->at == t->size)
			break;
		c = peek(t, t->at, &after);
		if (joins_number(t, t->at)) {
			if (c == '.')
				put(&w, c);
		} else if (!wordy(c) || unspaced(c) || hump(t, ret->start, t->at)) {
			break;
		} else {
			fold(&w, c);
		}
		t->at = after;
	}
	*w.at = '\0';
	ret->end = t->at;
	gap = joint(t, t->at);
	more = gap || hump(t, ret->start, t->at);
	t->at += gap;
	if (!gap)
		t->at = skip_possessive(t, t->at);
	finish(t, ret, w.rest, true);
	note_part(t, ret, more);
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
	if (t->compound.due) {
		give_compound(t, ret);
		return 1;
	}
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
