/*
 * store_text: the text of a document and its passages, as their owner reads them.
 */
#ifndef PARLEY_DOCUMENTS_STORE_TEXT_H
#define PARLEY_DOCUMENTS_STORE_TEXT_H

#include "common/db/db.h"
#include "documents.pb-c.h"

extern const struct db_stmt store_text_statements[];

enum { STORE_TEXT_ROW = 65536 /* characters of the text in a row */ };

/* From character start to end, with the pages when all of it is asked for. *bytes is the whole text's size. */
int store_text_size(struct db *db, const char *owner, const char *id, int64_t *bytes, int64_t *characters,
                    struct error *err) CHECKED;
int store_text(struct db *db, const char *owner, const char *id, int64_t start, int64_t end,
               Documents__Text *out, struct arena *a, struct error *err) CHECKED;
/* The passages after the cursor in their order. 0: the cursor is gone, since the document was processed anew. */
int store_chunk_list(struct db *db, const char *owner, const char *id, const char *cursor, int limit,
                     Documents__ChunkList *out, struct arena *a, struct error *err) CHECKED;

#endif
