#include "svc-documents/ingest/prepare.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "documents.methods.h"
#include "svc-documents/ingest/charset.h"
#include "svc-documents/store.h"

enum {
	PAGES_MAX = 5000,
	INDEX_AT_ONCE = 8 << 20 /* bytes of text: in more, the index takes too much memory */
};

int prepare_gone(struct call *call)
{
	return error_set(call->err, ERROR_NOT_FOUND, "the document is gone, or somebody else's work by now");
}

int prepare_tell(struct call *call, const struct target *t, double progress, const char *step)
{
	int found = t->id && !t->quiet
	                ? store_progress(call->db, t->owner, t->id, &t->fence, progress, step, call->err)
	                : 1;

	return found == 0 ? prepare_gone(call) : found;
}

static int check(const struct clean *clean, struct error *err)
{
	if (clean->page_count > PAGES_MAX)
		return error_set(err, ERROR_INVALID, "The PDF has more than %d pages.", PAGES_MAX);
	if (clean->size)
		return 0;
	if (clean->page_count)
		return error_set(
		    err, ERROR_INVALID,
		    "There is no text in it: its pages (%zu) hold only images or nothing at all. Scanned "
		    "pages need text recognition (OCR) before they can be read.",
		    clean->page_count);
	return error_set(err, ERROR_INVALID, "There is no text in it.");
}

static void make_index(const struct prepared *p, int part, struct index *ret, struct arena *a)
{
	struct stemmers *stemmers = stemmers_take(p->stemmers);
	struct index_builder *b = index_begin(stemmers, p->language);
	size_t rested = 0;

	index_part(b, part, p->parts);
	for (size_t i = 0; i < p->count; i++) {
		const struct chunk *c = &p->chunks[i];

		index_add(b, p->clean.text + c->start, c->end - c->start, c->heading);
		clean_rest(&p->clean, &rested, c->start);
	}
	index_end(b, ret, a);
	stemmers_put_back(p->stemmers, stemmers);
}

void prepare_index(struct call *call, struct prepared *p)
{
	p->language = language_guess(p->clean.text, p->clean.size, LANGUAGE_EN);
	p->parts = (int)(p->clean.size / INDEX_AT_ONCE);
	p->stemmers = documents_state(call)->stemmers;
	p->index_part = make_index;
	if (!p->parts)
		make_index(p, 0, &p->index, call->arena);
}

static int prepare_text(struct call *call, const struct format *format, const struct reading *r,
                        struct prepared *ret)
{
	normalise(r->text, r->size, format->pages, r->text == r->map, &ret->clean, call->arena);
	if (check(&ret->clean, call->err) < 0)
		return -1;
	ret->count = chunk_text(&ret->clean, &ret->chunks, call->arena);
	prepare_index(call, ret);
	return 0;
}

/* --- What the helper reads ---------------------------------------------------------------------------------------- */

/* A document that is deleted is not read to its end: its notification wakes the one question that tells. */
struct interest {
	struct call *call;
	const struct target *target;
	struct watcher watcher;
};

static bool wanted(void *arg)
{
	struct interest *in = arg;
	const struct documents *svc = documents_state(in->call);
	struct progress p;

	return !in->target->id || !watch_take(svc->watch, &in->watcher) ||
	       store_get_progress(in->call->db, in->target->owner, in->target->id, &p, in->call->arena,
	                          in->call->err) != 0;
}

static int extract(struct call *call, const struct target *t, const struct raw *raw, bool links,
                   struct extracted *got)
{
	const struct documents *svc = documents_state(call);
	struct interest in = { .call = call, .target = t };
	struct wish wish = { .cancelled = call->cancelled,
		             .deadline = call->deadline,
		             .wanted = wanted,
		             .arg = &in,
		             .links = links };
	int rc;

	watch_add(svc->watch, &in.watcher, t->id ? t->id : "");
	rc = extract_run(svc->extractors, raw->format, raw->file, &wish, got, call->err);
	watch_remove(svc->watch, &in.watcher);
	return rc;
}

