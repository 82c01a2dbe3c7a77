/* links: build/gen/sample/sample.pb-c.c build/gen/sample/services.c build/gen/sample/shapes.c build/gen/sample/routes.c build/gen/sample/sample.client.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/json/json.h"
#include "common/rpc/route.h"
#include "sample/sample.client.h"
#include "sample/sample.methods.h"
#include "sample/services.h"
#include "sample/shapes.h"

/* --- Mistakes in a contract stop the build ------------------------------------------------------------------------- */

static const char beginning[] =
    "syntax = 'proto2'; package bad; import 'http.proto'; import 'rpc.proto';\n"
    "message Sub { optional string x = 1; }\nmessage Uses { optional rpc.Empty empty = 1; }\n"
    "message In { optional string id = 1; optional int64 n = 2; repeated string list = 3; optional Sub sub = 4;\n"
    "  optional bytes raw = 5; optional string away = 6 [(parley.rule) = { source: NOWHERE }]; }\n"
    "message Id { optional string id = 1; }\n"
    "message Out { optional string id = 1; repeated string items = 2; }\n"
    "message May { optional string id = 1; optional rpc.Started started = 2; }\n"
    "message File { optional rpc.FilePiece file = 1; }\n"
    "message Raw { optional bytes raw = 1; }\n";

/* What the generator says to a contract that begins as above. */
static const char *generate(const char *rest, struct arena *a, int *status)
{
	char dir[] = "/tmp/parley-generate-XXXXXX", piece[1024];
	struct text out;
	FILE *file;
	size_t n;

	assert_non_null(mkdtemp(dir));
	file = fopen(arena_printf(a, "%s/bad.proto", dir), "w");
	assert_non_null(file);
	fprintf(file, "%s%s\n", beginning, rest);
	fclose(file);
	file = popen(arena_printf(a,
	                          "exec 2>&1; cd %s && protoc --proto_path=%s --proto_path=$OLDPWD/proto "
	                          "--proto_path=/usr/include --include_imports --include_source_info "
	                          "--descriptor_set_out=set bad.proto && cd $OLDPWD && "
	                          "build/generate %s/set tests/unit/contract/openapi.json "
	                          "tests/unit/contract/examples.json %s",
	                          dir, dir, dir, dir),
	             "r");
	assert_non_null(file);
	text_init(&out, a);
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		text_add(&out, piece, n);
	*status = pclose(file);
	if (system(arena_printf(a, "rm -r %s", dir)) != 0)
		fail();
	return out.at;
}

#define PORT "option (parley.service) = { port: 9001 };"
#define RPC(in, out, http)                                               \
	"service Bad {" PORT "\n// Do it.\nrpc Do(" in ") returns (" out \
	") { option (parley.http) = { " http " }; } }"
#define FIELD(type, rule) "message M { " type " f = 1 [(parley.rule) = { " rule " }]; }"

