#include "svc-documents/ingest/ingest.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "svc-documents/ingest/again.h"
#include "svc-documents/ingest/charset.h"
#include "svc-documents/ingest/extract.h"
#include "svc-documents/ingest/sniff.h"
#include "svc-documents/store.h"

enum {
	PAGES_MAX = 5000,
	PAGE_TIMEOUT_MS = 45 * 1000,
	PAGE_REDIRECTS = 5,
	TRIM = 1 << 20 /* bytes of text, after which memory is given back at once */
};

/* --- What it is to become --------------------------------------------------------------------------------------- */

/* Which document a job works on, to tell its progress; all NULL for a page that is not yet one. */
struct target {
	const char *owner, *id;
	struct fence fence;
};

/* ERROR_NOT_FOUND: there is nobody to work for any more. */
static int gone(struct call *call)
{
	return error_set(call->err, ERROR_NOT_FOUND, "the document is gone, or somebody else's work by now");
}

static int tell(struct call *call, const struct target *t, double progress)
{
	int found = t->id ? store_progress(call->db, t->owner, t->id, &t->fence, progress, call->err) : 1;

	return found == 0 ? gone(call) : found;
}

static int no_text(const char *type, const struct clean *clean, struct error *err)
{
	if (strcmp(type, "pdf") == 0 && clean->page_count)
		return error_set(
		    err, ERROR_INVALID,
		    "The PDF has no text: its pages (%zu) hold only images. Scanned pages need text "
		    "recognition (OCR) before they can be read.",
		    clean->page_count);
	return error_set(err, ERROR_INVALID, "There is no text in it.");
}

static int check(const char *type, const struct clean *clean, struct error *err)
{
	if (clean->page_count > PAGES_MAX)
		return error_set(err, ERROR_INVALID, "The PDF has more than %d pages.", PAGES_MAX);
	return clean->size == 0 ? no_text(type, clean, err) : 0;
}

static void build_index(struct prepared *p, struct arena *a)
{
	struct stemmers *stemmers = stemmers_new();
	struct index_builder *b;

	p->language = language_guess(p->clean.text, p->clean.size, LANGUAGE_EN);
	b = index_begin(stemmers, p->language);
	for (size_t i = 0; i < p->count; i++) {
		const struct chunk *c = &p->chunks[i];

		index_add(b, p->clean.text + c->start, c->end - c->start, c->heading);
	}
	index_end(b, &p->index, a);
	stemmers_free(stemmers);
}

/* bytes: what a file of that type says, extracted where that is needed. */
static int prepare_text(struct call *call, const char *type, const char *bytes, size_t size,
                        struct prepared *ret)
{
	bool pdf = strcmp(type, "pdf") == 0;

	normalise(bytes, size, pdf, &ret->clean, call->arena);
	if (check(type, &ret->clean, call->err) < 0)
		return -1;
	if (!pdf)
		ret->clean.page_count = 0;
	ret->count = chunk_text(&ret->clean, &ret->chunks, call->arena);
	build_index(ret, call->arena);
	return 0;
}

/* A document that is deleted is not read to its end: its notification wakes the one question that tells. */
struct interest {
	struct call *call;
	const struct target *target;
	struct watcher watcher;
};

static bool wanted(void *arg)
{
	struct interest *in = arg;
	const struct svc *svc = in->call->state;
	struct progress p;

	return !in->target->id || !watch_take(svc->watch, &in->watcher) ||
	       store_get_progress(in->call->db, in->target->owner, in->target->id, &p, in->call->arena,
	                          in->call->err) != 0;
}

static int extract(struct call *call, const struct target *t, const char *type, int file,
                   struct extracted *got)
{
	const struct svc *svc = call->state;
	struct interest in = { .call = call, .target = t };
	struct wish wish = {
		.cancelled = call->cancelled, .deadline = call->deadline, .wanted = wanted, .arg = &in
	};
	int rc;

	watch_add(svc->watch, &in.watcher, t->id ? t->id : "");
	rc = extract_run(svc->extractors, type, file, &wish, got, call->err);
	watch_remove(svc->watch, &in.watcher);
	return rc;
}

static int prepare_extracted(struct call *call, const struct target *t, const char *type, int file,
                             struct prepared *ret)
{
	struct extracted got;
	int rc;

	if (extract(call, t, type, file, &got) < 0)
		return -1;
	if (*got.title && !ret->title)
		ret->title = arena_strdup(call->arena, got.title);
	rc = tell(call, t, 0.2) < 0 ? -1 : prepare_text(call, type, got.bytes, got.size, ret);
	free(got.bytes);
	return rc;
}

