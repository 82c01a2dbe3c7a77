/*
 * ingest: from a file or a page to something that can be searched: extract, normalise, chunk, embed, store.
 *
 * Jobs do it (common/job/job.h), so that any replica can and a killed one loses nothing: everything is worked out first and
 * replaces what was there in one transaction. Doing it twice gives the same.
 */
#ifndef PARLEY_DOCUMENTS_INGEST_H
#define PARLEY_DOCUMENTS_INGEST_H

#include "svc-documents/ingest/prepare.h"
#include "svc-documents/store_index.h"
#include "svc-documents/svc.h"

/* "ingest": a document; "sweep": pieces of files that nobody claimed; and the kinds of again.h. */
extern const struct job_kind ingest_kinds[];
extern const size_t ingest_kind_count;

/* In the caller's transaction: have the document processed, in place of whatever work on it waits or is under way. */
int ingest_later(struct db *db, const char *owner, const char *document_id, struct arena *a,
                 struct error *err) CHECKED;

/* The same after so many seconds, by a job that runs; quiet: see struct target. */
int ingest_again(struct db *db, const struct target *t, int delay, struct arena *a,
                 struct error *err) CHECKED;
/* In the caller's transaction: no more of it. */
int ingest_cancel(struct db *db, const char *owner, const char *document_id, struct error *err) CHECKED;
/* In the caller's transaction: everything about a document is stored; its vectors follow, where a model makes some. 1,
 * 0 the document has gone meanwhile, or is a later job's, -1. */
int ingest_store(struct call *call, const char *owner, const char *id, const struct fence *f,
                 const struct prepared *p) CHECKED;
/* What is kept of a file's own words about itself, and of what may be wrong with its text: a JSON object in the arena. */
const char *ingest_metadata(const struct prepared *p, struct arena *a);
/* Which document a job is about, in the arena; NULL when it does not say. */
const char *ingest_document(const struct job *job, struct arena *a);

#endif
