/* Pages of the web: fetched, followed, prepared. */
#include "svc-documents/ingest/page.h"

#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "documents.methods.h"
#include "svc-documents/ingest/address.h"
#include "svc-documents/ingest/site.h"
#include "svc-documents/ingest/sniff.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"

enum { PAGE_TIMEOUT_MS = 45 * 1000, PAGE_REDIRECTS = 5, REFRESHES = 3 };

/* --- What is told of it --------------------------------------------------------------------------------------------- */

int64_t page_words(const char *s)
{
	int64_t n = 0;

	for (bool inside = false; *s; s++) {
		bool blank = *s == ' ' || *s == '\n' || *s == '\t';

		n += inside && blank;
		inside = !blank;
		if (inside && !s[1])
			n++;
	}
	return n;
}

void page_metadata(struct text *t, const char *name, const char *value)
{
	text_addf(t, ",\"%s\":", name);
	if (value && utf8_valid(value, strlen(value)))
		text_add_json(t, value, strlen(value));
	else
		text_adds(t, "null");
}

static const char *metadata(const char *url, const struct egress_response *page, const struct prepared *p,
                            struct arena *a)
{
	char now[32];
	struct text t;

	clock_rfc3339(now, clock_unix_ms());
	text_init(&t, a);
	text_adds(&t, "{\"url\":");
	text_add_json(&t, url, strlen(url));
	page_metadata(&t, "title", p->title);
	page_metadata(&t, "fetchedAt", now);
	page_metadata(&t, "contentType", egress_header(page, "content-type"));
	page_metadata(&t, "etag", egress_header(page, "etag"));
	if (p->warning)
		page_metadata(&t, "warning", p->warning);
	text_addf(&t, ",\"word_count\":%lld}", (long long)(p->clean.size ? page_words(p->clean.text) : 0));
	return t.at;
}

/* --- Fetching ------------------------------------------------------------------------------------------------------- */

void page_request(struct call *call, const struct page_wish *wish, struct egress_request *ret)
{
	const struct documents *svc = documents_state(call);
	const char **headers = arena_new(call->arena, const char *, 5);
	int64_t left = call->deadline - clock_unix_ms();
	int patience = wish->timeout_ms ? wish->timeout_ms : PAGE_TIMEOUT_MS;

	*ret = (struct egress_request){ .method = "GET",
		                        .url = wish->url,
		                        .headers = headers,
		                        .timeout_ms = left > 0 && left < patience ? (int)left : patience,
		                        .max_bytes = (size_t)svc->set->page_max,
		                        .max_redirects = PAGE_REDIRECTS,
		                        .cancelled = call->cancelled };
	*headers++ = "Accept: text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5";
	*headers++ = "User-Agent: Parley (reads pages that its users name)";
	if (wish->etag)
		*headers++ = arena_printf(call->arena, "If-None-Match: %s", wish->etag);
	if (wish->modified)
		*headers = arena_printf(call->arena, "If-Modified-Since: %s", wish->modified);
}

int page_failed(struct error *err)
{
	bool late = err->code == ERROR_UNKNOWN_OUTCOME;

	if (!late && err->code != ERROR_TOO_LARGE)
		return -1;
	error_clear(err);
	return error_set(err, ERROR_UPSTREAM,
	                 late ? "the page did not come in time" : "the page is too large");
}

int page_fetch(struct call *call, const struct page_wish *wish, struct egress_response *page)
{
	struct egress_request request;

	page_request(call, wish, &request);
	if (call_fetch(call, &request, page, call->err) == 0)
		return 0;
	return page_failed(call->err);
}

int page_open(struct call *call, const struct egress_response *page, struct raw *ret)
{
	const char *type = egress_header(page, "content-type");
	size_t head = page->body_size < PIECE_MAX ? page->body_size : PIECE_MAX;

	*ret = (struct raw){ .content_type = type };
	ret->format = page->body_size ? sniff(page->body, head, page->url, type) : format_named("txt");
	if (!ret->format || !extractors_take(documents_state(call)->extractors, ret->format))
		return error_set(call->err, ERROR_INVALID,
		                 "this address holds no document that can be read%s%s%s",
		                 ret->format ? ": it is " : "", ret->format ? ret->format->words : "",
		                 extract_without(ret->format));
	ret->file = extract_file(call->err);
	if (ret->file < 0)
		return -1;
	if (extract_write(ret->file, page->body, page->body_size, call->err) == 0)
		return 0;
	close(ret->file);
	return -1;
}

static int read_page(struct call *call, const struct target *t, const struct egress_response *page,
                     struct prepared *ret, const char **refresh)
{
	struct raw raw;
	int rc;

	if (page_open(call, page, &raw) < 0)
		return -1;
	rc = prepare(call, t, &raw, ret, refresh);
	if (raw.file >= 0)
		close(raw.file);
	return rc;
}

void page_set_out(struct page_way *way, const char *url, struct arena *a)
{
	*way = (struct page_way){ .url = url, .at = address_ascii(url, a) };
}

int page_arrive(struct call *call, const struct target *t, struct page_way *way,
                const struct egress_response *page, struct prepared *ret)
{
	const char *refresh = NULL;

	if (page->status < 200 || page->status > 299)
		return error_set(call->err, ERROR_UPSTREAM, "the page answered %d", page->status);
	if (read_page(call, t, page, ret, way->sent_on < REFRESHES ? &refresh : NULL) < 0)
		return -1;
	if (!refresh) {
		ret->size = (int64_t)page->body_size;
		ret->metadata = metadata(way->url, page, ret, call->arena);
		return 1;
	}
	way->sent_on++;
	way->at = site_address(page->url, refresh, call->arena);
	return way->at ? 0 : error_set(call->err, ERROR_UPSTREAM, "the page sends its readers nowhere");
}

int page_prepare(struct call *call, const struct target *t, const char *url, struct prepared *ret)
{
	struct page_way way;
	int there = 0;

	page_set_out(&way, url, call->arena);
	while (there == 0) {
		struct egress_response page = { 0 };

		if (page_fetch(call, &(struct page_wish){ .url = way.at }, &page) < 0)
			return -1;
		there = page_arrive(call, t, &way, &page, ret);
	}
	return there < 0 ? -1 : 0;
}
