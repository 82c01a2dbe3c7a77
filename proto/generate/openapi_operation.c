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
bool openapi_in_query(const struct openapi *o, const struct rpc *r, const struct field *f)
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

		if (openapi_in_query(o, r, f))
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

json_object *openapi_content(json_object *owner, const char *type)
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

bool openapi_has_body(const struct openapi *o, const struct rpc *r, bool *required)
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

	if (!openapi_has_body(o, r, &required)) {
		if (r->http->example)
			mistake(o->model, r->name, "has an example, but no body");
		return;
	}
	body = put_object(operation, "requestBody");
	put(body, "required", json_object_new_boolean(required));
	if (r->http->raw) {
		put_object(openapi_content(body, "*/*"), "schema");
	} else if (r->http->upload) {
		put(openapi_content(body, "multipart/form-data"), "schema", upload_schema(o, r));
	} else {
		media = openapi_content(body, "application/json");
		put(media, "schema",
		    r->http->request_body
		        ? schema_of_field(o, message_field(r->in, r->http->request_body), PARAMETER)
		        : body_schema(o, r));
		put(media, "example", parse_example(o, r));
	}
}
