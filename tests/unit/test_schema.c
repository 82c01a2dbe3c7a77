/* links: svc-chat/tools/schema.c -lm */
#include "svc-chat/tools/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/json/json.h"

#define OBJECT(more)                                                                                         \
	"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},\"s\":{\"type\":\"string\"}}" more \
	"}"

static const struct {
	const char *name, *schema, *value, *want;
} cases[] = {
	{ "fits", OBJECT(",\"required\":[\"a\"]"), "{\"a\":2.5,\"x\":1}", "" },
	{ "missing", OBJECT(",\"required\":[\"a\",\"s\"]"), "{}",
	  "arguments: a is missing\narguments: s is missing\n" },
	{ "another type", OBJECT(""), "{\"a\":\"2\"}", "a: must be of type \"number\"\n" },
	{ "nested", "{\"properties\":{\"o\":{\"properties\":{\"l\":{\"items\":{\"type\":\"integer\"}}}}}}",
	  "{\"o\":{\"l\":[1,1.0,1.5]}}", "o.l.2: must be of type \"integer\"\n" },
	{ "types", "{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}", "{\"a\":1}",
	  "a: must be of one of the types [\"string\",\"null\"]\n" },
	{ "null is one", "{\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}", "{\"a\":null}", "" },
	{ "a type that there is not", "{\"type\":\"file\"}", "1", "" },
	{ "enum", "{\"properties\":{\"a\":{\"enum\":[\"x\",1,null]}}}", "{\"a\":\"y\"}",
	  "a: must be one of [\"x\",1,null]\n" },
	{ "enum: numbers are numbers", "{\"enum\":[1]}", "1.0", "" },
	{ "const", "{\"const\":\"x\"}", "\"y\"", "arguments: must be \"x\"\n" },
	{ "no member but those", OBJECT(",\"additionalProperties\":false"), "{\"b\":1}",
	  "b: is no argument that there is\n" },
	{ "others must be so", "{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":1}",
	  "b: must be of type \"string\"\n" },
	{ "bounds", "{\"items\":{\"minimum\":1,\"exclusiveMaximum\":3}}", "[0,1,2,3]",
	  "0: must be at least 1\n3: must be less than 3\n" },
	{ "a multiple", "{\"multipleOf\":0.1}", "0.3", "" },
	{ "no multiple", "{\"multipleOf\":2}", "3", "arguments: must be a multiple of 2\n" },
	{ "length in characters", "{\"maxLength\":2}", "\"\\u00e9\\u00e9\"", "" },
	{ "too long", "{\"maxLength\":2}", "\"abc\"",
	  "arguments: must have so many characters, at most 2\n" },
	{ "too few items", "{\"minItems\":1}", "[]", "arguments: must have so many items, at least 1\n" },
	{ "twice", "{\"uniqueItems\":true}", "[1,1.0]", "arguments: must not have the same item twice\n" },
	{ "prefixItems", "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[1,2]",
	  "0: must be of type \"string\"\n1: must not be there\n" },
	{ "anyOf", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1",
	  "arguments: fits none of the forms that it may have (anyOf)\n" },
	{ "oneOf, two", "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3",
	  "arguments: fits more than one of the forms of which it may have one (oneOf)\n" },
	{ "allOf", "{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1}",
	  "arguments: b is missing\n" },
	{ "not", "{\"not\":{\"type\":\"string\"}}", "\"x\"",
	  "arguments: has a form that it must not have\n" },
	{ "if then", "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]}}", "{\"a\":1}",
	  "arguments: b is missing\n" },
	{ "dependentRequired", "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
	  "arguments: b is missing\n" },
	{ "a reference",
	  "{\"$defs\":{\"n/m\":{\"type\":\"number\"}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/n~1m\"}}}",
	  "{\"a\":\"x\"}", "a: must be of type \"number\"\n" },
	{ "a reference to the network is not followed",
	  "{\"properties\":{\"a\":{\"$ref\":\"http://169.254.169.254/x\"}}}", "{\"a\":\"x\"}", "" },
	{ "a reference to nothing", "{\"$ref\":\"#/$defs/none\"}", "1", "" },
	{ "a schema that is itself", "{\"$ref\":\"#\"}", "1", "" },
	{ "a tree, which is deep as the value is",
	  "{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"properties\":{\"t\":{\"$ref\":\"#/$defs/t\"}},\"additionalProperties\":false}}}",
	  "{\"t\":{\"t\":{\"x\":1}}}", "t.t.x: is no argument that there is\n" },
	{ "doubling for ever",
	  "{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}],\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
	  "1", "" },
	{ "odd keywords",
	  "{\"type\":5,\"required\":\"a\",\"properties\":[],\"items\":7,\"enum\":{},\"allOf\":1,\"anyOf\":{},\"not\":3,\"minimum\":\"x\",\"if\":1}",
	  "{\"a\":[1]}", "" },
	{ "no schema", "[]", "{}", "" },
	{ "a pattern is not judged", "{\"pattern\":\"(a+)+$\"}", "\"b\"", "" },
	{ "five mistakes are enough", "{\"items\":{\"type\":\"string\"}}", "[1,2,3,4,5,6]",
	  "0: must be of type \"string\"\n1: must be of type \"string\"\n2: must be of type \"string\"\n3: must be of type \"string\"\n4: must be of type \"string\"\n" },
};

static json_object *parse(const char *text)
{
	json_object *value = NULL;
	struct error err = { 0 };

	if (json_parse(text, strlen(text), &value, &err) < 0)
		fail_msg("%s: %.200s", err.message, text);
	return value;
}

static void test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OWN(json) json_object *schema = parse(cases[i].schema), *value = parse(cases[i].value);
		clock_t began = clock();
		struct text why;
		struct arena a;

		print_message("%s\n", cases[i].name);
		arena_init(&a, 0);
		text_init(&why, &a);
		assert_int_equal(schema_check(schema, value, &why), !*cases[i].want);
		assert_string_equal(why.at, cases[i].want);
		assert_true(clock() - began < CLOCKS_PER_SEC);
		arena_done(&a);
	}
}

/* `count` times the piece, between two brackets. */
static void add_list(struct text *t, const char *piece, int count)
{
	text_addc(t, '[');
	for (int i = 0; i < count; i++)
		text_addf(t, "%s%s", i ? "," : "", piece);
	text_addc(t, ']');
}

/* Small things on both sides, which are much together: the check ends soon, and lets them pass. */
static void test_a_schema_that_wants_much_work(void **state)
{
	static const struct {
		const char *each, *item;
		int items;
	} rows[] = {
		{ "{}", "1", 5000 },
		{ "{\"$ref\":\"#/$defs/numbers\"}", "[7]", 1 },
		{ "{\"uniqueItems\":true}", "[1,2,3]", 200 },
		{ "{\"const\":\"\"}", "1", 5000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		clock_t began = clock();
		struct text schema, value, why;
		struct arena a;

		arena_init(&a, 0);
		text_init(&schema, &a);
		text_init(&value, &a);
		text_init(&why, &a);
		text_adds(&schema, "{\"$defs\":{\"numbers\":{\"enum\":");
		add_list(&schema, "1", 20000);
		text_adds(&schema, "}},\"anyOf\":");
		add_list(&schema, rows[i].each, 15000);
		text_addc(&schema, '}');
		add_list(&value, rows[i].item, rows[i].items);
		OWN(json) json_object *wanted = parse(schema.at), *given = parse(value.at);
		(void)schema_check(wanted, given, &why);
		assert_true(clock() - began < CLOCKS_PER_SEC);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_a_schema_that_wants_much_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
