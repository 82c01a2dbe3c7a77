/* links: build/gen/sample/sample.pb-c.c build/gen/sample/shapes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json_message.h"
#include "common/json/json_write.h"
#include "sample/sample.pb-c.h"
#include "sample/shapes.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* All bad fields in one line: "body name missing; body i32 type_error". */
static const char *told(const struct error *err)
{
	struct text t;

	text_init(&t, &arena);
	for (const struct field_error *bad = err->fields; bad; bad = bad->next)
		text_addf(&t, "%s%s %s: %s", t.length ? "; " : "", bad->where, bad->field, bad->msg);
	return t.at;
}

static Sample__MakeThingRequest *take(const char *json, struct error *err)
{
	OWN(json) json_object *body = NULL;
	Sample__MakeThingRequest *msg =
	    (Sample__MakeThingRequest *)message_new(&sample__make_thing_request__descriptor, &arena);

	*err = (struct error){ 0 };
	if (json_parse(json, strlen(json), &body, err) < 0)
		fail_msg("%s: %s", json, err->message);
	if (json_to_message(body, &shape_sample__make_thing_request, &msg->base, &arena, err) < 0 &&
	    !err->code)
		fail_msg("%s: refused without a word", json);
	if (json_message_check(&shape_sample__make_thing_request, &msg->base, &arena, err) < 0 && !err->code)
		fail_msg("%s: refused without a word", json);
	return msg;
}

