/* One function per method of documents.proto about documents themselves; handlers_text.c has those about their text. */
#include <stdio.h>
#include <string.h>

#include "chatbots.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/rpc/rpc.h"
#include "documents.methods.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/ingest/sniff.h"
#include "svc-documents/store.h"
#include "svc-documents/svc.h"

enum {
	NAME_MAX_CHARACTERS = 200,
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

/* End a transaction in which everything went well, or undo it; what the handler then returns. */
static int end(struct call *call, int result)
{
	if (result == 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return -1;
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

int documents_get_usage(struct call *call, const Rpc__Empty *in, Documents__Usage *out)
{
	(void)in;
	return store_usage(call->db, call->owner_id, out, call->arena, call->err);
}

/* --- Uploading -------------------------------------------------------------------------------------------------- */

int documents_put_chunk(struct call *call, const Documents__PutChunkRequest *in, Rpc__Empty *out)
{
	(void)out;
	if (!call->owner_id || !in->upload_id || !uuid_valid(in->upload_id) || in->number < 0 ||
	    in->data.len == 0 || in->data.len > PIECE_MAX)
		return error_set(call->err, ERROR_INVALID, "not a piece of a file");
	return store_put_piece(call->db, call->owner_id, in->upload_id, in->number, in->data, call->err);
}

/* The last part of what may be a path, without control characters, not too long. */
static const char *clean_name(const char *name, struct arena *a)
{
	const char *base = name ? name : "", *end;
	char *copy;

	for (const char *s = base; *s; s++)
		if (*s == '/' || *s == '\\')
			base = s + 1;
	end = utf8_skip(base, base + strlen(base), NAME_MAX_CHARACTERS);
	copy = arena_strndup(a, base, (size_t)(end - base));
	for (char *s = copy; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
	return *copy ? copy : "Untitled";
}

/* All there is of the file, or why it cannot be taken. */
static int check_file(struct call *call, const Documents__UploadDocumentRequest *in,
                      struct file_summary *file)
{
	const struct documents *svc = documents_state(call);

	if (!in->upload_id || !uuid_valid(in->upload_id))
		return error_set(call->err, ERROR_INVALID, "not an upload");
	if (store_file(call->db, call->owner_id, in->upload_id, file, call->err) < 0)
		return -1;
	if (file->bytes > svc->set->upload_max)
		return error_set(call->err, ERROR_TOO_LARGE, "the file is too large: at most %lld bytes",
		                 (long long)svc->set->upload_max);
	if (!file->whole || (in->has_file_size && in->file_size != file->bytes))
		return error_set(call->err, ERROR_INVALID, "the file did not arrive whole");
	return 0;
}

/* The type, judged by the file's beginning. */
static int judge(struct call *call, const Documents__UploadDocumentRequest *in,
                 const struct file_summary *file, const char **type)
{
	const struct format *format;
	ProtobufCBinaryData head;
	char all[256];

	*type = "txt";
	if (file->bytes == 0)
		return 0;
	if (store_get_piece(call->db, call->owner_id, in->upload_id, 0, &head, call->arena, call->err) < 0)
		return -1;
	format = sniff((const char *)head.data, head.len, in->file_name, NULL);
	if (format && format->reader != FORMAT_REFUSED) {
		*type = format->name;
		return 0;
	}
	return error_set(call->err, ERROR_UNSUPPORTED_TYPE, "this is %s. What can be read: %s",
	                 format ? format->words : "no file that can be read", formats_read(all, sizeof all));
}

/* The document and the job that processes it, both or neither; out as it is before any work on it. */
static int create(struct call *call, const struct new_document *d, Documents__Document *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (store_create(call->db, call->owner_id, d, &documents_state(call)->set->quota, call->err) < 0 ||
	    (!d->error && ingest_later(call->db, call->owner_id, d->id, call->arena, call->err) < 0) ||
	    store_get(call->db, call->owner_id, d->id, out, call->arena, call->err) < 0) {
		bool claimed = db_failed_with(call->err, DB_UNIQUE, "document_file");

		db_rollback(call->db);
		if (!claimed)
			return -1;
		error_clear(call->err);
		return error_set(call->err, ERROR_CONFLICT, "this file was uploaded already");
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

int documents_upload_document(struct call *call, const Documents__UploadDocumentRequest *in,
                              Documents__Document *out)
{
	struct new_document d = { .description = in->description, .status = "pending" };
	struct file_summary file = { 0 };
	char id[UUID_TEXT];

	if (check_file(call, in, &file) < 0)
		return -1;
	if (judge(call, in, &file, &d.type) < 0) {
		struct error ignored = { 0 }; /* what stays is swept */

		if (call->err->code == ERROR_UNSUPPORTED_TYPE &&
		    store_drop_file(call->db, call->owner_id, in->upload_id, &ignored) < 0)
			error_detail(call->err, "%s", ignored.detail);
		return -1;
	}
	uuid_make(id);
	d.id = id;
	d.name = in->name && *in->name ? in->name : clean_name(in->file_name, call->arena);
	d.size = file.bytes;
	d.file = in->upload_id;
	if (file.bytes == 0) {
		d.status = "failed";
		d.error = "The file is empty.";
	}
	if (create(call, &d, out) < 0)
		return -1;
	if (in->has_wait && in->wait > 0)
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
int documents_add_text(struct call *call, const Documents__AddTextRequest *in, Documents__Document *out)
{
	char id[UUID_TEXT], file[UUID_TEXT];
	struct new_document d = { .id = id,
		                  .name = in->name,
		                  .description = in->description,
		                  .type = in->format ? in->format : "txt",
		                  .status = "pending",
		                  .size = (int64_t)strlen(in->text),
		                  .file = file };

	if (d.size > documents_state(call)->set->upload_max)
		return error_set(call->err, ERROR_TOO_LARGE, "the text is too large: at most %lld bytes",
		                 (long long)documents_state(call)->set->upload_max);
	uuid_make(id);
	uuid_make(file);
	if (db_begin(call->db, call->err) < 0)
		return -1;
	if (end(call, put_text(call, file, in->text, (size_t)d.size) < 0 ? -1 : create(call, &d, out)) < 0)
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

/* The page is read first: one that cannot be had leaves no document. */
static int add_ready(struct call *call, const struct new_document *d, const char *url,
                     Documents__Document *out)
{
	static const struct fence nobody;
	struct prepared p;
	int rc;

	if (ingest_page(call, url, &p) < 0)
		return -1;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	rc = store_create(call->db, call->owner_id, d, &documents_state(call)->set->quota, call->err);
	if (rc == 0)
		rc = ingest_store(call, call->owner_id, d->id, &nobody, &p);
	if (rc > 0)
		rc = store_get(call->db, call->owner_id, d->id, out, call->arena, call->err);
	if (rc < 0) {
		db_rollback(call->db);
		return -1;
	}
	return db_commit(call->db, call->err);
}

int documents_add_url(struct call *call, const Documents__AddUrlRequest *in, Documents__Document *out)
{
	char id[UUID_TEXT];
	bool later = in->has_wait && in->wait == 0;
	struct new_document d = { .id = id,
		                  .description = in->description,
		                  .type = "url",
		                  .status = "pending",
		                  .metadata = url_metadata(in->url, call->arena) };

	uuid_make(id);
	/* Without a name it is called by its address until its title is known: see "ready" in store_index.c. */
	d.name = in->name && *in->name ? in->name
	                               : arena_printf(call->arena, "%.*s", NAME_MAX_CHARACTERS, in->url);
	if ((later ? create(call, &d, out) : add_ready(call, &d, in->url, out)) < 0)
		return -1;
	out->message = (char *)message_for(out);
	return 0;
}

/* --- Changing --------------------------------------------------------------------------------------------------- */

static int drop(struct call *call, const char *id)
{
	if (db_must_find(store_delete(call->db, call->owner_id, id, call->err), "document", call->err) < 0)
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
	if (ingest_later(call->db, call->owner_id, id, call->arena, call->err) < 0)
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
