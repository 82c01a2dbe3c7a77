/* links: svc-chat/mcp_server/read.c svc-chat/mcp_server/serve.c */
/*
 * mcp_server PORT: what the official conformance suite wants to meet: its tools, prompts and resources, behind
 * svc-chat/mcp_server. It listens on 127.0.0.1 and says "ready". Beside the module it is HTTP and fixed texts.
 */
#include <civetweb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/id.h"
#include "svc-chat/mcp_server/mcp_server.h"

enum { BODY_MAX = 1 << 20, ANSWER_SECONDS = 10 };

#define PNG "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
#define WAV "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
#define TEXT(words) "{\"type\":\"text\",\"text\":\"" words "\"}"
#define IMAGE "{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"}"
#define NOTHING "{\"type\":\"object\",\"properties\":{}}"
#define ASKS_FOR(name, type)                                                                      \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"" name "\":{\"type\":\"" type \
	"\"}},\"required\":[\"" name "\"]}"

/* --- Questions to the client, before 2026: a request in the stream, whose answer comes as another POST ------------------ */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t came;
	int asked;
	struct {
		int number;
		char answer[8192];
	} answers[16];
} client = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

static void take_answer(void *arg, const char *id, json_object *message)
{
	int number = atoi(id);

	(void)arg;
	pthread_mutex_lock(&client.lock);
	client.answers[number % 16].number = number;
	snprintf(client.answers[number % 16].answer, sizeof client.answers[0].answer, "%s",
	         json_object_to_json_string(json_get(message, "result")));
	pthread_cond_broadcast(&client.came);
	pthread_mutex_unlock(&client.lock);
}

/* The result as JSON; "" when none came. */
static const char *ask_client(struct served *r, const char *method, const char *params)
{
	struct timespec until;
	const char *answer = "";
	int number;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ANSWER_SECONDS;
	pthread_mutex_lock(&client.lock);
	number = ++client.asked;
	pthread_mutex_unlock(&client.lock);
	r->voice->send(r->voice->arg,
	               arena_printf(r->arena,
	                            "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{%s}}",
	                            number, method, params));
	pthread_mutex_lock(&client.lock);
	while (client.answers[number % 16].number != number)
		if (pthread_cond_timedwait(&client.came, &client.lock, &until) != 0)
			break;
	if (client.answers[number % 16].number == number)
		answer = arena_strdup(r->arena, client.answers[number % 16].answer);
	pthread_mutex_unlock(&client.lock);
	return answer;
}

static enum served_outcome say(struct served *r, const char *text)
{
	text_adds(&r->result, "\"content\":[{\"type\":\"text\",\"text\":");
	text_add_json(&r->result, text, strlen(text));
	text_adds(&r->result, "}]");
	return SERVED_DONE;
}

/* --- Tools that speak while they work ---------------------------------------------------------------------------------- */

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000000L }, NULL);
}

static void send_log(struct served *r, const char *text)
{
	if (r->modern && !r->log_level)
		return;
	r->voice->send(r->voice->arg,
	               arena_printf(r->arena,
	                            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{"
	                            "\"level\":\"info\",\"data\":\"%s\"}}",
	                            text));
}

static enum served_outcome with_logging(struct served *r)
{
	send_log(r, "Tool execution started");
	pause_a_little();
	send_log(r, "Tool processing data");
	pause_a_little();
	send_log(r, "Tool execution completed");
	return say(r, "Three things were logged.");
}

static enum served_outcome with_progress(struct served *r)
{
	for (int done = 0; done <= 100; done += 50) {
		served_progress(r, done, 100, NULL);
		pause_a_little();
	}
	return say(r, "Done.");
}

static enum served_outcome sampling(struct served *r)
{
	json_object *prompt = served_argument(r, "prompt");
	OWN(json) json_object *result = NULL;
	struct error err = { 0 };
	const char *answer = ask_client(
	    r, "sampling/createMessage",
	    arena_printf(
	        r->arena,
	        "\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":%s}}],\"maxTokens\":100",
	        json_object_to_json_string(prompt)));

	if (json_parse(answer, strlen(answer), &result, &err) < 0)
		return say(r, "LLM response: none");
	answer = json_string(json_get(result, "content"), "text");
	return say(r, arena_printf(r->arena, "LLM response: %s", answer ? answer : ""));
}

