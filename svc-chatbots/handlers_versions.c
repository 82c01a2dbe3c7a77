/* The methods about what a chatbot was before. */
#include "chatbots.methods.h"
#include "common/service/call.h"
#include "svc-chatbots/changing.h"
#include "svc-chatbots/settings.h"
#include "svc-chatbots/store.h"

#include <stdlib.h>

/* Before which number; a page ends with the one that its cursor names. */
static int read_cursor(struct call *call, const char *cursor, int64_t *ret)
{
	char *end;

	*ret = INT32_MAX;
	if (!cursor)
		return 0;
	*ret = strtoll(cursor, &end, 10);
	if (end == cursor || *end)
		return error_field(call->err, call->arena, "query", "cursor", "value_error",
		                   "is not one of ours");
	return 0;
}

int chatbots_list_versions(struct call *call, const Chatbots__ListVersionsRequest *in,
                           Chatbots__VersionList *out)
{
	Chatbots__Chatbot bot = CHATBOTS__CHATBOT__INIT;
	int limit = in->has_limit && in->limit < STORE_PAGE ? in->limit : STORE_PAGE;
	int64_t before;

	if (read_cursor(call, in->cursor, &before) < 0 ||
	    db_must_find(store_get(call->db, call->owner_id, in->chatbot_id, &bot, call->arena, call->err),
	                 "chatbot", call->err) < 0)
		return -1;
	return store_list_versions(call->db, call->owner_id, in->chatbot_id, before, limit, out, call->arena,
	                           call->err);
}

/* Those of the documents that are still there, each tried for itself; for when they cannot be had all at once. */
static int assign_what_is_left(struct call *call, const char *id, char **documents, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (db_begin(call->db, call->err) < 0)
			return -1;
		if (store_assign(call->db, call->owner_id, id, &documents[i], 1, call->arena, call->err) ==
		        0 &&
		    db_commit(call->db, call->err) == 0)
			continue;
		db_rollback(call->db);
		if (call->err->code != ERROR_NOT_FOUND)
			return -1;
		error_clear(call->err);
	}
	return 0;
}

static int assign(struct call *call, const char *id, char **documents, size_t count)
{
	if (count == 0)
		return 0;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (store_assign(call->db, call->owner_id, id, documents, count, call->arena, call->err) == 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	if (call->err->code != ERROR_NOT_FOUND)
		return -1;
	error_clear(call->err);
	return assign_what_is_left(call, id, documents, count);
}

static int restore(struct call *call, const Chatbots__RestoreVersionRequest *in, Chatbots__Chatbot *out)
{
	Chatbots__Version version = CHATBOTS__VERSION__INIT;
	const char *settings;

	if (changing_lock(call, in->chatbot_id, &settings) < 0 ||
	    db_must_find(store_get_version(call->db, call->owner_id, in->chatbot_id, in->version, &version,
	                                   call->arena, call->err),
	                 "version of this chatbot", call->err) < 0 ||
	    settings_as_before(version.settings, settings, &settings, call->arena, call->err) < 0 ||
	    store_set_back(call->db, call->owner_id, in->chatbot_id, &version, settings, call->err) < 0 ||
	    store_unassign_all(call->db, call->owner_id, in->chatbot_id, call->err) < 0 ||
	    assign(call, in->chatbot_id, version.documents, version.n_documents) < 0)
		return -1;
	return db_must_find(store_get(call->db, call->owner_id, in->chatbot_id, out, call->arena, call->err),
	                    "chatbot", call->err);
}

int chatbots_restore_version(struct call *call, const Chatbots__RestoreVersionRequest *in,
                             Chatbots__Chatbot *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ITSELF, restore(call, in, out));
}
