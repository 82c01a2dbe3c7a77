/* links: svc-integrations/slack/signature.c svc-integrations/slack/event.c svc-integrations/slack/render.c svc-integrations/slack/form.c svc-integrations/slack/plain.c svc-integrations/slack/said.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "svc-integrations/slack/event.h"
#include "svc-integrations/slack/form.h"
#include "svc-integrations/slack/plain.h"
#include "svc-integrations/slack/render.h"
#include "svc-integrations/slack/said.h"
#include "svc-integrations/slack/signature.h"

static struct arena a;

static int begin(void **state)
{
	(void)state;
	arena_init(&a, 0);
	return 0;
}
static int end(void **state)
{
	(void)state;
	arena_done(&a);
	return 0;
}

/* The example of Slack's documentation, "Verifying requests from Slack". */
static void the_documented_signature_fits(void **state)
{
	static const char secret[] = "8f742231b10e8888abcd99yyyzzz85a5";
	static const char body[] =
	    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
	    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
	    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
	    "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
	struct slack_stamp stamp = { "1531420618",
		                     "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" };

	(void)state;
	assert_true(slack_signature_fits(&stamp, secret, body, strlen(body), &a));
	assert_false(slack_signature_fits(&stamp, secret, body, strlen(body) - 1, &a));
	assert_false(slack_signature_fits(&stamp, "", body, strlen(body), &a));
	stamp.timestamp = "1531420619";
	assert_false(slack_signature_fits(&stamp, secret, body, strlen(body), &a));
}

/* A request that names no workspace is held against the secret of each: a copy for each was more memory than there is. */
static void a_large_body_is_not_copied(void **state)
{
	enum { SIZE = 1 << 20 };
	struct slack_stamp stamp = { "1531420618",
		                     "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" };
	char *body = calloc(1, SIZE);
	size_t before = a.used;

	(void)state;
	assert_false(slack_signature_fits(&stamp, "secret", body, SIZE, &a));
	assert_in_range(a.used - before, 0, 1000);
	free(body);
}

