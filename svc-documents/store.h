/*
 * store: every statement of svc-documents that is about documents; store_files.h has those about their files, store_index.h,
 * store_text.h and store_vectors.h those about their text. Each names the owner, but for the sweep.
 *
 * Functions that look for a document return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_DOCUMENTS_STORE_H
#define PARLEY_DOCUMENTS_STORE_H

#include "common/db/db.h"
#include "documents.pb-c.h"

extern const struct db_stmt store_statements[];

/* A change of a document that searches keep in memory (search/corpora.h), by its id: it counts. The document first, as everybody
 * takes them: what is only beside a statement Citus does before it, and so would wait crosswise with a job. */
#define STORE_NOTED(change)                                                        \
	"WITH changed AS (" change " RETURNING id)"                                \
	" INSERT INTO corpus (owner_id, documents, chunks, terms, small, version)" \
	" SELECT $1, 0, 0, 0, 0, 1 FROM changed"                                   \
	" ON CONFLICT (owner_id) DO UPDATE SET version = corpus.version + 1"

enum { STORE_PAGE = 200 }; /* documents in one reply: with the longest texts they still fit a message */

struct new_document {
	const char *id, *name, *description, *type;
	const char *status, *error; /* "pending" and NULL, unless it is clear from the start */
	int64_t size;
	const char *file;     /* NULL: a web page */
	const char *metadata; /* JSON object, or NULL */
};
/* What one user may have. */
struct quota {
	int64_t documents, bytes;
};
/* ERROR_FORBIDDEN when there are as many documents already, ERROR_TOO_LARGE when there would be more bytes. */
int store_create(struct db *db, const char *owner, const struct new_document *d, const struct quota *quota,
                 struct error *err) CHECKED;

/* Is a document of that size far from the bounds? 1, 0, -1. *more: how many such then still are. */
int store_room(struct db *db, const char *owner, int64_t size, const struct quota *quota, int64_t *more,
               struct error *err) CHECKED;
/* A document that has a file of that hash; *ret is NULL when there is none. */
int store_same_file(struct db *db, const char *owner, const char *hash, const char **ret, struct arena *a,
                    struct error *err) CHECKED;

int store_get(struct db *db, const char *owner, const char *id, Documents__Document *out, struct arena *a,
              struct error *err) CHECKED;
/* Newest first, those before the cursor (NULL: from the newest) that have the tag (NULL: any); sets out->next when more
 * follow. */
int store_list(struct db *db, const char *owner, const char *cursor, const char *tag, int limit,
               Documents__DocumentList *out, struct arena *a, struct error *err) CHECKED;
/* What its owner says of it. NULL: as it is. */
struct edit {
	const char *name, *description;
	bool no_description;
	const char *tags; /* as db_text_array() makes it */
};
int store_edit(struct db *db, const char *owner, const char *id, const struct edit *e,
               struct error *err) CHECKED;
/* Those of these ids (as db_text_array() makes it) that are the owner's, in the arena, kept from change until the end of the
 * transaction. */
int store_lock(struct db *db, const char *owner, const char *ids, char ***ret, size_t *count, struct arena *a,
               struct error *err) CHECKED;
/* With its file; everything else goes by itself. In a transaction. */
int store_delete(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_usage(struct db *db, const char *owner, Documents__Usage *out, struct arena *a,
                struct error *err) CHECKED;

/* What a job needs to know. Strings live in the arena. */
struct source_file {
	const char *type, *name, *file, *url; /* file NULL: a web page */
	bool site;                            /* read in rounds: store_site.h */
	bool hashed;                          /* store_share() has been */
	bool indexed;                         /* has an index already, of an earlier processing */
};
int store_source(struct db *db, const char *owner, const char *id, struct source_file *ret, struct arena *a,
                 struct error *err) CHECKED;

/* The file as it came; file NULL: a web page, hash NULL: not known yet. Strings live in the arena. */
struct original {
	const char *name, *type, *file, *hash;
	int64_t size;
};
int store_original(struct db *db, const char *owner, const char *id, struct original *ret, struct arena *a,
                   struct error *err) CHECKED;

/* Whose a document is while it is processed: (number, attempt) of a job (common/job/job.h); zeros: nobody's yet. */
struct fence {
	int64_t number;
	int attempt;
};
/* Each tells those who wait, too. 0: the document is gone, or a later job's. */
/* "processing" begins, with this step; NULL: unseen, whatever its status is. */
int store_claim(struct db *db, const char *owner, const char *id, const struct fence *f, const char *step,
                struct error *err) CHECKED;
/* In a transaction: the document's file has this hash. When an older document of the owner's has it too, that one's file
 * serves both, and `file` goes: 1, else 0. */
int store_share(struct db *db, const char *owner, const char *id, const struct fence *f, const char *file,
                const char *hash, struct error *err) CHECKED;
int store_progress(struct db *db, const char *owner, const char *id, const struct fence *f, double progress,
                   const char *step, struct error *err) CHECKED;
/* Of one that is ready: what follows. */
int store_step(struct db *db, const char *owner, const char *id, const char *step, struct error *err) CHECKED;
int store_failed(struct db *db, const char *owner, const char *id, const struct fence *f, const char *why,
                 struct error *err) CHECKED;
/* To be processed anew, by a job that is yet to be added. 0: the document is gone. */
int store_pending(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;

/* Status alone: what followers and waiters ask. Text in the arena. */
struct progress {
	const char *status, *error;
	double progress;
	const char *step; /* or NULL */
};
int store_get_progress(struct db *db, const char *owner, const char *id, struct progress *ret,
                       struct arena *a, struct error *err) CHECKED;

/* Up to `limit` documents whose vectors another model made. owners and ids in the arena. */
struct document_key {
	const char *owner, *id;
};
int store_of_other_models(struct db *db, const char *model, int limit, struct document_key **ret,
                          size_t *count, struct arena *a, struct error *err) CHECKED;

/* Up to `limit` documents that an older tokenizer indexed. */
int store_of_other_words(struct db *db, int version, int limit, struct document_key **ret, size_t *count,
                         struct arena *a, struct error *err) CHECKED;

#define STORE_CHANNEL "parley_document" /* NOTIFY with a document's id when its status or progress changed */

#endif
