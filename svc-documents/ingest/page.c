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

static void set_conditions(const char **headers, const struct page_wish *wish, struct arena *a)
{
	if (wish->etag)
		*headers++ = arena_printf(a, "If-None-Match: %s", wish->etag);
	if (wish->modified)
		*headers = arena_printf(a, "If-Modified-Since: %s", wish->modified);
}

int page_fetch(struct call *call, const struct page_wish *wish, struct egress_response *page)
{
	const struct documents *svc = documents_state(call);
	const char *headers[] = {
		"Accept: text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5",
		"User-Agent: Parley (reads pages that its users name)", NULL, NULL, NULL
	};
	int64_t left = call->deadline - clock_unix_ms();
	int patience = wish->timeout_ms ? wish->timeout_ms : PAGE_TIMEOUT_MS;
	struct egress_request request = { .method = "GET",
		                          .url = wish->url,
		                          .headers = headers,
		                          .timeout_ms = left > 0 && left < patience ? (int)left : patience,
		                          .max_bytes = (size_t)svc->set->page_max,
		                          .max_redirects = PAGE_REDIRECTS,
		                          .cancelled = call->cancelled };

	set_conditions(headers + 2, wish, call->arena);
	if (egress_fetch(svc->egress, &request, page, call->arena, call->err) == 0)
		return 0;
	if (call->err->code == ERROR_TOO_LARGE || call->err->code == ERROR_UNKNOWN_OUTCOME) {
		bool late = call->err->code == ERROR_UNKNOWN_OUTCOME;

		error_clear(call->err);
		return error_set(call->err, ERROR_UPSTREAM,
		                 late ? "the page did not come in time" : "the page is too large");
	}
	return -1;
}

static int fetch(struct call *call, const char *url, struct egress_response *page)
{
	if (page_fetch(call, &(struct page_wish){ .url = url }, page) < 0)
		return -1;
	if (page->status < 200 || page->status > 299)
		return error_set(call->err, ERROR_UPSTREAM, "the page answered %d", page->status);
	return 0;
}

int page_open(struct call *call, const struct egress_response *page, struct raw *ret)
{
	const char *type = egress_header(page, "content-type");
	size_t head = page->body_size < PIECE_MAX ? page->body_size : PIECE_MAX;

	*ret = (struct raw){ .content_type = type };
	ret->format = page->body_size ? sniff(page->body, head, page->url, type) : format_named("txt");
	if (!ret->format || ret->format->reader == FORMAT_REFUSED)
		return error_set(call->err, ERROR_INVALID,
		                 "this address holds no document that can be read%s%s",
		                 ret->format ? ": it is " : "", ret->format ? ret->format->words : "");
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

/* A page that sends its reader on at once is judged like a redirect. */
int page_prepare(struct call *call, const struct target *t, const char *url, struct prepared *ret)
{
	const char *at = address_ascii(url, call->arena);

	for (int i = 0; i <= REFRESHES; i++) {
		struct egress_response page = { 0 };
		const char *refresh = NULL;

		if (fetch(call, at, &page) < 0 ||
		    read_page(call, t, &page, ret, i < REFRESHES ? &refresh : NULL) < 0)
			return -1;
		at = refresh ? site_address(page.url, refresh, call->arena) : NULL;
		if (refresh && !at)
			return error_set(call->err, ERROR_UPSTREAM, "the page sends its readers nowhere");
		if (refresh)
			continue;
		ret->size = (int64_t)page.body_size;
		ret->metadata = metadata(url, &page, ret, call->arena);
		return 0;
	}
	return error_set(call->err, ERROR_UPSTREAM, "the page redirects too often");
}
