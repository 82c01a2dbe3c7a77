/*
 * follow: streams of a document's status and progress, for those who watch it being processed. One thread serves all
 * of them: it looks at a document when it changed, and now and then besides. Works in any replica.
 */
#ifndef PARLEY_DOCUMENTS_FOLLOW_H
#define PARLEY_DOCUMENTS_FOLLOW_H

#include "common/service/call.h"
#include "svc-documents/ingest/watch.h"

struct follow;

struct follow *follow_open(struct service *s, struct watch *watch);
void follow_close(struct follow *f); /* ends the streams under way */

/* A stream of "status" events that ends when the document is ready, failed or gone; its id in the arena. */
int follow_start(struct follow *f, struct call *call, const char *document_id, const char **stream) CHECKED;

#endif
