#include "svc-documents/store_whole.h"

#include <stdlib.h>

#include "svc-documents/search/small.h"
#include "svc-documents/store_columns.h"
#include "svc-documents/store_text.h"

/* What is not wanted has no name. */
enum { TWIN, DOCUMENT, TEXT, CHUNKS, WORDS, PIECE, MORE, COUNT = MORE + WHOLE_MORE, STEPS };

static int run(struct db *db, struct db_step steps[STEPS], struct error *err)
{
	struct db_step wanted[STEPS];
	int n = 0;

	for (int i = 0; i < STEPS; i++)
		if (steps[i].stmt)
			wanted[n++] = steps[i];
	if (db_together(db, wanted, n, err) < 0)
		return -1;
	for (int i = 0, k = 0; i < STEPS; i++)
		if (steps[i].stmt)
			steps[i].res = wanted[k++].res;
	return 0;
}

static int write_all(struct db *db, const char *owner, const struct whole *w, const struct chunk_columns *c,
                     ProtobufCBinaryData block, struct db_step *more, int count, struct whole_stored *ret,
                     struct arena *a, struct error *err)
{
	const struct new_document *d = w->d;
	const struct prepared *p = w->p;
	const char *none = d->id; /* is not there yet; for NULL it would be planned each time */
	int64_t chunks = (int64_t)p->count, terms = p->index.terms;
	struct db_step steps[STEPS] = {
		[TWIN] = { w->twin ? "hold" : NULL, DB_ARGS(owner, w->twin), NULL },
		[DOCUMENT] = { "create_ready",
		               DB_ARGS(owner, d->id, d->name, d->description, d->type, w->step, d->size,
		                       d->file, w->hash, p->metadata, chunks, terms,
		                       language_name(p->language), (int)TERMS_VERSION,
		                       w->twin ? w->twin : none),
		               NULL },
		[TEXT] = { "add_whole",
		           DB_ARGS(owner, d->id, "{}", "{}", columns_characters(p), (int64_t)p->clean.size,
		                   p->clean.text),
		           NULL },
		[CHUNKS] = { "add_chunks",
		             DB_ARGS(owner, d->id, c->numbers, c->pages, c->starts, c->stops, c->headings,
		                     c->texts),
		             NULL },
		[WORDS] = { "add_small", DB_ARGS(owner, d->id, p->index.vocabulary, block), NULL },
		[PIECE] = { w->there ? NULL : "put_unshared", DB_ARGS(owner, d->file, w->file), NULL },
		[COUNT] = { "count_part", DB_ARGS(owner, w->part, chunks, terms), NULL },
	};
	int rc;

	for (int i = 0; i < count; i++)
		steps[MORE + i] = more[i];
	if (run(db, steps, err) < 0)
		return -1;
	rc = db_row(steps[DOCUMENT].res, 0, &ret->document->base, a, err);
	ret->small = db_int(steps[COUNT].res, 0, "small");
	for (int i = 0; i < count; i++)
		more[i].res = TAKE(steps[MORE + i].res);
	db_steps_done(steps, STEPS);
	return rc < 0 ? -1 : 1;
}

int store_whole(struct db *db, const char *owner, const struct whole *w, struct db_step *more, int count,
                struct whole_stored *ret, struct arena *a, struct error *err)
{
	const struct prepared *p = w->p;
	ProtobufCBinaryData block;
	struct chunk_columns c;

	if (p->parts || p->clean.page_count || !p->clean.size || columns_characters(p) > STORE_TEXT_ROW ||
	    (w->there && w->twin) || !small_pack(&p->index, &block, a))
		return 0;
	columns_of_chunks(p, 0, p->count, &c, a);
	return write_all(db, owner, w, &c, block, more, count, ret, a, err);
}
