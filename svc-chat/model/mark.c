#include "svc-chat/model/mark.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <unictype.h>

#include "common/base/utf8.h"

/* Reading stops at the end of what is there: `out` then says that the outcome may be another with more. */
struct mark_reader {
	const char *at, *end;
	bool out;
	bool named; /* a word says that it is a passage: what else stands there is about it */
	struct mark *mark;
};

enum { NOTHING = 0, ODD = 0xfffd };

/* --- Characters --------------------------------------------------------------------------------------------------- */

static uint32_t peek_at(struct mark_reader *r, const char *at, size_t *length)
{
	int n;

	*length = 0;
	if (at >= r->end) {
		r->out = true;
		return NOTHING;
	}
	*length = 1;
	if ((unsigned char)*at < 0x80)
		return (unsigned char)*at;
	n = utf8_sequence((const unsigned char *)at, (const unsigned char *)r->end);
	if (n == 0) {
		if (r->end - at < 4) /* it may be cut */
			r->out = true;
		return ODD;
	}
	*length = (size_t)n;
	return utf8_next(&at);
}

static uint32_t peek(struct mark_reader *r)
{
	size_t length;

	return peek_at(r, r->at, &length);
}

static bool take(struct mark_reader *r, const uint32_t *set)
{
	size_t length;
	uint32_t c = peek_at(r, r->at, &length);

	for (; *set; set++)
		if (c == *set) {
			r->at += length;
			return true;
		}
	return false;
}

static void skip_blanks(struct mark_reader *r)
{
	/* those without width, too, that scripts from right to left are written with */
	static const uint32_t blanks[] = { ' ',    0xa0,   0x2009, 0x202f, 0x3000, 0x200b,
		                           0x200e, 0x200f, 0x2060, 0xfeff, 0 };

	while (take(r, blanks))
		;
}

/* libunistring counts digits of other scripts among the letters, as C does. */
static bool is_letter(uint32_t c)
{
	return uc_is_alpha(c) && uc_decimal_value(c) < 0;
}

/* Of a script without blanks between its words. */
static bool is_wide(const char *word, size_t length)
{
	return length >= 3 && (unsigned char)word[length - 3] >= 0xe3 &&
	       (unsigned char)word[length - 3] < 0xf0;
}

/* One of these words, in any case, and no letter after it. */
static bool take_word(struct mark_reader *r, const char *const *words)
{
	for (; *words; words++) {
		size_t length = strlen(*words), left = (size_t)(r->end - r->at), ignored;
		size_t same = left < length ? left : length;

		if (strncasecmp(r->at, *words, same) != 0)
			continue;
		if (same < length) {
			r->out = true;
			continue;
		}
		if (!is_wide(*words, length) && is_letter(peek_at(r, r->at + length, &ignored)))
			continue;
		r->at += length;
		return true;
	}
	return false;
}

/* --- Its parts ---------------------------------------------------------------------------------------------------- */

static const uint32_t opening[] = { '[', 0x3010, 0xff3b, 0x3014, 0x3016, 0 };
static const uint32_t closing[] = { ']', 0x3011, 0xff3d, 0x3015, 0x3017, 0 };
static const uint32_t dashes[] = {
	'-', 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, '~', 0x301c, 0xff5e, 0
};
static const uint32_t commas[] = { ',', ';', 0x3001, 0xff0c, 0xff1b, 0x060c, 0x061b, '&', 0 };
static const uint32_t caret[] = { '^', 0 };
static const uint32_t dagger[] = { 0x2020, 0 }, dot[] = { '.', 0 }, line_end[] = { '\n', 0 };
static const uint32_t after_word[] = { ':', '#', '.', '-', '_', '=', '"', 0xff1a, 0x2116, 0xb0, 0xba, 0 };
static const uint32_t colon[] = { ':', 0xff1a, 0 };
static const uint32_t titles[] = { ':', 0xff1a, '(', 0 }, joins[] = { '/', '+', 0 };
static const uint32_t hash[] = { '#', 0x2116, 0 }, quote[] = { '"', 0 };

