/* links: svc-chat/mcp/http.c svc-chat/mcp/rpc.c svc-chat/mcp/steps.c svc-chat/mcp/open.c svc-chat/mcp/side.c svc-chat/mcp/header.c svc-chat/mcp/tools.c svc-chat/mcp/pause.c */
/*
 * mcp_client URL: our MCP client for the official conformance suite (`npx conformance client --command ...`). It lists the
 * tools of the server and calls each, as a host would, and signs in where that is wanted: whoever is sent to the
 * authorization server is a browser whose user says yes at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/query.h"
#include "common/oauth/oauth.h"
#include "svc-chat/mcp/mcp.h"

/* What a user would send who only presses the button: the defaults of the form. */
static json_object *accept_defaults(void *arg, json_object *params)
{
	json_object *answer = json_object_new_object(), *content = json_object_new_object();
	json_object *properties = json_get(json_get(params, "requestedSchema"), "properties");

	(void)arg;
	json_object_object_add(answer, "action", json_object_new_string("accept"));
	json_object_object_add(answer, "content", content);
	if (!json_object_is_type(properties, json_type_object))
		return answer;
	json_object_object_foreach(properties, name, schema)
	{
		json_object *standard = json_get(schema, "default");
		const char *type = json_string(schema, "type");

		if (standard)
			json_object_object_add(content, name, json_object_get(standard));
		else if (type && strcmp(type, "boolean") == 0)
			json_object_object_add(content, name, json_object_new_boolean(1));
		else if (type && strcmp(type, "string") == 0)
			json_object_object_add(content, name, json_object_new_string("test"));
	}
	return answer;
}

/* Something of the right type for each property that is demanded. */
static json_object *sample_arguments(const char *schema)
{
	json_object *arguments = json_object_new_object(), *properties;
	OWN(json) json_object *object = NULL;
	struct error err = { 0 };
	int n = 1;

	if (json_parse(schema, strlen(schema), &object, &err) < 0)
		return arguments;
	properties = json_get(object, "properties");
	if (!json_object_is_type(properties, json_type_object))
		return arguments;
	json_object_object_foreach(properties, name, inner)
	{
		const char *type = json_string(inner, "type");

		if (!type || strcmp(type, "string") == 0)
			json_object_object_add(arguments, name, json_object_new_string("test"));
		else if (strcmp(type, "boolean") == 0)
			json_object_object_add(arguments, name, json_object_new_boolean(1));
		else if (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0)
			json_object_object_add(arguments, name, json_object_new_int(++n));
	}
	return arguments;
}

/* --- Signing in ---------------------------------------------------------------------------------------------------------- */

enum { MOST_SIGN_INS = 3 };
#define REDIRECT_URI "http://localhost:3000/callback"
#define OUR_DOCUMENT "https://conformance-test.local/client-metadata.json"

struct host {
	struct mcp m;
	struct mcp_waiter waiter;
	struct oauth o;
	struct oauth_client client;
	const char *client_issuer; /* of `client`; NULL: none yet */
	const char *granted;       /* scopes */
	int sign_ins;
};

/* What the scenario tells besides the address; NULL: nothing. */
static json_object *context(void)
{
	const char *text = getenv("MCP_CONFORMANCE_CONTEXT");
	json_object *object = NULL;
	struct error err = { 0 };

	return text && json_parse(text, strlen(text), &object, &err) == 0 ? object : NULL;
}

/* One registered beforehand, the one that this issuer has given, our document, or a new one. */
static int choose_client(struct host *h, const struct oauth_server *s, struct error *err)
{
	json_object *told = context();
	const char *id = json_string(told, "client_id");

	if (h->client_issuer && strcmp(h->client_issuer, s->issuer) == 0)
		return 0;
	h->client_issuer = s->issuer;
	h->client = (struct oauth_client){ .id = id ? id : OUR_DOCUMENT,
		                           .secret = json_string(told, "client_secret") };
	if (id || s->takes_documents)
		return 0;
	return oauth_register(&h->o, s, "Parley", REDIRECT_URI, true, &h->client, err);
}

/* The browser: what comes back behind the redirect. */
static int visit(struct host *h, const char *url, const char *state, const char **code, const char **iss,
                 struct error *err)
{
	struct egress_response answer;
	const char *location, *name, *value, *its_state = "";
	struct query query;

	if (egress_fetch(h->m.egress,
	                 &(struct egress_request){ .method = "GET", .url = url, .timeout_ms = 10000 },
	                 &answer, h->m.arena, err) < 0)
		return -1;
	location = egress_header(&answer, "location");
	if (!location || strncmp(location, REDIRECT_URI "?", sizeof REDIRECT_URI) != 0)
		return error_set(err, ERROR_UPSTREAM, "the browser is not sent back");
	*code = *iss = NULL;
	query = query_start(location + sizeof REDIRECT_URI, h->m.arena);
	while (query_next(&query, &name, &value)) {
		if (strcmp(name, "code") == 0)
			*code = value;
		else if (strcmp(name, "iss") == 0)
			*iss = value;
		else if (strcmp(name, "state") == 0)
			its_state = value;
	}
	return *code && strcmp(its_state, state) == 0 ? 0 : error_set(err, ERROR_UPSTREAM, "another state");
}

