/*
 * transcode: HTTP to message and back, by the route's shapes alone.
 *
 * The path's parameters, the query, headers and the body fill the request message; every bad field is told at once.
 * The reply becomes JSON, or one of its fields alone, a page of HTML, a redirect, or nothing (204).
 */
#ifndef PARLEY_TRANSCODE_H
#define PARLEY_TRANSCODE_H

#include "gateway/gateway.h"

/* The message with what path, query and headers say. Bad fields are recorded in the request's error, and the filling
 * goes on: the caller adds the body and then calls transcode_check(). -1 only for what ends it at once: a 404. */
int transcode_begin(struct exchange *x, ProtobufCMessage **ret) CHECKED;
/* What is required and missing; -1 when any field was bad. */
int transcode_check(struct exchange *x, const ProtobufCMessage *msg) CHECKED;

/* The whole request, body included. */
int transcode_request(struct exchange *x, ProtobufCMessage **ret) CHECKED;

/* The stream that a reply tells of: it is one, or has one. NULL: it is an answer. */
const Rpc__Started *transcode_started(const struct route *route, const ProtobufCMessage *reply);

/* Answers with the reply. */
int transcode_answer(struct exchange *x, const ProtobufCMessage *reply) CHECKED;

/* A list that goes on: the same address with another cursor, as a Link header of the answer. */
void transcode_link(const struct exchange *x, const char *cursor);

#endif
