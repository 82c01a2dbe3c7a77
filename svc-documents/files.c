#include "svc-documents/files.h"

#include <string.h>

#include "common/json/json.h"
#include "documents.methods.h"
#include "svc-documents/ingest/extract.h"
#include "svc-documents/store_files.h"
#include "svc-documents/svc.h"

enum {
	PIECES = 32, /* in a part, which is an object */
	PART_MAX = PIECES * PIECE_MAX,
	AT_ONCE = 100,
	SOON = 5 /* seconds: by then our own job is done */
};

static const struct s3 *s3_of(struct call *call)
{
	const struct documents *svc = documents_state(call);

	return svc->s3.egress ? &svc->s3 : NULL;
}

static const char *object_name(const char *owner, const char *file, int part, struct arena *a)
{
	return arena_printf(a, "%s/%s/%d", owner, file, part);
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

/* Does it lie in S3? 1, 0, -1; it is an error when it does and there is none. */
static int lies_there(struct call *call, const char *owner, const char *file, int *parts)
{
	int found = store_s3_find(call->db, owner, file, parts, call->err);

	if (found > 0 && !s3_of(call))
		return error_internal(call->err, "file %s lies in S3, which is not configured any more",
		                      file);
	return found;
}

static int get_part(struct call *call, const char *owner, const char *file, int part, int64_t from,
                    size_t size, ProtobufCBinaryData *ret, struct arena *a)
{
	struct egress_response answer = { 0 };
	int found = s3_get(s3_of(call), object_name(owner, file, part, a), from, size, call->cancelled,
	                   &answer, a, call->err);

	if (found == 0)
		return error_internal(call->err, "S3 has lost part %d of file %s", part, file);
	if (found > 0)
		*ret = (ProtobufCBinaryData){ answer.body_size, (uint8_t *)answer.body };
	return found;
}

int file_piece(struct call *call, const char *owner, const char *file, int number, ProtobufCBinaryData *ret)
{
	int found = store_get_piece(call->db, owner, file, number, ret, call->arena, call->err), parts;

	if (found)
		return found;
	found = lies_there(call, owner, file, &parts);
	if (found <= 0 || number / PIECES >= parts)
		return found < 0 ? -1 : 0;
	return get_part(call, owner, file, number / PIECES, (int64_t)(number % PIECES) * PIECE_MAX, PIECE_MAX,
	                ret, call->arena);
}

static int put_out(struct call *call, const ProtobufCBinaryData *data, int to, struct sha256 *hash)
{
	if (hash)
		sha256_add(hash, data->data, data->len);
	return extract_write(to, data->data, data->len, call->err);
}

static int copy_pieces(struct call *call, const char *owner, const char *file, int to, struct sha256 *hash)
{
	struct arena scratch;
	int count = 0, rc = 1;

	arena_init(&scratch, 0);
	while (rc > 0) {
		ProtobufCBinaryData piece;

		rc = store_get_piece(call->db, owner, file, count, &piece, &scratch, call->err);
		if (rc > 0 && put_out(call, &piece, to, hash) < 0)
			rc = -1;
		count += rc > 0;
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return rc < 0 ? -1 : count;
}

/* What stands behind the first pieces. */
static int copy_parts(struct call *call, const char *owner, const char *file, int pieces, int to,
                      struct sha256 *hash)
{
	int64_t from = (int64_t)(pieces % PIECES) * PIECE_MAX;
	struct arena scratch;
	int parts, rc = lies_there(call, owner, file, &parts);

	arena_init(&scratch, 0);
	for (int i = pieces / PIECES; rc > 0 && i < parts; i++, from = 0) {
		ProtobufCBinaryData part;

		rc = get_part(call, owner, file, i, from, PART_MAX - (size_t)from, &part, &scratch);
		if (rc > 0 && put_out(call, &part, to, hash) < 0)
			rc = -1;
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return rc < 0 ? -1 : 0;
}

/* It may be moved in the middle of this: then the rest of it lies there. */
int file_copy(struct call *call, const char *owner, const char *file, int to, struct sha256 *hash)
{
	int count = copy_pieces(call, owner, file, to, hash);

	return count < 0 ? -1 : copy_parts(call, owner, file, count, to, hash);
}

/* --- Moving ------------------------------------------------------------------------------------------------------- */

int file_move_later(struct call *call, const char *owner, const char *file)
{
	if (!s3_of(call) || !file)
		return 0;
	return job_add(call->db, "move", owner, file, arena_printf(call->arena, "{\"file\":\"%s\"}", file), 0,
	               call->err);
}

/* The pieces of a part, one after the other: as an object. */
static int put_part(struct call *call, const char *owner, const char *file, int part,
                    const struct file_summary *f)
{
	struct arena scratch;
	struct text t;
	int rc = 0;

	arena_init(&scratch, 0);
	text_init(&t, &scratch);
	for (int i = part * PIECES; rc == 0 && i < (part + 1) * PIECES && i < f->pieces; i++) {
		ProtobufCBinaryData piece;
		int found = store_get_piece(call->db, owner, file, i, &piece, &scratch, call->err);

		if (found > 0)
			text_add(&t, piece.data, piece.len);
		else
			rc = found < 0 ? -1 : error_busy(call->err, 5, "the file is being moved already");
	}
	if (rc == 0)
		rc = s3_put(s3_of(call), object_name(owner, file, part, &scratch), t.at, t.length,
		            call->cancelled, &scratch, call->err);
	arena_done(&scratch);
	return rc;
}

/* From here on it lies there alone. */
static int conclude(struct call *call, const char *owner, const char *file, int parts)
{
	int moved;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	moved = store_s3_moved(call->db, owner, file, parts, call->err);
	if (moved >= 0 && db_commit(call->db, call->err) == 0)
		return moved ? 0 : file_sweep_later(call, SOON);
	db_rollback(call->db);
	return -1;
}

int file_move(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct file_summary f;
	const char *file;
	int parts;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	file = json_string(payload, "file");
	if (!s3_of(call) || !file)
		return 0;
	if (store_file(call->db, job->owner_id, file, &f, call->err) < 0)
		return -1;
	if (f.pieces == 0 || !f.whole)
		return file_sweep_later(call, SOON); /* what an attempt before this one has put there */
	parts = (int)((f.pieces + PIECES - 1) / PIECES);
	if (store_s3_begin(call->db, job->owner_id, file, parts, call->err) < 0)
		return -1;
	for (int i = 0; i < parts; i++) {
		if (atomic_load(call->cancelled))
			return error_busy(call->err, 1, "the service is stopping");
		if (put_part(call, job->owner_id, file, i, &f) < 0)
			return -1;
	}
	return conclude(call, job->owner_id, file, parts);
}

/* --- Sweeping ------------------------------------------------------------------------------------------------------- */

int file_sweep_later(struct call *call, int delay)
{
	return s3_of(call) ? job_add(call->db, "sweep", NULL, "sweep", "{}", delay, call->err) : 0;
}

/* Who still moves it may put an object there after we looked: what says that there are some stays until its job is done.
 * Nothing begins to move what no document has.
 *
 * What made it an orphan may be committed and not on disk yet: it is, once our own commit is. An object that was deleted
 * before a crash takes that back would be missed. */
static int drop_objects(struct call *call, const struct s3_file *f)
{
	int moving = store_s3_moving(call->db, f->owner, f->file, call->err);

	if (moving != 0)
		return moving < 0 ? -1 : 0;
	if (store_s3_sweep(call->db, f->owner, f->file, call->err) < 0)
		return -1;
	for (int i = 0; i < f->parts; i++)
		if (s3_delete(s3_of(call), object_name(f->owner, f->file, i, call->arena), call->cancelled,
		              call->arena, call->err) < 0)
			return -1;
	return store_s3_drop(call->db, f->owner, f->file, call->err);
}

int file_sweep(struct call *call)
{
	struct s3_file *list;
	size_t count;

	if (!s3_of(call))
		return 0;
	if (store_s3_orphans(call->db, AT_ONCE, &list, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (drop_objects(call, &list[i]) < 0)
			return -1;
	if (store_s3_unmoved(call->db, AT_ONCE, &list, &count, call->arena, call->err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (file_move_later(call, list[i].owner, list[i].file) < 0)
			return -1;
	return 0;
}
