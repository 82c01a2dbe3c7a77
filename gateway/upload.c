#include "gateway/upload.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/own.h"
#include "common/json/json_message.h"
#include "documents.client.h"
#include "gateway/multipart.h"
#include "gateway/transcode.h"

enum { CHUNK = 256 * 1024, FIELD_MAX = 64 * 1024, WHOLE_MAX = 64 * 1024 };

OWN_DEFINE(digest, EVP_MD_CTX *, EVP_MD_CTX_free)

struct upload {
	struct exchange *x;
	struct multipart form;
	char id[UUID_TEXT];
	unsigned char *bytes; /* as a part is read, */
	size_t room; /* so many at a time: CHUNK, or the whole body, which is more than any part of it */
	const char *file_name; /* NULL: there was no file yet */
	int64_t size;
	int32_t chunks;
	EVP_MD_CTX *digest;        /* of the content, when there is an Idempotency-Key; else NULL */
	ProtobufCBinaryData whole; /* a small file, which was put nowhere */
};

static int read_body(void *arg, void *bytes, size_t room, size_t *got, struct error *err)
{
	struct exchange *x = arg;

	(void)err; /* the request's own */
	return request_read(x->req, bytes, room, x->route->body_limit, got);
}

/* Until room is full or the part ends. */
static int read_part(struct upload *u, size_t room, size_t *got)
{
	size_t more;

	for (*got = 0; *got < room; *got += more) {
		if (multipart_read(&u->form, u->bytes + *got, room - *got, &more, &u->x->req->err) < 0)
			return -1;
		if (!more)
			break;
	}
	return 0;
}

static int put_chunk(struct upload *u, ProtobufCBinaryData data, struct arena *a)
{
	Documents__PutChunkRequest in = DOCUMENTS__PUT_CHUNK_REQUEST__INIT;
	Rpc__Caller ourselves = *u->x->rpc.caller;
	struct rpc_context ctx = u->x->rpc;
	ProtobufCMessage *out;

	ourselves.kind = RPC__CALLER__KIND__SERVICE; /* for the same owner: the method is not for users */
	ctx.caller = &ourselves;
	ctx.arena = a;
	ctx.extra = NULL;
	ctx.deadline = clock_unix_ms() + u->x->route->timeout_seconds * INT64_C(1000);
	ctx.idempotency_key = NULL;
	in.upload_id = u->id;
	in.has_number = in.has_data = 1;
	in.number = u->chunks++;
	in.data = data;
	if (rpc_call(u->x->peer, &ctx, &documents_client_methods[DOCUMENTS_METHOD_PUT_CHUNK], &in.base,
	             &out) == 0)
		return 0;
	u->x->req->err.fields = NULL; /* they lived in the piece's arena, and say nothing to a client */
	return -1;
}

/* What is all of a file and small goes with the request itself. */
static int take_chunk(struct upload *u, size_t size, struct arena *a)
{
	ProtobufCBinaryData data = { .data = u->bytes, .len = size };

	if (u->chunks || size > WHOLE_MAX)
		return put_chunk(u, data, a);
	data.data = arena_memdup(u->x->req->arena, u->bytes, size);
	u->whole = data;
	return 0;
}

/* Once a field was bad the answer is known: the file is read, and goes nowhere. */
static int pass_file(struct upload *u, const struct multipart_part *part)
{
	struct request *req = u->x->req;
	struct arena a;
	size_t got;
	int rc = 0;

	if (u->file_name)
		return error_field(&req->err, req->arena, "body", u->x->route->upload, "value_error",
		                   "is given twice");
	u->file_name = part->file_name ? part->file_name : "";
	arena_init(&a, 0);
	do {
		rc = read_part(u, u->room, &got);
		if (rc == 0 && got && !req->err.code)
			rc = take_chunk(u, got, &a);
		if (u->digest)
			EVP_DigestUpdate(u->digest, u->bytes, got);
		u->size += (int64_t)got;
		arena_reset(&a);
	} while (rc == 0 && got == u->room);
	arena_done(&a);
	return rc;
}

/* A field of the form. A bad one is recorded, and the reading goes on. */
static int take_field(struct upload *u, const struct multipart_part *part, ProtobufCMessage *msg)
{
	struct request *req = u->x->req;
	size_t got;

	if (read_part(u, u->room < FIELD_MAX ? u->room : FIELD_MAX, &got) < 0)
		return -1;
	if (got == FIELD_MAX)
		return error_set(&req->err, ERROR_TOO_LARGE, "a field of the form has %d bytes or more",
		                 FIELD_MAX);
	(void)!json_field_from_text(u->x->route->in, part->name, (const char *)u->bytes, got, "body", msg,
	                            req->arena, &req->err);
	return 0;
}

