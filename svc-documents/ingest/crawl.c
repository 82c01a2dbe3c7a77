#include "svc-documents/ingest/crawl.h"

#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "documents.methods.h"
#include "svc-documents/ingest/crawl_part.h"
#include "svc-documents/ingest/crawl_store.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/ingest/robots.h"

enum {
	SLICE_MS = 8 * 1000, /* of one job */
	ROUNDS_AT_ONCE = 100,
	LOOK_AGAIN = 60 /* seconds */
};

/* --- Settings ----------------------------------------------------------------------------------------------------- */

static void add_list(struct text *t, const char *name, char *const *list, size_t count)
{
	text_addf(t, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_addc(t, ',');
		text_add_json(t, list[i], strlen(list[i]));
	}
	text_addc(t, ']');
}

const char *crawl_settings(const struct crawl_wish *w, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addf(&t, "{\"depth\":%d,\"pages\":%d,\"sitemap\":%d,\"alone\":%d", w->depth, w->pages,
	          w->sitemap, w->alone);
	add_list(&t, "include", w->include, w->include_count);
	add_list(&t, "exclude", w->exclude, w->exclude_count);
	text_addc(&t, '}');
	return t.at;
}

static char **read_patterns(json_object *settings, const char *name, size_t *count, struct arena *a)
{
	json_object *list = json_get(settings, name);
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	char **ret = arena_new(a, char *, n + 1);

	*count = 0;
	for (size_t i = 0; i < n; i++)
		ret[(*count)++] =
		    robots_pattern(json_object_get_string(json_object_array_get_idx(list, i)), a);
	return ret;
}

static int read_settings(struct round *r, const char *url)
{
	const struct documents *svc = documents_state(r->call);
	OWN(json) json_object *s = NULL;

	if (json_parse(r->stored.settings, strlen(r->stored.settings), &s, r->call->err) < 0)
		return -1;
	r->wish = (struct crawl_wish){ .depth = (int)json_int(s, "depth", 0),
		                       .pages = (int)json_int(s, "pages", 1),
		                       .sitemap = json_int(s, "sitemap", 0) != 0,
		                       .alone = json_int(s, "alone", 0) != 0 };
	r->limits.url = url;
	r->limits.include = read_patterns(s, "include", &r->limits.include_count, r->call->arena);
	r->limits.exclude = read_patterns(s, "exclude", &r->limits.exclude_count, r->call->arena);
	r->limits.robots = r->stored.robots;
	r->budget =
	    (struct site_budget){ r->wish.pages, r->wish.pages * 2 + CRAWL_LISTS_MAX, svc->set->upload_max };
	r->pause_ms = r->stored.delay > svc->set->crawl_delay ? r->stored.delay : (int)svc->set->crawl_delay;
	return 0;
}

/* --- robots.txt --------------------------------------------------------------------------------------------------- */

static int take_some(void *arg, const char *bytes, size_t size)
{
	struct text *t = arg;

	text_add(t, bytes, size);
	return t->length >= ROBOTS_MAX;
}

/* 4xx: nothing is forbidden. No answer, or 5xx: everything may be, so the site is tried later. */
static int fetch_robots(struct round *r, struct text *ret)
{
	static const char *const headers[] = { "User-Agent: Parley (reads pages that its users name)", NULL };
	struct egress_request request = { .method = "GET",
		                          .url = site_address(r->limits.url, "/robots.txt", r->call->arena),
		                          .headers = headers,
		                          .timeout_ms = CRAWL_PATIENCE_MS,
		                          .max_bytes = 1 << 30,
		                          .max_redirects = 5,
		                          .cancelled = r->call->cancelled,
		                          .on_data = take_some,
		                          .arg = ret };
	struct egress_response answer = { 0 };
	struct error why = { 0 };

	text_init(ret, r->call->arena);
	if (call_fetch(r->call, &request, &answer, &why) < 0) {
		if (why.code == ERROR_INVALID || why.code == ERROR_UNAVAILABLE) {
			*r->call->err = why;
			return -1;
		}
		return error_set(r->call->err, ERROR_UPSTREAM, "The site's robots.txt cannot be had: %s",
		                 why.message);
	}
	if (answer.status >= 500 || answer.status == 429)
		return error_set(r->call->err, ERROR_UPSTREAM, "The site's robots.txt answered %d.",
		                 answer.status);
	if (answer.status < 200 || answer.status > 299)
		text_init(ret, r->call->arena);
	return 0;
}

