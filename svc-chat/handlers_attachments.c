/* What tools gave back besides words: pictures, sounds, files. */
#include <string.h>

#include "chat.methods.h"
#include "common/db/db.h"
#include "svc-chat/store.h"
#include "svc-chat/store_tools.h"

/* What a browser may show. Everything else is bytes to be saved, whatever its server calls it. */
static bool may_be_shown(const char *type)
{
	static const char *const shown[] = { "image/png",  "image/jpeg", "image/gif", "image/webp",
		                             "image/avif", "audio/mpeg", "audio/wav", "audio/x-wav",
		                             "audio/ogg",  "audio/webm", "audio/mp4", "audio/aac",
		                             "audio/flac" };

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (strcmp(shown[i], type) == 0)
			return true;
	return false;
}

static int get(struct call *call, const char *session, const char *id, int64_t at, Rpc__FilePiece **ret)
{
	Rpc__FilePiece *file = arena_new(call->arena, Rpc__FilePiece, 1);
	const char *name, *type;
	ProtobufCBinaryData data;
	size_t from;

	if (db_must_find(store_get_attachment(call->db, call->owner_id, session, id, &name, &type, &data,
	                                      call->arena, call->err),
	                 "attachment", call->err) < 0)
		return -1;
	rpc__file_piece__init(file);
	from = at > 0 && (uint64_t)at < data.len ? (size_t)at : at > 0 ? data.len : 0;
	file->has_bytes = file->has_size = file->has_shown = true;
	file->bytes = (ProtobufCBinaryData){ .data = data.data + from, .len = data.len - from };
	file->size = (int64_t)data.len;
	file->name = (char *)name;
	file->shown = may_be_shown(type);
	file->type = (char *)(file->shown ? type : "application/octet-stream");
	file->tag = arena_strdup(call->arena, id); /* it never changes */
	*ret = file;
	return 0;
}

int chat_get_attachment(struct call *call, const Chat__AttachmentRequest *in, Chat__AttachmentFile *out)
{
	return get(call, in->session_id, in->attachment_id, in->at, &out->file);
}

int chat_get_chat_attachment(struct call *call, const Chat__ChatAttachmentRequest *in,
                             Chat__AttachmentFile *out)
{
	const char *session;

	if (db_must_find(
	        store_find_chat(call->db, call->owner_id, in->chat_id, &session, call->arena, call->err),
	        "chat", call->err) < 0)
		return -1;
	return get(call, session, in->attachment_id, in->at, &out->file);
}
