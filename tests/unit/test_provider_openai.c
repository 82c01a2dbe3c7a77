/* links: svc-chat/model/provider_openai.c svc-chat/model/completion.c */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/egress/egress.h"
#include "svc-chat/model/provider.h"

/* --- A model that says what it is told to: one canned answer a connection ------------------------------------------ */

enum { ANSWERS = 4 };

struct canned {
	const char *bytes;
	size_t size; /* 0: a string */
	bool hang;   /* keeps the connection open, silent */
	int times;   /* the bytes are sent so often; 0: once */
	int split;   /* in pieces of that size */
};

struct model {
	int listener;
	int port;
	pthread_t thread;
	const struct canned *answers;
	int asked; /* POST requests taken */
	char requests[ANSWERS][8192];
	_Atomic bool over;
};

static void send_all(int fd, const char *bytes, size_t size, int split)
{
	while (size) {
		size_t piece = split && (size_t)split < size ? (size_t)split : size;
		ssize_t n = send(fd, bytes, piece, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

/* The header block and the body that it announces. */
static void read_request(int fd, char *into, size_t room)
{
	size_t have = 0, want = room - 1;
	char *body = NULL, *length;

	while (have < want) {
		ssize_t n = recv(fd, into + have, want - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
		into[have] = '\0';
		body = strstr(into, "\r\n\r\n");
		length = strcasestr(into, "content-length:");
		if (body)
			want = (size_t)(body + 4 - into) + (length ? strtoul(length + 15, NULL, 10) : 0);
	}
}

static void *serve(void *arg)
{
	struct model *m = arg;
	int fd;

	while ((fd = accept(m->listener, NULL, NULL)) >= 0 && !m->over) {
		char request[8192];
		const struct canned *answer;

		read_request(fd, request, sizeof request);
		if (strncmp(request, "GET ", 4) == 0) {
			static const char models[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
			                             "{\"data\":[{\"id\":\"big\"},{\"id\":\"small\"},7]}";
			send_all(fd, models, sizeof models - 1, 0);
			close(fd);
			continue;
		}
		answer = &m->answers[m->asked];
		strcpy(m->requests[m->asked++], request);
		for (int i = 0; i < (answer->times ? answer->times : 1); i++)
			send_all(fd, answer->bytes, answer->size ? answer->size : strlen(answer->bytes),
			         answer->split);
		if (answer->hang)
			while (recv(fd, request, sizeof request, 0) > 0)
				;
		close(fd);
	}
	return NULL;
}

static void model_start(struct model *m)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	*m = (struct model){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	assert_int_equal(bind(m->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(m->listener, 8), 0);
	assert_int_equal(getsockname(m->listener, (struct sockaddr *)&address, &size), 0);
	m->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&m->thread, NULL, serve, m), 0);
}

static void model_stop(struct model *m)
{
	m->over = true;
	shutdown(m->listener, SHUT_RDWR);
	pthread_join(m->thread, NULL);
	close(m->listener);
}

/* --- Asking it ---------------------------------------------------------------------------------------------------- */

struct asked {
	struct text text, reasoning;
	int stop_after;
	struct chat_result result;
	struct error err;
	int64_t took_ms;
	atomic_bool cancelled;
};

static int take_text(void *arg, const char *bytes, size_t size)
{
	struct asked *asked = arg;

	assert_true(size > 0);
	text_add(&asked->text, bytes, size);
	return asked->stop_after && --asked->stop_after == 0;
}

static int take_reasoning(void *arg, const char *bytes, size_t size)
{
	text_add(&((struct asked *)arg)->reasoning, bytes, size);
	return 0;
}

static int ask(struct model *m, const char *wanted_model, struct asked *asked, struct arena *a)
{
	static const struct chat_message messages[] = { { "system", "Be \"kind\".\n" }, { "user", "Hi" } };
	struct chat_request request = { .model = wanted_model,
		                        .temperature = 0.5,
		                        .max_tokens = 100,
		                        .messages = messages,
		                        .message_count = 2,
		                        .cancelled = &asked->cancelled };
	char url[64];
	struct chat_provider *p;
	struct egress *egress;
	int64_t start;
	int got;

	text_init(&asked->text, a);
	text_init(&asked->reasoning, a);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/", m->port);
	assert_int_equal(egress_open("127.0.0.1/32", &egress, &asked->err), 0);
	p = provider_openai(&(struct provider_openai_config){ .egress = egress,
	                                                      .base_url = url,
	                                                      .api_key = "sk-test",
	                                                      .model = "small",
	                                                      .idle_seconds = 1,
	                                                      .total_seconds = 20 });
	start = clock_mono_ms();
	got = p->answer(p, &request, &(struct chat_sink){ take_text, take_reasoning, asked }, &asked->result,
	                a, &asked->err);
	asked->took_ms = clock_mono_ms() - start;
	p->free(p);
	egress_close(egress);
	return got;
}

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
	{ "silent after [DONE]", { { STREAM TEXT("Yes") END DONE, .hang = true } }, 1, "Yes", "", 0, "" },
	{ "one whole answer instead of a stream",
	  { { JSON(
	      "200 OK") "\n{\"choices\":[{\"message\":{\"content\":\"Yes\",\"reasoning_content\":\"Hm\"}}]}" } },
	  1,
	  "Yes",
	  "Hm",
	  0,
	  "" },
	{ "cut off", { { STREAM TEXT("Two ") "data: {\"cho" } }, 1, "Two ", "", ERROR_UPSTREAM, "broke off" },
	{ "nothing at all", { { STREAM } }, 1, "", "", ERROR_UPSTREAM, "broke off" },
	{ "closed before an answer", { { "" }, { STREAM TEXT("Yes") DONE } }, 2, "Yes", "", 0, "" },
	{ "hangs before the answer", { { "", .hang = true } }, 1, "", "", ERROR_UNKNOWN_OUTCOME, "in time" },
	{ "hangs in the answer",
	  { { STREAM TEXT("Two "), .hang = true } },
	  1,
	  "Two ",
	  "",
	  ERROR_UNKNOWN_OUTCOME,
	  "in time" },
	{ "garbage", { { STREAM "<html>oops</html>\n\n" } }, 1, "", "", ERROR_UPSTREAM, "broke off" },
	{ "garbage in an event",
	  { { STREAM TEXT("a") "data: <oops>\n\n" } },
	  1,
	  "a",
	  "",
	  ERROR_UPSTREAM,
	  "could not be read" },
	{ "not UTF-8",
	  { { STREAM TEXT("a") TEXT("\xff") } },
	  1,
	  "a",
	  "",
	  ERROR_UPSTREAM,
	  "could not be read" },
	{ "NUL", { { NUL, sizeof NUL - 1 } }, 1, "a", "", ERROR_UPSTREAM, "could not be read" },
	{ "NUL, escaped", { { STREAM TEXT("a\\u0000b") } }, 1, "", "", ERROR_UPSTREAM, "could not be read" },
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
	  { { JSON("400 Bad Request") "{\"error\":{\"message\":\"context length exceeded\"}}" } },
	  1,
	  "",
	  "",
	  ERROR_UPSTREAM,
	  "refused the request: context length exceeded" },
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
	  "failed; try again later" },
	{ "a server error is not asked again",
	  { { JSON("500 No") "{}" } },
	  1,
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
	  "failed" },
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
	{ "an event of 10 MB", { { STREAM "data: " }, { 0 } }, 1, "", "", ERROR_UPSTREAM, "more than" },
};

static void test_what_models_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct canned answers[ANSWERS];
		struct asked asked = { 0 };
		struct model m;
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
		model_start(&m);
		m.answers = answers;
		got = ask(&m, "default", &asked, &a);
		model_stop(&m);
		assert_int_equal(asked.err.code, cases[i].code);
		assert_int_equal(got, cases[i].code ? -1 : 0);
		assert_non_null(strstr(asked.err.message, cases[i].message));
		assert_null(strstr(asked.err.message, "127.0.0.1"));
		assert_string_equal(asked.text.at, cases[i].text);
		assert_string_equal(asked.reasoning.at, cases[i].reasoning);
		assert_int_equal(m.asked, cases[i].asked);
		assert_true(asked.took_ms < 8000);
		arena_done(&a);
	}
}

