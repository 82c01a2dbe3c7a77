/*
 * oauth: a WWW-Authenticate header up to the first newline, then a document that is read as that of a resource and of an
 * authorization server. What is taken of them can stand in a URL, in a header and in a row.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/oauth/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define URL "https://mcp.example.com/mcp"

static void must_be_line(const char *text)
{
	for (; text && *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void must_be_url(const char *text)
{
	must_be_line(text);
	if (text && (!oauth_is_url(text) || strchr(text, ' ')))
		abort();
}

static void read_documents(json_object *document, const char *text, struct arena *a)
{
	struct oauth_resource resource = { 0 };
	struct oauth_server server = { 0 }, again = { 0 };
	struct error err = { 0 };

	if (oauth_read_resource(document, URL, &resource, a, &err) == 1) {
		must_be_url(resource.resource);
		must_be_url(resource.issuer);
		must_be_line(resource.scope);
	}
	error_clear(&err);
	if (oauth_server_read(text, "https://as.example.com", &server, a, &err) < 0)
		return;
	must_be_url(server.authorization_endpoint);
	must_be_url(server.token_endpoint);
	must_be_url(server.registration_endpoint);
	must_be_url(server.revocation_endpoint);
	must_be_url(server.jwks_uri);
	if (oauth_server_read(server.document, server.issuer, &again, a, &err) < 0 ||
	    again.methods != server.methods || again.proves != server.proves ||
	    strcmp(again.token_endpoint, server.token_endpoint) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *eol = memchr(bytes, '\n', size);
	size_t head = eol ? (size_t)(eol - bytes) : size, rest = eol ? size - head - 1 : 0;
	struct oauth_challenge challenge;
	json_object *document = NULL;
	struct error err = { 0 };
	struct arena a;
	char *text;

	arena_init(&a, 0);
	oauth_challenge_parse(arena_strndup(&a, (const char *)bytes, head), &challenge, &a);
	must_be_line(challenge.error);
	must_be_line(challenge.scope);
	must_be_url(challenge.resource_metadata);
	text = arena_strndup(&a, rest ? (const char *)eol + 1 : "", rest);
	if (json_parse(text, strlen(text), &document, &err) == 0 &&
	    json_object_is_type(document, json_type_object))
		read_documents(document, text, &a);
	json_object_put(document);
	arena_done(&a);
	return 0;
}
