/* prepare: the bytes of a file as everything that is stored of it: its text, in pieces, with the index of its words. */
#ifndef PARLEY_DOCUMENTS_PREPARE_H
#define PARLEY_DOCUMENTS_PREPARE_H

#include "svc-documents/formats.h"
#include "svc-documents/store.h"
#include "svc-documents/store_index.h"
#include "svc-documents/svc.h"

/* Which document a job works on, to tell its progress; all NULL for a page that is not yet one. */
struct target {
	const char *owner, *id;
	struct fence fence;
};
/* ERROR_NOT_FOUND: there is nobody to work for any more. Always -1. */
int prepare_gone(struct call *call);
int prepare_tell(struct call *call, const struct target *t, double progress) CHECKED;

struct raw {
	int file; /* in memory (extract.h); may be replaced by another */
	const struct format *format;
	const char *content_type; /* what a server said, or NULL */
};
/* ERROR_INVALID: why there is no text in it, in a sentence for its owner. *refresh: where a page sends its reader on
 * at once, if it does (ret is empty then); may be NULL. */
int prepare(struct call *call, const struct target *t, struct raw *raw, struct prepared *ret,
            const char **refresh) CHECKED;

#endif