static void five_minutes_either_way(void **state)
{
	static const struct {
		const char *timestamp;
		bool fresh;
	} cases[] = { { "1000", true },
		      { "700", true },
		      { "1300", true },
		      { "699", false },
		      { "1301", false },
		      { "", false },
		      { "-1000", false },
		      { "1000x", false },
		      { " 1000", false },
		      { NULL, false },
		      { "99999999999999999999", false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct slack_stamp stamp = { cases[i].timestamp, "v0=" };
		const struct slack_stamp bare = { cases[i].timestamp, NULL };

		assert_int_equal(slack_stamp_is_fresh(&stamp, 1000), cases[i].fresh);
		assert_false(slack_stamp_is_fresh(&bare, 1000));
	}
}

/* Who is asked is asked what the person saw, not what Slack sends. */
static void questions_are_plain(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "<@U1> how long?", "how long?" },
		{ "how long, <@U1>?  ", "how long, ?" },
		{ "<@U1|bot>\n how", "how" },
		{ "<@U12> is another", "@U12 is another" },
		{ "<@U12|ada> and <@U1>, too", "@ada and , too" },
		{ "<@U1", "<@U1" },
		{ "<@U1>", "" },
		{ "", "" },
		{ "is 3 &lt; 4 &amp;&amp; 5 &gt; 4?", "is 3 < 4 && 5 > 4?" },
		{ "&amp;lt; stays, &lt stays, & stays", "&lt; stays, &lt stays, & stays" },
		{ "in <#C1|general> or <#C2> or <#C3|>", "in #general or #C2 or #C3" },
		{ "<!here> <!channel> <!subteam^S1|@support> <!subteam^S2>",
		  "@here @channel @support @subteam^S2" },
		{ "<!date^1727000000^{date}|22 September>", "22 September" },
		{ "<https://shop.example/a?b=1&amp;c=2|our shop>",
		  "our shop (https://shop.example/a?b=1&c=2)" },
		{ "<https://shop.example>", "https://shop.example" },
		{ "<http://shop.example|shop.example>", "http://shop.example" },
		{ "<https://good.example|https://evil.example>",
		  "https://evil.example (https://good.example)" },
		{ "<mailto:a@example.com|a@example.com> <tel:+49|call>", "a@example.com call (tel:+49)" },
		{ ":tada: 👩‍👩‍👧 <3 <> a<b", ":tada: 👩‍👩‍👧 <3 <> a<b" },
		{ "<<@U1>>", "<>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(slack_plain(cases[i].text, "U1", &a), cases[i].want);
	assert_string_equal(slack_plain("<@U1> hi", NULL, &a), "@U1 hi");
	assert_true(slack_mentions("a <b <@U1|bot> c", "U1"));
	assert_false(slack_mentions("<@U12> <@U1", "U1"));
	assert_false(slack_mentions("<@U1>", NULL));
}

/* The envelope as Slack has it: whose event it is, and what of it is anything to us. */
static void events_are_what_they_say(void **state)
{
	static const struct {
		const char *body;
		enum slack_event_kind kind;
		const char *team;
	} cases[] = {
		{ "{\"type\":\"url_verification\",\"challenge\":\"x\"}", SLACK_CHALLENGE, "" },
		{ "{\"type\":\"app_rate_limited\",\"team_id\":\"T1\",\"minute_rate_limited\":1518467820,\"api_app_id\":\"A1\"}",
		  SLACK_LIMITED, "" },
		{ "{\"type\":\"event_callback\",\"event\":{\"type\":\"url_verification\"}}", SLACK_OTHER,
		  "" },
		{ "{\"type\":\"event_callback\",\"team_id\":\"TTHEIRS\",\"is_ext_shared_channel\":true,"
		  "\"authorizations\":[{\"enterprise_id\":null,\"team_id\":\"TOURS\"}],"
		  "\"event\":{\"type\":\"app_mention\",\"channel\":\"C\",\"ts\":\"1.1\"}}",
		  SLACK_QUESTION, "TOURS" },
		{ "{\"type\":\"event_callback\",\"event\":{\"type\":\"message\",\"channel\":\"C\"}}",
		  SLACK_OTHER, "" },
		{ "{\"type\":\"event_callback\",\"event\":{\"type\":\"tokens_revoked\",\"tokens\":{\"oauth\":[\"U1\"],\"bot\":[]}}}",
		  SLACK_OTHER, "" },
		{ "{\"type\":\"event_callback\",\"event\":{\"type\":\"tokens_revoked\",\"tokens\":{\"bot\":[\"U0\"]}}}",
		  SLACK_GONE, "" },
		{ "{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event\":{\"type\":\"team_access_revoked\",\"team_ids\":[\"T2\",\"T1\"]}}",
		  SLACK_GONE, "" },
		{ "{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event\":{\"type\":\"team_access_revoked\",\"team_ids\":[\"T2\",3]}}",
		  SLACK_OTHER, "" },
		{ "{\"type\":\"event_callback\",\"event\":[],\"authorizations\":{}}", SLACK_OTHER, "" },
		{ "{}", SLACK_OTHER, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OWN(json) json_object *body = NULL;
		struct error err = { 0 };
		struct slack_event event;

		assert_int_equal(json_parse(cases[i].body, strlen(cases[i].body), &body, &err), 0);
		slack_event_read(body, &event);
		if (event.kind != cases[i].kind || strcmp(event.teams[0], cases[i].team) != 0)
			fail_msg("%s: %d of \"%s\"", cases[i].body, event.kind, event.teams[0]);
	}
}

/* What a model writes pings nobody and hides no address. */
static void answers_are_defused(void **state)
{
	static const struct {
		const char *markdown, *want;
	} cases[] = {
		{ "plain [1].", "plain [1]." },
		{ "<!channel> <@U1> & <https://evil|good>",
		  "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;https://evil|good&gt;" },
		{ "see [our site](https://evil.example/a_b).", "see our site (https://evil.example/a_b)." },
		{ "![x](http://e/p.png)", "!x (http://e/p.png)" },
		{ "[a](no\nlink)", "[a] (no\nlink)" },
		{ "[a [b](https://good)](https://evil)", "a [b (https://good)] (https://evil)" },
		{ "[over\ntwo](https://evil)", "[over\ntwo] (https://evil)" },
		{ "see [our site][1]\n\n> [1]: https://evil", "see [our site][1]\n\n> [1] : https://evil" },
		{ "> quoted\na > b\n  > too", "> quoted\na &gt; b\n  > too" },
		{ "[ [1](x)", " [1 (x)" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(slack_defuse(cases[i].markdown, &a), cases[i].want);
}

/* Each part within Slack's limit, none of a character lost but line ends between parts, sources below the last. */
static void long_answers_go_in_parts(void **state)
{
	Documents__Source source = DOCUMENTS__SOURCE__INIT, *sources[] = { &source };
	Chat__Message reply = CHAT__MESSAGE__INIT;
	char *answer = arena_alloc(&a, 60001);
	struct slack_post *posts;
	size_t count, total = 0;

	(void)state;
	for (size_t i = 0; i + 3 <= 60000; i += 3)
		memcpy(answer + i, i % 3000 == 2997 ? "ab\n" : "\xe2\x82\xac", 3);
	source.document_name = (char *)"<b>.pdf";
	source.has_page = 1;
	source.page = 7;
	reply.content = answer;
	reply.sources = sources;
	reply.n_sources = 1;
	posts = slack_render(&reply, NULL, &count, &a);
	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++) {
		OWN(json) json_object *blocks = NULL;
		struct error err = { 0 };
		const char *text;

		assert_int_equal(json_parse(posts[i].blocks, strlen(posts[i].blocks), &blocks, &err), 0);
		text = json_string(json_object_array_get_idx(blocks, 0), "text");
		assert_true(strlen(text) <= 10000);
		total += strlen(text);
		assert_int_equal(json_object_array_length(blocks), i + 1 == count ? 2 : 1);
	}
	assert_true(total >= 60000 - count - 1);
	assert_non_null(strstr(posts[count - 1].blocks, "[1] &lt;b&gt;.pdf, page 7"));
	reply.content = (char *)"";
	reply.n_sources = 0;
	assert_non_null(slack_render(&reply, NULL, &count, &a));
	assert_int_equal(count, 1);
}

/* A page of the web is a link; what would break out of it is none, and a name pings nobody. */
static void sources_link_to_pages_of_the_web(void **state)
{
	static const struct {
		const char *url, *name, *want;
	} cases[] = {
		{ NULL, "manual.pdf", "\"[1] manual.pdf\"" },
		{ "https://shop.example/a?b=1&c=2", "Warranty",
		  "\"[1] <https://shop.example/a?b=1&amp;c=2|Warranty>\"" },
		{ "https://shop.example/a", "a|b <!channel>",
		  "\"[1] <https://shop.example/a|a/b &lt;!channel&gt;>\"" },
		{ "https://shop.example/a|b", "Warranty", "\"[1] Warranty\"" },
		{ "https://shop.example/a>b", "Warranty", "\"[1] Warranty\"" },
		{ "javascript:alert(1)", "Warranty", "\"[1] Warranty\"" },
	};
	Chat__Message reply = CHAT__MESSAGE__INIT;
	Documents__Source source = DOCUMENTS__SOURCE__INIT, *sources[] = { &source };
	size_t count;

	(void)state;
	reply.content = (char *)"Two years [1].";
	reply.sources = sources;
	reply.n_sources = 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slack_post *posts;

		source.url = (char *)cases[i].url;
		source.document_name = (char *)cases[i].name;
		posts = slack_render(&reply, NULL, &count, &a);
		if (!strstr(posts[0].blocks, cases[i].want))
			fail_msg("%s: %s", cases[i].want, posts[0].blocks);
	}
	/* What stands on none is on ours. */
	source.url = NULL;
	source.document_name = (char *)"manual.pdf";
	assert_non_null(strstr(slack_render(&reply, "https://parley.example/s?of=a", &count, &a)->blocks,
	                       "\"[1] <https://parley.example/s?of=a#1|manual.pdf>\""));
	source.url = (char *)"https://shop.example/a";
	assert_non_null(strstr(slack_render(&reply, "https://parley.example/s?of=a", &count, &a)->blocks,
	                       "<https://shop.example/a|manual.pdf>"));
}

static void forms_are_read(void **state)
{
	static const char form[] = "text=a+b%20c%26&team_id=T1&bad=%ff&zero=%00x&empty=&half=%4&team_id=T2";

	(void)state;
	assert_string_equal(form_value(form, "text", &a), "a b c&");
	assert_string_equal(form_value(form, "team_id", &a), "T1");
	assert_string_equal(form_value(form, "bad", &a), "");
	assert_string_equal(form_value(form, "zero", &a), "");
	assert_string_equal(form_value(form, "empty", &a), "");
	assert_string_equal(form_value(form, "half", &a), "%4");
	assert_string_equal(form_value(form, "eam_id", &a), "");
	assert_string_equal(form_value("", "x", &a), "");
}

static void only_people_are_answered(void **state)
{
	static const struct {
		const char *message;
		bool person;
	} cases[] = {
		{ "{\"user\":\"U1\",\"text\":\"hi\"}", true },
		{ "{\"user\":\"U1\",\"subtype\":\"file_share\"}", true },
		{ "{\"user\":\"U0\"}", false },
		{ "{\"user\":\"U1\",\"bot_id\":\"B1\"}", false },
		{ "{\"user\":\"U1\",\"bot_profile\":{}}", false },
		{ "{\"user\":\"U1\",\"subtype\":\"message_changed\"}", false },
		{ "{\"user\":\"U1\",\"subtype\":\"thread_broadcast\",\"root\":{}}", true },
		{ "{\"user\":\"U1\",\"subtype\":\"huddle_thread\",\"room\":{}}", false },
		{ "{\"user\":\"U1\",\"subtype\":\"channel_join\"}", false },
		{ "{\"user\":\"USLACKBOT\",\"text\":\"Reminder: <@U0> hi\"}", false },
		{ "{\"user\":\"W1\",\"user_team\":\"TTHEIRS\",\"source_team\":\"TTHEIRS\",\"text\":\"hi\"}",
		  true },
		{ "{\"subtype\":\"message_deleted\"}", false },
		{ "{}", false },
		{ "[]", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OWN(json) json_object *message = NULL;
		struct error err = { 0 };

		assert_int_equal(json_parse(cases[i].message, strlen(cases[i].message), &message, &err), 0);
		assert_int_equal(slack_message_is_from_person(message, "U0"), cases[i].person);
	}
}

/* As Slack really sends them. */
static void what_a_message_says(void **state)
{
	static const struct {
		const char *name, *message, *want;
	} cases[] = {
		{ "a text",
		  "{\"text\":\"<@U0> a &amp; b\",\"blocks\":[{\"type\":\"section\",\"text\":\"not this\"}]}",
		  "a & b" },
		{ "two mentions", "{\"text\":\"<@U0> ask <@U2>, <@U0>!\"}", "ask @U2, !" },
		{ "a mention in code", "{\"text\":\"what is `&lt;@U0&gt;`?\"}", "what is `<@U0>`?" },
		{ "blocks alone",
		  "{\"text\":\"\",\"blocks\":[{\"type\":\"rich_text\",\"elements\":[{\"type\":\"rich_text_section\",\"elements\":["
		  "{\"type\":\"user\",\"user_id\":\"U0\"},{\"type\":\"text\",\"text\":\" is 3 < 4, \"},{\"type\":\"user\",\"user_id\":\"U2\"},"
		  "{\"type\":\"emoji\",\"name\":\"tada\"},{\"type\":\"link\",\"url\":\"https://a.example\"},"
		  "{\"type\":\"link\",\"url\":\"https://a.example\",\"text\":\"b\"},{\"type\":\"broadcast\",\"range\":\"here\"}]},"
		  "{\"type\":\"rich_text_list\",\"elements\":[{\"type\":\"rich_text_section\",\"elements\":[{\"type\":\"text\",\"text\":\"one\"}]},"
		  "{\"type\":\"rich_text_section\",\"elements\":[{\"type\":\"text\",\"text\":\"two\"}]}]}]}]}",
		  "is 3 < 4, @U2:tada:https://a.exampleb@here\none\ntwo" },
		{ "blocks of an app",
		  "{\"blocks\":[{\"type\":\"header\",\"text\":{\"type\":\"plain_text\",\"text\":\"Title\"}},{\"type\":\"divider\"},"
		  "{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"a &lt; <#C1|general>\"}}]}",
		  "Title\na < #general" },
		{ "a message that is shared, and a word to it",
		  "{\"text\":\"is that so?\",\"attachments\":[{\"is_share\":true,\"text\":\"The kettle &amp; co\"},{\"text\":\"a preview\"}]}",
		  "is that so?\n\nThe kettle & co" },
		{ "one that is shared alone",
		  "{\"text\":\"\",\"attachments\":[{\"is_msg_unfurl\":true,\"fallback\":\"[1] U2: kettles\"}]}",
		  "[1] U2: kettles" },
		{ "attachments alone",
		  "{\"attachments\":[{\"fallback\":\"x\",\"text\":\"an alarm\"},{\"text\":\"another\"}]}",
		  "an alarm\n\nanother" },
		{ "a file alone", "{\"text\":\"\",\"files\":[{\"id\":\"F1\"}]}", "" },
		{ "odd ones", "{\"text\":7,\"blocks\":{\"type\":[]},\"attachments\":[null,3,\"x\",[]]}", "" },
		{ "nothing", "{}", "" },
		{ "no object", "[]", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OWN(json) json_object *message = NULL;
		struct error err = { 0 };
		const char *got;

		assert_int_equal(json_parse(cases[i].message, strlen(cases[i].message), &message, &err), 0);
		got = slack_said(message, "U0", &a);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documented_signature_fits),
		cmocka_unit_test(a_large_body_is_not_copied),
		cmocka_unit_test(five_minutes_either_way),
		cmocka_unit_test(questions_are_plain),
		cmocka_unit_test(events_are_what_they_say),
		cmocka_unit_test(answers_are_defused),
		cmocka_unit_test(long_answers_go_in_parts),
		cmocka_unit_test(forms_are_read),
		cmocka_unit_test(only_people_are_answered),
		cmocka_unit_test(what_a_message_says),
		cmocka_unit_test(sources_link_to_pages_of_the_web),
	};

	return cmocka_run_group_tests_name("slack", tests, begin, end);
}