static enum served_outcome elicit(struct served *r, const char *params)
{
	return say(r, arena_printf(r->arena, "Elicitation completed: %s",
	                           ask_client(r, "elicitation/create", params)));
}

static enum served_outcome elicitation(struct served *r)
{
	return elicit(
	    r, arena_printf(r->arena,
	                    "\"message\":%s,\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
	                    "\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
	                    "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}},"
	                    "\"required\":[\"username\",\"email\"]}",
	                    json_object_to_json_string(served_argument(r, "message"))));
}

static enum served_outcome defaults(struct served *r)
{
	return elicit(
	    r,
	    "\"message\":\"Defaults\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
	    "\"default\":\"John Doe\"},\"age\":{\"type\":\"integer\",\"default\":30},\"score\":{\"type\":\"number\","
	    "\"default\":95.5},\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"pending\"],\"default\":"
	    "\"active\"},\"verified\":{\"type\":\"boolean\",\"default\":true}},\"required\":[]}");
}

static enum served_outcome enums(struct served *r)
{
	return elicit(
	    r,
	    "\"message\":\"Choices\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
	    "\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]},"
	    "\"titledSingle\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"value1\",\"title\":\"First Option\"},"
	    "{\"const\":\"value2\",\"title\":\"Second Option\"},{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
	    "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],\"enumNames\":[\"Option One\","
	    "\"Option Two\",\"Option Three\"]},\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":"
	    "[\"option1\",\"option2\",\"option3\"]}},\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":"
	    "\"value1\",\"title\":\"First Choice\"},{\"const\":\"value2\",\"title\":\"Second Choice\"},{\"const\":\"value3\","
	    "\"title\":\"Third Choice\"}]}}},\"required\":[]}");
}

static enum served_outcome streaming(struct served *r)
{
	served_progress(r, 1, 1, NULL);
	return say(r, "Nothing was asked on this stream.");
}

static enum served_outcome missing_capability(struct served *r)
{
	return json_get(r->capabilities, "sampling")
	           ? say(r, "The client can sample.")
	           : served_fail(r, SERVED_NO_CAPABILITY, "the client must be able to sample",
	                         "{\"requiredCapabilities\":{\"sampling\":{}}}");
}

/* --- Results that ask for more, in 2026 ----------------------------------------------------------------------------------- */

#define NAME_PLEASE                                                                                    \
	"{\"method\":\"elicitation/create\",\"params\":{\"message\":\"What is your name?\"," ASKS_FOR( \
	    "name", "string") "}}"
#define OK_PLEASE                                                                                  \
	"{\"method\":\"elicitation/create\",\"params\":{\"message\":\"Please confirm\"," ASKS_FOR( \
	    "ok", "boolean") "}}"
#define SAMPLE(words)                                                                                            \
	"{\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[{\"role\":\"user\",\"content\":" TEXT( \
	    words) "}],\"maxTokens\":100}}"

