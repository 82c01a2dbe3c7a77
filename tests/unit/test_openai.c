/* links: tests/unit/model_rig.c svc-chat/model/openai.c svc-chat/model/asking.c svc-chat/model/attempt.c svc-chat/model/openai_list.c svc-chat/model/verdict.c svc-chat/model/endpoint.c svc-chat/model/quirks.c svc-chat/model/hearing.c svc-chat/model/news.c svc-chat/model/prompted.c svc-chat/model/markup.c svc-chat/model/markup_tags.c svc-chat/model/prompted_forms.c svc-chat/model/loose.c svc-chat/model/prompted_messages.c svc-chat/model/defuse.c svc-chat/model/think.c svc-chat/model/completion.c svc-chat/model/pattern.c svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c -lunistring */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "svc-chat/model/openai.h"
#include "tests/unit/model_rig.h"

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define JSON(s) "HTTP/1.1 " s "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define TEXT(s)                                                                  \
	"data: {\"model\":\"small-2\",\"choices\":[{\"delta\":{\"content\":\"" s \
	"\"},\"finish_reason\":null}]}\n\n"
#define THINK(s) "data: {\"choices\":[{\"delta\":{\"content\":null,\"reasoning_content\":\"" s "\"}}]}\n\n"
#define END "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}\n\n"
#define DONE "data: [DONE]\n\n"
#define NUL STREAM TEXT("a") "data: {\"choices\":[{\"delta\":{\"content\":\"b\0c\"}}]}\n\n" END DONE

static const struct {
	const char *name;
	struct canned answers[ANSWERS];
	int asked;
	const char *text, *reasoning;
	enum error_code code;
	const char *message; /* part of it */
} cases[] = {
	{ "an answer",
	  { { STREAM ": hi\n\n" TEXT("Two ") TEXT("years.") END USAGE DONE } },
	  1,
	  "Two years.",
	  "",
	  0,
	  "" },
	{ "byte by byte",
	  { { STREAM TEXT("Two ") TEXT("years.") END DONE, .split = 1 } },
	  1,
	  "Two years.",
	  "",
	  0,
	  "" },
	{ "reasoning first",
	  { { STREAM THINK("Let ") THINK("me.") TEXT("Yes") END DONE } },
	  1,
	  "Yes",
	  "Let me.",
	  0,
	  "" },
	{ "no [DONE], but a finish", { { STREAM TEXT("Yes") END } }, 1, "Yes", "", 0, "" },
	{ "[DONE] without a finish", { { STREAM TEXT("Yes") DONE } }, 1, "Yes", "", 0, "" },
	{ "silent after [DONE]", { { STREAM TEXT("Yes") END DONE, .end = END_HANG } }, 1, "Yes", "", 0, "" },
	{ "one whole answer instead of a stream",
	  { { JSON(
	      "200 OK") "\n{\"choices\":[{\"message\":{\"content\":\"Yes\",\"reasoning_content\":\"Hm\"}}]}" } },
	  1,
	  "Yes",
	  "Hm",
	  0,
	  "" },
	{ "cut off", { { STREAM TEXT("Two ") "data: {\"cho" } }, 1, "Two ", "", ERROR_UPSTREAM, "broke off" },
	{ "nothing at all", { { STREAM } }, 3, "", "", ERROR_UPSTREAM, "broke off" },
	{ "closed before an answer", { { "" }, { STREAM TEXT("Yes") DONE } }, 2, "Yes", "", 0, "" },
	{ "hangs before the answer",
	  { { "", .end = END_HANG } },
	  1,
	  "",
	  "",
	  ERROR_UNKNOWN_OUTCOME,
	  "in time" },
	{ "hangs in the answer",
	  { { STREAM TEXT("Two "), .end = END_HANG } },
	  1,
	  "Two ",
	  "",
	  ERROR_UNKNOWN_OUTCOME,
	  "in time" },
	{ "a web page",
	  { { STREAM "<html>oops</html>\n\n" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "a web page came back" },
	{ "garbage", { { STREAM "data: oops\n\n" } }, 1, "", "", ERROR_UPSTREAM, "could not be read" },
	{ "garbage in an event is passed over",
	  { { STREAM TEXT("a") "data: <oops>\n\n" TEXT("b") END DONE } },
	  1,
	  "ab",
	  "",
	  0,
	  "" },
	{ "not UTF-8", { { STREAM TEXT("a") TEXT("\xff") END } }, 1, "a\xef\xbf\xbd", "", 0, "" },
	{ "NUL",
	  { { NUL, sizeof NUL - 1 } },
	  1,
	  "ab\xef\xbf\xbd"
	  "c",
	  "",
	  0,
	  "" },
	{ "NaN",
	  { { STREAM
	      "data: {\"x\":NaN,\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprob\":-Infinity}]}\n\n" END } },
	  1,
	  "a",
	  "",
	  0,
	  "" },
	{ "an error in the stream",
	  { { STREAM TEXT("a") "data: {\"error\":{\"message\":\"out of memory\"}}\n\n" } },
	  1,
	  "a",
	  "",
	  ERROR_UPSTREAM,
	  "out of memory" },
	{ "wrong key",
	  { { JSON(
	      "401 Unauthorized") "{\"error\":{\"message\":\"Incorrect API key provided: sk-te*t\"}}" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "does not accept our key" },
	{ "bad request",
	  { { JSON("400 Bad Request") "{\"error\":{\"message\":\"no tools here\"}}" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "refused the request: no tools here" },
	{ "too long",
	  { { JSON("400 Bad Request") "{\"error\":{\"message\":\"context length exceeded\"}}" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "too long for this model" },
	{ "busy, then not",
	  { { JSON("503 Service Unavailable") "{\"error\":\"x\"}" }, { STREAM TEXT("Yes") DONE } },
	  2,
	  "Yes",
	  "",
	  0,
	  "" },
	{ "busy for long",
	  { { "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nConnection: close\r\n\r\n{}" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "too busy" },
	{ "busy again and again",
	  { { "HTTP/1.1 503 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\n" },
	    { "HTTP/1.1 429 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\n" },
	    { "HTTP/1.1 503 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\n" } },
	  3,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "too busy" },
	{ "a server error",
	  { { "HTTP/1.1 500 No\r\nRetry-After-Ms: 5\r\nConnection: close\r\n\r\n{}" } },
	  3,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "failed" },
	{ "a redirect is not followed",
	  { { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "redirects" },
	{ "newer parameters are learned",
	  { { JSON("400 Bad Request") "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens'. Use "
	                              "'max_completion_tokens' instead.\"}}" },
	    { JSON("400 Bad Request") "{\"error\":{\"message\":\"Unsupported value: 'temperature'\"}}" },
	    { STREAM TEXT("Yes") DONE } },
	  3,
	  "Yes",
	  "",
	  0,
	  "" },
	{ "an answer that is XML of a tag that others think in",
	  { { STREAM TEXT("<analysis>Sales") TEXT(" rose.</analysis>\\n") END DONE } },
	  1,
	  "Sales rose.",
	  "Sales rose.",
	  0,
	  "" },
	{ "an answer that begins as others begin to think",
	  { { STREAM TEXT("Here is my thought process:\\n1. I add.") TEXT(" It is 4.") END DONE } },
	  1,
	  "Here is my thought process:\n1. I add. It is 4.",
	  "1. I add. It is 4.",
	  0,
	  "" },
	{ "the same line three times",
	  { { STREAM TEXT("I will not talk in class again, Sir.\\n")
	          TEXT("I will not talk in class again, Sir.\\n")
	              TEXT("I will not talk in class again, Sir.\\n") END DONE } },
	  1,
	  "I will not talk in class again, Sir.\nI will not talk in class again, Sir.\n"
	  "I will not talk in class again, Sir.\n",
	  "",
	  0,
	  "" },
	{ "words that are no answer, and an end",
	  { { STREAM "data: {\"message\":\"the region is closed\"}\n\n" END DONE } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "the region is closed" },
	{ "an event of 10 MB", { { STREAM "data: " }, { 0 } }, 1, "", "", ERROR_UPSTREAM, "too large" },
};

static void test_what_models_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct canned answers[ANSWERS];
		struct asked asked = { 0 };
		struct model_rig m;
		struct arena a;
		int got;

		print_message("%s\n", cases[i].name);
		memcpy(answers, cases[i].answers, sizeof answers);
		arena_init(&a, 0);
		if (strstr(cases[i].name, "10 MB")) {
			struct text big;

			text_init(&big, &a);
			text_adds(&big, answers[0].bytes);
			for (int n = 0; n < 10 * 1024; n++)
				text_addf(&big, "%01024d", 0);
			answers[0] = (struct canned){ big.at, big.length };
		}
		model_rig_start(&m, answers);
		got = model_rig_ask_once(&m, &asked, &a);
		model_rig_stop(&m);
		assert_int_equal(asked.err.code, cases[i].code);
		assert_int_equal(got, cases[i].code ? -1 : 0);
		assert_non_null(strstr(asked.err.message, cases[i].message));
		assert_null(strstr(asked.err.message, "127.0.0.1"));
		assert_string_equal(asked.text.at, cases[i].text);
		assert_string_equal(asked.reasoning.at, cases[i].reasoning);
		assert_int_equal(m.asked, cases[i].asked);
		assert_true(asked.took_ms < 19000); /* of 20 s: none needed them all */
		arena_done(&a);
	}
}

static void test_what_is_asked(void **state)
{
	static const struct canned answers[ANSWERS] = { { STREAM TEXT("Yes") END USAGE DONE } };
	struct asked asked = { 0 };
	struct model_rig m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_rig_start(&m, answers);
	assert_int_equal(model_rig_ask_once(&m, &asked, &a), 0);
	model_rig_stop(&m);
	assert_non_null(strstr(m.requests[0], "POST /v1/chat/completions HTTP/1.1\r\n"));
	assert_non_null(strstr(m.requests[0], "Authorization: Bearer sk-test\r\n"));
	assert_non_null(strstr(
	    m.requests[0],
	    "{\"model\":\"small\",\"messages\":[{\"role\":\"system\",\"content\":\"Be \\\"kind\\\".\\n\"},"
	    "{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true,"
	    "\"stream_options\":{\"include_usage\":true},\"max_tokens\":100,\"temperature\":0.5}"));
	assert_string_equal(asked.result.model, "small-2");
	assert_true(asked.result.has_usage);
	assert_int_equal(asked.result.prompt_tokens, 5);
	assert_int_equal(asked.result.completion_tokens, 7);
	arena_done(&a);
}

/* The chatbot's model when the endpoint lists it, the operator's when it does not. */
static void test_models(void **state)
{
	static const struct {
		const char *wanted, *want;
	} models[] = { { "big", "{\"model\":\"big\"," }, { "gpt-none", "{\"model\":\"small\"," } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static const struct canned answers[ANSWERS] = { { STREAM TEXT("Yes") END DONE } };
		struct asked asked = { .model = models[i].wanted };
		struct model_rig m;
		struct arena a;

		arena_init(&a, 0);
		model_rig_start(&m, answers);
		assert_int_equal(model_rig_ask_once(&m, &asked, &a), 0);
		model_rig_stop(&m);
		assert_non_null(strstr(m.requests[0], models[i].want));
		arena_done(&a);
	}
}

static void test_a_reader_that_has_enough(void **state)
{
	static const struct canned answers[ANSWERS] = { { STREAM TEXT("a") TEXT("b") TEXT("c"),
		                                          .end = END_HANG } };
	struct asked asked = { .stop_after = 1 };
	struct model_rig m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_rig_start(&m, answers);
	assert_int_equal(model_rig_ask_once(&m, &asked, &a), 0);
	model_rig_stop(&m);
	assert_true(asked.text.at[0] == 'a' && asked.took_ms < 900);
	arena_done(&a);
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 * 1000 }, NULL);
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

static void test_cancelled(void **state)
{
	static const struct canned scripts[][ANSWERS] = {
		{ { STREAM TEXT("a"), .end = END_HANG } },
		{ { "HTTP/1.1 503 No\r\nRetry-After: 9\r\nConnection: close\r\n\r\n" } },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct asked asked = { 0 };
		pthread_t thread;
		struct model_rig m;
		struct arena a;

		arena_init(&a, 0);
		model_rig_start(&m, scripts[i]);
		pthread_create(&thread, NULL, cancel_soon, &asked.cancelled);
		assert_int_equal(model_rig_ask_once(&m, &asked, &a), -1);
		pthread_join(thread, NULL);
		model_rig_stop(&m);
		assert_int_equal(asked.err.code, ERROR_UNAVAILABLE);
		assert_true(asked.took_ms < 2500);
		arena_done(&a);
	}
}

/* The first one refuses us; the message names who wrote it. */
static void test_who_wrote_is_told(void **state)
{
	static const struct canned no[] = { { JSON("401 No") "{\"error\":{\"message\":\"no\"}}" }, { 0 } };
	static const struct canned yes[] = { { STREAM TEXT("Yes") END DONE }, { 0 } };
	char urls[2][64];
	struct model_endpoint endpoints[] = { { "CHAT_BASE_URL", urls[0], "sk-test", "first" },
		                              { "CHAT_FALLBACK_URL", urls[1], "sk-test", "second" },
		                              { 0 } };
	struct model_openai_config config = { .endpoints = endpoints, .idle_seconds = 5, .total_seconds = 5 };
	struct asked asked = { 0 };
	struct model_rig first, second;
	struct model *p;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_rig_start(&first, no);
	model_rig_start(&second, yes);
	snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%d/v1", first.port);
	snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:%d/v1", second.port);
	assert_int_equal(egress_open("127.0.0.1/32", &config.egress, &asked.err), 0);
	assert_int_equal(model_openai(&config, &p, &asked.err), 0);
	assert_int_equal(model_rig_ask(p, &asked, &a), 0);
	assert_string_equal(asked.text.at, "Yes");
	assert_string_equal(asked.result.model, "small-2");
	p->free(p);
	egress_close(config.egress);
	model_rig_stop(&first);
	model_rig_stop(&second);
	arena_done(&a);
}

/* An answer ends with [DONE], which is not where the HTTP answer ends. */
static void test_one_connection_for_many_answers(void **state)
{
	static const struct canned answers[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "7f\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Yes\"},\"finish_reason\":null}]}\n\n"
		  "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\r\n"
		  "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n" },
		{ 0 }
	};
	struct model *p;
	struct egress *egress;
	struct model_rig m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_rig_start(&m, answers);
	m.keep_alive = true;
	p = model_rig_model(&m, &egress);
	for (int i = 0; i < 300; i++) {
		struct asked asked = { 0 };

		assert_int_equal(model_rig_ask(p, &asked, &a), 0);
		assert_string_equal(asked.text.at, "Yes");
	}
	p->free(p);
	egress_close(egress);
	model_rig_stop(&m);
	assert_in_range(m.connections, 1, 4);
	arena_done(&a);
}

/* Takes connections, and says nothing until it is closed. */
static int listen_in_silence(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void nobody(void *arg)
{
	(void)arg;
}

static struct egress_stream *ask_for_list(struct model_list *list, struct egress *egress,
                                          const struct endpoint *e)
{
	return list_ask(list, egress, e, "big", nobody, NULL);
}

static void test_an_endpoint_slow_to_list_its_models_delays_one_answer(void **state)
{
	char *names[] = { "big" }, url[64];
	const struct endpoint e = { .name = "CHAT_BASE_URL", .model = "small", .models_url = url };
	struct egress_stream *answer;
	struct model_list list;
	struct egress *egress;
	struct error err = { 0 };
	atomic_bool stop = false;
	int port, listener = listen_in_silence(&port);

	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/models", port);
	assert_int_equal(egress_open("127.0.0.1/32", &egress, &err), 0);
	list_init(&list);
	list.names = names;
	list.count = 1;
	list.until = 1; /* known once, and to be asked for again */
	assert_null(list_ask(&list, egress, &e, "default", nobody, NULL));
	assert_non_null(answer = ask_for_list(&list, egress, &e));
	assert_null(ask_for_list(&list, egress, &e)); /* another does not wait for it */
	assert_string_equal(list_choose(&list, &e, "big"), "big");
	assert_true(list_hear(&list, answer, &e, &stop)); /* the first one does, without a thread */
	stop = true;
	assert_false(list_hear(&list, answer, &e, &stop));
	stop = false;
	assert_non_null(answer = ask_for_list(&list, egress, &e)); /* of one that gave up nothing is kept */
	close(listener);
	while (list_hear(&list, answer, &e, &stop))
		sched_yield();
	assert_null(ask_for_list(&list, egress, &e));
	assert_string_equal(list_choose(&list, &e, "big"), "big");
	assert_string_equal(list_choose(&list, &e, "none of theirs"), "small");
	list_done(&list);
	egress_close(egress);
}

static void test_nobody_there(void **state)
{
	static const struct canned nothing[1] = { { 0 } };
	struct asked asked = { 0 };
	struct model_rig m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_rig_start(&m, nothing);
	model_rig_stop(&m);
	assert_int_equal(model_rig_ask_once(&m, &asked, &a), -1);
	assert_int_equal(asked.err.code, ERROR_UPSTREAM);
	assert_string_equal(asked.err.message, "the model cannot be reached");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_models_do),
		cmocka_unit_test(test_what_is_asked),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_a_reader_that_has_enough),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_who_wrote_is_told),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_one_connection_for_many_answers),
		cmocka_unit_test(test_an_endpoint_slow_to_list_its_models_delays_one_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
