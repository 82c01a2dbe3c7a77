/* links: build/gen/sample/sample.pb-c.c build/gen/sample/shapes.c */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/json.h"
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

static const char *print(const Sample__Thing *thing)
{
	struct text t;

	text_init(&t, &arena);
	json_from_message(&t, &shape_sample__thing, &thing->base);
	return t.at;
}

static void absent_fields_are_null(void **state)
{
	Sample__Thing thing = SAMPLE__THING__INIT;
	Rpc__Empty empty = RPC__EMPTY__INIT;
	struct text t;

	(void)state;
	assert_string_equal(print(&thing),
	                    "{\"id\":null,\"name\":null,\"size\":null,\"score\":null,\"colour\":null,"
	                    "\"done\":null,\"settings\":null,\"tags\":[],\"part\":null,\"big\":null,"
	                    "\"small\":null}");
	text_init(&t, &arena);
	json_from_message(&t, &shape_rpc__empty, &empty.base);
	assert_string_equal(t.at, "{}");
}

static void filled_fields_are_printed(void **state)
{
	Sample__Part inner = SAMPLE__PART__INIT, part = SAMPLE__PART__INIT;
	Sample__Part *inners[] = { &inner };
	char *tags[] = { "a\"b\\c\n\x01\x7f", "\xe2\x82\xac", "" };
	Sample__Thing thing = SAMPLE__THING__INIT;

	(void)state;
	inner.name = "in";
	part.name = "out";
	part.has_count = 1;
	part.count = -2147483647 - 1;
	part.n_parts = 1;
	part.parts = inners;
	thing.id = "7";
	thing.has_size = 1;
	thing.size = INT64_MIN;
	thing.has_score = 1;
	thing.score = 0.1;
	thing.has_colour = 1;
	thing.colour = SAMPLE__COLOUR__DARK_BLUE;
	thing.has_done = 1;
	thing.settings = "{\"a\":[1,2]}";
	thing.note = "n";
	thing.n_tags = 3;
	thing.tags = tags;
	thing.n_parts = 1;
	thing.parts = inners;
	thing.part = &part;
	thing.has_big = 1;
	thing.big = 1234567890123;
	thing.has_small = 1;
	thing.small = 0.1F;
	assert_string_equal(
	    print(&thing),
	    "{\"id\":\"7\",\"name\":null,\"size\":-9223372036854775808,\"score\":0.1,"
	    "\"colour\":\"dark_blue\",\"done\":false,\"settings\":{\"a\":[1,2]},\"note\":\"n\","
	    "\"tags\":[\"a\\\"b\\\\c\\n\\u0001\\u007f\",\"\xe2\x82\xac\",\"\"],"
	    "\"parts\":[{\"name\":\"in\",\"count\":null,\"parts\":[]}],"
	    "\"part\":{\"name\":\"out\",\"count\":-2147483648,"
	    "\"parts\":[{\"name\":\"in\",\"count\":null,\"parts\":[]}]},\"big\":1234567890123,"
	    "\"small\":0.1}");
}

static void numbers_read_back_the_same(void **state)
{
	static const double cases[] = { 0,        -0.0,   1,      0.1,
		                        1.0 / 3,  1e21,   5e-324, 1.7976931348623157e308,
		                        -2.5,     123456, 1e15,   1e16,
		                        0.1 + 0.2 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Sample__Thing thing = SAMPLE__THING__INIT;
		struct error err = { 0 };
		OWN(json) json_object *back = NULL;
		const char *text;

		thing.has_score = 1;
		thing.score = cases[i];
		text = print(&thing);
		assert_int_equal(json_parse(text, strlen(text), &back, &err), 0);
		if (json_real(back, "score", 99) != cases[i])
			fail_msg("%.17g: got %s", cases[i], text);
	}
}

static void what_json_cannot_say_is_null(void **state)
{
	Sample__Thing thing = SAMPLE__THING__INIT;

	(void)state;
	thing.has_score = 1;
	thing.score = 1e308 * 10;
	thing.has_colour = 1;
	thing.colour = 99;
	thing.settings = "";
	assert_non_null(
	    strstr(print(&thing), "\"score\":null,\"colour\":null,\"done\":null,\"settings\":null"));
}

static void a_list_answer_is_the_bare_array(void **state)
{
	Sample__Thing thing = SAMPLE__THING__INIT;
	Sample__Thing *things[] = { &thing, &thing };
	Sample__ThingList list = SAMPLE__THING_LIST__INIT;
	struct text t;

	(void)state;
	text_init(&t, &arena);
	json_from_field(&t, &shape_sample__thing_list, &list.base, "things");
	assert_string_equal(t.at, "[]");
	list.n_things = 2;
	list.things = things;
	text_init(&t, &arena);
	json_from_field(&t, &shape_sample__thing_list, &list.base, "things");
	assert_memory_equal(t.at, "[{\"id\":null,", 12);
	assert_non_null(strstr(t.at, "},{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(absent_fields_are_null, setup, teardown),
		cmocka_unit_test_setup_teardown(filled_fields_are_printed, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_read_back_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(what_json_cannot_say_is_null, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_answer_is_the_bare_array, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
