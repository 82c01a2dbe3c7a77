/*
 * sealer: secrets at rest, for every service: tokens of Slack and MCP servers, keys of providers.
 *
 * The keys are one ring for all, kept and rotated by svc-auth. It is fetched by rpc when first needed, again after a
 * minute, and at once for a text that names a key nobody here has heard of. So the first call asks another process: not
 * inside a transaction, and from a handler whose contract says that it may wait for one.
 *
 * `context` ("slack/<owner>/<id>") is authenticated with the text, so that it cannot be moved to another row.
 */
#ifndef PARLEY_SEALER_H
#define PARLEY_SEALER_H

#include "common/service/call.h"

/* The sealed text, in the call's arena. -1: svc-auth is away. */
int sealer_seal(struct call *call, const char *context, const char *plain, char **ret) CHECKED;
/* The plain text. -1: svc-auth is away, or (ERROR_INTERNAL) no key opens it. */
int sealer_open(struct call *call, const char *context, const char *sealed, char **ret) CHECKED;

#endif
