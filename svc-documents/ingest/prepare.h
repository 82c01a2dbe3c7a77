/* prepare: the bytes of a file as everything that is stored of it: its text, in pieces, with the index of its words. */
#ifndef PARLEY_DOCUMENTS_PREPARE_H
#define PARLEY_DOCUMENTS_PREPARE_H

#include "svc-documents/formats.h"
#include "svc-documents/ingest/extract.h"
#include "svc-documents/store.h"
#include "svc-documents/store_index.h"
#include "svc-documents/svc.h"

/* Which document a job works on, to tell its progress; all NULL for a page that is not yet one. */
struct target {
	const char *owner, *id;
	struct fence fence;
	bool quiet; /* it stays ready meanwhile, and nobody is told */
};
/* ERROR_NOT_FOUND: there is nobody to work for any more. Always -1. */
int prepare_gone(struct call *call);
/* step: "fetch", "extract", "chunk" or "store". */
int prepare_tell(struct call *call, const struct target *t, double progress, const char *step) CHECKED;

struct raw {
	int file; /* in memory (extract.h); may be replaced by another */
	const struct format *format;
	const char *content_type; /* what a server said, or NULL */
};
/* What a file says, before anything is made of it; give it back with prepare_done(). links: of a page, too. */
struct reading {
	struct extracted got;
	const char *text; /* got's, or of the mapping, or in the call's arena */
	size_t size;
	void *map; /* of the file, or NULL */
	size_t mapped;
	const char *doubt; /* about its characters, for people; or NULL */
};
int prepare_read(struct call *call, const struct target *t, struct raw *raw, bool links,
                 struct reading *ret) CHECKED;
void prepare_done(struct reading *r);
/* The words of p's chunks, in the language that it seems to be in. */
void prepare_index(struct call *call, struct prepared *p);

/* ERROR_INVALID: why there is no text in it, in a sentence for its owner. *refresh: where a page sends its reader on
 * at once, if it does (ret is empty then); may be NULL. */
int prepare(struct call *call, const struct target *t, struct raw *raw, struct prepared *ret,
            const char **refresh) CHECKED;
/* The same of a FORMAT_PLAIN that is at hand. */
int prepare_plain(struct call *call, const struct format *format, ProtobufCBinaryData file,
                  struct prepared *ret) CHECKED;

#endif