struct question {
	const char *key, *capability, *request;
};
static const struct asking {
	const char *name;
	bool keeps_state, by_capability;
	struct question rounds[2][4];
} askings[] = {
	{ "test_input_required_result_elicitation",
	  false,
	  false,
	  { { { "user_name", "elicitation", NAME_PLEASE } } } },
	{ "test_input_required_result_sampling",
	  false,
	  false,
	  { { { "capital_question", "sampling", SAMPLE("What is the capital of France?") } } } },
	{ "test_input_required_result_list_roots",
	  false,
	  false,
	  { { { "client_roots", "roots", "{\"method\":\"roots/list\",\"params\":{}}" } } } },
	{ "test_input_required_result_request_state",
	  true,
	  false,
	  { { { "confirm", "elicitation", OK_PLEASE } } } },
	{ "test_input_required_result_tampered_state",
	  true,
	  false,
	  { { { "confirm", "elicitation", OK_PLEASE } } } },
	{ "test_input_required_result_multiple_inputs",
	  true,
	  false,
	  { { { "user_name", "elicitation", NAME_PLEASE },
	      { "greeting", "sampling", SAMPLE("Generate a greeting") },
	      { "client_roots", "roots", "{\"method\":\"roots/list\",\"params\":{}}" } } } },
	{ "test_input_required_result_multi_round",
	  true,
	  false,
	  { { { "step1", "elicitation", NAME_PLEASE } },
	    { { "step2", "elicitation",
	        "{\"method\":\"elicitation/create\",\"params\":{\"message\":\"Step 2: What is your favorite color?\"," ASKS_FOR(
	            "color", "string") "}}" } } } },
	{ "test_input_required_result_capabilities",
	  false,
	  true,
	  { { { "user_name", "elicitation", NAME_PLEASE },
	      { "greeting", "sampling", SAMPLE("Generate a greeting") } } } },
	{ "test_input_required_result_prompt",
	  false,
	  false,
	  { { { "user_context", "elicitation",
	        "{\"method\":\"elicitation/create\",\"params\":{\"message\":\"What context should the prompt use?\"," ASKS_FOR(
	            "context", "string") "}}" } } } },
};

/* Which round the client answers, sealed so that it cannot be changed. */
static const char *state_of(int round, struct arena *a)
{
	char hash[65];
	const char *secret = arena_printf(a, "of this fixture alone: %d", round);

	sha256_hex(hash, secret, strlen(secret));
	return arena_printf(a, "%d-%s", round, hash);
}

static enum served_outcome ask_round(struct served *r, const struct asking *what, int round)
{
	const char *before = "";

	r->input_required = true;
	text_adds(&r->result, "\"inputRequests\":{");
	for (const struct question *q = what->rounds[round]; q->key; q++) {
		if (what->by_capability && !json_get(r->capabilities, q->capability))
			continue;
		text_addf(&r->result, "%s\"%s\":%s", before, q->key, q->request);
		before = ",";
	}
	text_addc(&r->result, '}');
	if (what->keeps_state)
		text_addf(&r->result, ",\"requestState\":\"%s\"", state_of(round, r->arena));
	return SERVED_DONE;
}

/* 1: all has been answered; 0: the result asks; -1: failed. */
static int asks(struct served *r, const struct asking *what, enum served_outcome *ret)
{
	json_object *said = json_get(r->params, "inputResponses");
	const char *state = json_string(r->params, "requestState");
	int round = state ? atoi(state) : 0;
	bool whole = said;

	if (state && (round < 0 || round > 1 || strcmp(state, state_of(round, r->arena)) != 0)) {
		*ret = served_fail(r, SERVED_INVALID_PARAMS, "the state is none of ours", NULL);
		return -1;
	}
	for (const struct question *q = what->rounds[round]; q->key; q++)
		whole = whole && json_object_is_type(json_get(said, q->key), json_type_object);
	if (whole && (round == 1 || !what->rounds[round + 1]->key))
		return 1;
	*ret = ask_round(r, what, whole ? round + 1 : round);
	return 0;
}

static const struct asking *asking_named(const char *name)
{
	for (size_t i = 0; i < sizeof askings / sizeof *askings; i++)
		if (strcmp(askings[i].name, name) == 0)
			return &askings[i];
	return NULL;
}

/* --- Tools -------------------------------------------------------------------------------------------------------------- */

