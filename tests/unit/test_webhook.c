/* links: svc-integrations/webhook/sign.c svc-integrations/config.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "svc-integrations/config.h"
#include "svc-integrations/webhook/sign.h"

static struct arena arena;

/* The example of the specification. */
static void the_signature_is_that_of_standard_webhooks(void **state)
{
	(void)state;
	assert_string_equal(webhook_sign("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121,
	                                 "{\"event_type\":\"ping\",\"data\":{\"success\":true}}", &arena),
	                    "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}

static void secrets(void **state)
{
	static const char *const bad[] = {
		"",
		"whsec_",
		"plJ3nmyCDGBKInavdOK15jsl",
		"whsec_plJ3nmyCDGBKInavdOK15js",
		"whsec_AAAA",
		"whsec_plJ3nmyCDGBKInavdOK1 jsl",
		"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	char *made = webhook_secret(&arena);

	(void)state;
	assert_true(webhook_secret_fits(made));
	assert_string_not_equal(made, webhook_secret(&arena));
	assert_true(webhook_secret_fits("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (webhook_secret_fits(bad[i]))
			fail_msg("%s", bad[i]);
}

static void what_a_webhook_hears(void **state)
{
	static const struct {
		const char *patch, *field; /* the one that is refused; NULL: fine */
		const char *event;
		bool wanted;
	} cases[] = {
		{ "{\"url\":\"https://a.example/x\"}", NULL, "document.ready", true },
		{ "{\"url\":\"https://a.example/x\",\"events\":[]}", NULL, "answer.rated", true },
		{ "{\"url\":\"https://a.example/x\",\"events\":[\"answer.rated\"]}", NULL, "answer.rated",
		  true },
		{ "{\"url\":\"https://a.example/x\",\"events\":[\"answer.rated\"]}", NULL, "document.ready",
		  false },
		{ "{}", "config.url", NULL, false },
		{ "{\"url\":\"ftp://a.example/x\"}", "config.url", NULL, false },
		{ "{\"url\":5}", "config.url", NULL, false },
		{ "{\"url\":\"https://a.example/x\",\"events\":\"all\"}", "config.events", NULL, false },
		{ "{\"url\":\"https://a.example/x\",\"events\":[\"answer.rated\",\"x\"]}", "config.events.1",
		  NULL, false },
		{ "{\"url\":\"https://a.example/x\",\"events\":[1]}", "config.events.0", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct secrets fresh = { 0 };
		struct error err = { 0 };
		const char *config = NULL;
		int rc = config_apply("webhook", NULL, cases[i].patch, &config, &fresh, &arena, &err);

		assert_int_equal(rc, cases[i].field ? -1 : 0);
		if (cases[i].field)
			assert_string_equal(err.fields->field, cases[i].field);
		else
			assert_int_equal(config_wants(config, cases[i].event), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_is_that_of_standard_webhooks),
		cmocka_unit_test(secrets),
		cmocka_unit_test(what_a_webhook_hears),
	};
	int failed;

	arena_init(&arena, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_done(&arena);
	return failed;
}
