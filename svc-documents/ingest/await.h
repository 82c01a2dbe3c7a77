/* await: a page for a call that waits for it and holds no thread meanwhile, but for reading what has come. */
#ifndef PARLEY_DOCUMENTS_AWAIT_H
#define PARLEY_DOCUMENTS_AWAIT_H

#include "svc-documents/ingest/prepare.h"

/* The page is there: 0 with the answer in out, or -1. */
typedef int page_then(struct call *call, void *arg, const struct prepared *page, ProtobufCMessage *out);

/* Parks the call, which ends by then(), or with what page_prepare() says; a service that is about to stop gives it a
 * thread to its end. -1: there is no place to wait in. url and arg live in the call's arena. */
int page_await(struct call *call, const char *url, page_then *then, void *arg) CHECKED;

#endif
