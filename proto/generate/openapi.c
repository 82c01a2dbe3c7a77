#include "proto/generate/openapi.h"

#include <ctype.h>
#include <string.h>

#include "common/base/version.h"

/* The first sentence of a comment, without its full stop. */
static const char *summary(const char *comment, struct arena *a)
{
	const char *end = strpbrk(comment, ".\n:");

	while (end && *end != '\n' && end[1] && end[1] != ' ' && end[1] != '\n')
		end = strpbrk(end + 1, ".\n:");
	return end ? arena_strndup(a, comment, (size_t)(end - comment)) : comment;
}

/* MeasureName -> "Measure name": better than nothing where a comment is missing. */
static const char *in_words(const struct rpc *r, struct arena *a)
{
	char *words = arena_strdup(a, r->low);

	for (char *c = words; *c; c++)
		*c = (char)(c == words ? toupper((unsigned char)*c) : *c == '_' ? ' ' : *c);
	return words;
}

static void describe(struct openapi *o, const struct rpc *r, json_object *operation)
{
	const char *comment = r->comment ? r->comment : in_words(r, o->model->arena);
	const char *first = summary(comment, o->model->arena);

	put_text(operation, "summary", first);
	if (strlen(comment) > strlen(first) + 1)
		put_text(operation, "description", comment);
}

/* Signing in is the rule (the skeleton says so); these are the exceptions. */
static void say_security(const struct rpc *r, json_object *operation)
{
	json_object *list;

	if (r->http->access == PARLEY__ACCESS__USER || r->http->access == PARLEY__ACCESS__ADMIN ||
	    r->http->access == PARLEY__ACCESS__PROGRAM)
		return;
	list = put(operation, "security", json_object_new_array());
	if (r->http->access != PARLEY__ACCESS__PUBLIC || r->http->raw)
		return;
	json_object_array_add(list, json_object_new_object()); /* nothing at all, or ... */
	for (int i = 0; i < 2; i++) {
		json_object *scheme = json_object_new_object();

		put(scheme, i ? "apiKey" : "bearer", json_object_new_array());
		json_object_array_add(list, scheme);
	}
}

/* The chapter: as said, or that of the contract's first method which says one. New ones follow those of the skeleton. */
static void add_tag(json_object *root, const struct rpc *r, json_object *operation)
{
	json_object *tags = json_object_object_get(root, "tags"), *new_tag;
	const char *tag = r->http->tag;
	bool known = false;

	for (size_t i = 0; !tag && i < r->contract->rpc_count; i++)
		tag = r->contract->rpcs[i].http ? r->contract->rpcs[i].http->tag : NULL;
	if (!tag)
		tag = r->contract->name;
	json_object_array_add(put(operation, "tags", json_object_new_array()), json_object_new_string(tag));
	for (size_t i = 0; i < json_object_array_length(tags); i++) {
		json_object *name = json_object_object_get(json_object_array_get_idx(tags, i), "name");

		known = known || same(json_object_get_string(name), tag);
	}
	if (known)
		return;
	new_tag = json_object_new_object();
	put_text(new_tag, "name", tag);
	json_object_array_add(tags, new_tag);
}

static void add_operation(struct openapi *o, json_object *root, const struct rpc *r, const char *path,
                          const char *suffix)
{
	json_object *item, *operation;

	o->route = r->path;
	o->path = path;
	if (!json_object_object_get_ex(o->paths, path, &item))
		item = put_object(o->paths, path);
	else if (json_object_object_get_ex(item, lower(r->verb, o->model->arena), NULL))
		mistake(o->model, r->name, "%s %s is the gateway's own", r->verb, path);
	operation = put_object(item, lower(r->verb, o->model->arena));
	put_text(operation, "operationId",
	         arena_printf(o->model->arena, "%s_%s%s%s", r->contract->name,
	                      r->http->operation ? r->http->operation : r->low, *suffix ? "_" : "", suffix));
	add_tag(root, r, operation);
	describe(o, r, operation);
	say_security(r, operation);
	openapi_parameters(o, r, operation);
	openapi_body(o, r, operation);
	openapi_responses(o, r, operation);
}

/* A parameter that may be a few words only is spelled out, a path for each: /integrations/{type} stands beside
 * /integrations/{id}, which would be the same path to most tools. */
