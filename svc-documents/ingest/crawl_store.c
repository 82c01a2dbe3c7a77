#include "svc-documents/ingest/crawl_store.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "documents.methods.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/ingest/page.h"

enum { AT_ONCE = 50 /* parts whose texts are read together */, PARTS_MAX = 100000, TOLD_MAX = 20 };

struct pages {
	struct part_text *parts; /* without their texts; each text once */
	size_t count;
	char hash[65]; /* of all of them */
};

/* --- Which parts ---------------------------------------------------------------------------------------------------- */

static bool had(const struct pages *p, const char *hash)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->parts[i].hash, hash) == 0)
			return true;
	return false;
}

/* Two addresses of one page count as one. */
static int find_pages(struct call *call, const struct target *t, struct pages *ret)
{
	struct sha256 *sum;
	size_t count;

	if (store_part_texts(call->db, t->owner, t->id, -1, PARTS_MAX, false, &ret->parts, &count,
	                     call->arena, call->err) < 0)
		return -1;
	sum = sha256_begin();
	for (size_t i = 0; i < count; i++) {
		if (had(ret, ret->parts[i].hash))
			continue;
		ret->parts[ret->count++] = ret->parts[i];
		sha256_add(sum, ret->parts[i].address, strlen(ret->parts[i].address) + 1);
		sha256_add(sum, ret->parts[i].hash, 64);
	}
	sha256_end(sum, ret->hash);
	return 0;
}

/* --- Their text ----------------------------------------------------------------------------------------------------- */

struct assembly {
	struct text text;
	int64_t characters; /* in it */
	struct page *pages;
	struct chunk *chunks;
	size_t count, room;
};

/* Cut by itself: no passage is of two pages. */
static void cut(struct assembly *b, size_t start, int page, struct arena *a)
{
	struct clean part = { .text = b->text.at + start, .size = b->text.length - start };
	struct chunk *chunks;
	size_t n = chunk_text(&part, &chunks, a);

	if (b->count + n > b->room) {
		struct chunk *grown = arena_new(a, struct chunk, (b->count + n) * 2);

		if (b->count)
			memcpy(grown, b->chunks, b->count * sizeof *grown);
		b->chunks = grown;
		b->room = (b->count + n) * 2;
	}
	for (size_t i = 0; i < n; i++) {
		struct chunk *c = &b->chunks[b->count++];

		*c = chunks[i];
		c->start += start;
		c->end += start;
		c->first += b->characters;
		c->last += b->characters;
		c->page = page;
	}
	b->characters += (int64_t)utf8_length(part.text, part.size);
}

/* alone: as it is; else each under its title. */
static void append(struct assembly *b, const struct part_text *part, size_t page, bool alone, struct arena *a)
{
	size_t start;

	if (b->text.length) {
		text_adds(&b->text, "\n\n");
		b->characters += 2;
	}
	start = b->text.length;
	if (!alone && part->title && *part->title && *part->body != '#')
		text_addf(&b->text, "# %s\n\n", part->title);
	text_adds(&b->text, part->body);
	b->pages[page] = (struct page){ start, b->text.length };
	cut(b, start, alone ? 0 : (int)page + 1, a);
}

static int assemble(struct call *call, const struct target *t, const struct pages *pages, bool alone,
                    struct prepared *ret)
{
	struct assembly b = { .pages = arena_new(call->arena, struct page, pages->count + 1) };
	size_t page = 0, count = AT_ONCE;
	struct arena scratch;
	int after = -1, rc = 0;

