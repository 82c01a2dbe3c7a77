#include "svc-documents/store_columns.h"

#include <inttypes.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/db/db.h"

/* "{1,2,3}" from the numbers that a function gives. */
static const char *numbers(size_t from, size_t to, int64_t (*one)(const struct prepared *, size_t),
                           const struct prepared *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++)
		text_addf(&t, "%c%" PRId64, i == from ? '{' : ',', one(p, i));
	text_adds(&t, to > from ? "}" : "{}");
	return t.at;
}

static int64_t number_of(const struct prepared *p, size_t i)
{
	(void)p;
	return (int64_t)i;
}
static int64_t page_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].page;
}
static int64_t start_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].first;
}
static int64_t stop_of(const struct prepared *p, size_t i)
{
	return p->chunks[i].last;
}

void columns_of_chunks(const struct prepared *p, size_t from, size_t to, struct chunk_columns *ret,
                       struct arena *a)
{
	char **headings = arena_new(a, char *, to - from), **texts = arena_new(a, char *, to - from);

	for (size_t i = from; i < to; i++) {
		const struct chunk *c = &p->chunks[i];
		size_t stop =
		    i + 1 < p->count && p->chunks[i + 1].start > c->end ? p->chunks[i + 1].start : c->end;

		headings[i - from] = arena_strdup(a, c->heading ? c->heading : "");
		texts[i - from] = arena_strndup(a, p->clean.text + c->start, stop - c->start);
	}
	*ret = (struct chunk_columns){ .numbers = numbers(from, to, number_of, p, a),
		                       .pages = numbers(from, to, page_of, p, a),
		                       .starts = numbers(from, to, start_of, p, a),
		                       .stops = numbers(from, to, stop_of, p, a),
		                       .headings = db_text_array(headings, to - from, a),
		                       .texts = db_text_array(texts, to - from, a) };
}

const char *columns_of_terms(const struct index *x, size_t from, size_t to, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = from; i < to; i++)
		text_addf(&t, "%c%" PRId64, i == from ? '{' : ',', (int64_t)x->lists[i].term);
	text_addc(&t, '}');
	return t.at;
}

void columns_of_pages(const struct clean *c, const char **starts, const char **ends, struct arena *a)
{
	struct text s, e;
	size_t byte = 0;
	int64_t at = 0;

	text_init(&s, a);
	text_init(&e, a);
	for (size_t i = 0; i < c->page_count; i++) {
		const struct page *p = &c->pages[i];

		at += (int64_t)utf8_length(c->text + byte, p->start - byte);
		text_addf(&s, "%c%" PRId64, i ? ',' : '{', at);
		at += (int64_t)utf8_length(c->text + p->start, p->end - p->start);
		text_addf(&e, "%c%" PRId64, i ? ',' : '{', at);
		byte = p->end;
	}
	text_adds(&s, c->page_count ? "}" : "{}");
	text_adds(&e, c->page_count ? "}" : "{}");
	*starts = s.at;
	*ends = e.at;
}

/* Chunks leave out nothing but white space. */
int64_t columns_characters(const struct prepared *p)
{
	const struct chunk *last = p->count ? &p->chunks[p->count - 1] : NULL;
	size_t end = last ? last->end : 0;

	return (last ? last->last : 0) + (int64_t)utf8_length(p->clean.text + end, p->clean.size - end);
}
