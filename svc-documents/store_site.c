#include "svc-documents/store_site.h"

#include <stdlib.h>
#include <string.h>

#define OF " WHERE owner_id = $1 AND document_id = $2"

const struct db_stmt store_site_statements[] = {
	{ "site_add",
	  "INSERT INTO site (owner_id, document_id, settings, every, next_at)"
	  " VALUES ($1, $2, $3, nullif($4::int, 0), now() + nullif($4::int, 0) * interval '1 second')" },
	{ "site",
	  "SELECT settings, robots, stored, round, delay, every IS NOT NULL AS repeats FROM site" OF },
	{ "site_round", "UPDATE site SET round = round + 1, requests = 0, robots = NULL,"
	                " next_at = to_timestamp(extract(epoch FROM now()) + every)" OF },
	{ "site_robots", "UPDATE site SET robots = $3, delay = $4" OF },
	{ "site_request", "UPDATE site SET requests = requests + 1" OF " AND requests < $3" },
	{ "site_counts",
	  "SELECT count(*) FILTER (WHERE p.body IS NOT NULL AND p.round = s.round) AS done,"
	  " count(*) FILTER (WHERE NOT p.list AND (p.body IS NOT NULL OR p.round < s.round)) AS known,"
	  " coalesce(sum(octet_length(p.body)) FILTER (WHERE p.round = s.round), 0) AS bytes"
	  " FROM site s JOIN part p ON p.owner_id = s.owner_id AND p.document_id = s.document_id"
	  " WHERE s.owner_id = $1 AND s.document_id = $2" },
	{ "part_next",
	  "SELECT p.number, p.depth, p.list, p.address, p.hash, p.etag, p.modified, p.gone FROM site s"
	  " JOIN part p ON p.owner_id = s.owner_id AND p.document_id = s.document_id"
	  " WHERE s.owner_id = $1 AND s.document_id = $2 AND p.round < s.round"
	  " ORDER BY p.depth, p.number LIMIT 1" },
	{ "part_add", "INSERT INTO part (owner_id, document_id, number, address, list, depth)"
	              " SELECT $1, $2, had.next + t.place, t.address, $4, $5"
	              " FROM unnest($3::text[]) WITH ORDINALITY AS t (address, place),"
	              " (SELECT coalesce(max(number), -1) AS next, count(*) AS parts FROM part" OF ") had"
	              " WHERE had.parts + t.place <= $6 ON CONFLICT DO NOTHING" },
	{ "part_text", "UPDATE part SET round = (SELECT round FROM site" OF
	               "), list = false, title = $4, body = $5, hash = $6,"
	               " etag = $7, modified = $8, problem = NULL, gone = NULL" OF " AND number = $3" },
	{ "part_same", "UPDATE part SET round = (SELECT round FROM site" OF
	               "), problem = NULL, gone = NULL" OF " AND number = $3" },
	{ "part_list",
	  "UPDATE part SET round = (SELECT round FROM site" OF "), list = true, title = NULL, body = NULL,"
	  " hash = NULL, problem = NULL, gone = NULL" OF " AND number = $3" },
	/* What is gone for the second time is let go. */
	{ "part_gone",
	  "UPDATE part SET round = s.round, problem = $4, gone = coalesce(gone, s.round),"
	  " body = CASE WHEN gone < s.round THEN NULL ELSE body END, hash = CASE WHEN gone < s.round THEN NULL ELSE hash END"
	  " FROM (SELECT round FROM site" OF ") s" OF " AND number = $3" },
	{ "part_problem",
	  "UPDATE part SET round = (SELECT round FROM site" OF "), problem = $4" OF " AND number = $3" },
	{ "part_texts", "SELECT number, address, title, hash, CASE WHEN $5 THEN body END AS body FROM part" OF
	                " AND number > $3 AND body IS NOT NULL ORDER BY number LIMIT $4" },
	{ "part_problems",
	  "SELECT address, problem, gone IS NOT NULL AS gone FROM part" OF
	  " AND problem IS NOT NULL AND (gone IS NULL OR NOT list) ORDER BY number LIMIT $3" },
	{ "part_no_pages", "UPDATE part SET page = NULL" OF " AND page IS NOT NULL" },
	{ "part_pages",
	  "UPDATE part SET page = t.page FROM unnest($3::int[]) WITH ORDINALITY AS t (number, page)"
	  " WHERE owner_id = $1 AND document_id = $2 AND part.number = t.number" },
	{ "site_stored", "UPDATE site SET stored = $3" OF },
	{ "site_told", "UPDATE document SET metadata = $5::json, updated_at = now()"
	               " WHERE owner_id = $1 AND id = $2 AND job_number = $3 AND job_attempt = $4" },
	{ "sites_due",
	  "SELECT owner_id, document_id AS id FROM site WHERE next_at <= now() ORDER BY next_at LIMIT $1" },
	{ 0 },
};

/* --- The site ----------------------------------------------------------------------------------------------------- */

int store_site_add(struct db *db, const char *owner, const char *id, const char *settings, int every,
                   const char *address, struct error *err)
{
	if (db_exec(db, "site_add", DB_ARGS(owner, id, settings, every), NULL, err) < 0)
		return -1;
	return store_part_add(db, owner, id, &(char *){ (char *)address }, 1, false, 0, 1, err);
}

int store_site(struct db *db, const char *owner, const char *id, struct stored_site *ret, struct arena *a,
               struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "site", DB_ARGS(owner, id), &res, err);

	if (found > 0)
		*ret = (struct stored_site){ .settings = arena_strdup(a, db_text(res, 0, "settings")),
			                     .robots = arena_strdup(a, db_text(res, 0, "robots")),
			                     .stored = arena_strdup(a, db_text(res, 0, "stored")),
			                     .round = (int)db_int(res, 0, "round"),
			                     .delay = (int)db_int(res, 0, "delay"),
			                     .repeats = *db_text(res, 0, "repeats") == 't' };
	return found;
}

