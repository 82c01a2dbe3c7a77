/*
 * openapi: openapi.json (3.1) from the contracts. proto/openapi.json is its skeleton, written by hand: what the product
 * is, the chapters, how to sign in, the standard errors, and the gateway's own paths. Schemas come in two flavours:
 * of a request (what is required, bounds) and of an answer (every field is there, null where it has no value).
 */
#ifndef PARLEY_GENERATE_OPENAPI_H
#define PARLEY_GENERATE_OPENAPI_H

#include <json-c/json.h>

#include "proto/generate/generate.h"

/* A parameter is a part of a request that cannot be null; KEPT are the known keys of a free object in an answer. */
enum flavour { REQUEST, PARAMETER, ANSWER, KEPT };

struct openapi {
	struct model *model;
	json_object *paths, *schemas;
	json_object *answers; /* names of the messages that are part of an answer */
	json_object *named;   /* names of schemas, each with the message it is of */
	const char *route;    /* of the operation being written: names in braces are no part of its body */
	const char *path;     /* the same, perhaps with a parameter spelled out */
};

/* What the message is called there; two of one name are a mistake. */
const char *schema_name(struct openapi *o, const struct message *msg, const char *suffix);
/* {"$ref": ...} to the message's schema, which is made when it is not there yet. */
json_object *schema_reference(struct openapi *o, const struct message *msg, enum flavour flavour);
json_object *schema_of_field(struct openapi *o, const struct field *f, enum flavour flavour);
/* An object of the fields that `wanted` lets through. */
json_object *schema_of_fields(struct openapi *o, const struct message *msg, enum flavour flavour,
                              bool (*wanted)(const struct openapi *o, const struct field *f));
/* What a field may look like, as JSON: of the rule, or made up from its type. */
json_object *schema_example(const struct field *f);

/* A field that the body may fill, wherever the message stands; one that the body of this operation fills. */
bool schema_from_body(const struct openapi *o, const struct field *f);
bool openapi_in_body(const struct openapi *o, const struct field *f);
bool openapi_in_query(const struct openapi *o, const struct rpc *r, const struct field *f);
bool openapi_has_body(const struct openapi *o, const struct rpc *r, bool *required);

void openapi_parameters(struct openapi *o, const struct rpc *r, json_object *operation);
void openapi_body(struct openapi *o, const struct rpc *r, json_object *operation);
void openapi_responses(struct openapi *o, const struct rpc *r, json_object *operation);

/* The owner's content of that media type, made. */
json_object *openapi_content(json_object *owner, const char *type);

/* Small helpers: add to an object (NULL text is left out); what was added belongs to it. */
json_object *put(json_object *object, const char *key, json_object *value); /* returns value */
void put_text(json_object *object, const char *key, const char *text);
void put_int(json_object *object, const char *key, int64_t value);
json_object *put_object(json_object *object, const char *key);

#endif