static const struct tool {
	const char *name, *result;                    /* what it always says, or */
	enum served_outcome (*run)(struct served *r); /* what it does */
	bool speaks;
	const char *schema;
} tools[] = {
	{ "test_simple_text", "\"content\":[" TEXT("This is a simple text response for testing.") "]",
	  .schema = NOTHING },
	{ "test_image_content", "\"content\":[" IMAGE "]", .schema = NOTHING },
	{ "test_audio_content",
	  "\"content\":[{\"type\":\"audio\",\"data\":\"" WAV "\",\"mimeType\":\"audio/wav\"}]",
	  .schema = NOTHING },
	{ "test_embedded_resource",
	  "\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"test://embedded-resource\",\"mimeType\":\"text/plain\","
	  "\"text\":\"This is an embedded resource content.\"}}]",
	  .schema = NOTHING },
	{ "test_multiple_content_types",
	  "\"content\":[" TEXT(
	      "Multiple content types test:") "," IMAGE
	                                      ",{\"type\":\"resource\",\"resource\":{\"uri\":\"test://mixed-content-resource\",\"mimeType\":\"application/json\","
	                                      "\"text\":\"{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}\"}}]",
	  .schema = NOTHING },
	{ "test_error_handling",
	  "\"content\":[" TEXT("This tool intentionally returns an error for testing") "],\"isError\":true",
	  .schema = NOTHING },
	{ "test_tool_with_logging", .run = with_logging, .speaks = true, .schema = NOTHING },
	{ "test_logging_tool", .run = with_logging, .speaks = true, .schema = NOTHING },
	{ "test_tool_with_progress", .run = with_progress, .speaks = true, .schema = NOTHING },
	{ "test_streaming_elicitation", .run = streaming, .speaks = true, .schema = NOTHING },
	{ "test_sampling", .run = sampling, .speaks = true,
	  .schema =
	      "{\"type\":\"object\",\"properties\":{\"prompt\":{\"type\":\"string\"}},\"required\":[\"prompt\"]}" },
	{ "test_elicitation", .run = elicitation, .speaks = true,
	  .schema =
	      "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}},\"required\":[\"message\"]}" },
	{ "test_elicitation_sep1034_defaults", .run = defaults, .speaks = true, .schema = NOTHING },
	{ "test_elicitation_sep1330_enums", .run = enums, .speaks = true, .schema = NOTHING },
	{ "test_missing_capability", .run = missing_capability, .schema = NOTHING },
};
enum { TOOLS = sizeof tools / sizeof *tools };

static enum served_outcome list_tools(struct served *r)
{
	text_adds(&r->result, "\"tools\":[");
	for (size_t i = 0; i < TOOLS; i++)
		text_addf(&r->result, "%s{\"name\":\"%s\",\"description\":\"%s\",\"inputSchema\":%s}",
		          i ? "," : "", tools[i].name, tools[i].name, tools[i].schema);
	for (size_t i = 0; i < sizeof askings / sizeof *askings; i++)
		if (!strstr(askings[i].name, "_prompt"))
			text_addf(&r->result,
			          ",{\"name\":\"%s\",\"description\":\"Asks\",\"inputSchema\":" NOTHING "}",
			          askings[i].name);
	text_addc(&r->result, ']');
	return SERVED_DONE;
}

static enum served_outcome call_tool(struct served *r)
{
	const char *name = json_string(r->params, "name");
	const struct asking *asking = name ? asking_named(name) : NULL;
	enum served_outcome outcome;

	if (asking && r->modern)
		return asks(r, asking, &outcome) > 0 ? say(r, "All was answered: state-ok") : outcome;
	for (size_t i = 0; name && i < TOOLS; i++) {
		if (strcmp(tools[i].name, name) != 0)
			continue;
		if (tools[i].result)
			text_adds(&r->result, tools[i].result);
		if (tools[i].speaks && !r->voice)
			return SERVED_LATER;
		return tools[i].result ? SERVED_DONE : tools[i].run(r);
	}
	return served_fail(r, SERVED_INVALID_PARAMS, "there is no such tool", NULL);
}

/* --- Resources ------------------------------------------------------------------------------------------------------------ */

static enum served_outcome list_resources(struct served *r)
{
	text_adds(
	    &r->result,
	    "\"resources\":[{\"uri\":\"test://static-text\",\"name\":\"Text\",\"description\":\"Text\",\"mimeType\":"
	    "\"text/plain\"},{\"uri\":\"test://static-binary\",\"name\":\"Binary\",\"description\":\"A picture\","
	    "\"mimeType\":\"image/png\"},{\"uri\":\"test://watched-resource\",\"name\":\"Watched\",\"description\":"
	    "\"Text\",\"mimeType\":\"text/plain\"}]");
	return SERVED_DONE;
}

