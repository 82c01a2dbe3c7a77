/* links: build/gen/sample/sample.pb-c.c build/gen/sample/shapes.c */
/* Any bytes as a body, then as a parameter of each field. What was taken must come out as JSON that is taken again. */
#include <stdlib.h>
#include <string.h>

#include "common/json/json_message.h"
#include "common/json/json_write.h"
#include "sample/sample.pb-c.h"
#include "sample/shapes.h"

static const struct shape *const shape = &shape_sample__make_thing_request;

static void must_be_json(const char *text, size_t length)
{
	struct error err = { 0 };
	OWN(json) json_object *again = NULL;

	if (json_parse(text, length, &again, &err) < 0)
		abort();
}

/* With room for all the nesting that a message adds. */
static void print(const ProtobufCMessage *msg, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	json_from_message(&t, shape, msg);
	if (!utf8_valid(t.at, t.length))
		abort();
}

static void as_body(const char *bytes, size_t size, struct arena *a)
{
	struct error err = { 0 };
	OWN(json) json_object *body = NULL;
	ProtobufCMessage *msg = message_new(shape->message, a);
	int bad;

	if (json_parse(bytes, size, &body, &err) < 0) {
		if (err.code != ERROR_MALFORMED)
			abort();
		return;
	}
	must_be_json(json_print(body, a), strlen(json_print(body, a)));
	bad = json_to_message(body, shape, msg, a, &err);
	bad += json_message_check(shape, msg, a, &err);
	if ((bad != 0) != (err.code == ERROR_INVALID) || (bad != 0) != (err.fields != NULL))
		abort();
	print(msg, a);
}

static void as_text(const char *bytes, size_t size, struct arena *a)
{
	static const char *const wheres[] = { "path", "query", "header", "body", "gateway" };

	for (unsigned i = 0; i < shape->message->n_fields; i++) {
		struct error err = { 0 };
		ProtobufCMessage *msg = message_new(shape->message, a);

		if (json_field_from_text(shape, shape->fields[i].json_name, bytes, size, wheres[i % 5], msg,
		                         a, &err) == 0)
			print(msg, a);
		else if (err.code != ERROR_INVALID && err.code != ERROR_NOT_FOUND)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	const char *bytes = (const char *)data;

	arena_init(&a, 0);
	if (!utf8_valid(bytes, size) &&
	    json_parse(bytes, size, &(json_object *){ NULL }, &(struct error){ 0 }) == 0)
		abort();
	as_body(bytes, size, &a);
	as_text(bytes, size, &a);
	arena_done(&a);
	return 0;
}
