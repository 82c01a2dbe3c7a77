/* documents.GetContent: the file as it was uploaded, a piece at a time. */
#include <string.h>

#include "documents.methods.h"
#include "svc-documents/files.h"
#include "svc-documents/formats.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"

/* Uploads are cut into pieces of PIECE_MAX, but for the last. */
static int read_piece(struct call *call, const struct original *o, int64_t at, Rpc__FilePiece *out)
{
	ProtobufCBinaryData piece = { 0 };
	size_t from = (size_t)(at % PIECE_MAX);
	int found = file_piece(call, call->owner_id, o->file, (int)(at / PIECE_MAX), &piece);

	if (found < 0)
		return -1;
	if (from > piece.len || (piece.len < PIECE_MAX && at - (int64_t)from + (int64_t)piece.len < o->size))
		return error_internal(call->err, "file %s lacks bytes at %lld", o->file, (long long)at);
	out->has_bytes = true;
	out->bytes = (ProtobufCBinaryData){ .data = piece.data + from, .len = piece.len - from };
	out->next = at + (int64_t)out->bytes.len;
	out->has_next = out->next < o->size;
	return 0;
}

/* A document may be called anything; its file has an ending. */
static char *file_name(const struct original *o, struct arena *a)
{
	const char *dot = strrchr(o->name, '.');

	return dot && dot[1] && strlen(dot) <= 6 && !strchr(dot, ' ')
	           ? arena_strdup(a, o->name)
	           : arena_printf(a, "%s.%s", o->name, o->type);
}

int documents_get_content(struct call *call, const Documents__ContentRequest *in, Documents__Content *out)
{
	int64_t at = in->has_at ? in->at : 0;
	const struct format *format;
	struct original o;

	if (db_must_find(
	        store_original(call->db, call->owner_id, in->document_id, &o, call->arena, call->err),
	        "document", call->err) < 0)
		return -1;
	if (!o.file)
		return error_set(call->err, ERROR_NOT_FOUND, "a web page is kept as its text, not as a file");
	if (at < 0 || at > o.size)
		return error_set(call->err, ERROR_INVALID, "the file has no such part");
	format = format_named(o.type);
	out->file = arena_new(call->arena, Rpc__FilePiece, 1);
	rpc__file_piece__init(out->file);
	out->file->name = file_name(&o, call->arena);
	out->file->type = (char *)(format && format->media ? format->media : "application/octet-stream");
	out->file->has_size = true;
	out->file->size = o.size;
	out->file->tag = (char *)o.hash;
	return read_piece(call, &o, at, out->file);
}
