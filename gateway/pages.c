#include "gateway/pages.h"

#include <stdio.h>
#include <string.h>

#include "auth.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/version.h"
#include "common/secret/secret.h"
#include "gateway/answer.h"
#include "gateway/static_files.h"

enum { PROBE_MS = 2000 };

/* Our own pages load nothing from elsewhere, and nobody frames them. Swagger UI styles its elements in place. */
static const char page_security[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/* --- Health --------------------------------------------------------------------------------------------------------- */

static int answer_health(struct gateway *g, struct request *req)
{
	static const char body[] = "{\"status\":\"ok\"}";

	(void)g;
	answer_json(req, 200, body, sizeof body - 1);
	return 0;
}

/* Does svc-auth reach its database? It is asked for a key that nobody has. */
static int database_ready(struct gateway *g, struct arena *a)
{
	Auth__ResolveKeyRequest in = AUTH__RESOLVE_KEY_REQUEST__INIT;
	Rpc__Caller caller = RPC__CALLER__INIT;
	struct error err = { 0 };
	struct rpc_context ctx = { .arena = a,
		                   .err = &err,
		                   .caller = &caller,
		                   .request_id = "ready",
		                   .deadline = clock_unix_ms() + PROBE_MS };
	ProtobufCMessage *out;
	char nobodys[65];

	sha256_hex(nobodys, "", 0);
	in.hash = nobodys;
	caller.has_kind = 1;
	caller.kind = RPC__CALLER__KIND__SERVICE;
	return rpc_call(gateway_peer(g, "auth"), &ctx, &auth_client_methods[AUTH_METHOD_RESOLVE_KEY],
	                &in.base, &out) == 0 ||
	       err.code == ERROR_NOT_FOUND;
}

int pages_ready(struct gateway *g, char *why, size_t size)
{
	struct arena a;
	int ready;

	for (int i = 0; i < SERVICES; i++) {
		if (!peer_ready(g->peers[i])) {
			snprintf(why, size, "%s does not answer", services[i].name);
			return 0;
		}
	}
	if (server_draining(g->server)) {
		snprintf(why, size, "this gateway is shutting down");
		return 0;
	}
	if (!identity_ready(g->identity)) {
		snprintf(why, size, "the feed of revocations is not there");
		return 0;
	}
	arena_init(&a, 0);
	ready = database_ready(g, &a);
	arena_done(&a);
	if (!ready)
		snprintf(why, size, "the database does not answer");
	return ready;
}

static int answer_ready(struct gateway *g, struct request *req)
{
	static const char body[] = "{\"status\":\"ready\"}";
	char why[200];

	if (!pages_ready(g, why, sizeof why))
		return error_busy(&req->err, 1, "not ready: %s", why);
	answer_json(req, 200, body, sizeof body - 1);
	return 0;
}

static int answer_metrics(struct gateway *g, struct request *req)
{
	const char *token = g->settings.metrics_token, *shown = request_header(req, "Authorization");
	struct text out;

	if (!*token)
		return error_set(&req->err, ERROR_NOT_FOUND, "there is nothing at this path");
	if (!shown || strncmp(shown, "Bearer ", 7) != 0 || strlen(shown + 7) != strlen(token) ||
	    !mac_equal(shown + 7, token, strlen(token)))
		return error_set(&req->err, ERROR_UNAUTHENTICATED,
		                 "the metrics need the token of METRICS_TOKEN");
	text_init(&out, req->arena);
	metrics_print(g->metrics, &out);
	metrics_print_process(&out);
	answer_send(req, &(struct answer){ .status = 200,
	                                   .type = "text/plain; version=0.0.4; charset=utf-8",
	                                   .body = out.at,
	                                   .size = out.length });
	return 0;
}

/* --- Files ---------------------------------------------------------------------------------------------------------- */

static int answer_file(struct request *req, const char *name)
{
	const struct static_file *f = static_find(name);
	const char *ending = strrchr(name, '.');

	if (!f)
		return error_internal(&req->err, "%s is not part of this program", name);
	return static_answer(req, f, ending && !strcmp(ending, ".html") ? page_security : NULL, NULL);
}

/* Whatever lies in gateway/static is served under its name. */
static int answer_named_file(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_file(req, req->path + 1);
}

static int answer_docs(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_file(req, "docs/index.html");
}

/* Where FastAPI has its other documentation. */
static int answer_redoc(struct gateway *g, struct request *req)
{
	(void)g;
	answer_header(req, "Location", "/docs");
	answer_send(req, &(struct answer){ .status = 302 });
	return 0;
}

/* /docs/guides/slack is the file docs/guides/slack.html. */
static int answer_guide(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_file(req, arena_printf(req->arena, "%s.html", req->path + 1));
}

static int answer_guides(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_file(req, "docs/guides/index.html");
}

static int answer_icon(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_file(req, "favicon.svg");
}

/* For any website. */
static int answer_everywhere(struct request *req, const char *name, const char *cache)
{
	const struct static_file *f = static_find(name);

	if (!f)
		return error_internal(&req->err, "%s is not part of this program", name);
	answer_header(req, "Access-Control-Allow-Origin", "*");
	answer_header(req, "Cross-Origin-Resource-Policy", "cross-origin");
	return static_answer(req, f, NULL, cache);
}

/* The chat widget, which websites load from here: an upgrade reaches them within minutes. */
static int answer_widget(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_everywhere(req, "widget.js", "public, max-age=300");
}

/* Under which name it can be pinned, and its integrity. */
static int answer_widget_facts(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_everywhere(req, "widget.json", "public, max-age=300");
}

/* The widget as it was under that name: it is never another. */
static int answer_pinned_widget(struct gateway *g, struct request *req)
{
	(void)g;
	return answer_everywhere(req, req->path + 1, "public, max-age=31536000, immutable");
}

/* A page for people, three facts for programs. */
static int answer_root(struct gateway *g, struct request *req)
{
	static const char facts[] =
	    "{\"product\":\"Parley\",\"version\":\"" PARLEY_VERSION "\",\"docs\":\"/docs\"}";
	const char *accept = request_header(req, "Accept");

	(void)g;
	answer_header(req, "Vary", "Accept");
	if (accept && strstr(accept, "text/html"))
		return answer_file(req, "index.html");
	answer_json(req, 200, facts, sizeof facts - 1);
	return 0;
}

/* --- The table ------------------------------------------------------------------------------------------------------ */

static const struct page pages[] = {
	{ "/", answer_root },
	{ "/health", answer_health },
	{ "/ready", answer_ready },
	{ "/metrics", answer_metrics },
	{ "/docs", answer_docs },
	{ "/docs/guides", answer_guides },
	{ "/redoc", answer_redoc },
	{ "/favicon.ico", answer_icon },
	{ "/widget.js", answer_widget, .everywhere = true },
	{ "/widget.json", answer_widget_facts, .everywhere = true },
};
static const struct page pinned_widget = { .path = "", .answer = answer_pinned_widget, .everywhere = true };
static const struct page named_file = { .path = "", .answer = answer_named_file };
static const struct page guide = { .path = "", .answer = answer_guide };

static bool is_guide(const char *path)
{
	static const char folder[] = "/docs/guides/";
	char name[64];

	return !strncmp(path, folder, sizeof folder - 1) &&
	       snprintf(name, sizeof name, "%s.html", path + 1) < (int)sizeof name && static_find(name);
}

const struct page *pages_find(const char *path)
{
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		size_t length = strlen(pages[i].path);

		if (!strncmp(path, pages[i].path, length) && (!path[length] || !strcmp(path + length, "/")))
			return &pages[i];
	}
	if (is_guide(path))
		return &guide;
	if (!static_find(path + 1))
		return NULL;
	return strncmp(path, "/widget.", 8) == 0 ? &pinned_widget : &named_file;
}
