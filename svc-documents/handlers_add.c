/* The methods of documents.proto by which documents come: uploads, text, pages of the web. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "documents.methods.h"
#include "svc-documents/ingest/at_once.h"
#include "svc-documents/ingest/await.h"
#include "svc-documents/ingest/crawl.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/ingest/site.h"
#include "svc-documents/ingest/sniff.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_site.h"
#include "svc-documents/svc.h"

enum {
	NAME_MAX_CHARACTERS = 200,
	CRAWL_DEPTH = 2, /* where nothing is said */
	CRAWL_PAGES = 100,
	DAY = 24 * 60 * 60
};

/* --- Uploading -------------------------------------------------------------------------------------------------- */

int documents_put_chunk(struct call *call, const Documents__PutChunkRequest *in, Rpc__Empty *out)
{
	(void)out;
	if (!call->owner_id || !in->upload_id || !uuid_valid(in->upload_id) || in->number < 0 ||
	    in->data.len == 0 || in->data.len > PIECE_MAX)
		return error_set(call->err, ERROR_INVALID, "not a piece of a file");
	return store_put_piece(call->db, call->owner_id, in->upload_id, in->number, in->data, call->err);
}

static char *shortened(const char *name, struct arena *a)
{
	const char *end = utf8_skip(name, name + strlen(name), NAME_MAX_CHARACTERS);

	return arena_strndup(a, name, (size_t)(end - name));
}

/* U+200E and U+200F, U+202A to U+202E, U+2066 to U+2069: they turn the direction of others, so that a name reads "bill.exe.pdf"
 * which is none. */
static bool turns(const char *s)
{
	unsigned char last = s[0] == '\xe2' && (s[1] == '\x80' || s[1] == '\x81') ? (unsigned char)s[2] : 0;

	return last && (s[1] == '\x80' ? last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae)
	                               : last >= 0xa6 && last <= 0xa9);
}

static void drop_turns(char *s)
{
	char *to = s;

	while (*s) {
		if (turns(s))
			s += 3;
		else
			*to++ = *s++;
	}
	*to = '\0';
}

