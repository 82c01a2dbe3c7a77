/*
 * generate: what the build makes of the contracts, beside protoc-c. Reads one descriptor set (protoc
 * --descriptor_set_out --include_imports --include_source_info), checks the annotations of proto/http.proto and
 * writes the files that common/rpc/method.h lists.
 *
 *	build/generate build/gen/contracts.ds proto/openapi.json proto/examples.json build/gen
 *
 *   main.c          the steps, in order
 *   model.c         the set as contracts, messages, fields and rpcs, with our options decoded
 *   comments.c      the comments that belong to them
 *   check.c         what cannot be meant; check_rule.c: the same for the rules of fields
 *   names.c         C names, as protoc-c makes them
 *   emit_c.c        method tables and contracts, clients; emit_services.c, emit_shapes.c, emit_routes.c: what is of all
 *   openapi*.c      openapi.json
 *
 * Every mistake is told with the place where it stands, then the build stops. A short-lived program: all memory comes
 * from one arena and nothing is given back. Files that would not change are not written, so make rebuilds little.
 */
#ifndef PARLEY_GENERATE_H
#define PARLEY_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/text.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "http.pb-c.h"

typedef Google__Protobuf__FieldDescriptorProto Field;

struct enumeration {
	const char *name; /* "documents.Status" */
	const char *comment;
	const char **words; /* lower-case: as in JSON */
	size_t count;
};

struct field {
	const Field *proto;
	const char *name; /* "documents.Document.created_at": for sentences about mistakes */
	const char *json_name, *comment;
	const Parley__Rule *rule; /* an empty one when there is none */
	const struct message *sub, *like;
	const struct enumeration *words;
	bool repeated;
};

struct message {
	const char *name;           /* "documents.Document" */
	const char *c_type, *c_low; /* Documents__Document, documents__document */
	const char *comment;
	const char *schema;   /* what openapi.json calls it; NULL: as it is called here */
	struct field *fields; /* by number, as protobuf-c has them */
	size_t field_count;
};

struct rpc {
	const struct contract *contract;
	const char *name;      /* "documents.GetDocument" */
	const char *low, *upp; /* "get_document", "GET_DOCUMENT" */
	const char *wire;      /* "documents.get_document" */
	uint32_t id;
	const char *comment;
	const struct message *in, *out;
	const Parley__Http *http;           /* NULL: internal */
	const Parley__Behaviour *behaviour; /* never NULL */
	const char *verb, *path;            /* NULL when internal */
	bool reads;
};

struct contract {
	const char *name; /* "documents": of the file, the package and the service's program */
	const char *comment;
	const Parley__Service *service; /* never NULL */
	struct rpc *rpcs;
	size_t rpc_count;
};

struct model {
	struct arena *arena;
	struct contract *contracts;
	struct message *messages;
	struct enumeration *enums;
	size_t contract_count, message_count, enum_count;
	int mistakes;
};

/* A sentence on stderr; the build stops once all were found. */
void mistake(struct model *m, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

void model_load(struct model *m, const void *bytes, size_t size);
const struct message *model_message(const struct model *m,
                                    const char *name); /* with or without a leading dot */
const struct field *message_field(const struct message *msg,
                                  const char *json_name); /* NULL when there is none */

/* The comment at that path of the file, unwrapped; NULL when there is none. */
const char *comment_at(const Google__Protobuf__FileDescriptorProto *file, const int32_t *path, size_t length,
                       struct arena *a);

void check_model(struct model *m);
void check_rule(struct model *m, const struct message *msg, const struct field *f);

bool same(const char *a, const char *b);

/* The next name between braces in a path from *at on, or NULL. */
const char *path_parameter(const char **at, struct arena *a);

const char *c_type_name(const char *full_name, struct arena *a);  /* a.FooBar -> A__FooBar */
const char *c_lower_name(const char *full_name, struct arena *a); /* a.FooBar -> a__foo_bar */
const char *upper(const char *text, struct arena *a);
const char *lower(const char *text, struct arena *a);
/* The C word of an annotation's enum: word("ACCESS", &parley__access__descriptor, 3) is ACCESS_ADMIN. */
const char *word(const char *prefix, const ProtobufCEnumDescriptor *words, int value, struct arena *a);

void emit_methods(const struct model *m, const struct contract *c, const char *dir);
void emit_client(const struct model *m, const struct contract *c, const char *dir);
void emit_services(const struct model *m, const char *dir);
void emit_shapes(const struct model *m, const char *dir);
void emit_routes(const struct model *m, const char *dir);
void emit_openapi(struct model *m, const char *skeleton, const char *examples, const char *dir);
void write_file(const char *dir, const char *name, const struct text *content);

#endif
