/* links: gateway/router.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/text.h"
#include "gateway/router.h"

static const struct route list[] = {
	{ "GET", "/" },
	{ "GET", "/api/documents" },
	{ "POST", "/api/documents/url" },
	{ "POST", "/api/documents/upload" },
	{ "GET", "/api/documents/{document_id}" },
	{ "DELETE", "/api/documents/{id}" },
	{ "POST", "/api/documents/{document_id}/reindex" },
	{ "GET", "/api/chatbots/widget-config/{chatbot_id}" },
	{ "GET", "/api/chatbots/{chatbot_id}/{part}" },
	{ "GET", "/api/integrations/slack/{x}/end" },
	{ "GET", "/api/integrations/{type}/events" },
	{ "PUT", "/a/{one}/{two}/{three}/{four}/{five}/{six}" },
	{ "POST", "/a/{only_post}" },
};

static struct router *router;
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	router = router_new(list, sizeof list / sizeof *list);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	router_free(router);
	arena_done(&arena);
	return 0;
}

static void paths_find_their_routes(void **state)
{
	static const struct {
		const char *verb, *path, *want; /* "path name=value ...", or the error's name and Allow */
	} cases[] = {
		{ "GET", "/", "/" },
		{ "HEAD", "/", "/" },
		{ "GET", "/api/documents", "/api/documents" },
		{ "GET", "/api/documents/", "/api/documents" },
		{ "HEAD", "/api/documents", "/api/documents" },
		{ "GET", "/api/documents/7", "/api/documents/{document_id} document_id=7" },
		{ "GET", "/api/documents/7/", "/api/documents/{document_id} document_id=7" },
		{ "DELETE", "/api/documents/7", "/api/documents/{id} id=7" },
		{ "GET", "/api/documents/url", "/api/documents/{document_id} document_id=url" },
		{ "POST", "/api/documents/url", "/api/documents/url" },
		{ "POST", "/api/documents/url/reindex",
		  "/api/documents/{document_id}/reindex document_id=url" },
		{ "GET", "/api/chatbots/widget-config/9",
		  "/api/chatbots/widget-config/{chatbot_id} chatbot_id=9" },
		{ "GET", "/api/chatbots/5/9", "/api/chatbots/{chatbot_id}/{part} chatbot_id=5 part=9" },
		{ "GET", "/api/integrations/slack/events", "/api/integrations/{type}/events type=slack" },
		{ "GET", "/api/integrations/slack/1/end", "/api/integrations/slack/{x}/end x=1" },
		{ "PUT", "/a/1/2/3/4/5/6",
		  "/a/{one}/{two}/{three}/{four}/{five}/{six} one=1 two=2 three=3 four=4 five=5 six=6" },
		/* Decoded segment by segment. */
		{ "GET", "/api/%64ocuments", "/api/documents" },
		{ "GET", "/api/documents/a%20b%2Fc%25", "/api/documents/{document_id} document_id=a b/c%" },
		{ "GET", "/api/documents/a+b", "/api/documents/{document_id} document_id=a+b" },
		{ "GET", "/api/documents/%C3%a9", "/api/documents/{document_id} document_id=\xc3\xa9" },
		{ "GET", "/api/documents/\xc3\xa9", "/api/documents/{document_id} document_id=\xc3\xa9" },
		{ "GET", "/api%2Fdocuments", "not_found" },
		{ "GET", "/api/documents/..", "/api/documents/{document_id} document_id=.." },
		{ "GET", "/api/documents/a;b=c", "/api/documents/{document_id} document_id=a;b=c" },
		/* Nothing there. */
		{ "GET", "/nothing", "not_found" },
		{ "GET", "/api", "not_found" },
		{ "GET", "//", "not_found" },
		{ "GET", "//api/documents", "not_found" },
		{ "GET", "/api//documents", "not_found" },
		{ "GET", "/api/documents//", "not_found" },
		{ "POST", "/api/documents//reindex", "not_found" },
		{ "GET", "/API/documents", "not_found" },
		{ "GET", "/api/documents/7/x", "not_found" },
		{ "GET", "/../api/documents", "not_found" },
		{ "GET", "", "not_found" },
		{ "GET", "*", "not_found" },
		{ "GET", "api/documents", "not_found" },
		{ "GET", "http://host/api/documents", "not_found" },
		{ "GET", "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
		  "not_found" },
		/* Another verb. */
		{ "POST", "/api/documents", "method_not_allowed GET, HEAD" },
		{ "PUT", "/api/documents/7", "method_not_allowed DELETE, GET, HEAD" },
		{ "PUT", "/api/documents/url", "method_not_allowed DELETE, GET, HEAD, POST" },
		{ "DELETE", "/a/x", "method_not_allowed POST" },
		{ "HEAD", "/a/x", "method_not_allowed POST" },
		{ "BREW", "/", "method_not_allowed GET, HEAD" },
		{ "get", "/", "method_not_allowed GET, HEAD" },
		{ "", "/", "method_not_allowed GET, HEAD" },
		{ "BREW", "/nothing", "not_found" },
		/* Not to be decoded. */
		{ "GET", "/api/documents/%", "malformed" },
		{ "GET", "/api/documents/%4", "malformed" },
		{ "GET", "/api/documents/%4/x", "malformed" },
		{ "GET", "/api/documents/%zz", "malformed" },
		{ "GET", "/api/documents/%00", "malformed" },
		{ "GET", "/api/documents/x%00.pdf", "malformed" },
		{ "GET", "/api/documents/%ff", "malformed" },
		{ "GET", "/api/documents/%c0%af", "malformed" },
		{ "GET", "/api/documents/\xe9", "malformed" },
		{ "GET", "/api/documents/%ed%a0%80", "malformed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct route_match match;
		struct text got;

		text_init(&got, &arena);
		if (router_match(router, cases[i].verb, cases[i].path, &match, &arena, &err) == 0) {
			text_adds(&got, match.route->path);
			for (int j = 0; j < match.param_count; j++)
				text_addf(&got, " %s=%s", match.params[j].name, match.params[j].value);
		} else {
			text_addf(&got, "%s%s%s", error_name(err.code), *match.allow ? " " : "", match.allow);
		}
		if (strcmp(got.at, cases[i].want) != 0)
			fail_msg("%s %s:\n got %s\nwant %s", cases[i].verb, cases[i].path, got.at,
			         cases[i].want);
	}
}

static void allow_is_there_for_a_match_too(void **state)
{
	struct error err = { 0 };
	struct route_match match;

	(void)state;
	assert_int_equal(router_match(router, "GET", "/api/documents", &match, &arena, &err), 0);
	assert_string_equal(match.allow, "GET, HEAD");
}

static void no_routes_at_all(void **state)
{
	struct error err = { 0 };
	struct route_match match;
	struct router *none = router_new(NULL, 0);

	(void)state;
	assert_int_equal(router_match(none, "GET", "/", &match, &arena, &err), -1);
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	router_free(none);
	router_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_find_their_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(allow_is_there_for_a_match_too, setup, teardown),
		cmocka_unit_test_setup_teardown(no_routes_at_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