static enum served_outcome list_templates(struct served *r)
{
	text_adds(
	    &r->result,
	    "\"resourceTemplates\":[{\"uriTemplate\":\"test://template/{id}/data\",\"name\":\"Template\","
	    "\"description\":\"Data of an id\",\"mimeType\":\"application/json\"}]");
	return SERVED_DONE;
}

static enum served_outcome read_resource(struct served *r)
{
	static const char plain[] = "This is the content of the static text resource.";
	const char *uri = json_string(r->params, "uri"), *type = "text/plain", *member = "text",
	           *value = NULL;
	char id[32];

	uri = uri ? uri : "";
	if (strcmp(uri, "test://static-text") == 0 || strcmp(uri, "test://watched-resource") == 0) {
		value = plain;
	} else if (strcmp(uri, "test://static-binary") == 0) {
		type = "image/png";
		member = "blob";
		value = PNG;
	} else if (sscanf(uri, "test://template/%31[a-z0-9]/data", id) == 1) {
		type = "application/json";
		value = arena_printf(
		    r->arena, "{\"id\":\"%s\",\"templateTest\":true,\"data\":\"Data for ID: %s\"}", id, id);
	}
	if (!value)
		return served_fail(r, SERVED_INVALID_PARAMS, "Resource not found",
		                   arena_printf(r->arena, "{\"uri\":%s}",
		                                json_object_to_json_string(json_get(r->params, "uri"))));
	text_addf(&r->result, "\"contents\":[{\"uri\":\"%s\",\"mimeType\":\"%s\",\"%s\":", uri, type, member);
	text_add_json(&r->result, value, strlen(value));
	text_adds(&r->result, "}]");
	return SERVED_DONE;
}

static enum served_outcome nothing(struct served *r)
{
	(void)r;
	return SERVED_DONE;
}

/* --- Prompts -------------------------------------------------------------------------------------------------------------- */

#define MESSAGE(content) "{\"role\":\"user\",\"content\":" content "}"

static enum served_outcome list_prompts(struct served *r)
{
	text_adds(
	    &r->result,
	    "\"prompts\":[{\"name\":\"test_simple_prompt\",\"description\":\"Simple\"},{\"name\":"
	    "\"test_prompt_with_arguments\",\"description\":\"Arguments\",\"arguments\":[{\"name\":\"arg1\",\"description\":"
	    "\"One\",\"required\":true},{\"name\":\"arg2\",\"description\":\"Two\",\"required\":true}]},{\"name\":"
	    "\"test_prompt_with_embedded_resource\",\"description\":\"Resource\",\"arguments\":[{\"name\":\"resourceUri\","
	    "\"description\":\"Uri\",\"required\":true}]},{\"name\":\"test_prompt_with_image\",\"description\":\"Image\"},"
	    "{\"name\":\"test_input_required_result_prompt\",\"description\":\"Asks\"}]");
	return SERVED_DONE;
}

static const char *argument(struct served *r, const char *name)
{
	const char *value = json_string(json_get(r->params, "arguments"), name);

	return value ? value : "";
}

static enum served_outcome get_prompt(struct served *r)
{
	const char *name = json_string(r->params, "name");
	const struct asking *asking = name ? asking_named(name) : NULL;
	enum served_outcome outcome;

	name = name ? name : "";
	if (asking && r->modern && asks(r, asking, &outcome) <= 0)
		return outcome;
	text_adds(&r->result, "\"messages\":[");
	if (strcmp(name, "test_prompt_with_arguments") == 0)
		text_addf(&r->result, MESSAGE(TEXT("Prompt with arguments: arg1='%s', arg2='%s'")),
		          argument(r, "arg1"), argument(r, "arg2"));
	else if (strcmp(name, "test_prompt_with_embedded_resource") == 0)
		text_addf(
		    &r->result,
		    MESSAGE(
		        "{\"type\":\"resource\",\"resource\":{\"uri\":\"%s\",\"mimeType\":\"text/plain\","
		        "\"text\":\"Embedded resource content for testing.\"}}") "," MESSAGE(TEXT("Please process the embedded resource above.")),
		    argument(r, "resourceUri"));
	else if (strcmp(name, "test_prompt_with_image") == 0)
		text_adds(&r->result, MESSAGE(IMAGE) "," MESSAGE(TEXT("Please analyze the image above.")));
	else if (asking || strcmp(name, "test_simple_prompt") == 0)
		text_adds(&r->result, MESSAGE(TEXT("This is a simple prompt for testing.")));
	else
		return served_fail(r, SERVED_INVALID_PARAMS, "there is no such prompt", NULL);
	text_addc(&r->result, ']');
	return SERVED_DONE;
}