static void test_what_is_asked(void **state)
{
	static const struct canned answers[ANSWERS] = { { STREAM TEXT("Yes") END USAGE DONE } };
	struct asked asked = { 0 };
	struct model m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_start(&m);
	m.answers = answers;
	assert_int_equal(ask(&m, "", &asked, &a), 0);
	model_stop(&m);
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
		struct asked asked = { 0 };
		struct model m;
		struct arena a;

		arena_init(&a, 0);
		model_start(&m);
		m.answers = answers;
		assert_int_equal(ask(&m, models[i].wanted, &asked, &a), 0);
		model_stop(&m);
		assert_non_null(strstr(m.requests[0], models[i].want));
		arena_done(&a);
	}
}

static void test_a_reader_that_has_enough(void **state)
{
	static const struct canned answers[ANSWERS] = { { STREAM TEXT("a") TEXT("b") TEXT("c"),
		                                          .hang = true } };
	struct asked asked = { .stop_after = 2 };
	struct model m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_start(&m);
	m.answers = answers;
	assert_int_equal(ask(&m, "", &asked, &a), 0);
	model_stop(&m);
	assert_string_equal(asked.text.at, "ab");
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
		{ { STREAM TEXT("a"), .hang = true } },
		{ { "HTTP/1.1 503 No\r\nRetry-After: 9\r\nConnection: close\r\n\r\n" } },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct asked asked = { 0 };
		pthread_t thread;
		struct model m;
		struct arena a;

		arena_init(&a, 0);
		model_start(&m);
		m.answers = scripts[i];
		pthread_create(&thread, NULL, cancel_soon, &asked.cancelled);
		assert_int_equal(ask(&m, "", &asked, &a), -1);
		pthread_join(thread, NULL);
		model_stop(&m);
		assert_int_equal(asked.err.code, ERROR_UNAVAILABLE);
		assert_true(asked.took_ms < 2500);
		arena_done(&a);
	}
}

static void test_nobody_there(void **state)
{
	struct asked asked = { 0 };
	struct model m;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	model_start(&m);
	model_stop(&m);
	assert_int_equal(ask(&m, "", &asked, &a), -1);
	assert_int_equal(asked.err.code, ERROR_UPSTREAM);
	assert_string_equal(asked.err.message, "the model cannot be reached");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_models_do), cmocka_unit_test(test_what_is_asked),
		cmocka_unit_test(test_models),         cmocka_unit_test(test_a_reader_that_has_enough),
		cmocka_unit_test(test_cancelled),      cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
