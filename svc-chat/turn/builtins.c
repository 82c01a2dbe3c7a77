/* The tools that everybody has in chats, without a server: they only read. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "documents.client.h"
#include "svc-chat/model/defuse.h"
#include "svc-chat/state.h"
#include "svc-chat/tools/result.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/turn/rounds.h"

enum { FOUND = 5, MORE_TOKENS = 2000, QUERY_MOST = 4000 };

const struct tool builtins[] = {
	{ .name = "search_documents",
	  .own_name = "search_documents",
	  .description =
	      "Search the documents that the user has uploaded. Gives the passages that fit best, numbered.",
	  .schema =
	      "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4000,"
	      "\"description\":\"what to look for, in words of the documents\"}},\"required\":[\"query\"]}",
	  .policy = "allow",
	  .digest = "",
	  .read_only = true,
	  .repeatable = true },
	{ .name = "now",
	  .own_name = "now",
	  .description = "The date and the time of day, in UTC.",
	  .schema = "{\"type\":\"object\",\"properties\":{}}",
	  .policy = "allow",
	  .digest = "",
	  .read_only = true,
	  .repeatable = true },
	{ .name = "read_more",
	  .own_name = "read_more",
	  .description = "Read on in a result of a tool that was too long to be shown whole.",
	  .schema =
	      "{\"type\":\"object\",\"properties\":{\"result\":{\"type\":\"integer\",\"description\":\"its number\"},"
	      "\"from\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"the character to begin with\"}},"
	      "\"required\":[\"result\"]}",
	  .policy = "allow",
	  .digest = "",
	  .read_only = true,
	  .repeatable = true },
};
const size_t builtin_count = sizeof builtins / sizeof *builtins;

/* --- search_documents --------------------------------------------------------------------------------------------------- */

/* The number of that passage; a new one, if it was not found before. 0: there is no room. */
static size_t number_of(struct ask *ask, Documents__Source *source)
{
	for (size_t i = 0; i < ask->found_count; i++)
		if (strcmp(ask->found[i]->chunk_id, source->chunk_id) == 0 &&
		    ask->found[i]->start == source->start)
			return i + 1;
	if (ask->found_count == CITATIONS_MAX)
		return 0;
	source->heading = NULL;
	ask->found[ask->found_count++] = source;
	return ask->found_count;
}

static void add_passage(struct text *t, size_t number, const Documents__Source *source)
{
	text_addf(t, "<passage number=\"%zu\" document=\"", number);
	defuse_name(source->document_name ? source->document_name : "", t);
	text_addc(t, '"');
	if (source->has_page)
		text_addf(t, " page=\"%d\"", source->page);
	text_adds(t, ">\n");
	defuse_text(source->text ? source->text : "", source->text ? strlen(source->text) : 0, t);
	text_adds(t, "\n</passage>\n");
}

static int find(struct rounds *r, const char *query, int limit, Documents__SearchReply **found)
{
	Documents__SearchRequest request = DOCUMENTS__SEARCH_REQUEST__INIT;
	struct call near = retrieve_nearer(r->call);

	request.query = (char *)query;
	request.has_limit = true;
	request.limit = limit;
	return documents_client_search(r->chat->documents, &near, &request, found);
}

int builtin_search(struct rounds *r, const char *question)
{
	const char *query =
	    arena_strndup(r->call->arena, question, utf8_clip(question, strlen(question), QUERY_MOST));
	Documents__SearchReply *found;

	if (find(r, query, r->ask->settings.top_k, &found) < 0)
		return -1;
	r->ask->found = found->results;
	r->ask->found_count = found->n_results;
	return 0;
}

static int search(struct rounds *r, json_object *arguments, const char **text, ProtobufCBinaryData *passages)
{
	struct ask *ask = r->ask;
	Documents__SearchReply *found;
	Documents__Source **all = arena_new(r->call->arena, Documents__Source *, CITATIONS_MAX);
	struct text t;

	if (find(r, json_string(arguments, "query"), FOUND, &found) < 0)
		return -1;
	if (ask->found_count)
		memcpy(all, ask->found, ask->found_count * sizeof *all);
	ask->found = all;
	text_init(&t, r->call->arena);
	for (size_t i = 0; i < found->n_results; i++) {
		size_t number = number_of(ask, found->results[i]);

		if (number)
			add_passage(&t, number, ask->found[number - 1]);
	}
	if (!t.length)
		text_adds(&t, "Nothing was found in the documents.");
	*text = t.at;
	*passages = store_pack_sources(ask->found, ask->found_count, r->call->arena);
	return 0;
}

/* --- now, read_more ------------------------------------------------------------------------------------------------------ */

static const char *now(struct arena *a)
{
	time_t seconds = (time_t)(clock_unix_ms() / 1000);
	struct tm tm;
	char text[64];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%A, %Y-%m-%d %H:%M:%S UTC", &tm);
	return arena_strdup(a, text);
}

static const char *read_more(const struct rounds *r, json_object *arguments)
{
	int64_t number = json_int(arguments, "result", -1);

	for (size_t i = 0; i < r->was.call_count; i++)
		if (r->was.calls[i].number == number && r->was.calls[i].result)
			return result_piece(r->was.calls[i].result, (int)number,
			                    json_int(arguments, "from", 0), MORE_TOKENS, r->call->arena);
	return NULL;
}

int builtin_run(struct rounds *r, const struct tool_step *call, const char **status, const char **text,
                ProtobufCBinaryData *passages)
{
	OWN(json) json_object *arguments = NULL;
	struct error err = { 0 };

	*status = "done";
	if (json_parse(call->call->arguments, strlen(call->call->arguments), &arguments, &err) < 0)
		arguments = NULL;
	if (strcmp(call->detail->tool, "now") == 0) {
		*text = now(r->call->arena);
	} else if (strcmp(call->detail->tool, "read_more") == 0) {
		*text = read_more(r, arguments);
		if (!*text) {
			*status = "failed";
			*text = "There is no result of that number.";
		}
	} else if (search(r, arguments, text, passages) < 0) {
		*status = "failed";
		*text = arena_printf(r->call->arena, "The documents cannot be searched right now: %s",
		                     r->call->err->message);
		error_clear(r->call->err);
	}
	return 0;
}
