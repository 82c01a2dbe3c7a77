/*
 * mcp/internal: what the files of mcp share.
 *
 * What is under way is a step: a function that returns true when it waits, and false when the next step (or none: it is
 * over) can follow at once. Steps are entered again whenever anything has come; each looks at what there is.
 */
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

typedef bool mcp_step(struct mcp *m);

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

/* An HTTP answer as it is read. */
struct mcp_source {
	struct mcp *m;
	struct egress_stream *stream; /* NULL: none is read */
	struct sse_reader events;     /* there while `reads` */
	struct text raw, body;
	int status; /* 0: it has not begun */
	bool reads;
	bool streams; /* it is an event stream */
};

/* A question of the server's that waits for mcp_answer(), or for those before it. */
struct mcp_held {
	json_object *request; /* owned */
	struct mcp_held *next;
};

/* What is under way. */
struct mcp_wire {
	mcp_step *step; /* NULL: it is over, as `result` says */
	int result;
	struct error *err; /* of who goes on just now */

	/* The request that is sent, and what it gets. */
	struct mcp_source main;
	int64_t id;  /* -1: it expects no response */
	bool pauses; /* it may end with `asked` */
	bool once;   /* it is a call that must not be made twice */
	int resumes; /* how often its stream was taken up again */
	mcp_step *heard;
	struct mcp_answer answer;
	const char *unreadable; /* what is wrong with JSON that came instead; NULL: none did */
	const char *last_event; /* of a stream that is to be taken up again */
	int64_t rest_until, retry_ms;

	/* What the server says by itself (side.c). */
	struct mcp_source side;
	int64_t listen_at; /* monotonic ms: when to listen again; 0: not */
	int listened;
	const char *endpoint; /* of MCP_EVENTS: where to send what */
	bool misled;          /* that is an address of another server */
	int64_t endpoint_by;
	struct mcp_held *held; /* the first is the one that is asked */
	bool asking;           /* it is */
	int64_t asked_at;
	int64_t served; /* monotonic ms: up to when the server has used what it may ask */

	/* Opening (open.c). */
	mcp_step *opened, *no_events;
	mcp_step *opened_then, *no_events_then; /* of who opens the stream of events */
	struct mcp_answer refusal;

	/* What is asked (rpc.c). */
	const char *method, *name;
	json_object *params; /* owned */
	const char *const *extra;
	mcp_step *concluded;
	int rounds, pages;
	size_t bytes_before;
	bool reopened, known; /* known: its session is from before */
	json_object *kept;    /* of a pause; owned */
};

/* Over, as wire->err says. Both return false. */
bool mcp_fail(struct mcp *m);
bool mcp_done(struct mcp *m);
struct mcp_wire *mcp_begin(struct mcp *m, mcp_step *step); /* with nothing under way */
void mcp_wake_at(struct mcp *m, int64_t when);             /* the earliest that is named counts */

/* --- http.c: one JSON-RPC message over HTTP ----------------------------------------------------------------------------- */

/*
 * POST a message; expects: and wait for the response with its id, over JSON or an event stream, which is taken up again when
 * it breaks off (sessions only). On the way the server's own requests and notifications are answered. extra: headers of this
 * request, ended by NULL. heard() is the step once wire->answer is there. Returns false.
 */
bool mcp_send(struct mcp *m, json_object *request, const char *const *extra, bool expects, mcp_step *heard);
/* Go on with the stream of request `id` after an event. */
bool mcp_continue(struct mcp *m, int64_t id, const char *event, mcp_step *heard);
/* Nobody waits for what comes back. */
void mcp_tell(struct mcp *m, json_object *message);
void mcp_delete_session(struct mcp *m);
void mcp_answer_done(struct mcp_answer *a);

/* A message, or a batch of them, that has come: the one that is waited for goes into wire->answer, others are answered. */
void mcp_take_text(struct mcp_source *s, const char *bytes, size_t size);
bool mcp_is_answered(const struct mcp_wire *w);
/* Of a request of this conversation, ended by NULL. last_event, extra: may be NULL. */
const char **mcp_headers(struct mcp *m, const char *const *extra, const char *last_event);
int mcp_time_left(const struct mcp *m); /* ms, at least 1 */

void mcp_source_start(struct mcp_source *s, const struct egress_request *request,
                      int (*on_event)(void *source, const struct sse_event *event));
/* What has come is taken. 1: more may come, 0: it is over, -1. */
int mcp_source_read(struct mcp_source *s, struct error *err);
void mcp_source_end(struct mcp_source *s, int64_t linger_ms);

/* --- side.c: what the server says by itself ------------------------------------------------------------------------------ */

/* Open the stream of MCP_EVENTS, which names the address to send to: then wire->opened is next; wire->no_events where there
 * is no such stream. Returns false. */
bool mcp_open_events(struct mcp *m);
/* Servers with sessions may ask on a stream of its own while a request runs; only where there is a user to ask. */
void mcp_listen(struct mcp *m);
/* Takes what has come there. 1: more may come, 0: there is no such stream (any more), -1. */
int mcp_hear_side(struct mcp *m, struct error *err);
/* A request of the server's is answered, now or later; of too many in too little time some are not. */
void mcp_serve(struct mcp *m, json_object *request);
void mcp_hear(struct mcp *m, const char *method, json_object *params);
/* Answers to what a result asks for before it can be complete (2026-07-28, "input_required"); owned by the caller. */
json_object *mcp_gather_inputs(struct mcp *m, json_object *requests);
/* Whether the user has been where an error sends them first (2025-11-25), so that the request may be sent again. */
bool mcp_visit_urls(struct mcp *m, json_object *elicitations);

/* --- open.c: a version, and a session where the server has them ------------------------------------------------------------ */

bool mcp_open(struct mcp *m);         /* a step; then wire->opened is next */
bool mcp_open_session(struct mcp *m); /* a new one, whatever there was */

/* --- rpc.c: requests in the form of the era ------------------------------------------------------------------------------ */

/* {"jsonrpc", "id", "method", "params"}; takes params over (NULL: none). In MCP_STATELESS with _meta. */
json_object *mcp_request(struct mcp *m, const char *method, json_object *params);
/* Without an id. */
json_object *mcp_notification(const char *method, json_object *params);
/* Send it as the era demands, opening or re-opening the session as needed; concluded() is the step once m->result or
 * m->pause is there. Takes params over. name: of the tool. */
void mcp_ask(struct mcp *m, const char *method, const char *name, json_object *params,
             const char *const *extra, mcp_step *concluded);
/* What an answer without a result means: always -1. */
int mcp_refused(struct mcp *m, const struct mcp_answer *answer, struct error *err);
/* A step: what to make of wire->answer to tools/call or others; it may be sent again, with what params has now. */
bool mcp_conclude(struct mcp *m);
int64_t mcp_error_code(const struct mcp_answer *answer); /* 0: none */
json_object *mcp_result_of(const struct mcp_answer *answer);
json_object *mcp_capabilities(const struct mcp *m);
json_object *mcp_client_info(void);

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
