#include "svc-documents/ingest/ingest.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/job/event.h"
#include "common/json/json.h"
#include "documents.methods.h"
#include "svc-documents/files.h"
#include "svc-documents/ingest/again.h"
#include "svc-documents/ingest/crawl.h"
#include "svc-documents/ingest/page.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_small.h"
#include "svc-documents/tell.h"

enum {
	TRIM = 1 << 20, /* bytes of text, after which memory is given back at once */
	TOLD = 1 << 20  /* bytes of text whose storing takes long enough to be told of */
};

/* --- Files and pages ------------------------------------------------------------------------------------------------ */

/* The same file is kept once. */
static int share(struct call *call, const struct target *t, const char *file, const char *hash)
{
	int shared;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	shared = store_share(call->db, t->owner, t->id, &t->fence, file, hash, call->err);
	if (shared < 0 || (!shared && file_move_later(call, t->owner, file) < 0)) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}

static int read_file(struct call *call, const struct target *t, const struct source_file *s, int file)
{
	struct sha256 *hash = s->hashed ? NULL : sha256_begin();
	char text[65];
	int rc = file_copy(call, t->owner, s->file, file, hash);

	if (!hash)
		return rc;
	sha256_end(hash, text);
	return rc < 0 ? -1 : share(call, t, s->file, text);
}

const char *ingest_metadata(const struct prepared *p, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_addc(&t, '{');
	if (p->title && utf8_valid(p->title, strlen(p->title))) {
		text_adds(&t, "\"title\":");
		text_add_json(&t, p->title, strlen(p->title));
	}
	if (p->warning) {
		text_adds(&t, p->title ? ",\"warning\":" : "\"warning\":");
		text_add_json(&t, p->warning, strlen(p->warning));
	}
	text_addc(&t, '}');
	return t.at;
}

static int prepare_file(struct call *call, const struct target *t, const struct source_file *s,
                        struct prepared *ret)
{
	struct raw raw = { .format = format_named(s->type), .file = extract_file(call->err) };
	int rc;

	if (raw.file < 0)
		return -1;
	rc = raw.format ? read_file(call, t, s, raw.file)
	                : error_internal(call->err, "a document of type %s", s->type);
	if (rc == 0)
		rc = prepare(call, t, &raw, ret, NULL);
	if (raw.file >= 0)
		close(raw.file);
	if (rc == 0)
		ret->metadata = ingest_metadata(ret, call->arena);
	ret->title = NULL; /* a file has the name it was given */
	return rc;
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
	return ingest_again(db, &(struct target){ .owner = owner, .id = document_id }, 0, a, err);
}

int ingest_again(struct db *db, const struct target *t, int delay, struct arena *a, struct error *err)
{
	return job_add(db, "ingest", t->owner, t->id,
	               arena_printf(a, "{\"document\":\"%s\"%s}", t->id, t->quiet ? ",\"quiet\":1" : ""),
	               delay, err);
}

static struct target target_of(const struct job *job, struct arena *a)
{
	OWN(json) json_object *payload = NULL;
	struct error err = { 0 };
	struct target t = { .owner = job->owner_id, .fence = { job->number, job->attempt } };

	if (json_parse(job->payload, strlen(job->payload), &payload, &err) < 0)
		return t;
	t.id = arena_strdup(a, json_string(payload, "document"));
	t.quiet = json_int(payload, "quiet", 0) != 0;
	return t;
}

const char *ingest_document(const struct job *job, struct arena *a)
{
	return target_of(job, a).id;
}

/* Somebody may want to hear of it. */
static int tell_of(struct call *call, const char *owner, const char *id, const char *event)
{
	return event_add(call->db, owner, event, arena_printf(call->arena, "{\"document\":\"%s\"}", id),
	                 call->err);
}

int ingest_store(struct call *call, const char *owner, const char *id, const struct fence *f,
                 const struct prepared *p)
{
	const struct documents *svc = documents_state(call);
	int64_t small;
	int rc = store_prepared(call->db, owner, id, f, p, &small, call->arena, call->err);

	if (rc > 0 && small > SMALL_MOST && again_spread(call->db, owner, call->err) < 0)
		return -1;
	if (rc > 0 && tell_of(call, owner, id, "document.ready") < 0)
		return -1;
	if (rc > 0 && svc->embedder.egress &&
	    (store_step(call->db, owner, id, "embed", call->err) < 0 ||
	     again_embed(call->db, owner, id, true, call->arena, call->err) < 0))
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
		return stored == 0 ? prepare_gone(call) : -1;
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
		found = store_claim(call->db, t->owner, t->id, &t->fence,
		                    t->quiet      ? NULL
		                    : source.file ? "extract"
		                                  : "fetch",
		                    call->err);
	if (found <= 0)
		return found == 0 ? prepare_gone(call) : -1;
	if (source.site)
		return crawl(call, t);
	if ((source.file ? prepare_file(call, t, &source, &p) : page_prepare(call, t, source.url, &p)) < 0)
		return -1;
	if (p.clean.size > TOLD && prepare_tell(call, t, 0.8, "store") < 0)
		return -1;
	return commit(call, t, &p);
}

static int ingest(struct call *call, const struct job *job)
{
	struct target t = target_of(job, call->arena);

	if (!t.id)
		return error_internal(call->err, "ingest: no document in the payload");
	if (process(call, &t) == 0)
		return 0;
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err); /* deleted, or taken over, before it was done: then it is done */
	return 0;
}

static int fail_document(struct call *call, const struct target *t, const char *why)
{
	int stored;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	stored = store_failed(call->db, t->owner, t->id, &t->fence, why, call->err);
	if (stored >= 0 && (stored == 0 || tell_of(call, t->owner, t->id, "document.failed") == 0) &&
	    db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

static void ingest_failed(struct call *call, const struct job *job, const struct error *why)
{
	struct target t = target_of(job, call->arena);
	const char *sentence = why->code == ERROR_INTERNAL
	                           ? "Something went wrong here; processing it again may help."
	                           : why->message;

	/* Nobody is left to tell when the database is away; reindexing is always possible. */
	if (t.id && !t.quiet && fail_document(call, &t, sentence) < 0)
		error_clear(call->err);
}

static int sweep(struct call *call, const struct job *job)
{
	int64_t pieces;

	(void)job;
	if (store_sweep(call->db, &pieces, call->err) < 0)
		return -1;
	if (file_sweep(call) < 0) { /* an outage of S3 ends no sweeping */
		log_line(LOG_WARN, "originals in S3 are not swept", LOG_TEXT("error", call->err->message),
		         LOG_TEXT("detail", call->err->detail));
		error_clear(call->err);
	}
	return job_add(call->db, "sweep", NULL, "sweep", "{}", 600, call->err);
}

const struct job_kind ingest_kinds[] = {
	{ .kind = "rounds",
	  .run = crawl_rounds,
	  .attempts = 20,
	  .first_pause_ms = 10 * 1000,
	  .lease_ms = 60 * 1000 },
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
	{ .kind = "spread",
	  .run = again_small,
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
	EVENT_KIND(tell_event),
	/* An outage of S3 is sat out for a day: the file is here meanwhile. */
	{ .kind = "move",
	  .run = file_move,
	  .attempts = 20,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 120 * 1000 },
	{ .kind = "sweep", .run = sweep, .attempts = 20, .first_pause_ms = 60 * 1000, .lease_ms = 60 * 1000 },
};
const size_t ingest_kind_count = sizeof ingest_kinds / sizeof *ingest_kinds;