/* The last part of what may be a path, without control characters, not too long. */
static const char *clean_name(const char *name, struct arena *a)
{
	const char *base = name ? name : "";
	char *copy;

	for (const char *s = base; *s; s++)
		if (*s == '/' || *s == '\\')
			base = s + 1;
	copy = shortened(base, a);
	drop_turns(copy);
	for (char *s = copy; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
	return *copy ? copy : "Untitled";
}

/* A file that came: with the request, or in pieces before. */
struct arrived {
	int64_t size;
	ProtobufCBinaryData head; /* its first piece */
	bool there;               /* it is stored */
};

static bool in_hand(const struct arrived *f)
{
	return (int64_t)f->head.len == f->size;
}

/* What came in pieces. */
static int find_pieces(struct call *call, const char *id, struct arrived *ret)
{
	struct file_summary file;

	if (store_file(call->db, call->owner_id, id, &file, call->err) < 0)
		return -1;
	if (!file.whole)
		return error_set(call->err, ERROR_INVALID, "the file did not arrive whole");
	ret->size = file.bytes;
	ret->there = true;
	if (!file.bytes || file.bytes > documents_state(call)->set->upload_max)
		return 0;
	return store_get_piece(call->db, call->owner_id, id, 0, &ret->head, call->arena, call->err) < 0 ? -1
	                                                                                                : 0;
}

/* All there is of the file, or why it cannot be taken. */
static int check_file(struct call *call, const Documents__UploadDocumentRequest *in, struct arrived *ret)
{
	const struct documents *svc = documents_state(call);

	if (!in->upload_id || !uuid_valid(in->upload_id) || (in->has_content && in->content.len > PIECE_MAX))
		return error_set(call->err, ERROR_INVALID, "not an upload");
	*ret = (struct arrived){ .size = (int64_t)in->content.len, .head = in->content };
	if (!in->has_content && find_pieces(call, in->upload_id, ret) < 0)
		return -1;
	if (ret->size > svc->set->upload_max)
		return error_set(call->err, ERROR_TOO_LARGE, "the file is too large: at most %lld bytes",
		                 (long long)svc->set->upload_max);
	if (in->has_file_size && in->file_size != ret->size)
		return error_set(call->err, ERROR_INVALID, "the file did not arrive whole");
	return 0;
}

/* The type, judged by the file's beginning. */
static int judge(struct call *call, const char *file_name, const struct arrived *file, const char **type)
{
	const struct extractors *extractors = documents_state(call)->extractors;
	const struct format *format;
	char all[320];

	*type = "txt";
	if (file->size == 0)
		return 0;
	format = sniff((const char *)file->head.data, file->head.len, file_name, NULL);
	if (format && extractors_take(extractors, format)) {
		*type = format->name;
		return 0;
	}
	return error_set(call->err, ERROR_UNSUPPORTED_TYPE, "this is %s%s. What can be read: %s",
	                 format ? format->words : "no file that can be read",
	                 format ? extract_without(format) : "",
	                 formats_read(extractors_ocr(extractors), all, sizeof all));
}

/* What is read in rounds: settings NULL: it is not. */
struct new_site {
	const char *settings, *url;
	int every; /* seconds; 0: only when it is asked for */
};
static const struct new_site no_site;

static int add_site(struct call *call, const char *id, const struct new_site *site)
{
	return site->settings ? store_site_add(call->db, call->owner_id, id, site->settings, site->every,
	                                       site->url, call->err)
	                      : 0;
}

/* The error says more when another document has the file. -1. */
static int claimed_already(struct call *call)
{
	if (!db_failed_with(call->err, DB_UNIQUE, "document_file"))
		return -1;
	error_clear(call->err);
	return error_set(call->err, ERROR_CONFLICT, "this file was uploaded already");
}

/* The document and the job that processes it, both or neither; out as it is before any work on it. */
static int create(struct call *call, const struct new_document *d, const struct new_site *site,
                  Documents__Document *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (store_create(call->db, call->owner_id, d, &documents_state(call)->set->quota, call->err) < 0 ||
	    add_site(call, d->id, site) < 0 ||
	    (!d->error && ingest_later(call->db, call->owner_id, d->id, call->arena, call->err) < 0) ||
	    store_get(call->db, call->owner_id, d->id, out, call->arena, call->err) < 0) {
		db_rollback(call->db);
		return claimed_already(call);
	}
	return db_commit(call->db, call->err);
}

static bool processed(const char *status)
{
	return strcmp(status, "ready") == 0 || strcmp(status, "failed") == 0;
}

static const char *message_for(const Documents__Document *d)
{
	switch (d->status) {
	case DOCUMENTS__STATUS__READY: return "The document is ready.";
	case DOCUMENTS__STATUS__FAILED: return d->error ? d->error : "The document could not be processed.";
	default: return "The document was received and is being processed.";
	}
}

/* An upload that waits for its document to be processed. */
struct waiting_upload {
	struct watcher watcher;
	char id[UUID_TEXT];
	int64_t until; /* Unix ms */
};

static int look_again(struct call *call, void *arg, ProtobufCMessage *answer)
{
	const struct documents *svc = documents_state(call);
	struct waiting_upload *w = arg;
	Documents__Document *out = (Documents__Document *)answer, now = DOCUMENTS__DOCUMENT__INIT;
	struct progress p;
	int found = store_get_progress(call->db, call->owner_id, w->id, &p, call->arena, call->err);

	if (found > 0 && !processed(p.status) && clock_unix_ms() < w->until &&
	    !atomic_load(call->cancelled) && call_park(call, w->until, look_again, w))
		return 0;
	watch_remove(svc->watch, &w->watcher);
	/* It is stored: when nobody can be asked about it any more, out stays what was known last. */
	if (found >= 0 && store_get(call->db, call->owner_id, w->id, &now, call->arena, call->err) > 0)
		*out = now;
	out->message = (char *)message_for(out);
	return 0;
}

/* The answer waits until it is processed, or the seconds are over, or the caller's patience ends. */
static void wait_for(struct call *call, const char *id, int seconds)
{
	const struct documents *svc = documents_state(call);
	struct waiting_upload *w = arena_new(call->arena, struct waiting_upload, 1);
	int64_t patience = call->deadline - 500;
	struct parked *parked;

	memcpy(w->id, id, sizeof w->id);
	w->until = call->now + seconds * INT64_C(1000);
	if (w->until > patience)
		w->until = patience;
	parked = call_park(call, w->until, look_again, w);
	if (!parked)
		return;
	watch_add_parked(svc->watch, &w->watcher, id, parked);
	call_wake(parked); /* it may be processed already */
}

/* What answers an upload that does not wait: that it was received. What has become of it since, who asks is told. */
static void receipt(Documents__Document *out)
{
	if (out->status != DOCUMENTS__STATUS__READY)
		return;
	out->status = DOCUMENTS__STATUS__PENDING;
	out->progress = 0;
	out->has_chunks = false;
	out->step = NULL;
}

/* Processed at once, or stored for the job that does. */
static int take(struct call *call, const struct new_document *d, const struct arrived *file,
                Documents__Document *out)
{
	int done = in_hand(file) ? at_once(call, d, file->head, file->there, out) : 0;

	if (done)
		return done < 0 ? claimed_already(call) : 0;
	if (!file->there && file->size &&
	    store_put_piece(call->db, call->owner_id, d->file, 0, file->head, call->err) < 0)
		return -1;
	return create(call, d, &no_site, out);
}

int documents_upload_document(struct call *call, const Documents__UploadDocumentRequest *in,
                              Documents__Document *out)
{
	struct new_document d = { .description = in->description, .status = "pending" };
	struct arrived file;
	char id[UUID_TEXT];

	if (check_file(call, in, &file) < 0)
		return -1;
	if (judge(call, in->file_name, &file, &d.type) < 0) {
		struct error ignored = { 0 }; /* what stays is swept */

		if (file.there && store_drop_file(call->db, call->owner_id, in->upload_id, &ignored) < 0)
			error_detail(call->err, "%s", ignored.detail);
		return -1;
	}
	uuid_make(id);
	d.id = id;
	d.name = in->name && *in->name ? in->name : clean_name(in->file_name, call->arena);
	d.size = file.size;
	d.file = in->upload_id;
	if (file.size == 0) {
		d.status = "failed";
		d.error = "The file is empty.";
	}
	if (take(call, &d, &file, out) < 0)
		return -1;
	if (!in->has_wait)
		receipt(out);
	else if (in->wait > 0 && out->status != DOCUMENTS__STATUS__READY)
		wait_for(call, id, in->wait);
	out->message = (char *)message_for(out);
	return 0;
}

/* --- Text ------------------------------------------------------------------------------------------------------- */

static int put_text(struct call *call, const char *file, const char *text, size_t size)
{
	for (int number = 0; size; number++) {
		size_t part = size < PIECE_MAX ? size : PIECE_MAX;
		ProtobufCBinaryData data = { .data = (uint8_t *)text, .len = part };

		if (store_put_piece(call->db, call->owner_id, file, number, data, call->err) < 0)
			return -1;
		text += part;
		size -= part;
	}
	return 0;
}

/* As a file that was uploaded. A transaction around all: without room for the document no piece stays either. */
static int add_later(struct call *call, const struct new_document *d, const char *text,
                     Documents__Document *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (put_text(call, d->file, text, (size_t)d->size) < 0 || create(call, d, &no_site, out) < 0) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}

int documents_add_text(struct call *call, const Documents__AddTextRequest *in, Documents__Document *out)
{
	ProtobufCBinaryData text = { .data = (uint8_t *)in->text, .len = strlen(in->text) };
	char id[UUID_TEXT], file[UUID_TEXT];
	struct new_document d = { .id = id,
		                  .name = in->name,
		                  .description = in->description,
		                  .type = in->format ? in->format : "txt",
		                  .status = "pending",
		                  .size = (int64_t)text.len,
		                  .file = file };
	int done;

	if (d.size > documents_state(call)->set->upload_max)
		return error_set(call->err, ERROR_TOO_LARGE, "the text is too large: at most %lld bytes",
		                 (long long)documents_state(call)->set->upload_max);
	uuid_make(id);
	uuid_make(file);
	done = at_once(call, &d, text, false, out);
	if (done < 0 || (!done && add_later(call, &d, in->text, out) < 0))
		return -1;
	out->message = (char *)message_for(out);
	return 0;
}

/* --- Pages ------------------------------------------------------------------------------------------------------ */

static const char *url_metadata(const char *url, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"url\":");
	text_add_json(&t, url, strlen(url));
	text_addc(&t, '}');
	return t.at;
}