	text_init(&b.text, call->arena);
	text_adds(&b.text, "");
	arena_init(&scratch, 0);
	while (rc == 0 && count == AT_ONCE && page < pages->count) {
		struct part_text *some;

		rc = store_part_texts(call->db, t->owner, t->id, after, AT_ONCE, true, &some, &count,
		                      &scratch, call->err);
		for (size_t i = 0; rc == 0 && i < count; i++) {
			after = some[i].number;
			if (page < pages->count && pages->parts[page].number == some[i].number)
				append(&b, &some[i], page, alone, call->arena), page++;
		}
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	ret->clean = (struct clean){ b.text.at, b.text.length, b.pages, alone ? 0 : page };
	ret->chunks = b.chunks;
	ret->count = b.count;
	ret->size = (int64_t)b.text.length;
	return rc;
}

/* --- What is told --------------------------------------------------------------------------------------------------- */

static void add_problems(struct text *t, const struct part_problem *list, size_t count, bool gone)
{
	int n = 0;

	text_addf(t, ",\"%s\":[", gone ? "gone" : "problems");
	for (size_t i = 0; i < count; i++) {
		if (list[i].gone != gone)
			continue;
		text_adds(t, n++ ? "," : "");
		text_adds(t, "{\"url\":");
		text_add_json(t, list[i].address, strlen(list[i].address));
		text_adds(t, ",\"problem\":");
		text_add_json(t, list[i].problem, strlen(list[i].problem));
		text_addc(t, '}');
	}
	text_addc(t, ']');
}

static int metadata(struct call *call, const struct target *t, const char *url, const struct pages *pages,
                    const struct prepared *p, const char **ret)
{
	struct part_problem *problems;
	size_t count;
	char now[32];
	struct text m;

	if (store_part_problems(call->db, t->owner, t->id, TOLD_MAX, &problems, &count, call->arena,
	                        call->err) < 0)
		return -1;
	clock_rfc3339(now, clock_unix_ms());
	text_init(&m, call->arena);
	text_adds(&m, "{\"url\":");
	text_add_json(&m, url, strlen(url));
	page_metadata(&m, "title", pages->count ? pages->parts[0].title : NULL);
	page_metadata(&m, "fetchedAt", now);
	text_addf(&m, ",\"pages\":%zu", pages->count);
	if (p->clean.text)
		text_addf(&m, ",\"word_count\":%lld", (long long)page_words(p->clean.text));
	add_problems(&m, problems, count, true);
	add_problems(&m, problems, count, false);
	text_addc(&m, '}');
	*ret = m.at;
	return 0;
}

static int nothing_there(struct call *call, const struct target *t)
{
	struct part_problem *first;
	size_t count;

	if (store_part_problems(call->db, t->owner, t->id, 1, &first, &count, call->arena, call->err) < 0)
		return -1;
	if (count == 0)
		return error_set(call->err, ERROR_INVALID, "There is no text on the site.");
	return error_set(call->err, ERROR_INVALID, "No page of the site could be read: %s: %s.",
	                 first->address, first->problem);
}

/* --- Storing -------------------------------------------------------------------------------------------------------- */

static const char *numbers(const struct pages *pages, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addc(&t, '{');
	for (size_t i = 0; i < pages->count; i++)
		text_addf(&t, "%s%d", i ? "," : "", pages->parts[i].number);
	text_addc(&t, '}');
	return t.at;
}

static int store_all(struct call *call, const struct target *t, const struct pages *pages, bool alone,
                     const struct prepared *p)
{
	int stored;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	stored = ingest_store(call, t->owner, t->id, &t->fence, p);
	if (stored > 0)
		stored =
		    store_site_stored(call->db, t->owner, t->id, alone ? "{}" : numbers(pages, call->arena),
		                      pages->hash, call->err);
	if (stored > 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return stored < 0 ? -1 : prepare_gone(call);
}

/* It stays as it is; only what is told of it is new. */
static int tell_only(struct call *call, const struct target *t, const char *url, const struct pages *pages)
{
	const char *told;
	int found;

	if (metadata(call, t, url, pages, &(struct prepared){ 0 }, &told) < 0)
		return -1;
	found = store_site_told(call->db, t->owner, t->id, &t->fence, told, call->err);
	return found < 0 ? -1 : found ? 0 : prepare_gone(call);
}

int crawl_store(struct call *call, const struct target *t, const struct stored_site *site, const char *url,
                bool alone)
{
	struct prepared p = { .size = -1 };
	struct pages pages = { 0 };

	if (find_pages(call, t, &pages) < 0)
		return -1;
	if (t->quiet && (pages.count == 0 || (site->stored && strcmp(site->stored, pages.hash) == 0)))
		return tell_only(call, t, url, &pages);
	if (pages.count == 0)
		return nothing_there(call, t);
	if (prepare_tell(call, t, 0.8, "chunk") < 0 || assemble(call, t, &pages, alone, &p) < 0)
		return -1;
	prepare_index(call, &p);
	p.title = pages.parts[0].title;
	if (metadata(call, t, url, &pages, &p, &p.metadata) < 0 || prepare_tell(call, t, 0.9, "store") < 0)
		return -1;
	return store_all(call, t, &pages, alone, &p);
}
