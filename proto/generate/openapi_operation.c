#include <ctype.h>
#include <string.h>

#include "proto/generate/openapi.h"

static bool in_path(const struct openapi *o, const struct field *f)
{
	const char *at = o->route, *name;

	while ((name = path_parameter(&at, o->model->arena))) {
		if (same(name, f->json_name))
			return true;
	}
	return false;
}

bool openapi_in_body(const struct openapi *o, const struct field *f)
{
	return schema_from_body(o, f) && !in_path(o, f);
}

/* --- Parameters ---------------------------------------------------------------------------------------------------- */

/* last_event_id -> Last-Event-ID */
static const char *header_name(const char *name, struct arena *a)
{
	char *copy = arena_strdup(a, name);

	for (char *c = copy; *c; c++) {
		if (c == copy || c[-1] == '-')
			*c = (char)toupper((unsigned char)*c);
		if (c > copy && c[-1] == 'I' && *c == 'd' && !c[1])
			*c = 'D';
		if (*c == '_')
			*c = '-';
	}
	return copy;
}

static json_object *add_parameter(json_object *list, const char *where, const char *name,
                                  const char *description, bool required)
{
	json_object *parameter = json_object_new_object();

	put_text(parameter, "name", name);
	put_text(parameter, "in", where);
	if (required)
		put(parameter, "required", json_object_new_boolean(true));
	put_text(parameter, "description", description);
	json_object_array_add(list, parameter);
	return parameter;
}

static void add_field(struct openapi *o, json_object *list, const char *where, const char *name,
                      const struct field *f)
{
	bool path = same(where, "path");
	json_object *parameter = add_parameter(list, where, name, f->comment, path || f->rule->required);
	json_object *schema = schema_of_field(o, f, PARAMETER);

	json_object_object_del(schema, "description"); /* stands at the parameter */
	put(parameter, "schema", schema);
	if (path)
		put(parameter, "example", schema_example(f));
}

static void add_header(json_object *list, const char *name, const char *description)
{
	put_text(put_object(add_parameter(list, "header", name, description, false), "schema"), "type",
	         "string");
}

/* A field of a request that the query fills: by its rule, or because a GET has no body. */
static bool in_query(const struct openapi *o, const struct rpc *r, const struct field *f)
{
	if (f->rule->source == PARLEY__SOURCE__QUERY)
		return true;
	return same(r->verb, "GET") && openapi_in_body(o, f);
}

void openapi_parameters(struct openapi *o, const struct rpc *r, json_object *operation)
{
	json_object *list = put(operation, "parameters", json_object_new_array());
	const char *at = o->path, *name;
	bool cursor = false;

	while ((name = path_parameter(&at, o->model->arena))) {
		if (r->http->raw)
			put_text(put_object(add_parameter(list, "path", name, NULL, true), "schema"), "type",
			         "string");
		else
			add_field(o, list, "path", name, message_field(r->in, name));
	}
	for (size_t i = 0; i < r->in->field_count && !r->http->raw; i++) {
		const struct field *f = &r->in->fields[i];

		if (in_query(o, r, f))
			add_field(o, list, "query", f->json_name, f);
		if (f->rule->source == PARLEY__SOURCE__HEADER)
			add_field(o, list, "header", header_name(f->proto->name, o->model->arena), f);
		cursor = cursor || same(f->proto->name, "last_event_id");
	}
	if (r->http->stream == PARLEY__STREAM_MODE__RESUME && !cursor)
		add_header(list, "Last-Event-ID",
		           "The id of the last event seen; the stream goes on after it.");
	if (r->behaviour->idempotency_key || r->http->own_key)
		add_header(
		    list, "Idempotency-Key",
		    "Makes a repeated request safe: the same key with the same body gives the first answer again, "
		    "for 24 hours; with another body it is refused (422).");
	if (!json_object_array_length(list))
		json_object_object_del(operation, "parameters");
}

/* --- Bodies -------------------------------------------------------------------------------------------------------- */

static json_object *content(json_object *owner, const char *type)
{
	json_object *types;

	if (!json_object_object_get_ex(owner, "content", &types))
		types = put_object(owner, "content");
	return put_object(types, type);
}

/* An upload: the file and what goes along with it. */
static json_object *upload_schema(struct openapi *o, const struct rpc *r)
{
	json_object *schema = schema_of_fields(o, r->in, PARAMETER, openapi_in_body);
	json_object *properties = json_object_object_get(schema, "properties"), *required;
	json_object *file = put_object(properties, r->http->upload);

	put_text(file, "type", "string");
	put_text(file, "format", "binary");
	put_text(file, "contentMediaType", "application/octet-stream");
	put_text(file, "description", "The file.");
	if (!json_object_object_get_ex(schema, "required", &required))
		required = put(schema, "required", json_object_new_array());
	json_object_array_add(required, json_object_new_string(r->http->upload));
	return schema;
}