static bool is_plain(const char *type)
{
	return strcmp(type, "txt") == 0 || strcmp(type, "md") == 0;
}

/* --- Files ------------------------------------------------------------------------------------------------------ */

/* The stored pieces, one after another, into memory that the helper can have. */
static int copy_pieces(struct call *call, const struct target *t, const char *file_id, int file)
{
	struct arena scratch;
	int rc = 1;

	arena_init(&scratch, 0);
	for (int i = 0; rc > 0; i++) {
		ProtobufCBinaryData piece;

		rc = store_get_piece(call->db, t->owner, file_id, i, &piece, &scratch, call->err);
		if (rc > 0 && extract_write(file, piece.data, piece.len, call->err) < 0)
			rc = -1;
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return rc;
}

/* A page saved in another encoding is written anew as UTF-8. */
static int recode_html(struct call *call, int *file)
{
	off_t size = lseek(*file, 0, SEEK_END);
	char *bytes = malloc((size_t)size + 1);
	const char *text;
	size_t text_size;
	int rc = 0;

	if (!bytes)
		abort();
	if (pread(*file, bytes, (size_t)size, 0) != size) {
		free(bytes);
		return error_internal(call->err, "reading back a file");
	}
	text = charset_to_utf8(bytes, (size_t)size, NULL, &text_size, call->arena);
	if (text != bytes) {
		close(*file);
		*file = extract_file(call->err);
		rc = *file < 0 ? -1 : extract_write(*file, text, text_size, call->err);
	}
	free(bytes);
	return rc;
}

static int read_plain(struct call *call, const char *type, int file, struct prepared *ret)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *bytes = malloc((size_t)size + 1);
	int rc;

	if (!bytes)
		abort();
	if (pread(file, bytes, (size_t)size, 0) != size)
		rc = error_internal(call->err, "reading back a file");
	else
		rc = prepare_text(call, type, bytes, (size_t)size, ret);
	free(bytes);
	return rc;
}

static int prepare_file(struct call *call, const struct target *t, const struct source_file *s,
                        struct prepared *ret)
{
	int file = extract_file(call->err), rc;

	if (file < 0)
		return -1;
	rc = copy_pieces(call, t, s->file, file);
	if (rc == 0 && strcmp(s->type, "html") == 0)
		rc = recode_html(call, &file);
	if (rc == 0)
		rc = is_plain(s->type) ? read_plain(call, s->type, file, ret)
		                       : prepare_extracted(call, t, s->type, file, ret);
	if (file >= 0)
		close(file);
	ret->title = NULL; /* a file has the name it was given */
	return rc;
}

/* --- Pages ------------------------------------------------------------------------------------------------------ */

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
	text_addf(&t, ",\"word_count\":%lld}", (long long)(p->clean.size ? count_words(p->clean.text) : 0));
	return t.at;
}

