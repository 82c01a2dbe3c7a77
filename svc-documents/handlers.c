/* One function per method of documents.proto about documents that are there; handlers_add.c has how they come, handlers_text.c what stands in them. */
#include <string.h>

#include "chatbots.client.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/job/event.h"
#include "common/rpc/rpc.h"
#include "documents.methods.h"
#include "svc-documents/files.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/store.h"
#include "svc-documents/store_site.h"
#include "svc-documents/svc.h"

enum {
	USES_MS = 2000, /* what knowing the chatbots may cost */
	ABSENT_MS = 300 /* and where svc-chatbots does not answer at this moment */
};

/* --- Which chatbots use them ------------------------------------------------------------------------------------ */

static void fill_uses(Documents__Document **documents, size_t count, const Chatbots__UseList *uses)
{
	for (size_t i = 0; i < uses->n_uses; i++)
		for (size_t k = 0; k < count; k++)
			if (strcmp(documents[k]->id, uses->uses[i]->document_id) == 0) {
				documents[k]->chatbots = uses->uses[i]->chatbot_ids;
				documents[k]->n_chatbots = uses->uses[i]->n_chatbot_ids;
			}
}

/* svc-chatbots knows. When it does not answer soon, the documents are shown all the same, and say so. */
static void add_uses(struct call *call, Documents__Document **documents, size_t count)
{
	const struct documents *svc = documents_state(call);
	struct peer *chatbots = service_peer(svc->service, "chatbots");
	Chatbots__ListUsesRequest in = CHATBOTS__LIST_USES_REQUEST__INIT;
	int64_t soon = clock_unix_ms() + (peer_ready(chatbots) ? USES_MS : ABSENT_MS);
	struct call ask = *call;
	struct error err = { 0 };
	Chatbots__UseList *uses;

	if (count == 0)
		return;
	in.document_ids = arena_new(call->arena, char *, count);
	for (; in.n_document_ids < count; in.n_document_ids++)
		in.document_ids[in.n_document_ids] = documents[in.n_document_ids]->id;
	ask.err = &err;
	ask.deadline = soon < call->deadline ? soon : call->deadline;
	if (chatbots_client_list_uses(chatbots, &ask, &in, &uses) == 0) {
		fill_uses(documents, count, uses);
		return;
	}
	log_line(LOG_WARN, "which chatbots use documents cannot be told",
	         LOG_TEXT("request", call->request_id), LOG_TEXT("error", err.message),
	         LOG_TEXT("detail", err.detail));
	for (size_t i = 0; i < count; i++)
		documents[i]->message = "Which chatbots use it cannot be told at the moment.";
}

/* Fill out with the caller's document as it is now. */
static int get(struct call *call, const char *id, Documents__Document *out)
{
	if (db_must_find(store_get(call->db, call->owner_id, id, out, call->arena, call->err), "document",
	                 call->err) < 0)
		return -1;
	add_uses(call, &out, 1);
	return 0;
}

/* --- Reading ---------------------------------------------------------------------------------------------------- */

int documents_list_documents(struct call *call, const Documents__ListDocumentsRequest *in,
                             Documents__DocumentList *out)
{
	if (store_list(call->db, call->owner_id, in->cursor, in->tag, in->limit, out, call->arena,
	               call->err) < 0)
		return -1;
	add_uses(call, out->documents, out->n_documents);
	return 0;
}

int documents_get_document(struct call *call, const Documents__DocumentRequest *in, Documents__Document *out)
{
	return get(call, in->document_id, out);
}

int documents_listen(struct call *call, const Rpc__Listening *in, Rpc__Empty *out)
{
	(void)out;
	return event_listen(call, in);
}

int documents_get_usage(struct call *call, const Rpc__Empty *in, Documents__Usage *out)
{
	(void)in;
	return store_usage(call->db, call->owner_id, out, call->arena, call->err);
}

/* --- Changing --------------------------------------------------------------------------------------------------- */

/* End a transaction in which everything went well, or undo it; what the handler then returns. */
static int end(struct call *call, int result)
{
	if (result == 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return -1;
}

static int drop(struct call *call, const char *id)
{
	if (db_must_find(store_delete(call->db, call->owner_id, id, call->err), "document", call->err) < 0)
		return -1;
	if (file_sweep_later(call, 0) < 0)
		return -1;
	return ingest_cancel(call->db, call->owner_id, id, call->err);
}

int documents_delete_document(struct call *call, const Documents__DocumentRequest *in, Rpc__Empty *out)
{
	(void)out;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return end(call, drop(call, in->document_id));
}

static int drop_all(struct call *call, const Documents__DeleteDocumentsRequest *in,
                    Documents__DeletedDocuments *out)
{
	const char *ids = db_text_array(in->ids, in->n_ids, call->arena);

	if (store_lock(call->db, call->owner_id, ids, &out->deleted, &out->n_deleted, call->arena,
	               call->err) < 0)
		return -1;
	for (size_t i = 0; i < out->n_deleted; i++)
		if (drop(call, out->deleted[i]) < 0)
			return -1;
	return 0;
}

int documents_delete_documents(struct call *call, const Documents__DeleteDocumentsRequest *in,
                               Documents__DeletedDocuments *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return end(call, drop_all(call, in, out));
}

static bool resets(const Documents__UpdateDocumentRequest *in, const char *name)
{
	for (size_t i = 0; i < in->n_reset; i++)
		if (strcmp(in->reset[i], name) == 0)
			return true;
	return false;
}

/* Each once, in the order given. */
static char *tags_of(const Documents__UpdateDocumentRequest *in, struct arena *a)
{
	char **kept = arena_new(a, char *, in->n_tags + 1);
	size_t count = 0;

	for (size_t i = 0; i < in->n_tags; i++) {
		size_t k = 0;

		while (k < count && strcmp(kept[k], in->tags[i]) != 0)
			k++;
		kept[k] = in->tags[i];
		count += k == count;
	}
	return count || resets(in, "tags") ? db_text_array(kept, count, a) : NULL;
}

int documents_update_document(struct call *call, const Documents__UpdateDocumentRequest *in,
                              Documents__Document *out)
{
	struct edit e = { in->name, in->description, resets(in, "description"), tags_of(in, call->arena) };

	if (db_must_find(store_edit(call->db, call->owner_id, in->document_id, &e, call->err), "document",
	                 call->err) < 0)
		return -1;
	return get(call, in->document_id, out);
}

/* out as it is before the work on it begins. */
static int reindex(struct call *call, const char *id, Documents__Document *out)
{
	if (db_must_find(store_pending(call->db, call->owner_id, id, call->err), "document", call->err) < 0)
		return -1;
	if (store_site_round(call->db, call->owner_id, id, call->err) < 0 ||
	    ingest_later(call->db, call->owner_id, id, call->arena, call->err) < 0)
		return -1;
	return store_get(call->db, call->owner_id, id, out, call->arena, call->err) < 0 ? -1 : 0;
}

int documents_reindex_document(struct call *call, const Documents__DocumentRequest *in,
                               Documents__Document *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (end(call, reindex(call, in->document_id, out)) < 0)
		return -1;
	add_uses(call, &out, 1);
	return 0;
}
