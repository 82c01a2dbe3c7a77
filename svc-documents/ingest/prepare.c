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

int prepare_tell(struct call *call, const struct target *t, double progress)
{
	int found = t->id ? store_progress(call->db, t->owner, t->id, &t->fence, progress, call->err) : 1;

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

static void build_index(struct prepared *p, struct arena *a)
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
	build_index(ret, call->arena);
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

static int extract(struct call *call, const struct target *t, const struct raw *raw, struct extracted *got)
{
	const struct documents *svc = documents_state(call);
	struct interest in = { .call = call, .target = t };
	struct wish wish = {
		.cancelled = call->cancelled, .deadline = call->deadline, .wanted = wanted, .arg = &in
	};
	int rc;

	watch_add(svc->watch, &in.watcher, t->id ? t->id : "");
	rc = extract_run(svc->extractors, raw->format, raw->file, &wish, got, call->err);
	watch_remove(svc->watch, &in.watcher);
	return rc;
}

static void add_warning(struct prepared *p, const char *warning, struct arena *a)
{
	if (warning && *warning)
		p->warning =
		    p->warning ? arena_printf(a, "%s %s", p->warning, warning) : arena_strdup(a, warning);
}

static int prepare_extracted(struct call *call, const struct target *t, const struct raw *raw,
                             struct prepared *ret, const char **refresh)
{
	struct extracted got;
	int rc = 0;

	if (extract(call, t, raw, &got) < 0)
		return -1;
	if (*got.title)
		ret->title = arena_strdup(call->arena, got.title);
	add_warning(ret, got.warning, call->arena);
	if (*got.refresh && refresh)
		*refresh = arena_strdup(call->arena, got.refresh);
	else if (prepare_tell(call, t, 0.2) < 0)
		rc = -1;
	else
		rc = prepare_text(call, raw->format, got.bytes, got.size, ret);
	free(got.bytes);
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

/* Whatever is characters becomes UTF-8 first. */
static int prepare_characters(struct call *call, const struct target *t, struct raw *raw,
                              struct prepared *ret, const char **refresh)
{
	struct charset_text c;
	size_t size;
	char *bytes = read_back(raw->file, &size, call->err);
	int rc = 0;

	if (!bytes)
		return -1;
	charset_to_utf8(bytes, size, raw->content_type, raw->format->markup, &c, call->arena);
	add_warning(ret, c.doubt, call->arena);
	if (raw->format->reader == FORMAT_PLAIN)
		rc = prepare_text(call, raw->format, c.text, c.size, ret);
	else if (c.text != bytes)
		rc = replace(&raw->file, c.text, c.size, call->err);
	free(bytes);
	if (rc == 0 && raw->format->reader == FORMAT_HELPER)
		rc = prepare_extracted(call, t, raw, ret, refresh);
	return rc;
}

int prepare(struct call *call, const struct target *t, struct raw *raw, struct prepared *ret,
            const char **refresh)
{
	*ret = (struct prepared){ .size = -1 };
	return raw->format->text ? prepare_characters(call, t, raw, ret, refresh)
	                         : prepare_extracted(call, t, raw, ret, refresh);
}
