/* hnsw: the job that makes and drops indexes of vectors (store_hnsw.h), one at a time over all replicas. It has a runner of
 * its own: it takes long, and nobody's documents should wait for it. */
#ifndef PARLEY_DOCUMENTS_HNSW_H
#define PARLEY_DOCUMENTS_HNSW_H

#include "common/job/job.h"

extern const struct job_kind hnsw_kind;

/* In the caller's transaction: have a look after so many seconds. */
int hnsw_look(struct db *db, int delay, struct error *err) CHECKED;

#endif