/* Named as the message; where several operations fill the same message from different places, it stands in place. */
static json_object *body_schema(struct openapi *o, const struct rpc *r)
{
	bool answer = json_object_object_get_ex(o->answers, r->in->name, NULL);
	const char *name = schema_name(o, r->in, answer ? "Body" : "");
	json_object *schema = schema_of_fields(o, r->in, REQUEST, openapi_in_body), *known, *reference;

	if (json_object_object_get_ex(o->schemas, name, &known) && !json_object_equal(known, schema))
		return schema;
	put(o->schemas, name, schema);
	reference = json_object_new_object();
	put_text(reference, "$ref", arena_printf(o->model->arena, "#/components/schemas/%s", name));
	return reference;
}

/* Made up where the contract gives none: what is required, with values of the right type. */
static json_object *make_example(struct openapi *o, const struct rpc *r)
{
	json_object *example = json_object_new_object();

	for (size_t i = 0; i < r->in->field_count; i++) {
		const struct field *f = &r->in->fields[i];

		if (f->rule->required && openapi_in_body(o, f) && !f->repeated && !f->sub)
			put(example, f->json_name, schema_example(f));
	}
	return example;
}

/* The example has to be a body of this operation: an object with known members, and all that are required. */
static json_object *parse_example(struct openapi *o, const struct rpc *r)
{
	json_object *example;

	if (!r->http->example)
		return make_example(o, r);
	example = json_tokener_parse(r->http->example);
	if (!json_object_is_type(example, json_type_object)) {
		mistake(o->model, r->name, "the example is no JSON object");
		return NULL;
	}
	if (r->http->request_body)
		return example;
	json_object_object_foreach(example, key, value)
	{
		const struct field *f = message_field(r->in, key);

		(void)value;
		if (!f || !schema_from_body(o, f)) /* what the path says may be said again */
			mistake(o->model, r->name, "the example has a member %s that its body has not", key);
	}
	for (size_t i = 0; i < r->in->field_count; i++) {
		const struct field *f = &r->in->fields[i];

		if (f->rule->required && openapi_in_body(o, f) &&
		    !json_object_object_get_ex(example, f->json_name, NULL))
			mistake(o->model, r->name, "the example lacks %s", f->json_name);
	}
	return example;
}

static bool has_body(const struct openapi *o, const struct rpc *r, bool *required)
{
	bool any = r->http->upload || r->http->raw || r->http->request_body;

	*required = any;
	for (size_t i = 0; i < r->in->field_count && !any; i++)
		any = openapi_in_body(o, &r->in->fields[i]);
	for (size_t i = 0; i < r->in->field_count && any; i++)
		*required =
		    *required || (r->in->fields[i].rule->required && openapi_in_body(o, &r->in->fields[i]));
	return any && !same(r->verb, "GET");
}

void openapi_body(struct openapi *o, const struct rpc *r, json_object *operation)
{
	json_object *body, *media;
	bool required;

	if (!has_body(o, r, &required)) {
		if (r->http->example)
			mistake(o->model, r->name, "has an example, but no body");
		return;
	}
	body = put_object(operation, "requestBody");
	put(body, "required", json_object_new_boolean(required));
	if (r->http->raw) {
		put_object(content(body, "*/*"), "schema");
	} else if (r->http->upload) {
		put(content(body, "multipart/form-data"), "schema", upload_schema(o, r));
	} else {
		media = content(body, "application/json");
		put(media, "schema",
		    r->http->request_body
		        ? schema_of_field(o, message_field(r->in, r->http->request_body), PARAMETER)
		        : body_schema(o, r));
		put(media, "example", parse_example(o, r));
	}
}

/* --- Answers ------------------------------------------------------------------------------------------------------- */

static void refer_to_answer(struct openapi *o, json_object *responses, const char *status, const char *name)
{
	put_text(put_object(responses, status), "$ref",
	         arena_printf(o->model->arena, "#/components/responses/%s", name));
}

/* A stream, in the framing of its clients; what its events are is a schema of the skeleton. */
static void add_stream(struct openapi *o, const struct rpc *r, json_object *answer)
{
	json_object *schema = put_object(content(answer, "text/event-stream"), "schema"), *events;

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
		json_object *schema = put_object(content(answer, type), "schema");
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
	media = content(answer, "application/json");
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
		put_text(put_object(content(answer, "text/html"), "schema"), "type", "string");
	} else if (h->raw) {
		put_object(content(answer, "*/*"), "schema");
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
		put_object(content(answer, r->http->media), "schema");
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

	return has_body(o, r, &required);
}

/* The body, the path, the query, a header: something that can be wrong. */
static bool takes_input(const struct openapi *o, const struct rpc *r)
{
	bool any = takes_body(o, r) || strchr(o->path, '{');

	for (size_t i = 0; i < r->in->field_count && !any; i++)
		any = in_query(o, r, &r->in->fields[i]) ||
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
