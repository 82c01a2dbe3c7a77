/* What an operation answers: success in each of its forms, and the errors that can happen to it. */
#include <string.h>

#include "proto/generate/openapi.h"

static void refer_to_answer(struct openapi *o, json_object *responses, const char *status, const char *name)
{
	put_text(put_object(responses, status), "$ref",
	         arena_printf(o->model->arena, "#/components/responses/%s", name));
}

/* A stream, in the framing of its clients; what its events are is a schema of the skeleton. */
static void add_stream(struct openapi *o, const struct rpc *r, json_object *answer)
{
	json_object *schema = put_object(openapi_content(answer, "text/event-stream"), "schema"), *events;

	put_text(schema, "type", "string");
	if (!r->http->events)
		return;
	if (!json_object_object_get_ex(o->schemas, r->http->events, NULL))
		mistake(o->model, r->name, "there is no schema %s in proto/openapi.json", r->http->events);
	put_text(schema, "contentMediaType", "text/event-stream");
	events = put_object(schema, "contentSchema");
	put_text(events, "type", "array");
	put_text(put_object(events, "items"), "$ref",
	         arena_printf(o->model->arena, "#/components/schemas/%s", r->http->events));
}

/* A file of each of those types. */
static void add_files(struct openapi *o, const struct rpc *r, json_object *answer)
{
	const char *media = r->http->media ? r->http->media : "";

	while (*media) {
		size_t length = strcspn(media, "|");
		const char *type = arena_strndup(o->model->arena, media, length);
		json_object *schema = put_object(openapi_content(answer, type), "schema");
		bool json = same(type, "application/json");

		put_text(schema, "type", json ? "object" : "string");
		if (json)
			put(schema, "additionalProperties", json_object_new_boolean(true));
		else
			put_text(schema, "format", "binary");
		media += length + (media[length] == '|');
	}
}

/* Has the reply anything that is shown as JSON? */
static bool shows_json(const struct rpc *r)
{
	size_t hidden = 0;

	for (size_t i = 0; i < r->out->field_count; i++)
		hidden += r->out->fields[i].sub && (same(r->out->fields[i].sub->name, "rpc.FilePiece") ||
		                                    same(r->out->fields[i].sub->name, "rpc.Started"));
	return hidden < r->out->field_count;
}

static void add_json(struct openapi *o, const struct rpc *r, json_object *answer)
{
	const Parley__Http *h = r->http;
	json_object *media;

	if (!shows_json(r))
		return;
	media = openapi_content(answer, "application/json");
	if (!h->response_body) {
		put(media, "schema", schema_reference(o, r->out, ANSWER));
		return;
	}
	put(media, "schema", schema_of_field(o, message_field(r->out, h->response_body), ANSWER));
	if (message_field(r->out, "next"))
		put_text(put_object(put_object(answer, "headers"), "Link"), "$ref",
		         "#/components/headers/Link");
}

static void success(struct openapi *o, const struct rpc *r, json_object *responses)
{
	const Parley__Http *h = r->http;
	json_object *answer = put_object(responses, arena_printf(o->model->arena, "%d", h->status));

	put_text(answer, "description", h->status == 204 ? "Done; there is no body." : "Done.");
	if (h->status == 204)
		return;
	if (h->stream == PARLEY__STREAM_MODE__START || h->stream == PARLEY__STREAM_MODE__RESUME) {
		put_text(answer, "description", "Events as they come, each with an id to go on after.");
		add_stream(o, r, answer);
	} else if (h->page) {
		put_text(put_object(openapi_content(answer, "text/html"), "schema"), "type", "string");
	} else if (h->raw) {
		put_object(openapi_content(answer, "*/*"), "schema");
	} else {
		add_json(o, r, answer);
		add_files(o, r, answer);
		if (h->stream == PARLEY__STREAM_MODE__EITHER)
			add_stream(o, r, answer);
	}
}

/* Where clients know errors in a form of other people's API, one schema says what it is. */
static bool other_errors(struct openapi *o, const struct rpc *r, json_object *responses)
{
	static const char *const names[] = {
		[PARLEY__ERROR_FORM__OPENAI] = "OpenAiError", [PARLEY__ERROR_FORM__JSONRPC] = "JsonRpcError"
	};

	if (r->http->errors == PARLEY__ERROR_FORM__DETAIL)
		return false;
	refer_to_answer(o, responses, "4XX", names[r->http->errors]);
	refer_to_answer(o, responses, "5XX", names[r->http->errors]);
	return true;
}

