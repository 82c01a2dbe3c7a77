#include "gateway/static_files.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "gateway/answer.h"

const struct static_file *static_find(const char *name)
{
	for (unsigned i = 0; i < static_file_count; i++)
		if (!strcmp(static_files[i].name, name))
			return &static_files[i];
	return NULL;
}

static const char *type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
	};
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < sizeof types / sizeof types[0]; i++)
		if (!strcmp(ending, types[i].ending))
			return types[i].type;
	return "text/plain; charset=utf-8";
}

/* "gzip" in a list like "br, gzip;q=0.8"; q=0 means: not that. */
static bool takes_gzip(const char *accepted)
{
	const char *at = accepted ? strcasestr(accepted, "gzip") : NULL;

	if (!at)
		return false;
	at += 4 + strspn(at + 4, " \t");
	return strncasecmp(at, ";q=0", 4) != 0 || strspn(at + 4, ".0") != strcspn(at + 4, ", \t");
}

/* The plain bytes in the arena. gzip ends with the plain size, and these files are ours. */
static const char *unpack(const struct static_file *f, struct arena *a, size_t *size, struct error *err)
{
	const unsigned char *end = f->end - 4;
	z_stream z = { .next_in = (unsigned char *)f->bytes, .avail_in = (unsigned)(f->end - f->bytes) };
	char *plain;
	int rc;

	*size = end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
	plain = arena_alloc(a, *size + 1);
	z.next_out = (unsigned char *)plain;
	z.avail_out = (unsigned)*size;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return error_internal(err, "inflateInit2 failed"), NULL;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc != Z_STREAM_END)
		return error_internal(err, "%s does not inflate", f->name), NULL;
	return plain;
}

int static_answer(struct request *req, const struct static_file *f, const char *security, const char *cache)
{
	struct answer a = { .status = 200,
		            .type = type_of(f->name),
		            .body = (const char *)f->bytes,
		            .size = (size_t)(f->end - f->bytes),
		            .cache = cache ? cache : "no-cache" };
	const char *known = request_header(req, "If-None-Match");
	bool packed = f->packed && takes_gzip(request_header(req, "Accept-Encoding"));

	if (f->packed && !packed && !(a.body = unpack(f, req->arena, &a.size, &req->err)))
		return -1;
	answer_header(req, "ETag", "\"%s%s\"", f->tag, packed ? "-gzip" : "");
	if (f->packed)
		answer_header(req, "Vary", "Accept-Encoding");
	if (packed)
		answer_header(req, "Content-Encoding", "gzip");
	if (security)
		answer_header(req, "Content-Security-Policy", "%s", security);
	if (known && strstr(known, f->tag))
		a = (struct answer){ .status = 304, .cache = a.cache };
	answer_send(req, &a);
	return 0;
}