/* A document that is to be made of a page; in the call's arena. */
struct page_document {
	struct new_document d;
	struct new_site site;
	char id[UUID_TEXT];
};

static int add_ready(struct call *call, void *arg, const struct prepared *page, ProtobufCMessage *answer)
{
	static const struct fence nobody;
	Documents__Document *out = (Documents__Document *)answer;
	const struct page_document *w = arg;
	int rc;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	rc = store_create(call->db, call->owner_id, &w->d, &documents_state(call)->set->quota, call->err);
	if (rc == 0)
		rc = add_site(call, w->id, &w->site);
	if (rc == 0)
		rc = ingest_store(call, call->owner_id, w->id, &nobody, page);
	if (rc > 0)
		rc = store_get(call->db, call->owner_id, w->id, out, call->arena, call->err);
	if (rc < 0) {
		db_rollback(call->db);
		return -1;
	}
	out->message = (char *)message_for(out);
	return db_commit(call->db, call->err);
}

static const char *crawl_of(struct call *call, const Documents__Crawl *in)
{
	int64_t most = documents_state(call)->set->crawl_pages;
	struct crawl_wish w = { .depth = in->has_depth ? in->depth : CRAWL_DEPTH,
		                .pages = in->has_max_pages ? in->max_pages : CRAWL_PAGES,
		                .sitemap = !in->has_sitemap || in->sitemap,
		                .include = in->include,
		                .exclude = in->exclude,
		                .include_count = in->n_include,
		                .exclude_count = in->n_exclude };

	w.pages = w.pages < most ? w.pages : (int)most;
	return crawl_settings(&w, call->arena);
}

