/* The methods of documents.proto about what stands in documents: their text, its passages, and how far it is read. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "chatbots.client.h"
#include "documents.methods.h"
#include "svc-documents/search/known.h"
#include "svc-documents/search/search.h"
#include "svc-documents/store.h"
#include "svc-documents/store_text.h"
#include "svc-documents/svc.h"

enum {
	TEXT_MAX = 3 * 1024 * 1024 /* bytes of one answer: it travels as one message */,
	TEXT_AT_ONCE = 500000 /* characters that certainly fit */
};

/* --- Text ------------------------------------------------------------------------------------------------------- */

static int check_range(struct call *call, const Documents__TextRequest *in, int64_t bytes, int64_t characters,
                       int64_t *start, int64_t *end)
{
	*start = in->has_start && in->start < characters ? in->start : in->has_start ? characters : 0;
	*end = in->has_end && in->end < characters ? in->end : characters;
	if (*end < *start)
		return error_field(call->err, call->arena, "query", "end", "value_error",
		                   "must not be less than start");
	if (*end - *start > TEXT_AT_ONCE && bytes > TEXT_MAX)
		return error_set(
		    call->err, ERROR_TOO_LARGE,
		    "the text has %lld characters: ask for at most %d at a time with start and end",
		    (long long)characters, TEXT_AT_ONCE);
	return 0;
}

int documents_get_text(struct call *call, const Documents__TextRequest *in, Documents__Text *out)
{
	int64_t bytes, characters, start, end;
	int found =
	    store_text_size(call->db, call->owner_id, in->document_id, &bytes, &characters, call->err);

	if (db_must_find(found, "document", call->err) < 0)
		return -1;
	if (bytes < 0)
		return error_set(call->err, ERROR_CONFLICT,
		                 "the document has no text yet: look at its status");
	if (check_range(call, in, bytes, characters, &start, &end) < 0)
		return -1;
	found =
	    store_text(call->db, call->owner_id, in->document_id, start, end, out, call->arena, call->err);
	if (db_must_find(found, "document", call->err) < 0)
		return -1;
	out->id = in->document_id;
	return 0;
}

int documents_list_chunks(struct call *call, const Documents__ListChunksRequest *in,
                          Documents__ChunkList *out)
{
	struct progress p;
	int found = store_get_progress(call->db, call->owner_id, in->document_id, &p, call->arena, call->err);

	if (db_must_find(found, "document", call->err) < 0)
		return -1;
	found = store_chunk_list(call->db, call->owner_id, in->document_id, in->cursor, in->limit, out,
	                         call->arena, call->err);
	if (found == 0)
		return error_field(call->err, call->arena, "query", "cursor", "value_error",
		                   "is of an earlier processing of the document: begin again without it");
	return found < 0 ? -1 : 0;
}

/* --- Following -------------------------------------------------------------------------------------------------- */

int documents_follow_document(struct call *call, const Documents__DocumentRequest *in, Rpc__Started *out)
{
	const struct documents *svc = documents_state(call);
	struct progress p;
	const char *stream;
	int found = store_get_progress(call->db, call->owner_id, in->document_id, &p, call->arena, call->err);

	if (db_must_find(found, "document", call->err) < 0)
		return -1;
	if (follow_start(svc->follow, call, in->document_id, &stream) < 0)
		return -1;
	out->stream = (char *)stream;
	return 0;
}

/* --- Searching -------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each id once, in lower case, sorted. */
static void set_ids(struct scope *scope, char *const *ids, size_t count, struct arena *a)
{
	char **list = arena_new(a, char *, count + 1);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		list[i] = arena_strdup(a, ids[i]);
		for (char *c = list[i]; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	qsort(list, count, sizeof *list, by_text);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(list[kept - 1], list[i]) != 0)
			list[kept++] = list[i];
	scope->ids = list;
	scope->count = kept;
}

static bool contains(const struct scope *scope, const char *id)
{
	return bsearch(&id, scope->ids, scope->count, sizeof *scope->ids, by_text) != NULL;
}

/* Only the chatbot's documents; of those named, all must be among them. */
static int within_chatbot(struct call *call, const char *chatbot_id, struct scope *scope)
{
	const struct documents *svc = documents_state(call);
	Chatbots__ChatbotRequest in = CHATBOTS__CHATBOT_REQUEST__INIT;
	struct scope theirs = { .owner = scope->owner };
	Chatbots__Chatbot *chatbot;

	in.chatbot_id = (char *)chatbot_id;
	if (chatbots_client_get_chatbot(service_peer(svc->service, "chatbots"), call, &in, &chatbot) < 0)
		return -1;
	set_ids(&theirs, chatbot->documents, chatbot->n_documents, call->arena);
	for (size_t i = 0; scope->ids && i < scope->count; i++)
		if (!contains(&theirs, scope->ids[i]))
			return error_set(call->err, ERROR_NOT_FOUND,
			                 "the chatbot does not have one of these documents");
	if (!scope->ids)
		*scope = theirs;
	return 0;
}

int documents_search(struct call *call, const Documents__SearchRequest *in, Documents__SearchReply *out)
{
	struct scope scope = { .owner = call->owner_id };

	if (in->n_document_ids)
		set_ids(&scope, in->document_ids, in->n_document_ids, call->arena);
	if (in->chatbot_id && within_chatbot(call, in->chatbot_id, &scope) < 0)
		return -1;
	if (scope.ids && scope.count == 0)
		return 0;
	return search(call, &scope,
	              &(struct search_wish){ .question = in->query,
	                                     .limit = in->has_limit ? (size_t)in->limit : SEARCH_LIMIT,
	                                     .debug = in->has_debug && in->debug },
	              out);
}

int documents_find_for_answer(struct call *call, const Documents__FindForAnswerRequest *in,
                              Documents__FoundForAnswer *out)
{
	struct scope scope = { .owner = call->owner_id, .lenient = !in->has_all_there || !in->all_there };
	struct question_vector vector = { 0 };
	Documents__SearchReply found = DOCUMENTS__SEARCH_REPLY__INIT;
	int known = known_question(call, in->asked, in->questions, in->n_questions, &vector, &out->score);

	if (known >= 0) {
		out->has_question = out->has_score = true;
		out->question = known;
		return 0;
	}
	set_ids(&scope, in->document_ids, in->n_document_ids, call->arena);
	if (scope.count == 0)
		return 0;
	if (search(call, &scope,
	           &(struct search_wish){ .question = in->query,
	                                  .limit = in->has_limit ? (size_t)in->limit : SEARCH_LIMIT,
	                                  .headings = true,
	                                  .vector = strcmp(in->asked, in->query) == 0 ? &vector : NULL },
	           &found) < 0)
		return -1;
	out->results = found.results;
	out->n_results = found.n_results;
	return 0;
}
