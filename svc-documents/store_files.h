/*
 * store_files: what was uploaded, in pieces in the database or as objects of S3 (files.h). A file is of whoever's document names
 * it: one that none names is swept.
 *
 * Functions that look for something return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_DOCUMENTS_STORE_FILES_H
#define PARLEY_DOCUMENTS_STORE_FILES_H

#include "common/db/db.h"

extern const struct db_stmt store_files_statements[];

enum { PIECE_MAX = 256 * 1024 };

int store_put_piece(struct db *db, const char *owner, const char *file, int number, ProtobufCBinaryData data,
                    struct error *err) CHECKED;
/* What there is of a file. whole: no piece is missing. */
struct file_summary {
	int64_t pieces, bytes;
	bool whole;
};
int store_file(struct db *db, const char *owner, const char *file, struct file_summary *ret,
               struct error *err) CHECKED;
/* One piece in the arena; 0 when there is none of that number. */
int store_get_piece(struct db *db, const char *owner, const char *file, int number, ProtobufCBinaryData *ret,
                    struct arena *a, struct error *err) CHECKED;
int store_drop_file(struct db *db, const char *owner, const char *file, struct error *err) CHECKED;
/* Pieces that nothing claimed for an hour, and the lists of words of accounts that are gone. */
int store_sweep(struct db *db, int64_t *pieces, struct error *err) CHECKED;

/* Those in S3 (files.h). */
struct s3_file {
	const char *owner, *file;
	int parts;
};
int store_s3_begin(struct db *db, const char *owner, const char *file, int parts, struct error *err) CHECKED;
/* In a transaction: the pieces go. 0: the file had been dropped meanwhile; what is there is swept. */
int store_s3_moved(struct db *db, const char *owner, const char *file, int parts, struct error *err) CHECKED;
int store_s3_find(struct db *db, const char *owner, const char *file, int *parts, struct error *err) CHECKED;
/* Does a job still move it? 1, 0, -1. */
int store_s3_moving(struct db *db, const char *owner, const char *file, struct error *err) CHECKED;
/* It is to be dropped: nobody reads it from now on. Everything committed before this is on disk afterwards. */
int store_s3_sweep(struct db *db, const char *owner, const char *file, struct error *err) CHECKED;
int store_s3_drop(struct db *db, const char *owner, const char *file, struct error *err) CHECKED;
/* Those that no document has, and files of documents that lie here. */
int store_s3_orphans(struct db *db, int limit, struct s3_file **ret, size_t *count, struct arena *a,
                     struct error *err) CHECKED;
int store_s3_unmoved(struct db *db, int limit, struct s3_file **ret, size_t *count, struct arena *a,
                     struct error *err) CHECKED;

#endif