int store_site_round(struct db *db, const char *owner, const char *id, struct error *err)
{
	return db_changed(db, "site_round", DB_ARGS(owner, id), err);
}

int store_site_robots(struct db *db, const char *owner, const char *id, const char *rules, int delay,
                      struct error *err)
{
	return db_changed(db, "site_robots", DB_ARGS(owner, id, rules, delay), err);
}

int store_site_stored(struct db *db, const char *owner, const char *id, const char *numbers, const char *hash,
                      struct error *err)
{
	if (db_exec(db, "part_no_pages", DB_ARGS(owner, id), NULL, err) < 0 ||
	    db_exec(db, "part_pages", DB_ARGS(owner, id, numbers), NULL, err) < 0)
		return -1;
	return db_changed(db, "site_stored", DB_ARGS(owner, id, hash), err);
}

int store_site_told(struct db *db, const char *owner, const char *id, const struct fence *f,
                    const char *metadata, struct error *err)
{
	return db_changed(db, "site_told", DB_ARGS(owner, id, f->number, f->attempt, metadata), err);
}

int store_sites_due(struct db *db, int limit, struct document_key **ret, size_t *count, struct arena *a,
                    struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "sites_due", DB_ARGS(limit), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct document_key, *count);
	for (size_t i = 0; i < *count; i++)
		(*ret)[i] = (struct document_key){ arena_strdup(a, db_text(res, (int)i, "owner_id")),
			                           arena_strdup(a, db_text(res, (int)i, "id")) };
	return 0;
}

/* --- Its parts ---------------------------------------------------------------------------------------------------- */

static void read_part(const PGresult *res, struct stored_part *ret, struct arena *a)
{
	*ret = (struct stored_part){ .number = (int)db_int(res, 0, "number"),
		                     .depth = (int)db_int(res, 0, "depth"),
		                     .list = *db_text(res, 0, "list") == 't',
		                     .address = arena_strdup(a, db_text(res, 0, "address")),
		                     .hash = arena_strdup(a, db_text(res, 0, "hash")),
		                     .etag = arena_strdup(a, db_text(res, 0, "etag")),
		                     .modified = arena_strdup(a, db_text(res, 0, "modified")),
		                     .gone = (int)db_int(res, 0, "gone") };
}

int store_part_next(struct db *db, const char *owner, const char *id, const struct site_budget *budget,
                    struct stored_part *ret, int64_t *done, int64_t *known, struct arena *a,
                    struct error *err)
{
	OWN(pgresult) PGresult *counts = NULL, *next = NULL;
	int found = db_find(db, "site_counts", DB_ARGS(owner, id), &counts, err);

	if (found <= 0)
		return found;
	*done = db_int(counts, 0, "done");
	*known = db_int(counts, 0, "known");
	if (*done >= budget->pages || db_int(counts, 0, "bytes") >= budget->bytes)
		return 0;
	found = db_find(db, "part_next", DB_ARGS(owner, id), &next, err);
	if (found <= 0)
		return found;
	read_part(next, ret, a);
	return db_changed(db, "site_request", DB_ARGS(owner, id, budget->requests), err);
}

int store_part_add(struct db *db, const char *owner, const char *id, char *const *addresses, size_t count,
                   bool lists, int depth, int most, struct error *err)
{
	struct arena a;
	int rc;

	if (count == 0)
		return 0;
	arena_init(&a, 0);
	rc = db_exec(db, "part_add",
	             DB_ARGS(owner, id, db_text_array(addresses, count, &a), lists, depth, most), NULL, err);
	arena_done(&a);
	return rc;
}

int store_part_answer(struct db *db, const char *owner, const char *id, int number,
                      const struct part_answer *p, struct error *err)
{
	switch (p->what) {
	case PART_TEXT:
		return db_changed(
		    db, "part_text",
		    DB_ARGS(owner, id, number, p->title, p->body, p->hash, p->etag, p->modified), err);
	case PART_SAME: return db_changed(db, "part_same", DB_ARGS(owner, id, number), err);
	case PART_LIST: return db_changed(db, "part_list", DB_ARGS(owner, id, number), err);
	case PART_GONE: return db_changed(db, "part_gone", DB_ARGS(owner, id, number, p->problem), err);
	default: return db_changed(db, "part_problem", DB_ARGS(owner, id, number, p->problem), err);
	}
}

int store_part_texts(struct db *db, const char *owner, const char *id, int after, int limit, bool bodies,
                     struct part_text **ret, size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "part_texts", DB_ARGS(owner, id, after, limit, bodies), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct part_text, *count);
	for (int i = 0; i < PQntuples(res); i++)
		(*ret)[i] = (struct part_text){ (int)db_int(res, i, "number"),
			                        arena_strdup(a, db_text(res, i, "address")),
			                        arena_strdup(a, db_text(res, i, "title")),
			                        arena_strdup(a, db_text(res, i, "body")),
			                        arena_strdup(a, db_text(res, i, "hash")) };
	return 0;
}

int store_part_problems(struct db *db, const char *owner, const char *id, int limit,
                        struct part_problem **ret, size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, "part_problems", DB_ARGS(owner, id, limit), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct part_problem, *count);
	for (int i = 0; i < PQntuples(res); i++)
		(*ret)[i] = (struct part_problem){ arena_strdup(a, db_text(res, i, "address")),
			                           arena_strdup(a, db_text(res, i, "problem")),
			                           *db_text(res, i, "gone") == 't' };
	return 0;
}