/* An empty stream, a part of a file, another place. */
static void more_success(const struct rpc *r, json_object *responses)
{
	json_object *answer, *location;

	if (r->http->stream == PARLEY__STREAM_MODE__RESUME)
		put_text(put_object(responses, "204"), "description", "Nothing follows that event.");
	if (r->http->file && same(r->http->media, "*/*")) {
		answer = put_object(responses, "206");
		put_text(answer, "description", "The part that `Range` asks for.");
		put_object(openapi_content(answer, r->http->media), "schema");
		put_text(put_object(responses, "304"), "description",
		         "`If-None-Match` names it: it has not changed.");
		put_text(put_object(responses, "416"), "description", "There is no such part.");
	}
	if (!r->http->redirect)
		return;
	answer = put_object(responses, "303");
	put_text(answer, "description", "Go on there.");
	location = put_object(put_object(answer, "headers"), "Location");
	put_text(location, "description", "Where to.");
	put_text(put_object(location, "schema"), "type", "string");
}

static bool always(const struct openapi *o, const struct rpc *r)
{
	(void)o;
	(void)r;
	return true;
}

static bool not_of_visitors(const struct openapi *o, const struct rpc *r)
{
	(void)o;
	return r->http->access != PARLEY__ACCESS__VISITOR;
}

static bool changes_things(const struct openapi *o, const struct rpc *r)
{
	Parley__Access access = r->http->access;

	(void)o;
	return !r->reads && !same(r->verb, "DELETE") &&
	       (r->http->status == 201 || access == PARLEY__ACCESS__USER || access == PARLEY__ACCESS__ADMIN);
}

static bool takes_body(const struct openapi *o, const struct rpc *r)
{
	bool required;

	return openapi_has_body(o, r, &required);
}

/* The body, the path, the query, a header: something that can be wrong. */
static bool takes_input(const struct openapi *o, const struct rpc *r)
{
	bool any = takes_body(o, r) || strchr(o->path, '{');

	for (size_t i = 0; i < r->in->field_count && !any; i++)
		any = openapi_in_query(o, r, &r->in->fields[i]) ||
		      r->in->fields[i].rule->source == PARLEY__SOURCE__HEADER;
	return any || r->behaviour->idempotency_key || r->http->own_key;
}

/* Models, pages, the machines of others: one that fails is told, as 502. */
static bool asks_others(const struct openapi *o, const struct rpc *r)
{
	(void)o;
	switch (r->behaviour->waits) {
	case PARLEY__WAITS__OUTSIDE:
	case PARLEY__WAITS__WRITER: return true;
	case PARLEY__WAITS__READER: return r->http->stream == PARLEY__STREAM_MODE__NONE;
	default: return false;
	}
}

/* Does the request name things that may not be there? */
static bool names_things(const struct openapi *o, const struct rpc *r)
{
	bool any = strchr(o->path, '{') != NULL;

	for (size_t i = 0; i < r->in->field_count && !any; i++) {
		const struct field *f = &r->in->fields[i];

		any = openapi_in_body(o, f) &&
		      (f->rule->format == PARLEY__FORMAT__UUID || f->rule->format == PARLEY__FORMAT__ID);
	}
	return any;
}

/* What else than a success there may be: as it follows from the contract. */
static const struct usual {
	int status;
	const char *name; /* of the skeleton's answer */
	bool (*comes)(const struct openapi *o, const struct rpc *r);
} usual[] = {
	{ 400, "Malformed", always },
	{ 401, "Unauthenticated", not_of_visitors },
	{ 403, "Forbidden", always },
	{ 404, "NotFound", names_things },
	{ 409, "Conflict", changes_things },
	{ 413, "TooLarge", takes_body },
	{ 415, "UnsupportedType", takes_body },
	{ 422, "Invalid", takes_input },
	{ 429, "TooMany", always },
	{ 502, "Upstream", asks_others },
	{ 503, "Unavailable", always },
	{ 504, "UnknownOutcome", always },
};

static bool said_also(const struct rpc *r, int status)
{
	for (size_t i = 0; i < r->http->n_also; i++) {
		if (r->http->also[i] == status)
			return true;
	}
	return false;
}

void openapi_responses(struct openapi *o, const struct rpc *r, json_object *operation)
{
	json_object *responses = put_object(operation, "responses");

	success(o, r, responses);
	more_success(r, responses);
	if (other_errors(o, r, responses))
		return;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		const struct usual *u = &usual[i];
		const char *name = u->name;

		if (u->status == 400 && r->http->bad_request)
			name = r->http->bad_request;
		if (u->status == 502 && r->http->page)
			name = "PageUpstream";

		if (u->comes(o, r) || said_also(r, u->status))
			refer_to_answer(o, responses, arena_printf(o->model->arena, "%d", u->status), name);
	}
}
