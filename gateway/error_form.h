/*
 * error_form: the body of an error, in the words that a route's clients know (`errors` in its contract).
 *
 *   ERRORS_DETAIL   {"detail": "<a sentence>"}, with "errors" for the fields of a 422
 *   ERRORS_OPENAI   {"error": {"message", "type", "param", "code"}}
 *   ERRORS_JSONRPC  {"jsonrpc": "2.0", "id": null, "error": {"code", "message"}}
 */
#ifndef PARLEY_ERROR_FORM_H
#define PARLEY_ERROR_FORM_H

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/rpc/route.h"

/* extra: a JSON object that a service gave along, or NULL. Its members join those of DETAIL; "param" and "code" of it
 * stand in OPENAI's. status: the HTTP status of err. */
void error_form(enum error_form form, const struct error *err, int status, const char *extra,
                struct text *out);

#endif
