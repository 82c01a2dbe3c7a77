/* links: svc-auth/client.c svc-auth/ticket.c */
/* What a program says of itself, where it may be answered, its id; and tickets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "svc-auth/client.h"
#include "svc-auth/ticket.h"

static const unsigned char key[KEY_SIZE] = { 1 }, other_key[KEY_SIZE] = { 2 };

/* People read its host on the page that asks them: one of another script could pass for a host that they trust. */
static void what_a_document_may_be_called(void **state)
{
	static const struct {
		const char *id;
		bool plain, fits;
	} cases[] = {
		{ "https://app.example/client.json", false, true },
		{ "http://app.example/client.json", false, false },
		{ "http://app.example/client.json", true, true },
		{ "https://app.example/", false, false },
		{ "https://app.example", false, false },
		{ "https://app.example/a/../client.json", false, false },
		{ "https://app.example/client.json#x", false, false },
		{ "https://app.example@other.example/c", false, false },
		{ "https://\xd1\x81laude.ai/client.json", false, false }, /* its first letter is Cyrillic */
		{ "https://app.example/\xe2\x80\xae.json", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (client_is_document(cases[i].id, cases[i].plain) != cases[i].fits)
			fail_msg("%s: not %d", cases[i].id, cases[i].fits);
}

static void where_a_program_may_be_answered(void **state)
{
	static const struct {
		const char *uri;
		bool fits;
		const char *place, *source;
	} cases[] = {
		{ "https://claude.ai/api/mcp/auth_callback", true, "claude.ai", "https://claude.ai" },
		{ "https://app.example:8443/cb?x=1", true, "app.example", "https://app.example:8443" },
		{ "http://127.0.0.1:33418/", true, "this computer (127.0.0.1)", "http://127.0.0.1:33418" },
		{ "http://[::1]:8080/cb", true, "this computer ([::1])", "http:" },
		{ "cursor://anysphere.cursor-mcp/oauth/callback", true, "the app that opens cursor: links",
		  "cursor:" },
		{ "com.example.app:/cb", true, "the app that opens com.example.app: links",
		  "com.example.app:" },
		{ "http://example.com/cb", false, NULL, NULL },
		{ "http://127.0.0.1.example.com/", false, NULL, NULL },
		{ "http://127.0.0.1@example.com/", false, NULL, NULL },
		{ "javascript:/alert(1)", false, NULL, NULL },
		{ "javascript://x", false, NULL, NULL },
		{ "data:/x", false, NULL, NULL },
		{ "x:/y", false, NULL, NULL },
		{ "https://a.example/#f", false, NULL, NULL },
		{ "https://a.example/\"onload=", false, NULL, NULL },
		{ "https:/a.example/", false, NULL, NULL },
		{ "https://[", false, NULL, NULL },
		{ "https://[::1", false, NULL, NULL },
		{ "https://[::1]a.example/", false, NULL, NULL },
		{ "http://[::1/", false, NULL, NULL },
		{ "https:a.example", false, NULL, NULL },
		{ "", false, NULL, NULL },
		{ ":", false, NULL, NULL },
		{ "://", false, NULL, NULL },
	};
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *exact = strdup(cases[i].uri); /* a sanitizer sees what is read beyond its end */

		if (client_uri_fits(exact) != cases[i].fits)
			fail_msg("%s", cases[i].uri);
		free(exact);
		if (!cases[i].fits)
			continue;
		assert_string_equal(client_uri_place(cases[i].uri, &a), cases[i].place);
		assert_string_equal(client_uri_source(cases[i].uri, &a), cases[i].source);
	}
	arena_done(&a);
}

static void an_id_holds_what_was_registered(void **state)
{
	static const char json[] =
	    "{\"client_name\":\" Cl\\u200bau\\u202ede \\u0007\",\"redirect_uris\":[\"https://claude.ai/cb\",\"cursor://x/y\"]}";
	struct client c, back;
	struct arena a;
	const char *id;
	char *altered;

	(void)state;
	arena_init(&a, 0);
	assert_null(client_read(json, sizeof json - 1, NULL, &c, &a));
	assert_string_equal(c.name, "Claude"); /* nothing that cannot be seen, or turns the text round */
	id = client_make_id(key, &c, &a);
	assert_non_null(id);
	assert_true(client_read_id(key, id, &back, &a));
	assert_string_equal(back.name, "Claude");
	assert_string_equal(back.id, id);
	assert_int_equal(back.uri_count, 2);
	assert_string_equal(back.uris[1], "cursor://x/y");
	assert_false(client_read_id(other_key, id, &back, &a));
	altered = arena_strdup(&a, id);
	for (size_t i = 0; altered[i]; i++) {
		char kept = altered[i];

		altered[i] = kept == 'A' ? 'B' : 'A';
		if (client_read_id(key, altered, &back, &a))
			fail_msg("altered at %zu", i);
		altered[i] = '\0';
		if (client_read_id(key, altered, &back, &a))
			fail_msg("cut at %zu", i);
		altered[i] = kept;
	}
	arena_done(&a);
}

static void a_name_is_never_empty(void **state)
{
	static const char *const names[] = { "", "\"client_name\":\"\",", "\"client_name\":\" \\u200b\",",
		                             "\"client_name\":7,", "\"client_name\":null," };
	struct client c;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *json = arena_printf(&a, "{%s\"redirect_uris\":[\"https://a.example/\"]}", names[i]);

		assert_null(client_read(json, strlen(json), NULL, &c, &a));
		assert_string_equal(c.name, "An unnamed program");
	}
	arena_done(&a);
}

static void a_ticket_opens_what_it_was_made_for(void **state)
{
	struct ticket t = { "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-000000000001",
		            70000 },
	              back;
	char text[TICKET_TEXT], altered[TICKET_TEXT];

	(void)state;
	ticket_make(key, TICKET_REFRESH, &t, text);
	assert_int_equal(strlen(text), TICKET_TEXT - 1);
	assert_true(ticket_read(key, TICKET_REFRESH, text, &back));
	assert_string_equal(back.owner, t.owner);
	assert_string_equal(back.id, t.id);
	assert_int_equal(back.number, 70000);
	assert_false(ticket_read(key, TICKET_CODE, text, &back));
	assert_false(ticket_read(other_key, TICKET_REFRESH, text, &back));
	assert_false(ticket_read(key, TICKET_REFRESH, NULL, &back));
	for (size_t i = 0; text[i]; i++) {
		memcpy(altered, text, sizeof text);
		altered[i] = text[i] == 'A' ? 'B' : 'A';
		if (ticket_read(key, TICKET_REFRESH, altered, &back))
			fail_msg("altered at %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_a_program_may_be_answered),
		cmocka_unit_test(what_a_document_may_be_called),
		cmocka_unit_test(an_id_holds_what_was_registered),
		cmocka_unit_test(a_name_is_never_empty),
		cmocka_unit_test(a_ticket_opens_what_it_was_made_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
