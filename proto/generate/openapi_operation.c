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
	const char *name = arena_printf(o->model->arena, "%s%s", r->in->name, answer ? ".Body" : "");
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

/* A stream, in the framing of its clients. */
static void add_stream(json_object *answer)
{
	put_text(put_object(content(answer, "text/event-stream"), "schema"), "type", "string");
}

/* A file of each of those types. */
static void add_files(struct openapi *o, const struct rpc *r, json_object *answer)
{
	const char *media = r->http->media ? r->http->media : "";

	while (*media) {
		size_t length = strcspn(media, "|");
		json_object *schema =
		    put_object(content(answer, arena_strndup(o->model->arena, media, length)), "schema");

		put_text(schema, "type", "string");
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
		add_stream(answer);
	} else if (h->page) {
		put_text(put_object(content(answer, "text/html"), "schema"), "type", "string");
	} else if (h->raw) {
		put_object(content(answer, "*/*"), "schema");
	} else {
		add_json(o, r, answer);
		add_files(o, r, answer);
		if (h->stream == PARLEY__STREAM_MODE__EITHER)
			add_stream(answer);
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

static void redirection(json_object *responses)
{
	json_object *answer = put_object(responses, "303"), *location;

	put_text(answer, "description", "Go on there.");
	location = put_object(put_object(answer, "headers"), "Location");
	put_text(location, "description", "Where to.");
	put_text(put_object(location, "schema"), "type", "string");
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

void openapi_responses(struct openapi *o, const struct rpc *r, json_object *operation)
{
	json_object *responses = put_object(operation, "responses");
	bool required, body = has_body(o, r, &required);
	bool input = body || json_object_object_get_ex(operation, "parameters", NULL);
	Parley__Access access = r->http->access;

	success(o, r, responses);
	if (r->http->redirect)
		redirection(responses);
	if (other_errors(o, r, responses))
		return;
	refer_to_answer(o, responses, "400", "Malformed");
	if (access != PARLEY__ACCESS__VISITOR)
		refer_to_answer(o, responses, "401", "Unauthenticated");
	if (access != PARLEY__ACCESS__PUBLIC && access != PARLEY__ACCESS__ANYBODY)
		refer_to_answer(o, responses, "403", "Forbidden");
	if (names_things(o, r))
		refer_to_answer(o, responses, "404", "NotFound");
	if (!r->reads && !same(r->verb, "DELETE") &&
	    (r->http->status == 201 || access == PARLEY__ACCESS__USER))
		refer_to_answer(o, responses, "409", "Conflict");
	if (body) {
		refer_to_answer(o, responses, "413", "TooLarge");
		refer_to_answer(o, responses, "415", "UnsupportedType");
	}
	if (input)
		refer_to_answer(o, responses, "422", "Invalid");
	refer_to_answer(o, responses, "429", "TooMany");
	if (r->behaviour->waits == PARLEY__WAITS__OUTSIDE || r->behaviour->waits == PARLEY__WAITS__WRITER)
		refer_to_answer(o, responses, "502", "Upstream");
	refer_to_answer(o, responses, "503", "Unavailable");
	refer_to_answer(o, responses, "504", "UnknownOutcome");
}
