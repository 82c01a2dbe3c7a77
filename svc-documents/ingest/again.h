/*
 * again: jobs on documents that are there: vectors (of new documents, and of those that another model embedded), and
 * words that an older tokenizer indexed. The old ones answer until the new ones are stored. And small documents that are
 * too many to stay so (store_small.h).
 */
#ifndef PARLEY_DOCUMENTS_AGAIN_H
#define PARLEY_DOCUMENTS_AGAIN_H

#include "common/job/job.h"

int again_find(struct call *call, const struct job *job);  /* which documents want it; comes back by itself */
int again_words(struct call *call, const struct job *job); /* index one document's words anew */
int again_vectors(struct call *call, const struct job *job); /* embed one document */
int again_small(struct call *call, const struct job *job);   /* an owner's oldest small ones */

/* In the caller's transaction: embed it soon. new: an upload, which goes before what is embedded again. */
int again_embed(struct db *db, const char *owner, const char *id, bool new, struct arena *a,
                struct error *err) CHECKED;
/* In the caller's transaction: some of an owner's small documents are to be spread. */
int again_spread(struct db *db, const char *owner, struct error *err) CHECKED;

#endif
