/* Parts of a JSON text, without a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "common/json/json.h"
#include "common/json/slice.h"

static struct arena arena;

/* Every member of every item, as "key=value;" with what json-c makes of both beside it. */
static void compare(const char *json)
{
	OWN(json) json_object *tree = NULL;
	struct error err = { 0 };
	struct slice items = slice_array(slice_of(json)), item, key, value;
	struct text got, want;

	text_init(&got, &arena);
	text_init(&want, &arena);
	while (slice_item(&items, &item)) {
		struct slice rest = slice_object(item);

		while (slice_member(&rest, &key, &value))
			text_addf(&got, "%s=%s;", slice_text(key, &arena),
			          slice_json(value, &arena) ? slice_json(value, &arena) : "null");
		text_addc(&got, '\n');
	}
	assert_int_equal(json_parse(json, strlen(json), &tree, &err), 0);
	for (size_t i = 0; i < json_object_array_length(tree); i++) {
		json_object *one = json_object_array_get_idx(tree, i);

		json_object_object_foreach(one, name, its)
		{
			text_addf(&want, "%s=%s;", name, json_print(its, &arena));
		}
		text_addc(&want, '\n');
	}
	assert_string_equal(got.at ? got.at : "", want.at ? want.at : "");
}

static void what_json_c_prints_is_read_as_it_reads_it(void **state)
{
	(void)state;
	compare("[]");
	compare("[{}]");
	compare("[{},{\"a\":{}},{\"a\":[],\"b\":[[1,[2]],{}]}]");
	compare("[{\"name\":\"a\",\"n\":-1.5e+3,\"yes\":true,\"no\":false,\"nothing\":null}]");
	compare(
	    "[{\"quotes\":\"a \\\"b\\\" \\\\\",\"brackets\":\"]}[{,:\",\"lines\":\"\\n\\t\\u0001\"},{\"end\":\"\\\\\"}]");
	compare("[{\"Gr\\u00f6\\u00dfe\":\"\xf0\x9f\x8d\x80\"}]");
}

static void values(void **state)
{
	struct slice rest =
	                 slice_object(slice_of(" { \"a\\n\" : \"b\\u00e9\" , \"c\" : tru , \"d\" : true }")),
	             key, value;

	(void)state;
	assert_true(slice_member(&rest, &key, &value));
	assert_string_equal(slice_text(key, &arena), "a\n");
	assert_string_equal(slice_text(value, &arena), "b\xc3\xa9");
	assert_true(slice_member(&rest, &key, &value));
	assert_false(slice_is(value, "true"));
	assert_null(slice_text(value, &arena));
	assert_true(slice_member(&rest, &key, &value));
	assert_true(slice_is(key, "\"d\"") && slice_is(value, "true"));
	assert_false(slice_member(&rest, &key, &value));
}

static void of_a_text_that_is_none_nothing_is_read_beyond_its_end(void **state)
{
	static const char *const bad[] = { "",           " ",           "1",     "\"a\"",   "[",
		                           "[{",         "[{\"",        "[{\"a", "[{\"a\\", "[{\"a\":",
		                           "[{\"a\":\"", "[{\"a\":{",   "{",     "[\"\\",   "[{\"a\"}}}",
		                           "[[[[",       "]",           "[,,,",  "null",    "[tru",
		                           "[{\"a\":1",  "[{a:\"b\\\"", "}{",    "[\"a\":" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t size = strlen(bad[i]), count = 0;
		char *exact = test_malloc(size + 1); /* so that a sanitizer sees it */
		struct slice items, item, key, value;

		memcpy(exact, bad[i], size);
		items = slice_array((struct slice){ exact, size });
		while (slice_item(&items, &item)) {
			struct slice rest = slice_object(item);

			assert_true(item.at + item.size <= exact + size);
			while (slice_member(&rest, &key, &value)) {
				assert_true(value.at + value.size <= exact + size);
				(void)slice_text(value, &arena);
			}
			assert_true(++count < 10);
		}
		test_free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_json_c_prints_is_read_as_it_reads_it),
		cmocka_unit_test(values),
		cmocka_unit_test(of_a_text_that_is_none_nothing_is_read_beyond_its_end),
	};
	int failed;

	arena_init(&arena, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return failed;
}
