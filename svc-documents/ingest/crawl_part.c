#include "svc-documents/ingest/crawl_part.h"

#include <string.h>
#include <unistd.h>

#include "common/base/id.h"
#include "common/base/utf8.h"
#include "documents.methods.h"
#include "svc-documents/ingest/page.h"
#include "svc-documents/ingest/robots.h"

enum { LISTS_DEPTH = 2 /* sitemaps of sitemaps */, LINKS_MAX = 3000, REFRESHES = 3 };

/* What asking for a part has brought. */
struct brought {
	struct part_answer answer;
	char **links;
	size_t link_count;
	bool lists;          /* the links are of sitemaps */
	const char *refresh; /* of a page alone: where its text is instead; or NULL */
};

static bool listed(char *const *list, size_t count, const char *url)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], url) == 0)
			return true;
	return false;
}

/* From addresses as a page names them. */
static void take_links(const struct round *r, const struct egress_response *page, const struct extracted *got,
                       struct brought *ret, struct arena *a)
{
	const char *base = *got->base ? site_address(page->url, got->base, a) : NULL;

	ret->links = arena_new(a, char *, LINKS_MAX);
	for (const char *s = got->links ? got->links : ""; *s && ret->link_count < LINKS_MAX;) {
		size_t n = strcspn(s, " ");
		const char *url = site_address(base ? base : page->url, arena_strndup(a, s, n), a);

		if (url && (ret->lists ? site_same(url, r->limits.url) : site_wants(&r->limits, url)) &&
		    !listed(ret->links, ret->link_count, url))
			ret->links[ret->link_count++] = (char *)url;
		s += n + (s[n] == ' ');
	}
}

static bool is_list(const char *kind)
{
	static const char *const kinds[] = { "urlset", "sitemapindex", "rss", "feed", "RDF", NULL };

	for (const char *const *k = kinds; *k; k++)
		if (strcmp(*k, kind) == 0)
			return true;
	return false;
}

static int problem(struct brought *b, struct call *call, int what, const char *why)
{
	b->answer = (struct part_answer){ .what = what, .problem = arena_strdup(call->arena, why) };
	return 0;
}

/* Whatever was wrong with this page is no reason to give up the others. */
static int failed(struct brought *b, struct call *call)
{
	struct error why = *call->err;

	if (why.code == ERROR_UNAVAILABLE || why.code == ERROR_NOT_FOUND || why.code == ERROR_INTERNAL)
		return -1;
	error_clear(call->err);
	return problem(b, call, PART_PROBLEM, why.message);
}

/* What a site says of a page, if it is text at all. */
static const char *valid_text(const char *s, struct arena *a)
{
	return s && *s && utf8_valid(s, strlen(s)) ? arena_strdup(a, s) : NULL;
}

static int take_text(struct call *call, const struct egress_response *page, const struct reading *read,
                     struct brought *ret)
{
	struct clean clean;
	char *hash = arena_alloc(call->arena, 65);

	normalise(read->text, read->size, false, false, &clean, call->arena);
	if (clean.size == 0)
		return problem(ret, call, PART_PROBLEM, "there is no text in it");
	sha256_hex(hash, clean.text, clean.size);
	ret->answer =
	    (struct part_answer){ .what = PART_TEXT,
		                  .title = valid_text(read->got.title, call->arena),
		                  .body = clean.text,
		                  .hash = hash,
		                  .etag = valid_text(egress_header(page, "etag"), call->arena),
		                  .modified = valid_text(egress_header(page, "last-modified"), call->arena) };
	return 0;
}

/* One that sends its reader on at once. */
static void take_refresh(const struct round *r, const struct egress_response *page,
                         const struct extracted *got, struct brought *ret, struct arena *a)
{
	const char *url = *got->refresh ? site_address(page->url, got->refresh, a) : NULL;

	if (url && r->wish.alone)
		ret->refresh = url;
	else if (url && ret->link_count < LINKS_MAX && site_wants(&r->limits, url))
		ret->links[ret->link_count++] = (char *)url;
}