static void add_paths(struct openapi *o, json_object *root, const struct rpc *r)
{
	struct arena *a = o->model->arena;
	const char *at = r->path, *name;

	if (r->http->hidden)
		return;
	while ((name = path_parameter(&at, a))) {
		const struct field *f = message_field(r->in, name);
		const char *words = f ? f->rule->one_of : NULL;
		size_t before = (size_t)(at - r->path) - strlen(name) - 2;

		if (!words)
			continue;
		while (*words) {
			size_t length = strcspn(words, "|");
			const char *word = arena_strndup(a, words, length);

			add_operation(o, root, r, arena_printf(a, "%.*s%s%s", (int)before, r->path, word, at),
			              word);
			words += length + (words[length] == '|');
		}
		return;
	}
	add_operation(o, root, r, r->path, "");
}

static void mark_answers(struct openapi *o, const struct message *msg)
{
	if (json_object_object_get_ex(o->answers, msg->name, NULL))
		return;
	put(o->answers, msg->name, NULL);
	for (size_t i = 0; i < msg->field_count; i++) {
		if (msg->fields[i].sub)
			mark_answers(o, msg->fields[i].sub);
		if (msg->fields[i].like)
			mark_answers(o, msg->fields[i].like);
	}
}

static void each_public(struct openapi *o, json_object *root,
                        void (*visit)(struct openapi *o, json_object *root, const struct rpc *r))
{
	for (size_t i = 0; i < o->model->contract_count; i++) {
		for (size_t j = 0; j < o->model->contracts[i].rpc_count; j++) {
			if (o->model->contracts[i].rpcs[j].http)
				visit(o, root, &o->model->contracts[i].rpcs[j]);
		}
	}
}

static void visit_answer(struct openapi *o, json_object *root, const struct rpc *r)
{
	(void)root;
	mark_answers(o, r->out);
}

/* Every answer bears the id that the logs of all services have for its request. */
static void add_request_id(json_object *responses)
{
	if (!responses)
		return;
	json_object_object_foreach(responses, status, answer)
	{
		json_object *headers = json_object_object_get(answer, "headers");

		(void)status;
		if (json_object_object_get_ex(answer, "$ref", NULL))
			continue;
		if (!headers)
			headers = put_object(answer, "headers");
		put_text(put_object(headers, "X-Request-Id"), "$ref", "#/components/headers/RequestId");
	}
}

/* Of a success, as it was recorded (tests/e2e/openapi_examples): {operation: {media type: example}}. */
static void add_examples(const json_object *examples, json_object *operation, json_object *responses)
{
	const char *id = json_object_get_string(json_object_object_get(operation, "operationId"));
	json_object *recorded = json_object_object_get(examples, id), *types = NULL, *example;

	json_object_object_foreach(responses, status, answer)
	{
		if (!types && *status == '2')
			types = json_object_object_get(answer, "content");
	}
	if (!recorded || !types)
		return;
	json_object_object_foreach(types, type, media)
	{
		if (json_object_object_get_ex(recorded, type, &example))
			put(media, "example", json_object_get(example));
	}
}

static void finish_operations(json_object *root, json_object *paths, const json_object *examples)
{
	add_request_id(json_object_object_get(json_object_object_get(root, "components"), "responses"));
	json_object_object_foreach(paths, path, item)
	{
		(void)path;
		json_object_object_foreach(item, verb, operation)
		{
			json_object *responses = json_object_object_get(operation, "responses");

			(void)verb;
			add_request_id(responses);
			add_examples(examples, operation, responses);
		}
	}
}

void emit_openapi(struct model *m, const char *skeleton, const char *examples, const char *dir)
{
	json_object *root = json_object_from_file(skeleton), *recorded = json_object_from_file(examples);
	struct openapi o = { .model = m,
		             .answers = json_object_new_object(),
		             .named = json_object_new_object() };
	struct text t;

	if (!root || !json_object_object_get_ex(root, "paths", &o.paths) ||
	    !json_object_object_get_ex(json_object_object_get(root, "components"), "schemas", &o.schemas))
		stop("%s: this is no skeleton of openapi.json", skeleton);
	if (!json_object_is_type(recorded, json_type_object))
		stop("%s: these are no examples", examples);
	put_text(json_object_object_get(root, "info"), "version", PARLEY_VERSION);
	each_public(&o, root, visit_answer);
	each_public(&o, root, add_paths);
	finish_operations(root, o.paths, recorded);
	text_init(&t, m->arena);
	text_adds(&t, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
	                                                       JSON_C_TO_STRING_NOSLASHESCAPE));
	text_adds(&t, "\n");
	if (!m->mistakes)
		write_file(dir, "openapi.json", &t);
	json_object_put(root);
	json_object_put(o.answers);
	json_object_put(o.named);
	json_object_put(recorded);
}
