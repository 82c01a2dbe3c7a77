/*
 * The model that is none: it quotes what in the passages answers the question, with its numbers, and says
 * that it quotes. What stands under a question is its answer; a row is told with the names of its columns; a list is
 * quoted whole; a sentence that leans on its neighbours comes with them. When nothing answers, it says what it looked
 * for and what comes nearest.
 */
#include <ctype.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-chat/model/blocks.h"
#include "svc-chat/model/choose.h"
#include "svc-chat/model/model.h"
#include "svc-chat/model/phrases.h"

enum {
	MARKED = 6, /* levels of headings that a mark tells; of others nobody knows where they belong */
	PIECE_BYTES = 24,
	SHORT = 200,          /* bytes of a sentence that is quoted with the next one */
	ANSWER_ROOM = 320,    /* bytes of an answer below a question that is quoted whole */
	PARAGRAPH_ROOM = 160, /* bytes of a paragraph below a heading that is quoted whole */
	QUOTES_ROOM = 600,    /* bytes of all quotes; of a list, twice that */
	CELLS = 32,
	LABEL_MAX = 90,      /* bytes of a heading that is shown */
	SHORT_QUESTION = 60, /* bytes; it may lean on the one before ("And in winter?") */
	SAMPLE = 6000,       /* bytes of the passages that tell their language */
};

struct quoter {
	const struct model_request *request;
	const struct blocks *blocks;
	struct text *out;
	bool *quoted;   /* by block */
	bool *chosen;   /* by block: will be quoted */
	size_t passage; /* whose quote is open, from 0 */
	bool open;
};

/* On one line, and without brackets that would look like a citation of ours ("[12]" in an encyclopedia). */
static void add_plain(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		const char *at = s.at + i;
		size_t digits = *at == '[' ? strspn(at + 1, "0123456789, ") : 0;

		if (digits && i + digits + 1 < s.size && at[digits + 1] == ']')
			i += digits + 1;
		else if (!isspace((unsigned char)*at))
			text_addc(t, *at);
		else if (t->length && t->at[t->length - 1] != ' ')
			text_addc(t, ' ');
	}
}

static const struct section *section_of(const struct quoter *w, size_t k)
{
	return &w->blocks->sections[w->blocks->at[k].section];
}

/* "3.2.0 - 2025-04-22 / Fixed": with the heading above it, unless that is the whole document's. */
static void add_title(struct quoter *w, const struct section *s)
{
	const struct section *up = s->above >= 0 ? &w->blocks->sections[s->above] : NULL;

	if (up && up->level > 1 && s->level <= MARKED && up->title.size &&
	    up->title.size + s->title.size < LABEL_MAX) {
		add_plain(w->out, up->title);
		text_adds(w->out, " / ");
	}
	add_plain(w->out, s->title);
}

/* The heading above, unless it is a question (which the reader has just asked) or says nothing more. */
static void add_label(struct quoter *w, size_t k)
{
	const struct section *s = section_of(w, k);

	if (s->question || !s->title.size || s->title.size > LABEL_MAX)
		return;
	text_adds(w->out, "**");
	add_title(w, s);
	text_adds(w->out, "**: ");
}

static void add_row(struct quoter *w, size_t k)
{
	const struct block *b = &w->blocks->at[k];
	struct span cells[CELLS], names[CELLS];
	size_t n = blocks_cells(b->text, cells, CELLS);
	size_t m = b->head.size ? blocks_cells(b->head, names, CELLS) : 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!cells[i].size)
			continue;
		text_adds(w->out, any ? "; " : "");
		if (i < m && names[i].size) {
			add_plain(w->out, names[i]);
			text_adds(w->out, ": ");
		}
		add_plain(w->out, cells[i]);
		any = true;
	}
}

static bool next_belongs(const struct quoter *w, size_t k)
{
	const struct block *b = w->blocks->at;

	return k + 1 < w->blocks->count && b[k + 1].paragraph == b[k].paragraph && b[k + 1].kind == b[k].kind;
}

