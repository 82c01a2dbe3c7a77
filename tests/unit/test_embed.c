/* links: svc-documents/ingest/embed.c svc-documents/ingest/embed_openai.c svc-documents/search/terms.c -lstemmer -lunistring */
#include "svc-documents/ingest/embed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static double cosine(const char *a, const char *b)
{
	float x[EMBED_BUILTIN_DIMENSION], y[EMBED_BUILTIN_DIMENSION];
	double dot = 0;

	embed_builtin(a, strlen(a), x);
	embed_builtin(b, strlen(b), y);
	for (int i = 0; i < EMBED_BUILTIN_DIMENSION; i++)
		dot += (double)x[i] * y[i];
	return dot;
}

static void test_nearness(void **state)
{
	static const struct {
		const char *name, *text, *near, *far;
	} cases[] = {
		{ "the same words", "the cat sat on the mat", "a cat sat on a mat",
		  "stock prices fell sharply" },
		{ "other forms", "colonising nations", "the colonisation of a nation", "the coloured notes" },
		{ "a typing error", "encyclopedia", "encylopedia", "telephone" },
		{ "another script", "\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0",
		  "\xd0\xbc\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd1\x8b",
		  "\xd0\xba\xd0\xbe\xd1\x88\xd0\xba\xd0\xb0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		assert_true(cosine(cases[i].text, cases[i].near) > cosine(cases[i].text, cases[i].far) + 0.2);
		assert_true(fabs(cosine(cases[i].text, cases[i].text) - 1) < 1e-5);
	}
	assert_true(cosine("", "") == 0);
}

static void test_print(void **state)
{
	const float vector[] = { 0, 0.5f, -1, 1e-9f, 0.123456f };
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(embed_print(vector, 5, &a), "[0,0.5,-1,1e-09,0.1235]");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nearness), cmocka_unit_test(test_print) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
