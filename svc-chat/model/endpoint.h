/*
 * endpoint: where an OpenAI-compatible model is asked, and the request as it wants it.
 *
 * The base URL is taken as people have it: with or without "/chat/completions" or a slash at its end, and with a query
 * (Azure's "?api-version="), which is kept behind the path; Azure's key travels as it wants it.
 */
#ifndef PARLEY_CHAT_ENDPOINT_H
#define PARLEY_CHAT_ENDPOINT_H

#include "svc-chat/model/model.h"
#include "svc-chat/model/quirks.h"

struct endpoint {
	const char *name;     /* of the setting, for sentences: "CHAT_BASE_URL" */
	const char *base_url; /* as cleaned: what is learned is kept under it */
	const char *chat_url, *models_url;
	const char *key, *model;
	const char *headers[4]; /* ended by NULL */
};

/* 0, or -1 with ERROR_INVALID and a sentence that names the setting. Strings go to the arena. */
int endpoint_init(struct endpoint *e, const char *name, const char *base_url, const char *key,
                  const char *model, struct arena *a, struct error *err) CHECKED;

/* The body of a request, without what the model is known to refuse. plain_tools: their schemas are told in words, since
 * the endpoint refuses one of them. */
const char *endpoint_body(const struct model_request *request, const struct model_message *messages,
                          size_t count, const char *model, const struct quirks *quirks, bool plain_tools,
                          struct arena *a);

#endif
