/* mcp/internal: what the files of mcp share. */
#ifndef PARLEY_MCP_INTERNAL_H
#define PARLEY_MCP_INTERNAL_H

#include "common/egress/sse_reader.h"
#include "svc-chat/mcp/mcp.h"

#define MCP_SESSIONS_VERSION "2025-11-25"
#define MCP_EVENTS_VERSION "2024-11-05"

/* JSON-RPC's and MCP's words for what went wrong. */
enum {
	MCP_METHOD_NOT_FOUND = -32601,
	MCP_INVALID_PARAMS = -32602,
	MCP_HEADER_MISMATCH = -32020,
	MCP_MISSING_CAPABILITY = -32021,
	MCP_UNSUPPORTED_VERSION = -32022,
	MCP_URL_ELICITATION_REQUIRED = -32042,
};

/* One answer to one request. */
struct mcp_answer {
	int status;
	json_object *
	    message; /* the JSON-RPC response, or the error body of a 4xx; owned; NULL: none that can be read */
	const char *session; /* Mcp-Session-Id of the answer */
	/* Instead of a response: what the user is to be asked before there is one, and the event after which to go on. */
	json_object *asked; /* owned */
	const char *event;
};
void mcp_answer_done(struct mcp_answer *a);

/* The answer to one request as it is read. */
struct mcp_reading {
	struct mcp *m;
	int64_t id;
	struct mcp_answer *answer;
	struct egress_response response;
	struct sse_reader events;
	struct text body;
	struct error err; /* of the reading */
	bool streams;     /* the answer is an event stream */
	bool pauses;      /* it may end with `asked` */
};

/* --- http.c: one JSON-RPC message over HTTP ----------------------------------------------------------------------------- */

/*
 * POST a request and wait for the response with its id, over JSON or an event stream, which is taken up again when it
 * breaks off (sessions only). On the way the server's own requests and notifications are answered. extra: headers of this
 * request, ended by NULL. -1 when there is no HTTP answer.
 */
int mcp_post(struct mcp *m, json_object *request, const char *const *extra, struct mcp_answer *ret,
             struct error *err) CHECKED;
/* POST what has no response. */
/* Go on with the stream of request `id` after an event. */
int mcp_continue(struct mcp *m, int64_t id, const char *event, struct mcp_answer *ret,
                 struct error *err) CHECKED;
int mcp_notify(struct mcp *m, const char *method, json_object *params, struct error *err) CHECKED;
int mcp_delete_session(struct mcp *m, struct error *err) CHECKED;
/* GET the stream of what the server has to say by itself, and answer it, until it ends. 1: not offered. */
int mcp_read_stream(struct mcp *m, struct error *err) CHECKED;

/* A message, or a batch of them, that has come: 1 when the one that is waited for is among them. Others are answered. */
int mcp_take_text(struct mcp_reading *r, const char *bytes, size_t size);
/* Of a request of this conversation, ended by NULL. last_event, extra: may be NULL. */
const char **mcp_headers(struct mcp *m, const char *const *extra, const char *last_event);
int64_t mcp_deadline(const struct mcp *m); /* monotonic ms, with what people took */
int mcp_time_left(const struct mcp *m);    /* ms, at least 1 */

/* --- events.c: 2024-11-05 ------------------------------------------------------------------------------------------------ */

/* Open the stream and wait for the address that it names. 1; 0: there is no such stream here; -1. */
int mcp_events_open(struct mcp *m, struct error *err) CHECKED;
/* POST a message there; expects: wait for the response on the stream. */
int mcp_events_post(struct mcp *m, json_object *message, bool expects, struct mcp_answer *ret,
                    struct error *err) CHECKED;
void mcp_events_close(struct mcp *m);

/* --- listen.c: servers with sessions may ask on a stream of its own while a request runs --------------------------------- */

/* On a thread, until stopped; only where there is a user to ask. */
void mcp_listen(struct mcp *m);
void mcp_stop_listening(struct mcp *m);

/* --- rpc.c: requests in the form of the era ------------------------------------------------------------------------------ */

/* {"jsonrpc", "id", "method", "params"}; takes params over (NULL: none). In MCP_STATELESS with _meta. */
json_object *mcp_request(struct mcp *m, const char *method, json_object *params);
/* Send it as the era demands, opening or re-opening the session as needed; *ret is the caller's result. name: of the tool. */
int mcp_ask(struct mcp *m, const char *method, const char *name, json_object *params,
            const char *const *extra, json_object **ret, struct error *err) CHECKED;
/* What an answer without a result means: always -1. */
int mcp_refused(struct mcp *m, const struct mcp_answer *answer, struct error *err);
/* What to make of an answer to tools/call: 1: *ret, 0: a pause, -1; 2: it is to be sent again, with what `params` has now. */
int mcp_conclude(struct mcp *m, const struct mcp_answer *answer, json_object *params, json_object **ret,
                 struct error *err) CHECKED;
int64_t mcp_error_code(const struct mcp_answer *answer); /* 0: none */
json_object *mcp_capabilities(const struct mcp *m);
json_object *mcp_client_info(void);

/* --- incoming.c: what the server asks and tells on the way ---------------------------------------------------------------- */

/* The result for a request of the server's, or NULL with *code. Owned by the caller. */
json_object *mcp_serve(struct mcp *m, const char *method, json_object *params, int *code);
void mcp_hear(struct mcp *m, const char *method, json_object *params);
/* Answers to what a result asks for before it can be complete (2026-07-28, "input_required"); owned by the caller. */
json_object *mcp_gather_inputs(struct mcp *m, json_object *requests);
/* Whether the user has been where an error sends them first (2025-11-25), so that the request may be sent again. */
bool mcp_visit_urls(struct mcp *m, json_object *elicitations);

/* --- pause.c: a call that its user's answer interrupts --------------------------------------------------------------------- */

/* Whether the answer to a call is a question that can be answered later; then m->pause says which. */
bool mcp_pause_for(struct mcp *m, const struct mcp_answer *answer);

/* --- header.c: arguments in headers (x-mcp-header) ------------------------------------------------------------------------ */

/* As it may stand in a header: itself, or =?base64?...?=. */
const char *mcp_header_value(const char *value, struct arena *a);
/* "Mcp-Param-Name: value" for each marked property; ended by NULL. */
const char *const *mcp_param_headers(const char *schema, json_object *arguments, struct arena *a);
/* Whether the marks of a schema can be obeyed. */
bool mcp_schema_fits(json_object *schema);

#endif
