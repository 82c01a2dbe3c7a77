#include <string.h>

#include "auth.methods.h"
#include "common/egress/egress.h"
#include "svc-auth/auth.h"
#include "svc-auth/client.h"

enum { DOCUMENT_BYTES = 65536, FETCH_MS = 5000 };

static int fetch(struct call *call, const char *id, struct client *ret, const char **why)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct egress_response got;
	struct error err = { 0 };

	if (call_fetch(call,
	               &(struct egress_request){ .method = "GET",
	                                         .url = id,
	                                         .headers = headers,
	                                         .timeout_ms = FETCH_MS,
	                                         .max_bytes = DOCUMENT_BYTES },
	               &got, &err) < 0 ||
	    got.status != 200 || client_read(got.body, got.body_size, id, ret, call->arena)) {
		*why = "What the program says of itself cannot be read at the address that it gives.";
		return 0;
	}
	ret->host = client_host(id, call->arena);
	return 1;
}

int client_find(struct call *call, const char *id, struct client *ret, const char **why)
{
	bool plain = strncmp(auth_state(call)->settings->url, "http:", 5) == 0;

	*why = "The program that sent you here is not known.";
	if (!id)
		return 0;
	if (client_read_id(auth_state(call)->ticket_key, id, ret, call->arena))
		return 1;
	if (!client_is_document(id, plain))
		return 0;
	if (call_may_ask(call, WAITS_OUTSIDE, "a client") < 0)
		return -1;
	return fetch(call, id, ret, why);
}