/* A feed alone is text like any other: nobody asked for what it points at. */
static int read_raw(const struct round *r, struct call *call, const struct egress_response *page,
                    struct raw *raw, struct brought *ret)
{
	struct reading read;
	bool xml = !r->wish.alone && strncmp(raw->format->name, "xml", 3) == 0;
	int rc = 0;

	if (prepare_read(call, r->target, raw, !r->wish.alone, &read) < 0)
		return failed(ret, call);
	if (xml && is_list(read.got.title)) {
		ret->answer.what = PART_LIST;
		ret->lists = strcmp(read.got.title, "sitemapindex") == 0;
	} else if (xml) {
		prepare_done(&read);
		if (prepare_read(call, r->target, raw, false, &read) < 0)
			return failed(ret, call);
		rc = take_text(call, page, &read, ret);
	} else {
		rc = take_text(call, page, &read, ret);
	}
	take_links(r, page, &read.got, ret, call->arena);
	take_refresh(r, page, &read.got, ret, call->arena);
	prepare_done(&read);
	return rc;
}

static int read_answer(const struct round *r, struct call *call, const struct egress_response *page,
                       struct brought *ret)
{
	struct raw raw;
	int rc;

	if (page->status == 304) {
		ret->answer.what = PART_SAME;
		return 0;
	}
	if (page->status == 404 || page->status == 410)
		return problem(ret, call, PART_GONE,
		               arena_printf(call->arena, "the page answered %d", page->status));
	if (page->status < 200 || page->status > 299)
		return problem(ret, call, PART_PROBLEM,
		               arena_printf(call->arena, "the page answered %d", page->status));
	if (!r->wish.alone && !site_same(page->url, r->limits.url))
		return problem(ret, call, PART_PROBLEM, "the page leads to another site");
	if (r->limits.robots && !robots_allow(r->limits.robots, site_path(page->url)))
		return problem(ret, call, PART_PROBLEM,
		               "the page leads to where robots.txt does not allow reading");
	if (page_open(call, page, &raw) < 0)
		return failed(ret, call);
	rc = read_raw(r, call, page, &raw, ret);
	if (raw.file >= 0)
		close(raw.file);
	return rc;
}

/* All or nothing, and only while this job is the one. */
static int store_answer(const struct round *r, struct call *call, const struct stored_part *part,
                        const struct brought *b)
{
	const char *owner = r->target->owner, *id = r->target->id;
	int depth = part->depth + 1;
	bool further = depth <= (b->lists ? LISTS_DEPTH : r->wish.depth);
	size_t count = b->lists && b->link_count > CRAWL_LISTS_MAX ? CRAWL_LISTS_MAX : b->link_count;
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = store_claim(call->db, owner, id, &r->target->fence, NULL, call->err);
	if (found > 0)
		found = store_part_answer(call->db, owner, id, part->number, &b->answer, call->err);
	if (found > 0 && further &&
	    store_part_add(call->db, owner, id, b->links, count, b->lists, depth,
	                   r->budget.pages * 4 + CRAWL_LISTS_MAX, call->err) < 0)
		found = -1;
	if (found > 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return found < 0 ? -1 : prepare_gone(call);
}

static int ask(const struct round *r, struct call *call, const struct page_wish *wish, struct brought *ret)
{
	struct egress_response page = { 0 };

	*ret = (struct brought){ .answer.what = PART_PROBLEM };
	return page_fetch(call, wish, &page) < 0 ? failed(ret, call) : read_answer(r, call, &page, ret);
}

/* With memory of its own: a page may be large. */
int crawl_part(const struct round *r, const struct stored_part *part)
{
	struct page_wish wish = { part->address, part->hash ? part->etag : NULL,
		                  part->hash ? part->modified : NULL, CRAWL_PATIENCE_MS };
	struct call call = *r->call;
	struct brought b;
	struct arena a;
	int rc;

	arena_init(&a, 0);
	call.arena = &a;
	rc = ask(r, &call, &wish, &b);
	for (int i = 0; rc == 0 && b.refresh && i < REFRESHES; i++) {
		wish = (struct page_wish){ .url = b.refresh, .timeout_ms = CRAWL_PATIENCE_MS };
		rc = ask(r, &call, &wish, &b);
	}
	if (rc == 0)
		rc = store_answer(r, &call, part, &b);
	arena_done(&a);
	return rc;
}