static int fetch(struct call *call, const char *url, struct egress_response *page)
{
	const struct svc *svc = call->state;
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

static int prepare_page(struct call *call, const struct target *t, const char *url, struct prepared *ret)
{
	struct egress_response page = { 0 };
	const char *type, *text;
	size_t size;
	int file, rc;

	if (fetch(call, url, &page) < 0)
		return -1;
	type = page.body_size ? sniff(page.body, page.body_size < PIECE_MAX ? page.body_size : PIECE_MAX, url)
	                      : "txt";
	if (!type)
		return error_set(call->err, ERROR_INVALID,
		                 "this address holds neither a page nor a document that can be read");
	text = page.body;
	size = page.body_size;
	if (strcmp(type, "html") == 0)
		text = charset_to_utf8(page.body, page.body_size, egress_header(&page, "content-type"), &size,
		                       call->arena);
	if (is_plain(type)) {
		rc = prepare_text(call, type, text, size, ret);
	} else {
		file = extract_file(call->err);
		rc = file < 0 ? -1 : extract_write(file, text, size, call->err);
		if (rc == 0)
			rc = prepare_extracted(call, t, type, file, ret);
		if (file >= 0)
			close(file);
	}
	if (rc < 0)
		return -1;
	ret->size = (int64_t)page.body_size;
	ret->metadata = metadata(url, &page, ret, call->arena);
	return 0;
}

int ingest_page(struct call *call, const char *url, struct prepared *ret)
{
	*ret = (struct prepared){ .size = -1 };
	return prepare_page(call, &(struct target){ 0 }, url, ret);
}

/* --- Jobs ------------------------------------------------------------------------------------------------------- */

int ingest_cancel(struct db *db, const char *owner, const char *document_id, struct error *err)
{
	return job_cancel(db, "ingest", owner, document_id, err);
}

int ingest_later(struct db *db, const char *owner, const char *document_id, struct arena *a,
                 struct error *err)
{
	if (ingest_cancel(db, owner, document_id, err) < 0)
		return -1;
	return job_add(db, "ingest", owner, document_id,
	               arena_printf(a, "{\"document\":\"%s\"}", document_id), 0, err);
}

const char *ingest_document(const struct job *job, struct arena *a)
{
	OWN(json) json_object *payload = NULL;
	struct error err = { 0 };

	if (json_parse(job->payload, strlen(job->payload), &payload, &err) < 0)
		return NULL;
	return arena_strdup(a, json_string(payload, "document"));
}

int ingest_store(struct call *call, const char *owner, const char *id, const struct fence *f,
                 const struct prepared *p)
{
	const struct svc *svc = call->state;
	int rc = store_prepared(call->db, owner, id, f, p, call->arena, call->err);

	if (rc > 0 && svc->embedder.egress &&
	    again_embed(call->db, owner, id, true, call->arena, call->err) < 0)
		return -1;
	return rc;
}

static int commit(struct call *call, const struct target *t, const struct prepared *p)
{
	int stored;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	stored = ingest_store(call, t->owner, t->id, &t->fence, p);
	if (stored <= 0) {
		db_rollback(call->db);
		return stored == 0 ? gone(call) : -1;
	}
	if (db_commit(call->db, call->err) < 0)
		return -1;
	if (p->clean.size > TRIM)
		malloc_trim(0);
	return 0;
}

static int process(struct call *call, const struct target *t)
{
	struct prepared p = { .size = -1 };
	struct source_file source;
	int found = store_source(call->db, t->owner, t->id, &source, call->arena, call->err);

	if (found > 0)
		found = store_claim(call->db, t->owner, t->id, &t->fence, call->err);
	if (found <= 0)
		return found == 0 ? gone(call) : -1;
	if ((source.file ? prepare_file(call, t, &source, &p) : prepare_page(call, t, source.url, &p)) < 0)
		return -1;
	return tell(call, t, 0.8) < 0 ? -1 : commit(call, t, &p);
}

static struct target target_of(struct call *call, const struct job *job)
{
	return (
	    struct target){ job->owner_id, ingest_document(job, call->arena), { job->number, job->attempt } };
}

static int ingest(struct call *call, const struct job *job)
{
	struct target t = target_of(call, job);

	if (!t.id)
		return error_internal(call->err, "ingest: no document in the payload");
	if (process(call, &t) == 0)
		return 0;
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err); /* deleted, or taken over, before it was done: then it is done */
	return 0;
}

static void ingest_failed(struct call *call, const struct job *job, const struct error *why)
{
	struct target t = target_of(call, job);
	const char *sentence = why->code == ERROR_INTERNAL
	                           ? "Something went wrong here; processing it again may help."
	                           : why->message;

	/* Nobody is left to tell when the database is away; reindexing is always possible. */
	if (t.id && store_failed(call->db, t.owner, t.id, &t.fence, sentence, call->err) < 0)
		error_clear(call->err);
}

static int sweep(struct call *call, const struct job *job)
{
	int64_t pieces;

	(void)job;
	if (store_sweep(call->db, &pieces, call->err) < 0)
		return -1;
	return job_add(call->db, "sweep", NULL, "sweep", "{}", 600, call->err);
}

const struct job_kind ingest_kinds[] = {
	{ .kind = "ingest",
	  .run = ingest,
	  .give_up = ingest_failed,
	  .attempts = 4,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "again",
	  .run = again_find,
	  .attempts = 20,
	  .first_pause_ms = 10 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "words",
	  .run = again_words,
	  .attempts = 20,
	  .first_pause_ms = 10 * 1000,
	  .lease_ms = 60 * 1000 },
	/* An outage of the model is retried for a day; the document is found by its words meanwhile. */
	{ .kind = "embed",
	  .run = again_vectors,
	  .attempts = 20,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 120 * 1000 },
	{ .kind = "reembed",
	  .run = again_vectors,
	  .attempts = 20,
	  .first_pause_ms = 30 * 1000,
	  .lease_ms = 120 * 1000 },
	{ .kind = "sweep", .run = sweep, .attempts = 20, .first_pause_ms = 60 * 1000, .lease_ms = 60 * 1000 },
};
const size_t ingest_kind_count = sizeof ingest_kinds / sizeof *ingest_kinds;