static void bad_fields_are_named(void **state)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{ "{}", "body name: is required" },
		{ "{\"name\":null}", "body name: is required" },
		{ "{\"name\":7}", "body name: must be a string" },
		{ "{\"name\":\"x\"}", "body name: must have at least 2 characters" },
		{ "{\"name\":\"  x  \"}", "body name: must have at least 2 characters" },
		{ "{\"name\":\"123456789\"}", "body name: must have at most 8 characters" },
		{ "{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", "" },
		{ "[]", "body : must be an object" },
		{ "null", "body : must be an object" },
		{ "\"x\"", "body : must be an object" },
		{ "{\"name\":\"Ada\",\"i32\":\"5.5\"}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":\" 5\"}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":\"five\"}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":\"\"}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":5.5}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":true}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":[1]}", "body i32: must be a whole number" },
		{ "{\"name\":\"Ada\",\"i32\":2147483648}", "body i32: is too large" },
		{ "{\"name\":\"Ada\",\"i32\":-2147483649}", "body i32: is too small" },
		{ "{\"name\":\"Ada\",\"i32\":1e300}", "body i32: is too large" },
		{ "{\"name\":\"Ada\",\"i32\":-6}", "body i32: must be at least -5" },
		{ "{\"name\":\"Ada\",\"i32\":2000000001}", "body i32: must be at most 2000000000" },
		{ "{\"name\":\"Ada\",\"i64\":1e18}", "body i64: is too large" },
		{ "{\"name\":\"Ada\",\"u32\":-1}", "body u32: is too small" },
		{ "{\"name\":\"Ada\",\"u32\":4294967296}", "body u32: is too large" },
		{ "{\"name\":\"Ada\",\"real\":\"half\"}", "body real: must be a number" },
		{ "{\"name\":\"Ada\",\"real\":1.5}", "body real: must be at most 1" },
		{ "{\"name\":\"Ada\",\"flag\":1}", "body flag: must be true or false" },
		{ "{\"name\":\"Ada\",\"flag\":\"yes\"}", "body flag: must be true or false" },
		{ "{\"name\":\"Ada\",\"object\":{\"heat\":\"3\"}}", "body object.heat: must be at most 2" },
		{ "{\"name\":\"Ada\",\"colour\":\"green\"}", "body colour: must be one of red, dark_blue" },
		{ "{\"name\":\"Ada\",\"colour\":\"RED\"}", "body colour: must be one of red, dark_blue" },
		{ "{\"name\":\"Ada\",\"colour\":\"re\"}", "body colour: must be one of red, dark_blue" },
		{ "{\"name\":\"Ada\",\"colour\":7}", "body colour: must be one of red, dark_blue" },
		{ "{\"name\":\"Ada\",\"email\":\"ada\"}", "body email: must be an e-mail address" },
		{ "{\"name\":\"Ada\",\"email\":\"\"}", "body email: must be an e-mail address" },
		{ "{\"name\":\"Ada\",\"uuid\":\"x\"}", "body uuid: must be a UUID" },
		{ "{\"name\":\"Ada\",\"url\":\"ftp://x\"}", "body url: must be an http or https address" },
		{ "{\"name\":\"Ada\",\"time\":\"2025-02-30T00:00:00Z\"}",
		  "body time: must be a time like 2025-01-15T10:30:00Z" },
		{ "{\"name\":\"Ada\",\"id\":0}", "body id: must be an id: a whole number from 1 on" },
		{ "{\"name\":\"Ada\",\"id\":9007199254740992}",
		  "body id: must be an id: a whole number from 1 on" },
		{ "{\"name\":\"Ada\",\"word\":\"mail\"}", "body word: must be one of slack, website" },
		{ "{\"name\":\"Ada\",\"secret\":\"short\"}", "body secret: must have at least 8 characters" },
		{ "{\"name\":\"Ada\",\"words\":\"a\"}", "body words: must be an array" },
		{ "{\"name\":\"Ada\",\"words\":{}}", "body words: must be an array" },
		{ "{\"name\":\"Ada\",\"words\":[\"a\",\"b\",\"c\",\"d\"]}",
		  "body words: must have at most 3 items" },
		{ "{\"name\":\"Ada\",\"words\":[\"a\",5,null]}",
		  "body words.1: must be a string; body words.2: must be a string" },
		{ "{\"name\":\"Ada\",\"words\":[\"abcde\"]}",
		  "body words.0: must have at most 4 characters" },
		{ "{\"name\":\"Ada\",\"part\":[]}", "body part: must be an object" },
		{ "{\"name\":\"Ada\",\"part\":{}}", "body part.name: is required" },
		{ "{\"name\":\"Ada\",\"part\":{\"name\":5}}", "body part.name: must be a string" },
		{ "{\"name\":\"Ada\",\"parts\":[{\"name\":\"a\"},{\"count\":\"x\"},7]}",
		  "body parts.1.count: must be a whole number; body parts.2: must be an object; "
		  "body parts.1.name: is required" },
		{ "{\"name\":\"Ada\",\"part\":{\"name\":\"a\",\"parts\":[{\"name\":\"b\",\"parts\":[{\"name\":\"long word\"}]}]}}",
		  "body part.parts.0.parts.0.name: must have at most 5 characters" },
		{ "{\"name\":\"Ada\",\"object\":[1]}", "body object: must be an object" },
		{ "{\"name\":\"Ada\",\"object\":\"{}\"}", "body object: must be an object" },
		{ "{\"name\":\"Ada\",\"object\":{\"heat\":3,\"tags\":[\"a\",1,\"c\"],\"own\":{}}}",
		  "body object.heat: must be at most 2; body object.tags: must have at most 2 items" },
		{ "{\"name\":\"Ada\",\"object\":{\"part\":{\"name\":\"too long\"}}}",
		  "body object.part.name: must have at most 5 characters" },
		{ "{\"name\":\"Ada\",\"displayName\":\"a\",\"nick\":\"b\"}",
		  "body nick: is given twice, with different values" },
		{ "{\"i32\":\"x\",\"email\":5,\"flag\":0}",
		  "body i32: must be a whole number; body flag: must be true or false; body email: must be a string; "
		  "body name: is required" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err;
		const char *got;

		take(cases[i].json, &err);
		got = told(&err);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s:\n got %s\nwant %s", cases[i].json, got, cases[i].want);
		if (err.code != (*cases[i].want ? ERROR_INVALID : ERROR_NONE))
			fail_msg("%s: code %d", cases[i].json, err.code);
	}
}

