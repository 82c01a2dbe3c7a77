/*
 * files: the originals, wherever they lie. Uploads come into the table `piece`, in pieces of PIECE_MAX; where S3 is
 * configured (s3.h) they are moved there once they are claimed by a document, by jobs that an outage delays and no more.
 */
#ifndef PARLEY_DOCUMENTS_FILES_H
#define PARLEY_DOCUMENTS_FILES_H

#include "common/base/id.h"
#include "common/job/job.h"
#include "svc-documents/store.h"

/* One piece, in the arena: 1, 0 there is none of that number, -1. */
int file_piece(struct call *call, const char *owner, const char *file, int number,
               ProtobufCBinaryData *ret) CHECKED;
/* All of it into a file in memory (ingest/extract.h); hash: NULL, or gets it too. */
int file_copy(struct call *call, const char *owner, const char *file, int to, struct sha256 *hash) CHECKED;

/* In the caller's transaction: to S3 with it, if there is one. */
int file_move_later(struct call *call, const char *owner, const char *file) CHECKED;
int file_move(struct call *call, const struct job *job);
/* What S3 has and no document any more. Later is fine; delay: so many seconds. */
int file_sweep(struct call *call) CHECKED;
int file_sweep_later(struct call *call, int delay) CHECKED;

#endif