static int add_sitemaps(struct round *r, const struct robots *robots)
{
	const char *lists[ROBOTS_SITEMAPS];
	size_t n = 0;

	for (int i = 0; i < robots->sitemap_count; i++) {
		const char *url = site_address(r->limits.url, robots->sitemaps[i], r->call->arena);

		if (url && site_same(url, r->limits.url))
			lists[n++] = url;
	}
	if (n == 0)
		lists[n++] = site_address(r->limits.url, "/sitemap.xml", r->call->arena);
	return store_part_add(r->call->db, r->target->owner, r->target->id, (char *const *)lists, n, true, 0,
	                      CRAWL_LISTS_MAX, r->call->err);
}

static int read_robots(struct round *r)
{
	struct robots robots = { .rules = "" };
	struct text text;

	if (!r->wish.alone) {
		if (fetch_robots(r, &text) < 0)
			return -1;
		robots_read(text.length ? text.at : "", text.length, &robots, r->call->arena);
		if (!robots_allow(robots.rules, site_path(r->limits.url)))
			return error_set(r->call->err, ERROR_INVALID,
			                 "The site's robots.txt does not allow reading this address.");
	}
	if (r->wish.sitemap && r->wish.depth > 0 && add_sitemaps(r, &robots) < 0)
		return -1;
	if (store_site_robots(r->call->db, r->target->owner, r->target->id, robots.rules, robots.delay_ms,
	                      r->call->err) < 0)
		return -1;
	r->limits.robots = robots.rules;
	r->pause_ms = robots.delay_ms > r->pause_ms ? robots.delay_ms : r->pause_ms;
	return 0;
}

/* --- A round ------------------------------------------------------------------------------------------------------ */

static int pause_for(struct call *call, int ms)
{
	for (; ms > 0 && !atomic_load(call->cancelled); ms -= 50)
		nanosleep(&(struct timespec){ .tv_nsec = (ms < 50 ? ms : 50) * 1000000L }, NULL);
	return atomic_load(call->cancelled) ? error_busy(call->err, 1, "the service is stopping") : 0;
}

/* Never sooner than the site wants it. */
static int go_on_later(const struct round *r)
{
	return ingest_again(r->call->db, r->target, (r->pause_ms + 999) / 1000, r->call->arena, r->call->err);
}

static int run(struct round *r)
{
	int64_t until = clock_mono_ms() + SLICE_MS, done, known;
	struct stored_part part;
	int found;

	for (;;) {
		found = store_part_next(r->call->db, r->target->owner, r->target->id, &r->budget, &part,
		                        &done, &known, r->call->arena, r->call->err);
		if (found <= 0)
			return found < 0 ? -1
			                 : crawl_store(r->call, r->target, &r->stored, r->limits.url,
			                               r->wish.alone);
		if (known > r->wish.pages)
			known = r->wish.pages;
		if (prepare_tell(r->call, r->target, 0.05 + 0.75 * (double)done / (double)(known + 1),
		                 "fetch") < 0 ||
		    crawl_part(r, &part) < 0)
			return -1;
		if (r->pause_ms >= 1000 || clock_mono_ms() + r->pause_ms > until)
			return go_on_later(r);
		if (pause_for(r->call, r->pause_ms) < 0)
			return -1;
	}
}

int crawl(struct call *call, const struct target *t)
{
	struct round r = { .call = call, .target = t };
	struct source_file source;
	int found = store_source(call->db, t->owner, t->id, &source, call->arena, call->err);
	const char *url;

	if (found > 0)
		found = store_site(call->db, t->owner, t->id, &r.stored, call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : prepare_gone(call);
	url = site_address(source.url, source.url, call->arena);
	if (!url)
		return error_set(call->err, ERROR_INVALID, "this is no address of a web page");
	if (read_settings(&r, url) < 0)
		return -1;
	if (!r.stored.robots && read_robots(&r) < 0)
		return -1;
	return run(&r);
}

/* --- Rounds that are due -------------------------------------------------------------------------------------------- */

static int begin_round(struct call *call, const struct document_key *key)
{
	struct target t = { .owner = key->owner, .id = key->id, .quiet = true };
	struct progress p;
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found = store_get_progress(call->db, key->owner, key->id, &p, call->arena, call->err);
	if (found > 0 && (strcmp(p.status, "ready") == 0 || strcmp(p.status, "failed") == 0)) {
		found = store_site_round(call->db, key->owner, key->id, call->err);
		if (found > 0 && ingest_again(call->db, &t, 0, call->arena, call->err) < 0)
			found = -1;
	} /* else it is being read anyway */
	if (found >= 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return -1;
}

int crawl_rounds(struct call *call, const struct job *job)
{
	struct document_key *keys;
	size_t count;

	(void)job;
	if (store_sites_due(call->db, ROUNDS_AT_ONCE, &keys, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (begin_round(call, &keys[i]) < 0)
			return -1;
	return job_add(call->db, "rounds", NULL, "rounds", "{}", LOOK_AGAIN, call->err);
}
