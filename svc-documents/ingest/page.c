/* Pages of the web: fetched, followed, prepared. */
#include "svc-documents/ingest/page.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "documents.methods.h"
#include "svc-documents/ingest/address.h"
#include "svc-documents/ingest/sniff.h"
#include "svc-documents/store.h"

enum { PAGE_TIMEOUT_MS = 45 * 1000, PAGE_REDIRECTS = 5, REFRESHES = 3, ADDRESS_MAX = 2000 };

/* --- What is told of it --------------------------------------------------------------------------------------------- */

static int64_t count_words(const char *s)
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

static void add_member(struct text *t, const char *name, const char *value)
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
	add_member(&t, "title", p->title);
	add_member(&t, "fetchedAt", now);
	add_member(&t, "contentType", egress_header(page, "content-type"));
	add_member(&t, "etag", egress_header(page, "etag"));
	if (p->warning)
		add_member(&t, "warning", p->warning);
	text_addf(&t, ",\"word_count\":%lld}", (long long)(p->clean.size ? count_words(p->clean.text) : 0));
	return t.at;
}

/* --- Fetching ------------------------------------------------------------------------------------------------------- */

static int fetch(struct call *call, const char *url, struct egress_response *page)
{
	const struct documents *svc = documents_state(call);
	static const char *const headers[] = {
		"Accept: text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5",
		"User-Agent: Parley (reads pages that its users name)", NULL
	};
	int64_t left = call->deadline - clock_unix_ms();
	struct egress_request request = { .method = "GET",
		                          .url = url,
		                          .headers = headers,
		                          .timeout_ms = left > 0 && left < PAGE_TIMEOUT_MS ? (int)left
		                                                                           : PAGE_TIMEOUT_MS,
		                          .max_bytes = (size_t)svc->set->page_max,
		                          .max_redirects = PAGE_REDIRECTS,
		                          .cancelled = call->cancelled };

	if (egress_fetch(svc->egress, &request, page, call->arena, call->err) < 0) {
		if (call->err->code == ERROR_TOO_LARGE || call->err->code == ERROR_UNKNOWN_OUTCOME) {
			bool late = call->err->code == ERROR_UNKNOWN_OUTCOME;

			error_clear(call->err);
			return error_set(call->err, ERROR_UPSTREAM,
			                 late ? "the page did not come in time" : "the page is too large");
		}
		return -1;
	}
	if (page->status < 200 || page->status > 299)
		return error_set(call->err, ERROR_UPSTREAM, "the page answered %d", page->status);
	return 0;
}

/* Where `there`, as a page names it, is; NULL when it is nowhere. */
static const char *resolve(const char *here, const char *there, struct arena *a)
{
	CURLU *url = curl_url();
	char *whole = NULL;
	const char *ret = NULL;

	if (curl_url_set(url, CURLUPART_URL, here, 0) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_URL, there, CURLU_URLENCODE) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK && strlen(whole) <= ADDRESS_MAX)
		ret = arena_strdup(a, whole);
	curl_free(whole);
	curl_url_cleanup(url);
	return ret;
}

static int read_page(struct call *call, const struct target *t, const struct egress_response *page,
                     struct prepared *ret, const char **refresh)
{
	const char *type = egress_header(page, "content-type");
	size_t head = page->body_size < PIECE_MAX ? page->body_size : PIECE_MAX;
	struct raw raw = { .content_type = type };
	int rc;

	raw.format = page->body_size ? sniff(page->body, head, page->url, type) : format_named("txt");
	if (!raw.format || raw.format->reader == FORMAT_REFUSED)
		return error_set(call->err, ERROR_INVALID,
		                 "this address holds no document that can be read%s%s",
		                 raw.format ? ": it is " : "", raw.format ? raw.format->words : "");
	raw.file = extract_file(call->err);
	if (raw.file < 0)
		return -1;
	rc = extract_write(raw.file, page->body, page->body_size, call->err);
	if (rc == 0)
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
		at = refresh ? resolve(page.url, address_ascii(refresh, call->arena), call->arena) : NULL;
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
