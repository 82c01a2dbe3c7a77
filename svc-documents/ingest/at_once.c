#include "svc-documents/ingest/at_once.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "documents.methods.h"
#include "svc-documents/formats.h"
#include "svc-documents/ingest/again.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/ingest/room.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_whole.h"

enum {
	AT_MOST = 64 * 1024, /* bytes */
	LOOK_EACH = 16       /* every so manieth looks whether some are to be spread */
};

static bool suits(const struct documents *svc, const struct new_document *d, ProtobufCBinaryData file)
{
	const struct format *format = format_named(d->type);

	return format && format->reader == FORMAT_PLAIN && file.len && file.len <= AT_MOST && !svc->s3.egress;
}

/* 1, 0, -1. Counted as if each had the largest size. */
static int has_room(struct call *call)
{
	const struct documents *svc = documents_state(call);
	int64_t now = clock_mono_ms(), more;
	int room;

	if (room_take(svc->room, call->owner_id, now))
		return 1;
	room = store_room(call->db, call->owner_id, AT_MOST, &svc->set->quota, &more, call->err);
	if (room > 0)
		room_note(svc->room, call->owner_id, more, now);
	return room;
}

/* 1, 0: a job's, -1. What is wrong with the text is told by the job, too, which keeps the document all the same. */
static int make(struct call *call, struct whole *w, struct prepared *p)
{
	int room = has_room(call);

	if (room <= 0)
		return room;
	if (store_same_file(call->db, call->owner_id, w->hash, &w->twin, call->arena, call->err) < 0)
		return -1;
	if (prepare_plain(call, format_named(w->d->type), w->file, p) < 0) {
		error_clear(call->err);
		return 0;
	}
	p->metadata = ingest_metadata(p, call->arena);
	return 1;
}

static void wake_jobs(void *arg)
{
	job_runner_wake(arg);
}

/* Not with the document, which must not fail for it: the next of them asks again. */
static void spread(struct call *call)
{
	struct error ignored = { 0 };
	int64_t small;

	if (store_count_small(call->db, call->owner_id, &small, &ignored) < 0 || small <= SMALL_MOST)
		return;
	if (db_begin(call->db, &ignored) < 0)
		return;
	if (again_spread(call->db, call->owner_id, &ignored) < 0 || db_commit(call->db, &ignored) < 0)
		db_rollback(call->db);
}

static void follow_up(struct call *call, PGresult *told, int64_t small)
{
	const struct documents *svc = documents_state(call);

	if (db_affected(told) > 0)
		db_after_commit(call->db, arena_new(call->arena, struct db_after, 1), wake_jobs, svc->jobs);
	if (small % LOOK_EACH == 0)
		spread(call);
}

int at_once(struct call *call, const struct new_document *d, ProtobufCBinaryData file, bool there,
            Documents__Document *out)
{
	enum { EVENT, EMBED };
	const struct documents *svc = documents_state(call);
	const char *payload = arena_printf(call->arena, "{\"document\":\"%s\"}", d->id);
	bool embed = svc->embedder.egress != NULL;
	struct db_step more[] = {
		[EVENT] = { "event_add", DB_ARGS(call->owner_id, "document.ready", payload), NULL },
		[EMBED] = { "job_add", DB_ARGS("embed", call->owner_id, d->id, payload, 0), NULL },
	};
	int count = embed ? EMBED + 1 : EVENT + 1, rc;
	struct prepared p;
	char hash[65];
	struct whole w = { .d = d,
		           .p = &p,
		           .file = file,
		           .there = there,
		           .hash = hash,
		           .part = (int)((unsigned)gettid() % WHOLE_PARTS) };
	struct whole_stored stored = { .document = out };

	if (!suits(svc, d, file))
		return 0;
	sha256_hex(hash, file.data, file.len);
	w.step = embed ? "embed" : NULL;
	rc = make(call, &w, &p);
	if (rc > 0)
		rc = store_whole(call->db, call->owner_id, &w, more, count, &stored, call->arena, call->err);
	if (rc > 0)
		follow_up(call, more[EVENT].res, stored.small);
	db_steps_done(more, count);
	return rc;
}
