#include "gateway/list.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/json/json_message.h"
#include "common/json/json_write.h"
#include "gateway/answer.h"
#include "gateway/transcode.h"

/* The field of that name and type, or NULL. */
static const ProtobufCFieldDescriptor *field(const struct shape *shape, const char *name, ProtobufCType type)
{
	unsigned index;

	if (!shape_find(shape, name, &index) || shape->message->fields[index].type != type)
		return NULL;
	return &shape->message->fields[index];
}

bool list_is(const struct route *route)
{
	return route->response_body && field(route->out, "next", PROTOBUF_C_TYPE_STRING) &&
	       field(route->in, "cursor", PROTOBUF_C_TYPE_STRING) &&
	       field(route->in, "limit", PROTOBUF_C_TYPE_INT32);
}

static void *at(ProtobufCMessage *msg, unsigned offset)
{
	return (char *)msg + offset;
}

/* The list as it is gathered: what was asked, and how far it is. */
struct gathering {
	struct exchange *x;
	ProtobufCMessage *in;
	bool limited; /* the client named a limit */
	size_t wanted, rows;
	const char *next;  /* the cursor of what follows, in the request's arena; NULL: nothing does */
	bool begun;        /* the head of a list in pieces is out */
	struct arena page; /* of one reply */
};

/* How many the service is asked for: what is still wanted of a limit; as it likes without one. */
static void set_limit(struct gathering *g)
{
	const ProtobufCFieldDescriptor *limit = field(g->x->route->in, "limit", PROTOBUF_C_TYPE_INT32);
	int32_t *value = at(g->in, limit->offset);
	protobuf_c_boolean *has = at(g->in, limit->quantifier_offset);

	if (!g->begun && !g->rows) {
		g->limited = *has;
		g->wanted = *has ? (size_t)*value : LIST_MAX;
	}
	if (g->limited)
		*value = (int32_t)(g->wanted - g->rows);
}

/* What an error reply brought lives in the page's arena, and is told when that is gone. */
static void keep_error(struct exchange *x)
{
	const struct field_error *f = x->req->err.fields;

	x->extra = arena_strdup(x->req->arena, x->extra);
	for (x->req->err.fields = NULL; f; f = f->next)
		error_field(&x->req->err, x->req->arena, f->where, f->field, f->type, "%s", f->msg);
}

/* The next reply's rows as JSON, without the brackets, in the page's arena. */
static int ask(struct gathering *g, struct text *rows)
{
	struct exchange *x = g->x;
	const ProtobufCFieldDescriptor *cursor = field(x->route->in, "cursor", PROTOBUF_C_TYPE_STRING);
	const ProtobufCFieldDescriptor *next = field(x->route->out, "next", PROTOBUF_C_TYPE_STRING);
	struct rpc_context ctx = x->rpc;
	ProtobufCMessage *reply;
	unsigned index;

	set_limit(g);
	if (g->next)
		*(const char **)at(g->in, cursor->offset) = g->next;
	ctx.arena = &g->page;
	if (rpc_call(x->peer, &ctx, x->route->method, g->in, &reply) < 0) {
		keep_error(x);
		return -1;
	}
	(void)!shape_find(x->route->out, x->route->response_body, &index);
	g->rows += *(size_t *)at(reply, x->route->out->message->fields[index].quantifier_offset);
	g->next = arena_strdup(x->req->arena, *(char **)at(reply, next->offset));
	text_init(rows, &g->page);
	json_from_field(rows, x->route->out, reply, x->route->response_body);
	rows->at++;
	rows->length -= 2;
	return 0;
}

static bool goes_on(const struct gathering *g)
{
	return g->next && g->rows < g->wanted;
}

/* Everything was in one reply, or so much of it as was asked for. */
static int answer_whole(const struct gathering *g, const struct text *rows)
{
	struct text out;

	if (g->next)
		transcode_link(g->x, g->next);
	text_init(&out, g->x->req->arena);
	text_addc(&out, '[');
	text_add(&out, rows->at, rows->length);
	text_addc(&out, ']');
	answer_json(g->x->req, g->x->route->status, out.at, out.length);
	return 0;
}

/* With a limit the Link must stand in the head, so all pages come first; their number is small. */
static int answer_limited(struct gathering *g, struct text *rows)
{
	struct text all;

	text_init(&all, g->x->req->arena);
	text_add(&all, rows->at, rows->length);
	while (goes_on(g)) {
		arena_reset(&g->page);
		if (ask(g, rows) < 0)
			return -1;
		if (rows->length)
			text_addc(&all, ',');
		text_add(&all, rows->at, rows->length);
	}
	return answer_whole(g, &all);
}

/* A failure on the way leaves the array without its end, and the connection closes: no client takes that for whole. */
static int answer_pieces(struct gathering *g, struct text *rows)
{
	struct request *req = g->x->req;
	const char *before = "[";

	g->begun = true;
	if (answer_stream_begin(req, "application/json") < 0)
		return 0;
	for (;;) {
		if (rows->length && (answer_stream_write(req, before, 1) < 0 ||
		                     answer_stream_write(req, rows->at, rows->length) < 0))
			return 0;
		before = ",";
		if (!goes_on(g))
			break;
		arena_reset(&g->page);
		g->x->rpc.deadline = clock_unix_ms() + g->x->route->timeout_seconds * INT64_C(1000);
		if (ask(g, rows) < 0)
			return 0;
	}
	(void)!answer_stream_write(req, "]", 1);
	return 0;
}

int list_serve(struct exchange *x)
{
	struct gathering g = { .x = x };
	struct text rows;
	int rc;

	if (transcode_request(x, &g.in) < 0)
		return -1;
	arena_init(&g.page, 0);
	rc = ask(&g, &rows);
	if (rc == 0)
		rc = !goes_on(&g) || x->req->head ? answer_whole(&g, &rows)
		     : g.limited                  ? answer_limited(&g, &rows)
		                                  : answer_pieces(&g, &rows);
	arena_done(&g.page);
	return rc;
}
