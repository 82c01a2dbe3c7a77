#include "svc-documents/store_text.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "svc-documents/store.h"

const struct db_stmt store_text_statements[] = {
	/* `text` runs on to the next passage: only its own part is shown. */
	{ "chunk_list",
	  "SELECT id, page, start, stop AS \"end\", heading, left(text, (stop - start)::int) AS text FROM chunk"
	  " WHERE owner_id = $1 AND document_id = $2 AND ($3::uuid IS NULL OR number > (SELECT number"
	  " FROM chunk WHERE owner_id = $1 AND document_id = $2 AND id = $3)) ORDER BY number LIMIT $4" },
	{ "has_chunk", "SELECT FROM chunk WHERE owner_id = $1 AND document_id = $2 AND id = $3" },
	{ "text_size", "SELECT c.bytes, c.characters FROM document d"
	               " LEFT JOIN content c ON c.owner_id = d.owner_id AND c.document_id = d.id"
	               " WHERE d.owner_id = $1 AND d.id = $2" },
	{ "pages", "SELECT page_starts, page_ends FROM content WHERE owner_id = $1 AND document_id = $2" },
	{ "text",
	  "SELECT text FROM piece_of_text WHERE owner_id = $1 AND document_id = $2 AND number BETWEEN $3 AND $4"
	  " ORDER BY number" },
	{ 0 },
};

int store_text_size(struct db *db, const char *owner, const char *id, int64_t *bytes, int64_t *characters,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "text_size", DB_ARGS(owner, id), &res, err);

	if (found <= 0)
		return found;
	*bytes = db_text(res, 0, "bytes") ? db_int(res, 0, "bytes") : -1;
	*characters = db_int(res, 0, "characters");
	return 1;
}

/* "{1,2,3}" */
static size_t read_numbers(const char *text, int64_t **ret, struct arena *a)
{
	size_t n = 0, room = strlen(text) / 2 + 1;

	*ret = arena_new(a, int64_t, room);
	for (const char *s = text + 1; *s && *s != '}' && n < room; s++) {
		char *end;

		(*ret)[n++] = strtoll(s, &end, 10);
		s = *end == ',' ? end : end - 1;
	}
	return n;
}

static int read_pages(struct db *db, const char *owner, const char *id, Documents__Text *out, struct arena *a,
                      struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "pages", DB_ARGS(owner, id), &res, err);
	int64_t *starts, *ends;
	size_t n, m;

	if (found <= 0)
		return found;
	n = read_numbers(db_text(res, 0, "page_starts"), &starts, a);
	m = read_numbers(db_text(res, 0, "page_ends"), &ends, a);
	out->pages = arena_new(a, Documents__Page *, n);
	for (size_t i = 0; i < n && i < m; i++) {
		Documents__Page *p = arena_new(a, Documents__Page, 1);

		documents__page__init(p);
		p->has_number = p->has_start = p->has_end = 1;
		p->number = (int32_t)i + 1;
		p->start = starts[i];
		p->end = ends[i];
		out->pages[out->n_pages++] = p;
	}
	return 1;
}

/* Of the rows from character `from` on, the part from start to end. */
static char *cut(const PGresult *res, int64_t from, int64_t start, int64_t end, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "");
	for (int i = 0; i < PQntuples(res); i++, from += STORE_TEXT_ROW) {
		const char *row = db_text(res, i, "text"), *stop = row + strlen(row), *first, *last;

		first = utf8_skip(row, stop, start > from ? (size_t)(start - from) : 0);
		last = end < from + STORE_TEXT_ROW ? utf8_skip(row, stop, (size_t)(end - from)) : stop;
		text_add(&t, first, (size_t)(last - first));
	}
	return t.at;
}

int store_text(struct db *db, const char *owner, const char *id, int64_t start, int64_t end,
               Documents__Text *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int64_t first = start / STORE_TEXT_ROW, last = end > start ? (end - 1) / STORE_TEXT_ROW : first - 1;
	int found = read_pages(db, owner, id, out, a, err);

	if (found <= 0)
		return found;
	if (db_exec(db, "text", DB_ARGS(owner, id, first, last), &res, err) < 0)
		return -1;
	out->text = cut(res, first * STORE_TEXT_ROW, start, end, a);
	return 1;
}

int store_chunk_list(struct db *db, const char *owner, const char *id, const char *cursor, int limit,
                     Documents__ChunkList *out, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_page(db, "chunk_list", DB_ARGS(owner, id, cursor), limit, STORE_PAGE, &out->base, a, err) < 0)
		return -1;
	return out->n_chunks || !cursor ? 1 : db_find(db, "has_chunk", DB_ARGS(owner, id, cursor), &res, err);
}
