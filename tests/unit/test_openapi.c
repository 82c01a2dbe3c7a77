/* links: build/gen/routes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json_message.h"
#include "common/rpc/route.h"

static struct arena arena;
static json_object *root;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	root = json_object_from_file("build/gen/openapi.json");
	assert_non_null(root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_object_put(root);
	arena_done(&arena);
	return 0;
}

static json_object *operation_at(const char *path, const char *verb)
{
	char low[8] = "";

	for (size_t i = 0; verb[i] && i < 7; i++)
		low[i] = (char)(verb[i] | 32);
	return json_get(json_get(json_get(root, "paths"), path), low);
}

/* The operation of a route, which may be spelled out: /integrations/{type} is at /integrations/slack. */
static json_object *operation_of(const struct route *r)
{
	json_object *found = operation_at(r->path, r->verb);

	for (unsigned i = 0; !found && i < r->in->message->n_fields; i++) {
		const struct shape_field *f = &r->in->fields[i];
		const char *name = arena_printf(&arena, "{%s}", f->json_name), *at = strstr(r->path, name);

		if (f->one_of && at)
			found = operation_at(arena_printf(&arena, "%.*s%.*s%s", (int)(at - r->path), r->path,
			                                  (int)strcspn(f->one_of, "|"), f->one_of,
			                                  at + strlen(name)),
			                     r->verb);
	}
	return found;
}

static void every_route_is_there(void **state)
{
	(void)state;
	assert_true(route_count > 30);
	for (unsigned i = 0; i < route_count; i++) {
		json_object *operation = operation_of(&routes[i]);

		if (routes[i].hidden && !operation)
			continue;
		if (!operation)
			fail_msg("%s %s is missing", routes[i].verb, routes[i].path);
		if (!json_string(operation, "summary") || !json_get(operation, "tags"))
			fail_msg("%s %s has no words", routes[i].verb, routes[i].path);
	}
}

static json_object *example_of(json_object *operation)
{
	json_object *content = json_get(json_get(operation, "requestBody"), "content");

	return json_get(json_get(content, "application/json"), "example");
}

/* What the document shows as an example is what the gateway takes. */
static void examples_are_taken(void **state)
{
	int count = 0;

	(void)state;
	for (unsigned i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		json_object *operation = operation_of(r), *example = example_of(operation),
		            *parameters = json_get(operation, "parameters");
		ProtobufCMessage *msg = message_new(r->in->message, &arena);
		struct error err = { 0 };
		int bad = 0;

		for (size_t j = 0; parameters && j < json_object_array_length(parameters); j++) {
			json_object *p = json_object_array_get_idx(parameters, j);
			const char *value = json_object_get_string(json_get(p, "example"));

			if (!strcmp(json_string(p, "in"), "path"))
				bad += json_field_from_text(r->in, json_string(p, "name"), value,
				                            strlen(value), "path", msg, &arena, &err);
		}
		if (r->upload || r->raw || (json_get(operation, "requestBody") && !example))
			continue;
		if (example && r->request_body)
			bad += json_to_field(example, r->in, r->request_body, msg, &arena, &err);
		else if (example)
			bad += json_to_message(example, r->in, msg, &arena, &err);
		if (example)
			bad += json_message_check(r->in, msg, &arena, &err);
		count += example != NULL;
		if (bad)
			fail_msg("%s %s: %s", r->verb, r->path, err.message);
	}
	assert_true(count > 10);
}

static void check_references(json_object *value)
{
	const char *reference = json_string(value, "$ref");

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			check_references(json_object_array_get_idx(value, i));
	}
	if (reference) {
		json_object *at = NULL;

		if (json_pointer_get(root, reference + 1, &at) != 0)
			fail_msg("%s leads nowhere", reference);
	}
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			check_references(member);
		}
	}
}

static void references_lead_somewhere(void **state)
{
	(void)state;
	check_references(root);
}

static void operations_have_names_of_their_own(void **state)
{
	OWN(json) json_object *seen = json_object_new_object();

	(void)state;
	json_object_object_foreach(json_get(root, "paths"), path, item)
	{
		json_object_object_foreach(item, verb, operation)
		{
			const char *id = json_string(operation, "operationId");

			if (!id || json_get(seen, id))
				fail_msg("%s %s: operationId %s", verb, path, id ? id : "is missing");
			json_object_object_add(seen, id, json_object_new_int(1));
		}
	}
}

static void rules_become_constraints(void **state)
{
	json_object *schema = json_get(json_get(json_get(root, "components"), "schemas"), "UserCreate");
	json_object *password = json_get(json_get(schema, "properties"), "password");

	(void)state;
	assert_int_equal(json_int(password, "minLength", 0), 8);
	assert_int_equal(json_int(password, "maxLength", 0), 128);
	assert_true(json_flag(password, "writeOnly", 0));
	assert_string_equal(json_print(json_get(schema, "required"), &arena),
	                    "[\"email\",\"password\",\"display_name\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_there),
		cmocka_unit_test(examples_are_taken),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(operations_have_names_of_their_own),
		cmocka_unit_test(rules_become_constraints),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
