/*
 * store_whole: a small document as a whole, file, text, chunks and words, in one transaction and one round trip. It is
 * ready when it is there, so no reader and no job ever sees it otherwise.
 */
#ifndef PARLEY_DOCUMENTS_STORE_WHOLE_H
#define PARLEY_DOCUMENTS_STORE_WHOLE_H

#include "svc-documents/store_index.h"

struct whole {
	const struct new_document *d; /* status, error and metadata are not looked at */
	const struct prepared *p;     /* without pages and parts */
	ProtobufCBinaryData file;     /* d->file's only piece */
	bool there;                   /* which is there already */
	const char *hash,
	    *twin;        /* of it; and a document that had that file before (store_same_file()), or NULL */
	const char *step; /* what follows, or NULL */
	int part; /* which of the owner's rows counts it: taken until the commit is on disk, so each thread has its own */
};
enum { WHOLE_MORE = 4, WHOLE_PARTS = 16 };
struct whole_stored {
	Documents__Document *document; /* the caller's, filled */
	int64_t small;                 /* how many of them this thread has counted for the owner */
};

/* more: up to WHOLE_MORE statements of the caller's for the same transaction; their answers are given back with
 * db_steps_done(). 1, 0: it cannot be done so, and nothing was; -1. */
int store_whole(struct db *db, const char *owner, const struct whole *w, struct db_step *more, int count,
                struct whole_stored *ret, struct arena *a, struct error *err) CHECKED;

#endif