/* What a passage is called: by us, by models trained on others' prompts, in some languages of theirs. */
static const char *const names[] = {
	"passages",  "passage",    "sources",   "source",     "documents", "document",  "docs",
	"doc",       "references", "reference", "refs",       "ref",       "citations", "citation",
	"cite",      "excerpts",   "excerpt",   "chunks",     "chunk",     "context",   "snippets",
	"snippet",   "no",         "quellen",   "quelle",     "passagen",  "abschnitt", "fuentes",
	"fuente",    "pasaje",     "fontes",    "fonte",      "bron",      "источники", "источник",
	"Источники", "Источник",   "фрагмент",  "来源",       "段落",      "文献",      "出典",
	"資料",      "مصدر",       "المصدر",    "출처",       "문서",      "文档",      "文件",
	"资料",      "参考资料",   "参考",      "参照",       "文書",      "документ",  "Документ",
	"джерело",   "Джерело",    "źródło",    "zdroj",      "källa",     "kilde",     "lähde",
	"kaynak",    "sumber",     "nguồn",     "πηγή",       "Πηγή",      "מקור",      "منبع",
	"स्रोत",      "dokument",   "dokumente", "textstelle", "auszug",    "extrait",   "extraits",
	"passaggio", "brano",      "documento", "fragmento",  "trecho",    "pasajes",   "fragment",
	"отрывок",   "Отрывок",    "Фрагмент",  "片段",       "引用元",    "引用",      "문단",
	"단락",      "المقطع",     "مقطع",      "المرجع",     "مرجع",      "קטע",       "अंश",
	"đoạn",      "bölüm",      "Đoạn",      "Źródło",     "forrás",    "sursa",     "izvor",
	"ماخذ",      "แหล่งที่มา",    "webpages",  "webpage",    "web",       "results",   "result",
	"search",    "ids",        "id",        "nr",         "zdroje",    "kaynaklar", "fonti",
	"ист",       NULL,
};
/* What may stand before the name of one. */
static const char *const pointers[] = { "see",          "siehe", "vgl",  "cf",    "voir",  "см",
	                                "according to", "per",   "laut", "selon", "según", "secondo",
	                                "参见",         "见",    "参照", NULL };
static const char *const links[] = { "and", "und", "et",   "y",  "e", "и", "和",
	                             "与",  "or",  "oder", "ou", "و", NULL };
static const char *const spans[] = { "to", "bis", "through", NULL };
static const char *const following[] = { "ff", "f", NULL }; /* pages */
/* What has a number of its own in a passage. */
static const char *const places[] = { "pages",   "page",   "pp",       "p",         "Seiten",    "Seite",
	                              "S",       "стр",    "с",        "§§",        "§",         "¶¶",
	                              "¶",       "sec",    "sections", "section",   "Abschnitt", "Abs",
	                              "chapter", "chap",   "ch",       "Kapitel",   "Kap",       "table",
	                              "tab",     "figure", "fig",      "Abb",       "lines",     "line",
	                              "ll",      "Zeilen", "Zeile",    "paragraph", "para",      "article",
	                              "art",     NULL };

/* One to three digits of one script; -1: there is no number. */
static int take_number(struct mark_reader *r)
{
	int number = 0, digits = 0, digit;
	size_t length;

	while ((digit = uc_decimal_value(peek_at(r, r->at, &length))) >= 0) {
		if (++digits > 3)
			return -1;
		number = number * 10 + digit;
		r->at += length;
	}
	return digits ? number : -1;
}

static bool add_range(struct mark *mark, int from, int to)
{
	mark->several |= mark->count > 0 || to > from;
	for (int n = from; n <= to; n++) {
		if (mark->count == MARK_NUMBERS)
			return false;
		mark->numbers[mark->count++] = n;
	}
	return from <= to;
}

static void skip_signs(struct mark_reader *r)
{
	skip_blanks(r);
	while (take(r, after_word))
		skip_blanks(r);
}

/* What may stand before the number of a passage: "see", "source: passage", "no.", "id=". */
static void take_name(struct mark_reader *r)
{
	static const char *const numbers[] = { "number", "no", "nr", "č", "n", "id", "index", NULL };
	bool named = false;

	if (r->at < r->end && *r->at >= '0' && *r->at <= '9') /* most have none: no word need be compared */
		return;
	if (take_word(r, pointers)) {
		named = true;
		skip_signs(r);
	}
	for (int i = 0; i < 2 && take_word(r, names); i++) {
		named = true;
		skip_signs(r);
	}
	if (!named)
		return;
	r->mark->plain = false;
	r->named = true;
	if (take_word(r, numbers))
		skip_signs(r);
}

