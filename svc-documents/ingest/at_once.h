/*
 * at_once: a small text is processed where it is received. It costs a few milliseconds; a job for it, with the rows, commits
 * and wake-ups that it needs, cost several times as much.
 *
 * Whatever is not plainly so (larger, of another format, of a hash that the owner has already, near his bounds, to go to
 * S3, without text) is a job's.
 */
#ifndef PARLEY_DOCUMENTS_AT_ONCE_H
#define PARLEY_DOCUMENTS_AT_ONCE_H

#include "svc-documents/store.h"
#include "svc-documents/svc.h"

/* file: all of it; there: it is stored already, as d->file. 1: *out is the document, ready and committed (or in the caller's
 * transaction); 0: nothing was done; -1. */
int at_once(struct call *call, const struct new_document *d, ProtobufCBinaryData file, bool there,
            Documents__Document *out) CHECKED;

#endif
