/* A chatbot's documents as resources. */
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "documents.client.h"
#include "svc-chat/chatbot_methods.h"
#include "svc-chat/state.h"
#include "svc-chat/turn/retrieve.h"

#define RESOURCE "parley://documents/"

enum {
	DOCUMENTS_PAGE = 200,
	TEXT_PIECE = 300000, /* characters of a resource that are read at once */
};

static bool has_document(const struct chatbot_served *bot, const char *id)
{
	for (size_t i = 0; i < bot->found->chatbot->n_documents; i++)
		if (strcmp(bot->found->chatbot->documents[i], id) == 0)
			return true;
	return false;
}

static void add_resource(struct text *out, const Documents__Document *d)
{
	text_addf(out, "{\"uri\":\"" RESOURCE "%s\"", d->id);
	chatbot_add_string(out, "name", d->name);
	if (d->description && *d->description)
		chatbot_add_string(out, "description", d->description);
	text_adds(out, ",\"mimeType\":\"text/plain\"}");
}

/* A page of the owner's documents, without those that this chatbot has not: a page may be empty, and others follow. */
enum served_outcome chatbot_list_resources(struct served *r)
{
	Documents__ListDocumentsRequest request = DOCUMENTS__LIST_DOCUMENTS_REQUEST__INIT;
	const struct chatbot_served *bot = chatbot_served_of(r);
	const struct chat *chat = bot->call->state;
	struct call near = retrieve_nearer(bot->call);
	const char *cursor = json_string(r->params, "cursor"), *before = "";
	Documents__DocumentList *list;

	if (cursor && !uuid_valid(cursor))
		return served_fail(r, SERVED_INVALID_PARAMS, "the cursor is none of ours", NULL);
	text_adds(&r->result, "\"resources\":[");
	request.cursor = (char *)cursor;
	request.has_limit = true;
	request.limit = DOCUMENTS_PAGE;
	if (!bot->found->chatbot->n_documents) {
		text_addc(&r->result, ']');
		return SERVED_DONE;
	}
	if (documents_client_list_documents(chat->documents, &near, &request, &list) < 0)
		return chatbot_failed_inside(r);
	for (size_t i = 0; i < list->n_documents; i++) {
		if (!has_document(bot, list->documents[i]->id))
			continue;
		text_adds(&r->result, before);
		add_resource(&r->result, list->documents[i]);
		before = ",";
	}
	text_addc(&r->result, ']');
	if (list->next && *list->next)
		chatbot_add_string(&r->result, "nextCursor", list->next);
	return SERVED_DONE;
}

enum served_outcome chatbot_list_templates(struct served *r)
{
	text_adds(&r->result,
	          "\"resourceTemplates\":[{\"uriTemplate\":\"" RESOURCE "{id}?start={start}\",\"name\":"
	          "\"document\",\"title\":\"The text of a document\",\"description\":\"From that character "
	          "on, for texts that are too long to be read at once.\",\"mimeType\":\"text/plain\"}]");
	return SERVED_DONE;
}

static enum served_outcome no_resource(struct served *r, const char *uri)
{
	struct text data;

	text_init(&data, r->arena);
	text_adds(&data, "{\"uri\":");
	text_add_json(&data, uri, strlen(uri));
	text_addc(&data, '}');
	return served_fail(r, SERVED_INVALID_PARAMS, "there is no such resource", data.at);
}

/* "parley://documents/<id>?start=1000" */
static bool read_uri(const char *uri, char id[UUID_TEXT], int64_t *start)
{
	static const char query[] = "?start=";
	const char *at = uri + sizeof RESOURCE - 1;
	char *end = NULL;

	*start = 0;
	if (strncmp(uri, RESOURCE, sizeof RESOURCE - 1) != 0 || strlen(at) < UUID_TEXT - 1)
		return false;
	memcpy(id, at, UUID_TEXT - 1);
	id[UUID_TEXT - 1] = '\0';
	at += UUID_TEXT - 1;
	if (!*at)
		return uuid_valid(id);
	if (strncmp(at, query, sizeof query - 1) != 0 || at[sizeof query - 1] < '0' ||
	    at[sizeof query - 1] > '9')
		return false;
	*start = strtoll(at + sizeof query - 1, &end, 10);
	return uuid_valid(id) && !*end && *start < INT64_MAX - TEXT_PIECE;
}

enum served_outcome chatbot_read_resource(struct served *r)
{
	Documents__TextRequest request = DOCUMENTS__TEXT_REQUEST__INIT;
	const struct chatbot_served *bot = chatbot_served_of(r);
	const struct chat *chat = bot->call->state;
	const char *uri = json_string(r->params, "uri");
	struct call near = retrieve_nearer(bot->call);
	Documents__Text *text;
	char id[UUID_TEXT];
	int64_t start;

	if (!uri)
		return served_fail(r, SERVED_INVALID_PARAMS, "uri is missing", NULL);
	if (!read_uri(uri, id, &start) || !has_document(bot, id))
		return no_resource(r, uri);
	request.document_id = id;
	request.has_start = request.has_end = true;
	request.start = start;
	request.end = start + TEXT_PIECE;
	if (documents_client_get_text(chat->documents, &near, &request, &text) < 0)
		return bot->call->err->code == ERROR_NOT_FOUND ? no_resource(r, uri)
		                                               : chatbot_failed_inside(r);
	text_adds(&r->result, "\"contents\":[{\"uri\":");
	text_add_json(&r->result, uri, strlen(uri));
	text_adds(&r->result, ",\"mimeType\":\"text/plain\"");
	chatbot_add_string(&r->result, "text", text->text);
	text_adds(&r->result, "}]");
	return SERVED_DONE;
}