/* "3", "^3", "^3^", "#3", "3-5", "passage 3", "passage number=\"3\"" */
static bool take_item(struct mark_reader *r)
{
	bool raised = take(r, caret);
	const char *back;
	int from, to;

	if (raised)
		r->mark->plain = false;
	else if (take(r, hash))
		skip_blanks(r);
	take_name(r);
	from = to = take_number(r);
	if (from < 0)
		return false;
	if (raised)
		take(r, caret);
	if (!r->mark->plain)
		take(r, quote);
	back = r->at;
	skip_blanks(r);
	if (take(r, dashes) || take_word(r, spans)) {
		skip_blanks(r);
		take(r, caret);
		to = take_number(r);
		if (to < 0 && r->named) { /* a title comes */
			r->at = back;
			to = from;
		}
	} else {
		r->at = back;
	}
	return add_range(r->mark, from, to);
}

/* "†source", "†L10-L20": whatever it says of the passage. */
static bool skip_remark(struct mark_reader *r)
{
	size_t length;

	r->mark->plain = false;
	for (;;) {
		uint32_t c = peek_at(r, r->at, &length);

		if (c == NOTHING || c == '\n' || c == '[')
			return false;
		for (const uint32_t *close = closing; *close; close++)
			if (c == *close)
				return true;
		r->at += length;
	}
}

/* "4", "4.1.2" */
static bool skip_numbers(struct mark_reader *r)
{
	bool any = false;

	while (take_number(r) >= 0) {
		any = true;
		if (!take(r, dot))
			break;
	}
	return any;
}

/* "p. 4", "pages 4-6", "§4.1" after the number of a passage. */
static bool skip_place(struct mark_reader *r)
{
	const char *back = r->at;

	if (take_word(r, places)) {
		take(r, dot);
		skip_blanks(r);
		if (skip_numbers(r)) {
			r->mark->plain = false;
			if (take(r, dashes))
				skip_numbers(r);
			skip_blanks(r);
			if (take_word(r, following))
				take(r, dot);
			skip_blanks(r);
			(void)skip_place(r); /* "§ 4 Abs. 1" */
			return true;
		}
	}
	r->at = back;
	return false;
}

/* ":0†": which part of it, as OpenAI's own numbers have it. */
static bool take_part(struct mark_reader *r)
{
	const char *back = r->at;

	if (take(r, colon) && take_number(r) >= 0 && take(r, dagger))
		return true;
	r->at = back;
	return false;
}

/* From behind the opening to the closing bracket, which is taken. */
static bool take_list(struct mark_reader *r)
{
	skip_blanks(r);
	if (!take_item(r))
		return false;
	for (;;) {
		const char *before = r->at;
		bool named = r->named, comma;

		skip_blanks(r);
		if (take(r, closing))
			return true;
		if (take(r, dagger) || (r->named && (take(r, titles) || take(r, dashes))) || take_part(r)) {
			if (!skip_remark(r))
				return false;
			continue;
		}
		comma = take(r, commas) || (r->named && take(r, joins));
		if (comma || take_word(r, links)) {
			take(r, line_end);
			skip_blanks(r);
			take_word(r, links); /* ", and" */
			skip_blanks(r);
		} else if (r->at == before) {
			return false;
		}
		if (!skip_place(r) && !take_item(r) && !(comma && named && skip_remark(r)))
			return false;
	}
}

/* --- The whole ---------------------------------------------------------------------------------------------------- */

size_t mark_opens(const char *at, const char *end)
{
	struct mark_reader r = { .at = at, .end = end };

	return take(&r, opening) ? (size_t)(r.at - at) : 0;
}

static bool take_mark(struct mark_reader *r)
{
	bool ascii = peek(r) == '[', twice;

	r->mark->plain = ascii;
	if (!take(r, opening))
		return false;
	twice = take(r, opening);
	return take_list(r) && (!twice || take(r, closing));
}

enum mark_found mark_read(const char *at, const char *end, bool final, struct mark *ret)
{
	struct mark_reader r = { .at = at, .end = end, .mark = ret };
	bool found;

	if (end - at > MARK_BYTES)
		r.end = at + MARK_BYTES;
	*ret = (struct mark){ 0 };
	found = take_mark(&r);
	ret->size = (size_t)(r.at - at);
	if (r.out && !final && r.end == end)
		return MARK_MORE;
	return found ? MARK_FOUND : MARK_NONE;
}
