#include "svc-documents/ingest/prepare.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "documents.methods.h"
#include "svc-documents/ingest/charset.h"
#include "svc-documents/store.h"

enum { PAGES_MAX = 5000 };

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

void prepare_index(struct prepared *p, struct arena *a)
{
	struct stemmers *stemmers = stemmers_new();
	struct index_builder *b;

	p->language = language_guess(p->clean.text, p->clean.size, LANGUAGE_EN);
	b = index_begin(stemmers, p->language);
	for (size_t i = 0; i < p->count; i++) {
		const struct chunk *c = &p->chunks[i];

		index_add(b, p->clean.text + c->start, c->end - c->start, c->heading);
	}
	index_end(b, &p->index, a);
	stemmers_free(stemmers);
}

/* bytes: what a file says, extracted where that is needed. */
static int prepare_text(struct call *call, const struct format *format, const char *bytes, size_t size,
                        struct prepared *ret)
{
	normalise(bytes, size, format->pages, &ret->clean, call->arena);
	if (check(&ret->clean, call->err) < 0)
		return -1;
	ret->count = chunk_text(&ret->clean, &ret->chunks, call->arena);
	prepare_index(ret, call->arena);
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

static char *read_back(int file, size_t *size, struct error *err)
{
	off_t end = lseek(file, 0, SEEK_END);
	char *bytes = malloc((size_t)end + 1);

	if (!bytes)
		abort();
	*size = (size_t)end;
	if (pread(file, bytes, *size, 0) == end)
		return bytes;
	free(bytes);
	(void)!error_internal(err, "reading back a file");
	return NULL;
}

static int replace(int *file, const char *text, size_t size, struct error *err)
{
	close(*file);
	*file = extract_file(err);
	return *file < 0 ? -1 : extract_write(*file, text, size, err);
}

/* The text is the bytes themselves, or a copy of what they became. */
static void take_plain(struct charset_text *c, char *bytes, struct extracted *ret)
{
	ret->size = c->size;
	ret->bytes = bytes;
	if (c->text == bytes)
		return;
	ret->bytes = malloc(c->size + 1);
	if (!ret->bytes)
		abort();
	memcpy(ret->bytes, c->text, c->size);
	free(bytes);
}

/* Whatever is characters becomes UTF-8 first. 1: that is all there is to it. */
static int recode(struct call *call, struct raw *raw, struct reading *ret)
{
	struct charset_text c;
	size_t size;
	char *bytes = read_back(raw->file, &size, call->err);
	int rc = 0;

	if (!bytes)
		return -1;
	charset_to_utf8(bytes, size, raw->content_type, raw->format->markup, &c, call->arena);
	ret->doubt = c.doubt;
	if (raw->format->reader == FORMAT_PLAIN) {
		take_plain(&c, bytes, &ret->got);
		return 1;
	}
	if (c.text != bytes)
		rc = replace(&raw->file, c.text, c.size, call->err);
	free(bytes);
	return rc;
}

int prepare_read(struct call *call, const struct target *t, struct raw *raw, bool links, struct reading *ret)
{
	int rc = 0;

	*ret = (struct reading){ 0 };
	if (raw->format->text)
		rc = recode(call, raw, ret);
	if (rc == 0)
		rc = extract(call, t, raw, links, &ret->got);
	return rc < 0 ? -1 : 0;
}

void prepare_done(struct reading *r)
{
	free(r->got.bytes);
	free(r->got.links);
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
		rc = prepare_text(call, raw->format, r.got.bytes, r.got.size, ret);
	prepare_done(&r);
	return rc;
}