static enum served_outcome complete(struct served *r)
{
	text_adds(&r->result,
	          "\"completion\":{\"values\":[\"paris\",\"park\",\"party\"],\"total\":3,\"hasMore\":false}");
	return SERVED_DONE;
}

/* --- HTTP ----------------------------------------------------------------------------------------------------------------- */

static const struct mcp_server server = {
	.name = "fixture",
	.version = "1",
	.list_tools = list_tools,
	.call_tool = call_tool,
	.list_resources = list_resources,
	.list_templates = list_templates,
	.read_resource = read_resource,
	.subscribe = nothing,
	.unsubscribe = nothing,
	.list_prompts = list_prompts,
	.get_prompt = get_prompt,
	.complete = complete,
	.set_level = nothing,
	.take_answer = take_answer,
};

static void send_event(void *conn, const char *json)
{
	mg_printf(conn, "event: message\ndata: %s\n\n", json);
}

static bool is_local(const char *origin)
{
	return !origin || !strncmp(origin, "http://127.0.0.1", 16) ||
	       !strncmp(origin, "http://localhost", 16);
}

static void answer(struct mg_connection *conn, const struct mcp_server_heard *heard, struct arena *a)
{
	struct mcp_server_voice voice = { send_event, conn };
	struct mcp_server_reply reply;

	if (mcp_server_hear(&server, heard, NULL, a, &reply) == SERVED_LATER) {
		mg_printf(conn,
		          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
		if (mcp_server_hear(&server, heard, &voice, a, &reply) == SERVED_DONE && reply.body)
			send_event(conn, reply.body);
		return;
	}
	mg_printf(conn, "HTTP/1.1 %d Done\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	          reply.status, reply.body ? strlen(reply.body) : 0);
	if (reply.body)
		mg_write(conn, reply.body, strlen(reply.body));
}

static int handle(struct mg_connection *conn, void *arg)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct mcp_server_heard heard = { .version = mg_get_header(conn, "MCP-Protocol-Version"),
		                          .method = mg_get_header(conn, "Mcp-Method"),
		                          .name = mg_get_header(conn, "Mcp-Name") };
	struct arena a;
	char *body;
	int n, size = 0;

	(void)arg;
	if (strcmp(info->request_method, "POST") != 0 || !is_local(mg_get_header(conn, "Origin"))) {
		mg_printf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n",
		          strcmp(info->request_method, "POST") ? "405 No" : "403 No");
		return 1;
	}
	arena_init(&a, 0);
	body = arena_alloc(&a, BODY_MAX + 1);
	while (size < BODY_MAX && (n = mg_read(conn, body + size, (size_t)(BODY_MAX - size))) > 0)
		size += n;
	body[size] = '\0';
	heard.body = body;
	heard.size = (size_t)size;
	answer(conn, &heard, &a);
	arena_done(&a);
	return 1;
}

int main(int argc, char **argv)
{
	char listen[64];
	const char *options[] = { "listening_ports", listen, "num_threads", "16", NULL };
	struct mg_callbacks callbacks = { 0 };
	struct mg_context *ctx;

	snprintf(listen, sizeof listen, "127.0.0.1:%s", argc > 1 ? argv[1] : "3980");
	mg_init_library(0);
	ctx = mg_start(&callbacks, NULL, options);
	if (!ctx) {
		fprintf(stderr, "cannot listen on %s\n", listen);
		return 1;
	}
	mg_set_request_handler(ctx, "/mcp", handle, NULL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
