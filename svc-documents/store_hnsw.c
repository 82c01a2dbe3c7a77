#include "svc-documents/store_hnsw.h"

enum { MOST = 200 /* indexes: whoever plans a statement on the table looks at each */ };

/* `document.model` has the dimension in it (ingest/embed.h). An index goes when its owner has fallen a good deal below. */
const struct db_stmt store_hnsw_statements[] = {
	{ "hnsw_missing", "SELECT CASE WHEN EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
	                  " THEN 'the database is sharded (Citus)'"
	                  " WHEN string_to_array(substring(extversion FROM '^[0-9.]+'), '.')::int[] < '{0,8}'"
	                  " THEN 'pgvector ' || extversion || ' has no iterative scans; 0.8 has' END AS why"
	                  " FROM pg_extension WHERE extname = 'vector'" },
	{ "hnsw_due",
	  "WITH due AS (SELECT 'vectors_' || replace(d.owner_id::text, '-', '') || '_' || m.dims AS name,"
	  " d.owner_id, m.dims, sum(d.chunks) AS vectors"
	  " FROM (SELECT owner_id, sum(chunks) AS chunks FROM (SELECT owner_id, chunks FROM corpus"
	  " UNION ALL SELECT owner_id, chunks FROM corpus_part) p GROUP BY owner_id) c"
	  " JOIN document d ON d.owner_id = c.owner_id"
	  " CROSS JOIN LATERAL (SELECT substring(d.model FROM ':([0-9]+)@https?://') AS dims) m"
	  " WHERE c.chunks >= $1::bigint * 4 / 5 AND m.dims IS NOT NULL GROUP BY d.owner_id, m.dims"
	  " HAVING sum(d.chunks) >= $1::bigint * 4 / 5),"
	  " there AS (SELECT r.relname AS name, i.indisvalid FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid"
	  " WHERE i.indrelid = 'embedding'::regclass AND r.relname LIKE 'vectors\\_%'),"
	  " steps AS (SELECT 0 AS place, format('DROP INDEX CONCURRENTLY IF EXISTS %I', t.name) AS sql FROM there t"
	  " WHERE NOT t.indisvalid OR NOT EXISTS (SELECT FROM due WHERE due.name = t.name)"
	  /* Without parallel workers: these share memory of which a container has 64 MB. */
	  " UNION ALL SELECT row_number() OVER (ORDER BY vectors DESC), 'SET maintenance_work_mem TO ''256MB'';"
	  " SET max_parallel_maintenance_workers TO 0; ' ||"
	  " format('CREATE INDEX CONCURRENTLY %I ON embedding USING hnsw ((vector::halfvec(%s)) halfvec_ip_ops)"
	  " WHERE owner_id = %L AND vector_dims(vector) = %s', due.name, dims, owner_id, dims) FROM due"
	  " WHERE vectors >= $1::bigint AND NOT EXISTS (SELECT FROM there WHERE there.name = due.name)"
	  " AND (SELECT count(*) FROM there) < $2)"
	  " SELECT sql FROM steps ORDER BY place LIMIT 1" },
	{ 0 },
};

int store_hnsw_missing(struct db *db, const char **ret, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "hnsw_missing", DB_ARGS(), &res, err);

	if (found < 0)
		return -1;
	*ret = found ? arena_strdup(a, db_text(res, 0, "why")) : "pgvector is not installed";
	return 0;
}

int store_hnsw_due(struct db *db, int64_t least, const char **sql, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "hnsw_due", DB_ARGS(least, (int)MOST), &res, err);

	if (found > 0)
		*sql = arena_strdup(a, db_text(res, 0, "sql"));
	return found;
}