/* A page alone that is read again is a site of one page. */
static struct new_site site_of(struct call *call, const Documents__AddUrlRequest *in)
{
	struct new_site site = { .url = site_address(in->url, in->url, call->arena) };
	struct crawl_wish alone = { .pages = 1, .alone = true };

	if (in->refresh)
		site.every = strcmp(in->refresh, "daily") == 0 ? DAY : 7 * DAY;
	if (site.url && in->crawl)
		site.settings = crawl_of(call, in->crawl);
	else if (site.url && in->refresh)
		site.settings = crawl_settings(&alone, call->arena);
	return site;
}

/* Unless it is to come later, the page is read first: one that cannot be had leaves no document. */
int documents_add_url(struct call *call, const Documents__AddUrlRequest *in, Documents__Document *out)
{
	struct page_document *w = arena_new(call->arena, struct page_document, 1);

	uuid_make(w->id);
	w->site = site_of(call, in);
	w->d = (struct new_document){ .id = w->id,
		                      .description = in->description,
		                      .type = "url",
		                      .status = in->crawl ? "processing" : "pending",
		                      .metadata = url_metadata(in->url, call->arena) };
	/* Without a name it is called by its address until its title is known: see "ready" in store_index.c. */
	w->d.name = in->name && *in->name ? in->name : shortened(in->url, call->arena);
	if (!in->crawl && !(in->has_wait && in->wait == 0))
		return page_await(call, in->url, add_ready, w);
	if (create(call, &w->d, &w->site, out) < 0)
		return -1;
	out->message = (char *)message_for(out);
	return 0;
}