static void mistakes_are_told(void **state)
{
	static const struct {
		const char *contract, *want; /* "": none */
	} cases[] = {
		{ RPC("Id", "Out", "get: '/x/{id}' tag: 'Things'"), "" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things' example: '{\"id\":\"1\"}'"), "" },
		/* Paths. */
		{ RPC("Id", "Out", "get: '/x/{nobody}' tag: 'Things'"),
		  "bad.Do: {nobody} of the path is no field" },
		{ RPC("In", "Out", "get: '/x/{list}' tag: 'Things'"), "{list} of the path cannot be filled" },
		{ RPC("In", "Out", "get: '/x/{sub}' tag: 'Things'"), "{sub} of the path cannot be filled" },
		{ RPC("In", "Out", "get: '/x/{away}' tag: 'Things'"), "{away} of the path cannot be filled" },
		{ RPC("Id", "Out", "get: '/x/{id}/{id}' tag: 'Things'"), "{id} stands twice" },
		{ RPC("Id", "Out", "get: 'x' tag: 'Things'"), "does not begin with /" },
		{ RPC("Id", "Out", "get: '/x/' tag: 'Things'"), "empty segment" },
		{ RPC("Id", "Out", "get: '/x//y' tag: 'Things'"), "empty segment" },
		{ RPC("Id", "Out", "get: '/x{id}' tag: 'Things'"), "must be a whole segment" },
		{ RPC("Id", "Out", "get: '/{id}x' tag: 'Things'"), "must be a whole segment" },
		{ RPC("Id", "Out", "get: '/x/{id' tag: 'Things'"), "a brace stays open" },
		{ RPC("Id", "Out", "get: '/x?y' tag: 'Things'"), "odd character: ?" },
		{ RPC("Id", "Out", "get: '/own' tag: 'Things'"), "GET /own is the gateway's own" },
		{ RPC("Id", "Out", "tag: 'Things'"), "needs one of get, post, put, delete" },
		{ "service Bad {\n// A.\nrpc A(Id) returns (Out) { option (parley.http) = { get: '/x/{id}' tag: 'Things' }; }\n"
		  "// B.\nrpc B(Sub) returns (Out) { option (parley.http) = { get: '/x/{x}' tag: 'Things' }; } }",
		  "bad.B: has the route of bad.A" },
		{ "service Bad {\n// A.\nrpc A(Id) returns (Out) { option (parley.http) = { get: '/x/{id}' tag: 'Things' }; }\n"
		  "// B.\nrpc B(Sub) returns (Out) { option (parley.http) = { delete: '/x/{x}' tag: 'Things' }; } }",
		  "names the parameters of /x/{x} otherwise than bad.A does" },
		/* Answers. */
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' response_body: 'nobody'"),
		  "response_body: bad.Out has no field nobody" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' page: 'items'"),
		  "page: bad.Out has no string field items" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' redirect: 'nobody'"),
		  "redirect: bad.Out has no string field" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' set_cookie: 'nobody'"),
		  "set_cookie: bad.Out has no string field" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' page_status: 'nobody'"),
		  "page_status: bad.Out has no int32 field" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' status: 404"), "status 404 is none of success" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' status: 204 response_body: 'items'"),
		  "204 has no body" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' stream: START"),
		  "starts or finds a stream returns rpc.Started" },
		{ RPC("Id", "rpc.Started", "get: '/x' tag: 'Things'"),
		  "does not say what it does with a stream" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' stream: EITHER"), "has a field rpc.Started" },
		{ RPC("Id", "May", "get: '/x' tag: 'Things'"), "has a field rpc.Started" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' framing: DATA"), "has a framing, and no stream" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' file: 'items'"),
		  "no field items of the type rpc.FilePiece" },
		{ RPC("Id", "File", "get: '/x' tag: 'Things' file: 'file' media: 'text/plain'"),
		  "has no int64 `at` from NOWHERE" },
		{ RPC("Id", "File", "post: '/x' tag: 'Things' file: 'file' media: 'text/plain'"),
		  "its method is a GET without side effects" },
		{ RPC("Id", "File", "get: '/x' tag: 'Things' file: 'file'"), "a file needs its media type" },
		{ RPC("Id", "rpc.Started", "get: '/x' tag: 'Things' stream: RESUME"),
		  "say so with idempotency_level" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things' raw: true"),
		  "a raw method takes rpc.RawRequest" },
		{ RPC("Id", "Raw", "get: '/x' tag: 'Things'"), "bytes have no JSON form" },
		/* Bodies. */
		{ RPC("In", "Out", "get: '/x' tag: 'Things'"),
		  "bad.In.sub is a message, and this method has no body" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things' request_body: 'id'"),
		  "request_body: bad.Id has no OBJECT field" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' upload: 'file'"),
		  "an upload is a POST or a PUT" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things'"), "" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things' example: '[]'"),
		  "the example is no JSON object" },
		{ RPC("Id", "Out", "post: '/x' tag: 'Things' example: '{\"x\":1}'"),
		  "has a member x that its body has not" },
		{ RPC("Id", "Out", "post: '/x/{id}' tag: 'Things' example: '{\"id\":1}'"),
		  "has an example, but no body" },
		/* A cursor without a format gets into a statement as it came. */
		{ "message Page { optional string cursor = 1 [(parley.rule) = { source: QUERY }]; }\n" RPC(
		      "Page", "Out", "get: '/x' tag: 'Things'"),
		  "bad.Page.cursor: is a cursor, and needs a format" },
		{ "message Page { optional string cursor = 1 [(parley.rule) = { source: QUERY format: UUID }]; }\n" RPC(
		      "Page", "Out", "get: '/x' tag: 'Things'"),
		  "" },
		{ "service Bad { rpc Do(Id) returns (Out) { option (parley.behaviour) = { waits: BRIEF }; } }",
		  "bad.Do: waits for a few rows only, so it must have NO_SIDE_EFFECTS" },
		/* The rest. */
		{ RPC("Id", "Out", "get: '/x' tag: 'Odd'"), "" },
		{ RPC("Id", "Out", "get: '/x'"), "" },
		{ "service Bad { " PORT
		  " rpc Do(Id) returns (Out) { option (parley.http) = { get: '/x' }; } }",
		  "" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' access: INTERNAL"),
		  "an internal method has no (parley.http)" },
		{ RPC("Id", "Out", "get: '/x' tag: 'Things' timeout_seconds: 0"),
		  "a deadline that has passed already" },
		{ "service Bad { rpc Do(stream Id) returns (Out); }", "streams are marked in (parley.http)" },
		{ "service Bad { rpc DoIt(Id) returns (Out); rpc Do_it(Id) returns (Out); }",
		  "is called bad.do_it in C" },
		{ "service Bad { rpc Brbxw(Id) returns (Out); rpc Xscra(Id) returns (Out); }",
		  "bad.Xscra: has the same id (" }, /* found by trying all names of five letters */
		{ "service A {} service B {}", "one service per contract" },
		{ "service Bad {}", "bad: needs a port" },
		{ "service Bad { option (parley.service) = { port: 80 }; }", "bad: needs a port" },
		/* Rules. */
		{ FIELD("optional int32", "format: EMAIL"), "bad.M.f: this format is one of string fields" },
		{ FIELD("optional string", "format: ID"), "the format ID is one of int64 fields" },
		{ FIELD("optional int32", "max_length: 5"), "are for string fields" },
		{ FIELD("optional bool", "one_of: 'a'"), "are for string fields" },
		{ FIELD("optional string", "minimum: 1"), "minimum and maximum are for numbers" },
		{ FIELD("optional string", "max_items: 1"), "max_items is for repeated fields" },
		{ FIELD("optional string", "min_length: 5 max_length: 4"), "min_length is above max_length" },
		{ FIELD("optional int32", "minimum: 5 maximum: 4"), "minimum is above maximum" },
		{ FIELD("optional string", "one_of: 'a||b'"), "one_of has an empty word" },
		{ FIELD("optional string", "required: true source: NOWHERE"),
		  "required, but never from outside" },
		{ FIELD("optional string", "resets: true"), "resets is for a repeated string" },
		{ FIELD("optional string", "format: OBJECT like: 'bad.Nobody'"),
		  "there is no message bad.Nobody" },
		{ FIELD("optional string", "like: 'bad.Sub'"), "like goes with the format OBJECT" },
		{ FIELD("repeated string", "source: HEADER"), "a header fills one plain field" },
		{ FIELD("optional Sub", "source: QUERY"), "a query does not fill a message" },
		{ FIELD("required string", "required: true"), "protobuf's own drops the whole message" },
		{ "message M { optional int32 f = 1 [default = 5]; }", "a default would be hidden here" },
		{ "message M { optional string a = 1; optional string b = 2 [(parley.rule) = { alias: 'a' }]; }",
		  "bad.M.b: shares a JSON name with bad.M.a" },
		{ "message M { optional string a = 1; optional string b = 2 [json_name = 'c', (parley.rule) = { alias: 'x' "
		  "alias: 'a' }]; }",
		  "shares a JSON name" },
		{ "message K { optional string a = 1 [(parley.rule) = { required: true }]; }\n" FIELD(
		      "optional string", "format: OBJECT like: 'bad.K'"),
		  "bad.K.a: is a known key of a free object" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int status;
		const char *got = generate(cases[i].contract, &a, &status);

		if (!strstr(got, cases[i].want) || (status != 0) != !!*cases[i].want ||
		    (!*cases[i].want && *got))
			fail_msg("%s\n got (status %d) %s\nwant %s", cases[i].contract, status, got,
			         cases[i].want);
	}
	arena_done(&a);
}

static void all_mistakes_are_told_at_once(void **state)
{
	struct arena a;
	int status;
	const char *got;

	(void)state;
	arena_init(&a, 0);
	got = generate("message M { optional int32 f = 1 [(parley.rule) = { trim: true }];\n"
	               "optional string g = 2 [(parley.rule) = { minimum: 1 }]; }",
	               &a, &status);
	assert_non_null(strstr(got, "bad.M.f: "));
	assert_non_null(strstr(got, "bad.M.g: "));
	arena_done(&a);
}

/* --- What is made of a good one ------------------------------------------------------------------------------------ */

static void methods_say_what_the_contract_says(void **state)
{
	static const struct {
		const char *name;
		enum access access;
		bool reads;
		enum waits waits;
		bool idempotency_key;
	} want[] = {
		{ "sample.make_thing", ACCESS_USER, false, WAITS_DATABASE, true },
		{ "sample.list_things", ACCESS_PUBLIC, true, WAITS_DATABASE, false },
		{ "sample.put_thing", ACCESS_USER, false, WAITS_DATABASE, false },
		{ "sample.drop_thing", ACCESS_ADMIN, false, WAITS_DATABASE, false },
		{ "sample.follow_thing", ACCESS_USER, true, WAITS_DATABASE, false },
		{ "sample.sign_in", ACCESS_ANYBODY, false, WAITS_DATABASE, false },
		{ "sample.get_link", ACCESS_VISITOR, true, WAITS_DATABASE, false },
		{ "sample.add_link", ACCESS_USER, false, WAITS_DATABASE, false },
		{ "sample.count_httpthings", ACCESS_INTERNAL, false, WAITS_PEERS, false },
	};

	(void)state;
	assert_int_equal(SAMPLE_METHODS, sizeof want / sizeof *want);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct method *m = &sample_client_methods[i];

		assert_string_equal(m->name, want[i].name);
		assert_int_equal(m->id, fnv1a(m->name));
		assert_int_equal(m->access, want[i].access);
		assert_int_equal(m->reads, want[i].reads);
		assert_int_equal(m->waits, want[i].waits);
		assert_int_equal(m->idempotency_key, want[i].idempotency_key);
		assert_null(m->handler);
	}
	assert_ptr_equal(sample_client_methods[SAMPLE_METHOD_PUT_THING].in,
	                 &sample__put_thing_request__descriptor);
	assert_ptr_equal(sample_client_methods[SAMPLE_METHOD_PUT_THING].out, &sample__thing__descriptor);
}