static int sign_in(struct host *h, struct error *err)
{
	char verifier[OAUTH_RANDOM], state[OAUTH_RANDOM];
	struct oauth_challenge challenge;
	struct oauth_resource resource;
	struct oauth_server server;
	struct oauth_tokens tokens;
	struct oauth_request r;
	const char *code = NULL, *iss = NULL;

	oauth_challenge_parse(h->m.challenge, &challenge, h->m.arena);
	if (oauth_find_server(&h->o, h->m.url, &challenge, &resource, &server, err) < 0 ||
	    choose_client(h, &server, err) < 0)
		return -1;
	oauth_random(verifier);
	oauth_random(state);
	r = (struct oauth_request){ .client_id = h->client.id,
		                    .redirect_uri = REDIRECT_URI,
		                    .state = state,
		                    .verifier = verifier,
		                    .scope = oauth_choose_scope(&challenge, &resource, &server, h->granted,
		                                                h->m.arena),
		                    .resource = resource.resource };
	if (visit(h, oauth_authorize_url(&server, &r, h->m.arena), state, &code, &iss, err) < 0 ||
	    oauth_check_response(&server, iss, err) < 0 ||
	    oauth_exchange(&h->o, &server, &h->client, &r, code, &tokens, err) < 0)
		return -1;
	h->granted = r.scope;
	h->m.bearer = tokens.access;
	return 0;
}

/* 1: signed in, so once more; -1: err is what it was, or why not. */
static int sign_in_if_wanted(struct host *h, struct error *err)
{
	if ((err->code != ERROR_UNAUTHENTICATED && err->code != ERROR_FORBIDDEN) ||
	    ++h->sign_ins > MOST_SIGN_INS)
		return -1;
	error_clear(err);
	return sign_in(h, err) < 0 ? -1 : 1;
}

/* --- A host ---------------------------------------------------------------------------------------------------------------- */

static const struct mcp_tool *find_tool(const struct mcp_tool *tools, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

static void call_one(struct host *h, const struct mcp_tool *tool, json_object *arguments)
{
	struct error err = { 0 };

	for (;;) {
		mcp_begin_call(&h->m, tool->name, tool, arguments);
		if (mcp_wait(&h->m, &h->waiter, &err) == 0)
			break;
		if (sign_in_if_wanted(h, &err) < 0) {
			fprintf(stderr, "%s: %s (%s)\n", tool->name, err.message, err.detail);
			return;
		}
	}
	printf("%s: %s\n", tool->name, json_print(h->m.result, h->m.arena));
}

static void call_all(struct host *h, const struct mcp_tool *tools, size_t count)
{
	json_object *plan = json_get(context(), "toolCalls");

	for (size_t i = 0; plan && i < json_object_array_length(plan); i++) {
		json_object *step = json_object_array_get_idx(plan, i);
		const struct mcp_tool *tool = find_tool(tools, count, json_string(step, "name"));

		if (tool)
			call_one(h, tool, json_get(step, "arguments"));
	}
	for (size_t i = 0; !plan && i < count; i++) {
		json_object *arguments = sample_arguments(tools[i].input_schema);

		call_one(h, &tools[i], arguments);
		json_object_put(arguments);
	}
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct error err = { 0 };
	int64_t deadline = clock_mono_ms() + 25000;
	struct host h = {
		.m = { .arena = &arena, .elicits = true, .ask_user = accept_defaults, .deadline = deadline }
	};

	if (argc < 2)
		return 2;
	log_open("mcp_client", LOG_ERROR);
	arena_init(&arena, 0);
	h.m.url = argv[argc - 1];
	if (egress_open("127.0.0.1/32,::1/128", &h.m.egress, &err) < 0)
		return 2;
	h.o = (struct oauth){ .egress = h.m.egress, .arena = &arena, .deadline = deadline };
	mcp_waiter_init(&h.waiter);
	h.m.wake = mcp_waiter_wake;
	h.m.wake_arg = &h.waiter;
	for (mcp_begin_list(&h.m); mcp_wait(&h.m, &h.waiter, &err) < 0; mcp_begin_list(&h.m))
		if (sign_in_if_wanted(&h, &err) < 0) {
			fprintf(stderr, "%s (%s)\n", err.message, err.detail);
			return 1;
		}
	call_all(&h, h.m.tools,
	         h.m.tool_count); /* a host goes on when a tool fails; who judges is the other side */
	mcp_close(&h.m);
	egress_close(h.m.egress);
	mcp_waiter_done(&h.waiter);
	arena_done(&arena);
	return 0;
}