static int read_form(struct upload *u, ProtobufCMessage *msg)
{
	struct multipart_part part;
	int more;

	while ((more = multipart_next(&u->form, &part, &u->x->req->err)) == 1) {
		bool file = !strcmp(part.name, u->x->route->upload);

		if ((file ? pass_file(u, &part) : take_field(u, &part, msg)) < 0)
			return -1;
	}
	return more;
}

/* The content's hash in hexadecimal, or NULL. */
static const char *hash(struct upload *u)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	char *text;

	if (!u->digest || EVP_DigestFinal_ex(u->digest, bytes, &size) != 1)
		return NULL;
	text = arena_alloc(u->x->req->arena, 2 * size + 1);
	hex_encode(text, bytes, size);
	return text;
}

/* What the gateway knows of the file goes into the fields of these names. */
static void fill(struct upload *u, ProtobufCMessage *msg)
{
	const struct shape *shape = u->x->route->in;
	struct request *req = u->x->req;
	const char *size = arena_printf(req->arena, "%lld", (long long)u->size);
	const struct {
		const char *name, *value;
	} known[] = { { "uploadId", u->id },
		      { "fileName", u->file_name },
		      { "fileSize", size },
		      { "fileHash", hash(u) } };

	for (size_t i = 0; i < sizeof known / sizeof known[0] && known[i].value; i++)
		(void)!json_field_from_text(shape, known[i].name, known[i].value, strlen(known[i].value),
		                            "gateway", msg, req->arena, &req->err);
}

/* A small file goes along, or does not. */
static void attach(const struct upload *u, ProtobufCMessage *in, bool goes)
{
	const ProtobufCFieldDescriptor *f =
	    protobuf_c_message_descriptor_get_field_by_name(in->descriptor, "content");

	*(protobuf_c_boolean *)((char *)in + f->quantifier_offset) = goes && u->whole.len;
	*(ProtobufCBinaryData *)((char *)in + f->offset) = goes ? u->whole : (ProtobufCBinaryData){ 0 };
}

/* The body, its file passed on, and *in made of the rest. */
static int receive(struct upload *u, ProtobufCMessage **in)
{
	struct exchange *x = u->x;
	struct request *req = x->req;
	OWN(digest) EVP_MD_CTX *digest = x->rpc.idempotency_key ? EVP_MD_CTX_new() : NULL;

	u->digest = digest;
	if (digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
		return error_internal(&req->err, "SHA-256 cannot be had");

	if (transcode_begin(x, in) < 0 ||
	    multipart_init(&u->form, request_header(req, "Content-Type"), read_body, x, req->arena,
	                   &req->err) < 0 ||
	    request_body_begin(req, x->route->body_limit) < 0)
		return -1;
	uuid_make(u->id);
	u->room = req->wire.length > 0 && req->wire.length < CHUNK ? (size_t)req->wire.length : CHUNK;
	u->bytes = arena_alloc(req->arena, u->room);
	if (read_form(u, *in) < 0)
		return -1;
	if (u->file_name)
		fill(u, *in);
	else
		error_field(&req->err, req->arena, "body", x->route->upload, "missing", "is required");
	return transcode_check(x, *in);
}

/* A service of an earlier version does not see what goes along, and says that there are no pieces. One that sees it has no
 * reason to. */
static bool wants_pieces(const struct error *err)
{
	return err->code == ERROR_INVALID && strcmp(err->message, "the file did not arrive whole") == 0;
}

/* As a whole where it is small, else in the pieces that are there by now. */
static int send(struct upload *u, ProtobufCMessage *in, ProtobufCMessage **out)
{
	struct exchange *x = u->x;

	attach(u, in, true);
	if (rpc_call(x->peer, &x->rpc, x->route->method, in, out) == 0)
		return 0;
	if (!u->whole.len || !wants_pieces(&x->req->err))
		return -1;
	error_clear(&x->req->err);
	attach(u, in, false);
	if (put_chunk(u, u->whole, x->req->arena) < 0)
		return -1;
	return rpc_call(x->peer, &x->rpc, x->route->method, in, out);
}

int upload_receive(struct exchange *x)
{
	struct gate *uploads = x->gateway->uploads;
	struct upload u = { .x = x };
	struct gate_place place;
	ProtobufCMessage *in, *out;
	int rc;

	if (!gate_enter(uploads, x->req->user, x->req->ip, &place))
		return error_busy(&x->req->err, 2, "too many uploads at once");
	rc = receive(&u, &in);
	gate_leave(uploads, &place); /* what it waits for from here is not the client */
	if (rc < 0)
		return -1;
	x->rpc.deadline = clock_unix_ms() +
	                  x->route->timeout_seconds * INT64_C(1000); /* from here, not from the first byte */
	return send(&u, in, &out) < 0 ? -1 : transcode_answer(x, out);
}