static void good_values_arrive(void **state)
{
	struct error err;
	const char *json =
	    "{\"name\":\" Ada\\u00a0\",\"i32\":-5,\"i64\":9223372036854775807,\"u32\":4294967295,\"real\":1,\"small\":0.5,"
	    "\"flag\":true,\"colour\":\"dark_blue\",\"email\":\" ada@example.com \","
	    "\"uuid\":\"01890A5D-AC96-774B-BCCE-B302099A8057\",\"url\":\"https://example.com/\","
	    "\"time\":\"2025-01-15T10:30:00Z\",\"id\":9007199254740991,\"object\":{\"heat\":null,\"own\":[1.50,{}]},"
	    "\"any\":[1,\"x\"],\"word\":\"slack\",\"words\":[\"\",\"\\u00e9\\u00e9\\u00e9\\u00e9\"],\"numbers\":[1,2.0,-3],"
	    "\"part\":{\"name\":\"p\",\"count\":2.0},\"parts\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"nick\":\"N\","
	    "\"snake_case\":\"s\",\"unknown\":{\"x\":[]},\"hidden\":\"no\",\"wait\":5,\"ifMatch\":\"no\",\"reset\":[\"no\"]}";
	Sample__MakeThingRequest *m = take(json, &err);

	(void)state;
	assert_string_equal(told(&err), "");
	assert_string_equal(m->name, "Ada");
	assert_true(m->has_i32 && m->i32 == -5);
	assert_true(m->has_i64 && m->i64 == INT64_MAX);
	assert_true(m->has_u32 && m->u32 == UINT32_MAX);
	assert_true(m->has_real && m->real == 1);
	assert_true(m->has_small && m->small == 0.5F);
	assert_true(m->has_flag && m->flag);
	assert_true(m->has_colour && m->colour == SAMPLE__COLOUR__DARK_BLUE);
	assert_string_equal(m->email, "ada@example.com");
	assert_string_equal(m->uuid, "01890a5d-ac96-774b-bcce-b302099a8057");
	assert_string_equal(m->url, "https://example.com/");
	assert_true(m->has_id && m->id == 9007199254740991);
	assert_string_equal(m->object, "{\"heat\":null,\"own\":[1.50,{}]}");
	assert_string_equal(m->any, "[1,\"x\"]");
	assert_string_equal(m->word, "slack");
	assert_int_equal(m->n_words, 2);
	assert_string_equal(m->words[1], "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
	assert_int_equal(m->n_numbers, 3);
	assert_true(m->numbers[0] == 1 && m->numbers[1] == 2 && m->numbers[2] == -3);
	assert_string_equal(m->part->name, "p");
	assert_true(m->part->has_count && m->part->count == 2);
	assert_int_equal(m->n_parts, 2);
	assert_string_equal(m->parts[1]->name, "b");
	assert_string_equal(m->display_name, "N");
	assert_string_equal(m->snake, "s");
	/* From elsewhere, by their rules. */
	assert_null(m->hidden);
	assert_null(m->if_match);
	assert_false(m->has_wait);
	assert_int_equal(m->n_reset, 0);
}

/* What a form gives: a slider's value is a string. */
static void numbers_may_come_as_text(void **state)
{
	struct error err;
	Sample__MakeThingRequest *m = take(
	    "{\"name\":\"Ada\",\"i32\":\"-5\",\"i64\":\"9223372036854775807\",\"real\":\"0.5\",\"flag\":\"true\",\"id\":\"7\","
	    "\"object\":{\"heat\":\"1.5\",\"own\":\"1.5\"},\"part\":{\"name\":\"p\",\"count\":\"2\"}}",
	    &err);

	(void)state;
	assert_string_equal(told(&err), "");
	assert_int_equal(m->i32, -5);
	assert_true(m->i64 == INT64_MAX);
	assert_true(m->real == 0.5);
	assert_true(m->flag);
	assert_int_equal(m->id, 7);
	assert_string_equal(m->object,
	                    "{\"heat\":1.5,\"own\":\"1.5\"}"); /* what we know becomes what it is */
	assert_int_equal(m->part->count, 2);
}

static void null_is_absent_and_resets(void **state)
{
	struct error err;
	Sample__MakeThingRequest *m =
	    take("{\"name\":\"Ada\",\"i32\":null,\"words\":[],\"part\":null,\"displayName\":null,"
	         "\"nick\":null,\"numbers\":null,\"real\":0,\"parts\":[{\"name\":\"a\"}]}",
	         &err);
	static const char *const want[] = { "i32", "words", "numbers", "part", "displayName" };

	(void)state;
	assert_string_equal(told(&err), "");
	assert_false(m->has_i32);
	assert_null(m->part);
	assert_int_equal(m->n_words, 0);
	assert_true(m->has_real && m->real == 0);
	assert_int_equal(m->n_reset, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(m->reset[i], want[i]);
}

static void the_same_given_twice_is_fine(void **state)
{
	struct error err;
	Sample__MakeThingRequest *m =
	    take("{\"name\":\"Ada\",\"displayName\":\"A\",\"display_name\":\"A\"}", &err);

	(void)state;
	assert_string_equal(told(&err), "");
	assert_string_equal(m->display_name, "A");
}

static void limits_of_free_json(void **state)
{
	struct error err;
	struct text t;

	(void)state;
	text_init(&t, &arena);
	text_addf(&t, "{\"name\":\"Ada\",\"object\":{\"a\":\"%0189d\"}}", 7);
	take(t.at, &err);
	assert_string_equal(told(&err), "");
	text_init(&t, &arena);
	text_addf(&t, "{\"name\":\"Ada\",\"object\":{\"a\":\"%0300d\"}}", 7);
	take(t.at, &err);
	assert_string_equal(told(&err), "body object: must have at most 200 bytes");
}

/* A body made to be all wrong must not take quadratic time or fill the answer. */
static void complaints_are_bounded(void **state)
{
	struct error err;
	struct text t;
	size_t count = 0;

	(void)state;
	text_init(&t, &arena);
	text_adds(&t, "{\"numbers\":[\"x\"");
	for (int i = 0; i < 999; i++)
		text_adds(&t, ",\"x\"");
	text_adds(&t, "]}");
	take(t.at, &err);
	for (const struct field_error *bad = err.fields; bad; bad = bad->next)
		count++;
	assert_int_equal(count, 101); /* and the missing name */
	text_init(&t, &arena);
	text_adds(&t, "{\"name\":\"Ada\",\"numbers\":[1");
	for (int i = 0; i < 1000; i++)
		text_adds(&t, ",1");
	text_adds(&t, "]}");
	take(t.at, &err);
	assert_string_equal(told(&err), "body numbers: must have at most 1000 items");
}

/* --- Text: path, query, header, form ------------------------------------------------------------------------------- */

static void text_fills_fields(void **state)
{
	static const struct {
		const char *where, *name, *text, *want; /* of the message as JSON, or of the errors */
	} cases[] = {
		{ "query", "wait", "5", "\"wait\":5" },
		{ "query", "wait", "-1", "query wait: must be at least 0" },
		{ "query", "wait", "5x", "query wait: must be a whole number" },
		{ "query", "wait", "", "query wait: must be a whole number" },
		{ "query", "wait", " 5", "query wait: must be a whole number" },
		{ "query", "wait", "0x5", "query wait: must be a whole number" },
		{ "query", "wait", "99999999999999999999", "query wait: must be a whole number" },
		{ "query", "wait", "null", "query wait: must be a whole number" },
		{ "query", "i32", "7", "\"i32\":7" },
		{ "query", "real", "0.25", "\"real\":0.25" },
		{ "query", "real", "nan", "query real: must be a number" },
		{ "query", "real", "1e999", "query real: must be a number" },
		{ "query", "flag", "true", "\"flag\":true" },
		{ "query", "flag", "yes", "query flag: must be true or false" },
		{ "query", "colour", "red", "\"colour\":\"red\"" },
		{ "query", "colour", "pink", "query colour: must be one of red, dark_blue" },
		{ "query", "name", "12", "\"name\":\"12\"" },
		{ "query", "name", "bad\xff", "query name: must be UTF-8 text" },
		{ "query", "words", "one", "\"words\":[\"one\"]" },
		{ "query", "nick", "N", "\"displayName\":\"N\"" },
		{ "query", "nobody", "x", "{" },
		{ "query", "hidden", "x", "\"hidden\":null" },
		{ "query", "ifMatch", "x", "\"ifMatch\":null" },
		{ "query", "reset", "x", "\"reset\":[]" },
		{ "header", "ifMatch", "x", "\"ifMatch\":\"x\"" },
		{ "header", "name", "Ada", "\"name\":null" },
		{ "body", "object", "{\"heat\":1}", "\"object\":{\"heat\":1}" },
		{ "body", "object", "{\"heat\":9}", "body object.heat: must be at most 2" },
		{ "body", "object", "{", "body object: must be an object" },
		{ "body", "any", "[1]", "\"any\":[1]" },
		{ "body", "part", "{\"name\":\"p\"}",
		  "\"part\":{\"name\":\"p\",\"count\":null,\"parts\":[]}" },
		{ "body", "part", "p", "body part: must be an object" },
		{ "body", "wait", "5", "\"wait\":null" },
		{ "gateway", "hidden", "x", "\"hidden\":\"x\"" },
		{ "path", "word", "mail", "path word: must be one of slack, website" },
		{ "path", "uuid", "01890a5d-ac96-774b-bcce-b302099a8057",
		  "\"uuid\":\"01890a5d-ac96-774b-bcce-b302099a8057\"" },
		{ "path", "id", "17", "\"id\":17" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		ProtobufCMessage *msg = message_new(&sample__make_thing_request__descriptor, &arena);
		struct text got;

		text_init(&got, &arena);
		if (json_field_from_text(&shape_sample__make_thing_request, cases[i].name, cases[i].text,
		                         strlen(cases[i].text), cases[i].where, msg, &arena, &err) < 0)
			text_adds(&got, told(&err));
		else
			json_from_message(&got, &shape_sample__make_thing_request, msg);
		if (!strstr(got.at, cases[i].want))
			fail_msg("%s %s=%s:\n got %s\nwant %s", cases[i].where, cases[i].name, cases[i].text,
			         got.at, cases[i].want);
	}
}

static int from_path(const char *name, const char *text, ProtobufCMessage *msg, struct error *err)
{
	return json_field_from_text(&shape_sample__put_thing_request, name, text, strlen(text), "path", msg,
	                            &arena, err);
}

static void a_malformed_id_in_a_path_is_not_found(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "thing_id", "url" },
		{ "thing_id", "" },
		{ "thing_id", "01890a5d-ac96-774b-bcce-b302099a805" },
		{ "thing_id", "\xff\xfe" },
		{ "number", "x" },
		{ "number", "0" },
		{ "number", "-1" },
		{ "number", "1.5" },
		{ "number", "9007199254740992" },
		{ "number", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		ProtobufCMessage *msg = message_new(&sample__put_thing_request__descriptor, &arena);

		if (from_path(cases[i].name, cases[i].text, msg, &err) != -1 || err.code != ERROR_NOT_FOUND ||
		    err.fields)
			fail_msg("%s=%s: code %d", cases[i].name, cases[i].text, err.code);
	}
}

static void a_body_that_differs_from_the_path_is_invalid(void **state)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{ "{}", "" },
		{ "{\"thing_id\":null,\"name\":\"x\"}", "" },
		{ "{\"thing_id\":\"01890A5D-ac96-774b-bcce-b302099a8057\",\"number\":3}", "" },
		{ "{\"thing_id\":\"01890a5d-ac96-774b-bcce-b302099a8058\"}",
		  "body thing_id: is given twice, with different values" },
		{ "{\"number\":4}", "body number: is given twice, with different values" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		OWN(json) json_object *body = NULL;
		ProtobufCMessage *msg = message_new(&sample__put_thing_request__descriptor, &arena);

		assert_int_equal(from_path("thing_id", "01890a5d-ac96-774b-bcce-b302099a8057", msg, &err), 0);
		assert_int_equal(from_path("number", "3", msg, &err), 0);
		assert_int_equal(json_parse(cases[i].json, strlen(cases[i].json), &body, &err), 0);
		if (json_to_message(body, &shape_sample__put_thing_request, msg, &arena, &err) !=
		        -!!*cases[i].want ||
		    strcmp(told(&err), cases[i].want) != 0)
			fail_msg("%s: got %s", cases[i].json, told(&err));
	}
}

static void a_query_may_repeat(void **state)
{
	struct error err = { 0 };
	Sample__ListThingsRequest *m =
	    (Sample__ListThingsRequest *)message_new(&sample__list_things_request__descriptor, &arena);
	const struct shape *shape = &shape_sample__list_things_request;

	(void)state;
	assert_int_equal(json_field_from_text(shape, "colours", "red", 3, "query", &m->base, &arena, &err),
	                 0);
	assert_int_equal(
	    json_field_from_text(shape, "colours", "dark_blue", 9, "query", &m->base, &arena, &err), 0);
	assert_int_equal(m->n_colours, 2);
	assert_int_equal(m->colours[0], SAMPLE__COLOUR__RED);
	assert_int_equal(m->colours[1], SAMPLE__COLOUR__DARK_BLUE);
	assert_int_equal(json_field_from_text(shape, "limit", "5", 1, "query", &m->base, &arena, &err), 0);
	assert_int_equal(json_field_from_text(shape, "limit", "5", 1, "query", &m->base, &arena, &err), 0);
	assert_int_equal(json_field_from_text(shape, "limit", "6", 1, "query", &m->base, &arena, &err), -1);
	assert_string_equal(told(&err), "query limit: is given twice, with different values");
	assert_int_equal(json_message_check(shape, &m->base, &arena, &err), -1);
	assert_string_equal(told(&err),
	                    "query limit: is given twice, with different values; query find: is required");
}

static void the_whole_body_may_be_one_field(void **state)
{
	struct error err = { 0 };
	OWN(json) json_object *body = NULL;
	Sample__MakeThingRequest *m =
	    (Sample__MakeThingRequest *)message_new(&sample__make_thing_request__descriptor, &arena);

	(void)state;
	assert_int_equal(json_parse("{\"heat\":1,\"x\":null}", 19, &body, &err), 0);
	assert_int_equal(
	    json_to_field(body, &shape_sample__make_thing_request, "object", &m->base, &arena, &err), 0);
	assert_string_equal(m->object, "{\"heat\":1,\"x\":null}");
	m = (Sample__MakeThingRequest *)message_new(&sample__make_thing_request__descriptor, &arena);
	assert_int_equal(
	    json_to_field(NULL, &shape_sample__make_thing_request, "object", &m->base, &arena, &err), -1);
	assert_string_equal(err.message, "the body must be an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_fields_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(good_values_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_may_come_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(null_is_absent_and_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_given_twice_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_of_free_json, setup, teardown),
		cmocka_unit_test_setup_teardown(complaints_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(text_fills_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(a_malformed_id_in_a_path_is_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_body_that_differs_from_the_path_is_invalid, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(a_query_may_repeat, setup, teardown),
		cmocka_unit_test_setup_teardown(the_whole_body_may_be_one_field, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