static void services_are_found_where_their_contracts_say(void **state)
{
	(void)state;
	assert_int_equal(SERVICES, 1);
	assert_string_equal(services[0].name, "sample");
	assert_int_equal(services[0].port, 9001);
}

static void routes_say_what_the_contract_says(void **state)
{
	const struct route *make = &routes[0], *list = &routes[1], *drop = &routes[3], *follow = &routes[4];

	(void)state;
	assert_int_equal(route_count, 8);
	assert_string_equal(make->verb, "POST");
	assert_string_equal(make->path, "/things");
	assert_string_equal(make->service, "sample");
	assert_string_equal(make->scope, "all");
	assert_int_equal(make->status, 201);
	assert_int_equal(make->body_limit, 1048576);
	assert_int_equal(make->timeout_seconds, 30);
	assert_ptr_equal(make->in, &shape_sample__make_thing_request);
	assert_ptr_equal(make->method, &sample_client_methods[SAMPLE_METHOD_MAKE_THING]);
	assert_string_equal(list->response_body, "things");
	assert_string_equal(list->scope, "sample");
	assert_string_equal(drop->verb, "DELETE");
	assert_int_equal(drop->status, 204);
	assert_int_equal(follow->stream, STREAM_RESUME); /* said in several statements */
	assert_string_equal(follow->path, "/things/{thing_id}/events");
}

