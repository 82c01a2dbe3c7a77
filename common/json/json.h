/*
 * json: the only door for JSON from outside, and small helpers for reading other people's formats.
 *
 * jansson, below libjwt, has some of these names too: our programs show none of theirs (-fvisibility=hidden).
 *
 * json_parse() is strict (RFC 8259): json-c alone takes trailing garbage, NaN, comments and bad UTF-8, clamps large
 * integers, drops doubled keys and stops at U+0000. Ours refuses all of these and a depth over 32, says why and where.
 */
#ifndef PARLEY_JSON_H
#define PARLEY_JSON_H

#include <json-c/json.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/own.h"
#include "common/base/utf8.h"

enum { JSON_MAX_DEPTH = 32 };

OWN_DEFINE(json, json_object *, json_object_put)

/* 0 with *ret the caller's (a JSON null is a NULL pointer), or -1 with ERROR_MALFORMED. */
int json_parse(const char *bytes, size_t length, json_object **ret, struct error *err) CHECKED;

/* Members of an object; the fallback (or NULL) when missing or of another type. Strings live as long as the object. */
json_object *json_get(json_object *object, const char *key);
const char *json_string(json_object *object, const char *key);
int64_t json_int(json_object *object, const char *key, int64_t fallback);
double json_real(json_object *object, const char *key, double fallback);
int json_flag(json_object *object, const char *key, int fallback);

/* Compact text in the arena. */
char *json_print(json_object *value, struct arena *a);

#endif