/* A sentence that begins so is about the one before. */
static bool leans_back(struct span s)
{
	static const char *const words[] = {
		"It ",  "He ",    "She ",   "They ", "This ", "These ", "Those ", "That ", "His ", "Her ",
		"Its ", "Their ", "There ", "Er ",   "Sie ",  "Es ",    "Das ",   "Dies",  "Il ",  "Elle ",
		"Ils ", "Elles ", "Ce ",    "Cela ", "Esto ", "Ello ",  "Then ",  "Such "
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (s.size > strlen(words[i]) && strncmp(s.at, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* All of a short paragraph below a heading: what one of its sentences is about, another may say. */
static bool short_paragraph(const struct quoter *w, size_t k, size_t *from, size_t *to)
{
	const struct block *b = w->blocks->at;
	size_t first = k, end = k + 1, size = 0;

	if (!section_of(w, k)->title.size)
		return false;
	while (first > 0 && next_belongs(w, first - 1))
		first--;
	while (next_belongs(w, end - 1))
		end++;
	for (size_t i = first; i < end; i++)
		size += b[i].text.size;
	if (size > PARAGRAPH_ROOM)
		return false;
	*from = first;
	*to = end;
	return true;
}

/* Blocks [from, to) that are quoted for block k. */
static void stretch(const struct quoter *w, size_t k, size_t *from, size_t *to)
{
	const struct block *b = w->blocks->at;
	size_t size = b[k].text.size;

	*from = k;
	*to = k + 1;
	if (b[k].kind == BLOCK_ROW || b[k].kind == BLOCK_CODE || b[k].kind == BLOCK_ITEM)
		return;
	if (section_of(w, k)->question) { /* all of the answer, as far as it fits */
		while (*from > 0 && b[*from - 1].section == b[k].section &&
		       size + b[*from - 1].text.size <= ANSWER_ROOM)
			size += b[--*from].text.size;
		while (*to < w->blocks->count && b[*to].section == b[k].section &&
		       size + b[*to].text.size <= ANSWER_ROOM)
			size += b[(*to)++].text.size;
		return;
	}
	if (short_paragraph(w, k, from, to))
		return;
	if (leans_back(b[k].text) && k > 0 && b[k - 1].paragraph == b[k].paragraph)
		(*from)--;
	else if (size < SHORT && next_belongs(w, k))
		(*to)++;
	/* What stands beside it and is quoted, too, comes in one piece, in its order. */
	while (*from > 0 && w->chosen[*from - 1] && next_belongs(w, *from - 1))
		(*from)--;
	while (next_belongs(w, *to - 1) && w->chosen[*to])
		(*to)++;
}

static void cite(struct quoter *w)
{
	if (w->open)
		text_addf(w->out, " [%zu]\n", w->passage + 1);
	w->open = false;
}

static void quote_code(struct quoter *w, size_t k)
{
	const struct block *b = &w->blocks->at[k];

	text_adds(w->out, "\n```\n");
	text_add(w->out, b->text.at, b->text.size);
	text_addf(w->out, "\n```\n[%zu]\n", section_of(w, k)->passage + 1);
}

static void quote(struct quoter *w, size_t k)
{
	const struct block *b = w->blocks->at;
	size_t from, to;

	if (w->quoted[k])
		return;
	if (b[k].kind == BLOCK_CODE) {
		quote_code(w, k);
		return;
	}
	w->passage = section_of(w, k)->passage;
	w->open = true;
	stretch(w, k, &from, &to);
	text_adds(w->out, "\n> ");
	add_label(w, k);
	if (b[from].lead.size && (from == 0 || b[from - 1].paragraph != b[from].paragraph)) {
		add_plain(w->out, b[from].lead);
		text_addc(w->out, ' ');
	}
	for (size_t i = from; i < to; i++) {
		w->quoted[i] = true;
		text_adds(w->out, i > from ? " " : "");
		if (b[i].kind == BLOCK_ROW)
			add_row(w, i);
		else
			add_plain(w->out, b[i].text);
	}
	cite(w);
}

/* One quote of several lines: what belongs together. */
static void quote_list(struct quoter *w, const struct choice *c)
{
	size_t start = w->out->length;

	w->passage = section_of(w, c->blocks[0])->passage;
	w->open = true;
	if (section_of(w, c->blocks[0])->title.size && !section_of(w, c->blocks[0])->question) {
		text_adds(w->out, "\n> **");
		add_title(w, section_of(w, c->blocks[0]));
		text_adds(w->out, "**");
	}
	for (size_t i = 0; i < c->count && w->out->length - start < 2 * QUOTES_ROOM; i++) {
		text_adds(w->out, "\n> - ");
		if (w->blocks->at[c->blocks[i]].kind == BLOCK_ROW)
			add_row(w, c->blocks[i]);
		else
			add_plain(w->out, w->blocks->at[c->blocks[i]].text);
	}
	cite(w);
}

/* --- What is said ----------------------------------------------------------------------------------------------- */

/* {1} and {2} filled in. */
static void add_filled(struct text *t, const char *pattern, struct span one, struct span two)
{
	for (; *pattern; pattern++) {
		if (*pattern == '{' && (pattern[1] == '1' || pattern[1] == '2') && pattern[2] == '}') {
			add_plain(t, pattern[1] == '1' ? one : two);
			pattern += 2;
		} else {
			text_addc(t, *pattern);
		}
	}
}

static struct span string(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static const char *refuse(const struct model_request *request, const struct blocks *blocks,
                          const struct choice *c, const struct phrases *say, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	if (c->missing)
		add_filled(&t, say->about, string(c->missing), (struct span){ 0 });
	else
		text_adds(&t, say->nothing);
	if (c->nearest >= 0) {
		const struct section *s = &blocks->sections[blocks->at[c->nearest].section];
		const char *document = request->passages[s->passage].document;

		if (s->title.size && s->title.size <= LABEL_MAX && document) {
			text_addc(&t, ' ');
			add_filled(&t, say->nearest, s->title, string(document));
		}
	}
	return t.at;
}

static const char *answer_from(const struct model_request *request, const struct wish *wish,
                               const struct phrases *say, struct arena *a)
{
	struct blocks blocks;
	struct choice choice;
	struct text t;
	struct quoter w = { .request = request, .blocks = &blocks, .out = &t };

	blocks_read(request->passages, request->passage_count, &blocks, a);
	choose_blocks(wish, &blocks, request->passages, request->passage_count, &choice, a);
	if (!choice.count)
		return refuse(request, &blocks, &choice, say, a);
	w.quoted = arena_new(a, bool, blocks.count);
	w.chosen = arena_new(a, bool, blocks.count);
	for (size_t i = 0; i < choice.count; i++)
		w.chosen[choice.blocks[i]] = true;
	text_init(&t, a);
	text_adds(&t, say->quoted);
	text_addc(&t, '\n');
	if (choice.list)
		quote_list(&w, &choice);
	for (size_t i = 0; !choice.list && i < choice.count && (i == 0 || t.length < QUOTES_ROOM); i++)
		quote(&w, choice.blocks[i]);
	while (t.length && t.at[t.length - 1] == '\n')
		t.at[--t.length] = '\0';
	return t.at;
}

/* The question before, when this one is too short to stand alone. */
static const char *before(const struct model_request *request)
{
	const char *last = NULL;

	if (strlen(request->question) >= SHORT_QUESTION)
		return NULL;
	for (size_t i = 0; i + 1 < request->message_count; i++)
		if (strcmp(request->messages[i].role, "user") == 0)
			last = request->messages[i].content;
	return last;
}

static const char *passages_sample(const struct model_request *request, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "");
	for (size_t i = 0; i < request->passage_count && t.length < SAMPLE; i++) {
		text_adds(&t, request->passages[i].text);
		text_addc(&t, '\n');
	}
	return t.at;
}

static const char *small_talk(const struct model_request *request, enum small_talk kind, int tongue)
{
	const struct phrases *say = phrases(tongue);

	switch (kind) {
	case TALK_HELLO: return *request->welcome ? request->welcome : say->hello;
	case TALK_THANKS: return say->thanks;
	case TALK_BYE: return say->bye;
	case TALK_SELF: return say->self;
	case TALK_NONE: break;
	}
	return NULL;
}

static const char *compose(const struct model_request *request, struct arena *a)
{
	int tongue;
	enum small_talk talk = phrases_small_talk(request->question, &tongue);
	const char *sample = passages_sample(request, a);
	struct wish wish = { .question = request->question, .before = before(request) };

	if (talk)
		return small_talk(request, talk, tongue);
	wish.language = language_guess(sample, strlen(sample), LANGUAGE_EN);
	tongue = phrases_tongue(request->question, phrases_tongue(sample, LANGUAGE_EN));
	if (!request->has_documents)
		return phrases(tongue)->empty;
	return answer_from(request, &wish, phrases(tongue), a);
}

/* In pieces of a few words, as a model would. */
static int answer(struct model *p, const struct model_request *request, const struct model_sink *sink,
                  struct model_result *ret, struct arena *a, struct error *err)
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

struct model *model_builtin(void)
{
	static struct model builtin = { .name = "builtin", .answer = answer };

	return &builtin;
}