/* --- Characters --------------------------------------------------------------------------------------------------- */

/* As memory that rests when it is not looked at. */
static int map(int file, struct reading *ret, struct error *err)
{
	off_t end = lseek(file, 0, SEEK_END);

	ret->text = "";
	if (end == 0)
		return 0;
	ret->map = end > 0 ? mmap(NULL, (size_t)end, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
	if (ret->map == MAP_FAILED) {
		ret->map = NULL;
		return error_internal(err, "reading back a file");
	}
	ret->text = ret->map;
	ret->size = ret->mapped = (size_t)end;
	return 0;
}

static int replace(int *file, const char *text, size_t size, struct error *err)
{
	close(*file);
	*file = extract_file(err);
	return *file < 0 ? -1 : extract_write(*file, text, size, err);
}

/* Whatever is characters becomes UTF-8 first. 1: that is all there is to it. */
static int recode(struct call *call, struct raw *raw, struct reading *ret)
{
	struct charset_text c;

	if (map(raw->file, ret, call->err) < 0)
		return -1;
	charset_to_utf8(ret->text, ret->size, raw->content_type, raw->format->markup, ret->map != NULL, &c,
	                call->arena);
	ret->doubt = c.doubt;
	if (raw->format->reader != FORMAT_PLAIN && c.text != ret->text)
		return replace(&raw->file, c.text, c.size, call->err);
	ret->text = c.text;
	ret->size = c.size;
	return raw->format->reader == FORMAT_PLAIN;
}

int prepare_read(struct call *call, const struct target *t, struct raw *raw, bool links, struct reading *ret)
{
	int rc = 0;

	*ret = (struct reading){ 0 };
	if (raw->format->text)
		rc = recode(call, raw, ret);
	if (rc == 0)
		rc = extract(call, t, raw, links, &ret->got);
	if (rc == 0 && raw->format->reader != FORMAT_PLAIN) {
		ret->text = ret->got.bytes;
		ret->size = ret->got.size;
	}
	if (rc < 0)
		prepare_done(ret);
	return rc < 0 ? -1 : 0;
}

void prepare_done(struct reading *r)
{
	if (r->map)
		munmap(r->map, r->mapped);
	r->map = NULL;
	extract_drop(&r->got);
}

/* --- All of it ------------------------------------------------------------------------------------------------------ */

static void add_warning(struct prepared *p, const char *warning, struct arena *a)
{
	if (warning && *warning)
		p->warning =
		    p->warning ? arena_printf(a, "%s %s", p->warning, warning) : arena_strdup(a, warning);
}

int prepare(struct call *call, const struct target *t, struct raw *raw, struct prepared *ret,
            const char **refresh)
{
	struct reading r;
	int rc = 0;

	*ret = (struct prepared){ .size = -1 };
	if (prepare_read(call, t, raw, false, &r) < 0)
		return -1;
	if (*r.got.title)
		ret->title = arena_strdup(call->arena, r.got.title);
	add_warning(ret, r.doubt, call->arena);
	add_warning(ret, r.got.warning, call->arena);
	if (*r.got.refresh && refresh)
		*refresh = arena_strdup(call->arena, r.got.refresh);
	else if (raw->format->reader != FORMAT_PLAIN && prepare_tell(call, t, 0.2, "chunk") < 0)
		rc = -1;
	else
		rc = prepare_text(call, raw->format, &r, ret);
	prepare_done(&r);
	return rc;
}

int prepare_plain(struct call *call, const struct format *format, ProtobufCBinaryData file,
                  struct prepared *ret)
{
	struct reading r = { 0 };
	struct charset_text c;

	*ret = (struct prepared){ .size = -1 };
	charset_to_utf8((const char *)file.data, file.len, NULL, format->markup, false, &c, call->arena);
	r.text = c.text;
	r.size = c.size;
	add_warning(ret, c.doubt, call->arena);
	return prepare_text(call, format, &r, ret);
}
