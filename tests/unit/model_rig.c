#include "tests/unit/model_rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"

/* --- The model ---------------------------------------------------------------------------------------------------- */

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

/* The header block and the body that it announces; 0: the other side is gone. */
static size_t read_request(int fd, char *into, size_t room)
{
	size_t have = 0, want = room - 1;
	char *body = NULL, *length;

	into[0] = '\0';
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
	return have;
}

static const struct canned *pick(const struct model_rig *m, const char *request)
{
	const struct canned *last = NULL;
	int before = 0;

	for (const struct canned *c = m->answers; c->bytes; c++) {
		if ((c->when && !strstr(request, c->when)) || (c->unless && strstr(request, c->unless)))
			continue;
		last = c;
		if (c->when || c->unless || before++ == m->asked)
			break;
	}
	assert_non_null(last);
	return last;
}

static void list_models(const struct model_rig *m, int fd)
{
	char answer[1024];
	const char *body = m->models ? m->models : "{\"data\":[{\"id\":\"big\"},{\"id\":\"small\"},7]}";
	int n = snprintf(answer, sizeof answer,
	                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
	                 strlen(body), body);

	send_all(fd, answer, (size_t)n, 0);
}

/* True when the connection goes on. */
static bool serve_one(struct model_rig *m, int fd)
{
	char request[REQUEST_MAX];
	const struct canned *answer;

	if (!read_request(fd, request, sizeof request))
		return false;
	if (strncmp(request, "GET ", 4) == 0) {
		list_models(m, fd);
		return false;
	}
	answer = pick(m, request);
	if (m->asked < ANSWERS)
		strcpy(m->requests[m->asked], request);
	m->asked++;
	for (int i = 0; i < (answer->times ? answer->times : 1); i++)
		send_all(fd, answer->bytes, answer->size ? answer->size : strlen(answer->bytes),
		         answer->split);
	if (answer->end == END_HANG)
		while (recv(fd, request, sizeof request, 0) > 0)
			;
	if (answer->end == END_RESET) {
		usleep(20 * 1000); /* so that what was sent is read before */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	}
	return m->keep_alive && answer->end == END_CLOSE;
}

static void *serve(void *arg)
{
	struct model_rig *m = arg;
	int fd;

	while ((fd = accept(m->listener, NULL, NULL)) >= 0 && !m->over) {
		m->connections++;
		while (serve_one(m, fd))
			;
		close(fd);
	}
	return NULL;
}

void model_rig_start(struct model_rig *m, const struct canned *answers)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	*m = (struct model_rig){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		                 .answers = answers };
	assert_int_equal(bind(m->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(m->listener, 8), 0);
	assert_int_equal(getsockname(m->listener, (struct sockaddr *)&address, &size), 0);
	m->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&m->thread, NULL, serve, m), 0);
}

void model_rig_stop(struct model_rig *m)
{
	m->over = true;
	shutdown(m->listener, SHUT_RDWR);
	pthread_join(m->thread, NULL);
	close(m->listener);
}

/* --- Asking it ---------------------------------------------------------------------------------------------------- */

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

static void take_back(void *arg)
{
	struct asked *asked = arg;

	asked->taken_back++;
	asked->text.length = 0;
	asked->text.at[0] = '\0';
}

struct model *model_rig_model(struct model_rig *m, struct egress **egress)
{
	struct model_endpoint endpoints[2] = {
		{ .name = "CHAT_BASE_URL", .api_key = "sk-test", .model = "small" }
	};
	struct model *p;
	struct error err = { 0 };
	char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/", m->port);
	endpoints[0].base_url = url;
	assert_int_equal(egress_open("127.0.0.1/32", egress, &err), 0);
	assert_int_equal(model_openai(&(struct model_openai_config){ .egress = *egress,
	                                                             .endpoints = endpoints,
	                                                             .idle_seconds = 1,
	                                                             .total_seconds = 20 },
	                              &p, &err),
	                 0);
	return p;
}

int model_rig_ask(struct model *p, struct asked *asked, struct arena *a)
{
	static const struct model_message messages[] = { { "system", "Be \"kind\".\n" }, { "user", "Hi" } };
	static const struct model_tool tools[] = {
		{ "get_weather", "Weather of a place",
		  "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"},"
		  "\"metric\":{\"type\":\"boolean\"},\"note\":{\"type\":[\"string\",\"null\"]},"
		  "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},\"required\":[\"city\"]}" },
		{ "search", "Search",
		  "{\"type\":\"object\",\"properties\":{\"query\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]},"
		  "\"limit\":{\"type\":\"integer\"}}}" },
	};
	struct model_request request = { .model = asked->model ? asked->model : "default",
		                         .temperature = 0.5,
		                         .max_tokens = 100,
		                         .messages = messages,
		                         .message_count = 2,
		                         .for_visitor = asked->for_visitor,
		                         .tools = tools,
		                         .tool_count = asked->tools ? sizeof tools / sizeof *tools : 0,
		                         .own_key = asked->own_key,
		                         .own_url = asked->own_url,
		                         .shorten = asked->shorten,
		                         .shorten_arg = asked->shorten_arg,
		                         .cancelled = &asked->cancelled };
	int64_t start = clock_mono_ms();
	int got;

	text_init(&asked->text, a);
	text_init(&asked->reasoning, a);
	got = p->answer(p, &request, &(struct model_sink){ take_text, take_reasoning, asked, take_back },
	                &asked->result, a, &asked->err);
	asked->took_ms = clock_mono_ms() - start;
	return got;
}

int model_rig_ask_once(struct model_rig *m, struct asked *asked, struct arena *a)
{
	struct egress *egress;
	struct model *p = model_rig_model(m, &egress);
	int got = model_rig_ask(p, asked, a);

	p->free(p);
	egress_close(egress);
	return got;
}