static void shapes_stand_in_the_order_of_fields(void **state)
{
	const struct shape *s = &shape_sample__make_thing_request;

	(void)state;
	assert_int_equal(s->message->n_fields, 27);
	assert_string_equal(s->message->fields[0].name, "name");
	assert_string_equal(s->fields[0].json_name, "name");
	assert_true(s->fields[0].required && s->fields[0].trim);
	assert_int_equal(s->fields[0].min_length, 2);
	assert_true(s->fields[1].has_minimum && s->fields[1].minimum == -5);
	assert_string_equal(s->message->fields[20].name, "display_name");
	assert_string_equal(s->fields[20].json_name, "displayName");
	assert_string_equal(s->fields[20].aliases[1], "nick");
	assert_ptr_equal(s->fields[13].sub, &shape_sample__known);
	assert_ptr_equal(s->fields[18].sub, &shape_sample__part);
	assert_int_equal(s->fields[22].source, SOURCE_QUERY);
}

/* What is at a JSON pointer of the sample's openapi.json, compact; "" when there is nothing. */
static void documentation_says_what_the_contract_says(void **state)
{
	static const struct {
		const char *pointer, *want;
	} cases[] = {
		{ "/info/version", "\"" PARLEY_VERSION "\"" },
		{ "/paths/~1things/post/operationId", "\"sample_make_thing\"" },
		{ "/paths/~1things/post/summary", "\"Make a thing\"" },
		{ "/paths/~1things/post/description",
		  "\"Make a thing. Whatever follows the first sentence is the description.\\n\\n- a list\\n- stays a list\"" },
		{ "/paths/~1things/post/parameters/0/name", "\"wait\"" },
		{ "/paths/~1things/post/parameters/1/name", "\"If-Match\"" },
		{ "/paths/~1things/post/parameters/2/name", "\"Idempotency-Key\"" },
		{ "/paths/~1things/post/security", "" },
		{ "/paths/~1things/get/security", "[{},{\"bearer\":[]},{\"apiKey\":[]}]" },
		{ "/paths/~1links~1{thing_id}/get/security", "[]" },
		{ "/paths/~1things~1sign-in/post/security", "[]" },
		{ "/paths/~1things/post/responses/201/headers/X-Request-Id/$ref",
		  "\"#/components/headers/RequestId\"" },
		{ "/paths/~1things/get/responses/200/content/application~1json/schema/items",
		  "{\"$ref\":\"#/components/schemas/Thing\"}" },
		{ "/paths/~1things/get/parameters/1/schema",
		  "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"red\",\"dark_blue\"]}}" },
		{ "/paths/~1things/get/parameters/2/required", "true" },
		{ "/paths/~1things~1{thing_id}/delete/responses/204/content", "" },
		{ "/paths/~1things~1{thing_id}~1parts~1{number}/put/parameters/1/schema",
		  "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":9007199254740991}" },
		{ "/paths/~1things~1{thing_id}~1events/get/parameters/1/name", "\"Last-Event-ID\"" },
		{ "/paths/~1things~1{thing_id}~1events/get/responses/200/content/text~1event-stream/schema/type",
		  "\"string\"" },
		/* A path for each word, beside the one with a parameter. */
		{ "/paths/~1links~1slack/post/operationId", "\"sample_add_link_slack\"" },
		{ "/paths/~1links~1website/post/operationId", "\"sample_add_link_website\"" },
		{ "/paths/~1links~1{kind}", "" },
		{ "/paths/~1links~1{thing_id}/get/operationId", "\"sample_get_link\"" },
		{ "/paths/~1links~1slack/post/parameters", "" },
		{ "/paths/~1links~1slack/post/requestBody/content/multipart~1form-data/schema/required",
		  "[\"name\",\"picture\"]" },
		{ "/paths/~1links~1slack/post/requestBody/content/multipart~1form-data/schema/properties/kind",
		  "" },
		/* Rules, and null. */
		{ "/components/schemas/MakeThingRequest/required", "[\"name\"]" },
		{ "/components/schemas/MakeThingRequest/properties/name",
		  "{\"type\":\"string\",\"minLength\":2,\"maxLength\":8}" },
		{ "/components/schemas/MakeThingRequest/properties/word",
		  "{\"type\":[\"string\",\"null\"],\"enum\":[\"slack\",\"website\",null]}" },
		{ "/components/schemas/MakeThingRequest/properties/real",
		  "{\"type\":[\"number\",\"null\"],\"format\":\"double\",\"minimum\":0,\"maximum\":1}" },
		{ "/components/schemas/MakeThingRequest/properties/words",
		  "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\",\"maxLength\":4},\"maxItems\":3}" },
		{ "/components/schemas/MakeThingRequest/properties/object/anyOf/0",
		  "{\"$ref\":\"#/components/schemas/Known\"}" },
		{ "/components/schemas/Known/additionalProperties", "true" },
		{ "/components/schemas/PartOfKnown/type",
		  "\"object\"" }, /* another name than the message's */
		{ "/paths/~1things/post/responses/201/content/application~1json/example",
		  "{\"name\":\"Ada\"}" },
		{ "/paths/~1things~1{thing_id}~1events/get/operationId", "\"sample_watch_thing\"" },
		{ "/paths/~1things~1{thing_id}~1events/get/responses/409/$ref",
		  "\"#/components/responses/Conflict\"" },
		{ "/paths/~1things~1{thing_id}~1events/get/responses/204/description",
		  "\"Nothing follows that event.\"" },
		{ "/paths/~1things~1{thing_id}~1events/get/responses/200/content/text~1event-stream/schema/contentSchema/items",
		  "{\"$ref\":\"#/components/schemas/ThingEvent\"}" },
		{ "/components/schemas/MakeThingRequest/properties/any", "{}" },
		{ "/components/schemas/MakeThingRequest/properties/hidden", "" },
		{ "/components/schemas/MakeThingRequest/properties/wait", "" },
		{ "/components/schemas/MakeThingRequest/properties/reset", "" },
		{ "/components/schemas/MakeThingRequest/properties/part/anyOf/0",
		  "{\"$ref\":\"#/components/schemas/PartInput\"}" }, /* Part is in answers too */
		{ "/components/schemas/Thing/required",
		  "[\"id\",\"name\",\"size\",\"score\",\"colour\",\"done\",\"settings\",\"tags\",\"part\",\"big\",\"small\"]" },
		{ "/components/schemas/Thing/properties/note", "{\"type\":\"string\"}" },
		{ "/components/schemas/Thing/properties/tags",
		  "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
		{ "/components/schemas/Known/description", "\"Known keys of a free object.\"" },
	};
	OWN(json) json_object *root = json_object_from_file("build/gen/sample/openapi.json");
	struct arena a;

	(void)state;
	assert_non_null(root);
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_object *at = NULL;
		const char *got =
		    json_pointer_get(root, cases[i].pointer, &at) == 0 ? json_print(at, &a) : "";

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s:\n got %s\nwant %s", cases[i].pointer, got, cases[i].want);
	}
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(methods_say_what_the_contract_says),
		cmocka_unit_test(services_are_found_where_their_contracts_say),
		cmocka_unit_test(routes_say_what_the_contract_says),
		cmocka_unit_test(documentation_says_what_the_contract_says),
		cmocka_unit_test(shapes_stand_in_the_order_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
