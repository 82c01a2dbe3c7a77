/* links: tests/conformance/fixture/tools.c svc-chat/mcp_server/read.c svc-chat/mcp_server/serve.c */
/*
 * mcp_server PORT: what the official conformance suite wants to meet: its tools, prompts and resources, behind
 * svc-chat/mcp_server. It listens on 127.0.0.1 and says "ready". Beside the module it is HTTP and fixed texts.
 */
#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/conformance/fixture/fixture.h"

enum { BODY_MAX = 1 << 20 };

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
