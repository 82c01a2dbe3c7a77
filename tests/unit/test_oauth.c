#include "common/oauth/oauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena a;

static int open_arena(void **state)
{
	(void)state;
	arena_init(&a, 0);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_done(&a);
	return 0;
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1000 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50

static void challenges(void **state)
{
	static const struct {
		const char *header, *error, *scope, *metadata;
	} cases[] = {
		{ "Bearer", "-", "-", "-" },
		{ "Bearer resource_metadata=\"https://a.example/x\", scope=\"a b\"", "-", "a b",
		  "https://a.example/x" },
		{ "bearer SCOPE=a , Error = \"invalid_token\"", "invalid_token", "a", "-" },
		{ "Basic realm=\"x, scope=\\\"y\\\"\", Bearer scope=\"z\"", "-", "z", "-" },
		{ "Negotiate YWJj==, Bearer scope=\"z\", DPoP scope=\"no\"", "-", "z", "-" },
		{ "Basic scope=\"no\"", "-", "-", "-" },
		{ "Bearer scope=\"a\", Bearer scope=\"b\"", "-", "a", "-" },
		{ "Bearer scope=\"\", error=\"\"", "-", "-", "-" },
		{ "Bearer scope=\"open", "-", "open", "-" },
		{ "Bearer scope=\"a\\", "-", "-", "-" },
		{ "Bearer scope=\"a\x01z\", error=\"q\\\"q\"", "-", "-", "-" },
		{ "Bearer resource_metadata=\"javascript:alert(1)\"", "-", "-", "-" },
		{ "Bearer resource_metadata=\"https://user@a.example/\"", "-", "-", "-" },
		{ "Bearer resource_metadata=\"https:///x\"", "-", "-", "-" },
		{ "Bearer resource_metadata=\"https://a.example/" X1000 X1000 "\"", "-", "-", "-" },
		{ ",,, = \"\" ; Bearer = x", "-", "-", "-" },
		{ "", "-", "-", "-" },
		{ NULL, "-", "-", "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct oauth_challenge got;

		oauth_challenge_parse(cases[i].header, &got, &a);
		assert_string_equal(or_none(got.error), cases[i].error);
		assert_string_equal(or_none(got.scope), cases[i].scope);
		assert_string_equal(or_none(got.resource_metadata), cases[i].metadata);
	}
}

#define DOORS "\"authorization_endpoint\":\"https://as/a\",\"token_endpoint\":\"https://as/t\""

static void servers(void **state)
{
	static const struct {
		const char *name, *document;
		bool taken;
		unsigned methods;
		bool proves;
	} cases[] = {
		{ "the least", "{" DOORS "}", true, OAUTH_BASIC, false },
		{ "methods",
		  "{" DOORS ",\"token_endpoint_auth_methods_supported\":[\"none\",\"private_key_jwt\"]}",
		  true, OAUTH_NONE, false },
		{ "proof", "{" DOORS ",\"code_challenge_methods_supported\":[\"plain\",\"S256\"]}", true,
		  OAUTH_BASIC, true },
		{ "a weak proof", "{" DOORS ",\"code_challenge_methods_supported\":[\"plain\"]}", true,
		  OAUTH_BASIC, false },
		{ "a proof that is no list", "{" DOORS ",\"code_challenge_methods_supported\":\"S256\"}",
		  true, OAUTH_BASIC, false },
		{ "no doors", "{}", false, 0, false },
		{ "a list", "[]", false, 0, false },
		{ "a script",
		  "{\"authorization_endpoint\":\"javascript:x\",\"token_endpoint\":\"https://as/t\"}", false,
		  0, false },
		{ "weaker than its issuer",
		  "{\"authorization_endpoint\":\"http://as/a\",\"token_endpoint\":\"https://as/t\"}", false,
		  0, false },
		{ "a line break",
		  "{\"authorization_endpoint\":\"https://as/a\\r\\nX: y\",\"token_endpoint\":\"https://as/t\"}",
		  false, 0, false },
		{ "a number", "{\"authorization_endpoint\":1,\"token_endpoint\":\"https://as/t\"}", false, 0,
		  false },
		{ "not JSON", "<html>", false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct oauth_server got;
		int rc = oauth_server_read(cases[i].document, "https://as", &got, &a, &err);

		if ((rc == 0) != cases[i].taken)
			fail_msg("%s: %d %s", cases[i].name, rc, err.message);
		if (rc < 0)
			continue;
		assert_int_equal(got.methods, cases[i].methods);
		assert_int_equal(got.proves, cases[i].proves);
	}
}

static void what_is_kept_of_a_server_is_read_again(void **state)
{
	struct oauth_server assumed, again;
	struct error err = { 0 };

	(void)state;
	oauth_server_assume("https://old.example", &assumed, &a);
	assert_int_equal(oauth_server_read(assumed.document, assumed.issuer, &again, &a, &err), 0);
	assert_string_equal(again.token_endpoint, "https://old.example/token");
	assert_string_equal(again.registration_endpoint, assumed.registration_endpoint);
	assert_int_equal(again.methods, assumed.methods);
	assert_int_equal(oauth_demand_proof(&again, &err), 0);
}

/* RFC 7636, appendix B. */
static void the_address_that_a_browser_is_sent_to(void **state)
{
	struct oauth_server s = { .issuer = "https://as", .authorization_endpoint = "https://as/a?tenant=1" };
	struct oauth_request r = { .client_id = "https://us/id?x=1&y",
		                   .redirect_uri = "https://us/back",
		                   .state = "s t",
		                   .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		                   .scope = "a:b c",
		                   .resource = "https://rs/mcp" };

	(void)state;
	assert_string_equal(
	    oauth_authorize_url(&s, &r, &a),
	    "https://as/a?tenant=1&response_type=code&client_id=https%3A%2F%2Fus%2Fid%3Fx%3D1%26y"
	    "&redirect_uri=https%3A%2F%2Fus%2Fback&state=s%20t&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	    "&code_challenge_method=S256&scope=a%3Ab%20c&resource=https%3A%2F%2Frs%2Fmcp");
}

static void who_answers(void **state)
{
	static const struct {
		bool says;
		const char *iss;
		int want;
	} cases[] = {
		{ false, NULL, 0 },          { true, NULL, -1 },
		{ true, "https://as", 0 },   { false, "https://as", 0 },
		{ true, "https://as/", -1 }, { false, "https://other", -1 },
		{ true, "HTTPS://as", -1 },  { true, "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct oauth_server s = { .issuer = "https://as", .says_issuer = cases[i].says };
		struct error err = { 0 };

		assert_int_equal(oauth_check_response(&s, cases[i].iss, &err), cases[i].want);
	}
}

static void scopes_join(void **state)
{
	static const struct {
		const char *one, *other, *want;
	} cases[] = {
		{ "a b", "b c", "a b c" },   { "a", NULL, "a" },     { NULL, "a", "a" },
		{ "read", "re", "read re" }, { "a", " a  a ", "a" }, { "a", "", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(oauth_scope_join(cases[i].one, cases[i].other, &a), cases[i].want);
	assert_null(oauth_scope_join(NULL, NULL, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges),
		cmocka_unit_test(servers),
		cmocka_unit_test(what_is_kept_of_a_server_is_read_again),
		cmocka_unit_test(the_address_that_a_browser_is_sent_to),
		cmocka_unit_test(who_answers),
		cmocka_unit_test(scopes_join),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
