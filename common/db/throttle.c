#include "common/db/throttle.h"

#include <assert.h>

/* times: the latest ones, oldest first. The $2-th from its end is the one that counts. */
const struct db_stmt throttle_statements[] = {
	{ "throttle_wait",
	  "SELECT ceil(extract(epoch FROM times[cardinality(times) - $2 + 1] + $3 * interval '1 second' - now()))::bigint"
	  " AS seconds FROM tries WHERE key = $1" },
	{ "throttle_note",
	  "INSERT INTO tries (key, times, until) VALUES ($1, ARRAY[now()], now() + $3 * interval '1 second')"
	  " ON CONFLICT (key) DO UPDATE SET times = (tries.times || now())"
	  "[greatest(1, cardinality(tries.times) + 2 - $2):], until = excluded.until" },
	{ "throttle_take",
	  "INSERT INTO tries (key, times, until) VALUES ($1, ARRAY[now()], now() + $3 * interval '1 second')"
	  " ON CONFLICT (key) DO UPDATE SET times = (tries.times || now())"
	  "[greatest(1, cardinality(tries.times) + 2 - $2):], until = excluded.until"
	  " WHERE tries.times[cardinality(tries.times)] <= now() - $4 * interval '1 second'"
	  " AND (cardinality(tries.times) < $2"
	  "  OR tries.times[cardinality(tries.times) - $2 + 1] <= now() - $3 * interval '1 second')" },
	/* until: when all of it has flowed off. Who comes is added at its end, which is at most a minute away. Keys in the
	 * order of the caller's, so that two wait for each other in one order. */
	{ "throttle_flow",
	  "WITH asked AS (SELECT key, make_interval(secs => 60.0 / most) AS share"
	  " FROM unnest($1::text[], $2::int[]) AS t (key, most)),"
	  " full_ones AS (SELECT t.until + a.share - now() - interval '1 minute' AS wait FROM tries t JOIN asked a USING (key)"
	  " WHERE t.until + a.share > now() + interval '1 minute'),"
	  " counted AS (INSERT INTO tries (key, times, until) SELECT key, '{}', now() + share FROM asked"
	  " WHERE NOT EXISTS (SELECT FROM full_ones)"
	  " ON CONFLICT (key) DO UPDATE SET until = greatest(tries.until, now()) + (excluded.until - now())"
	  " WHERE tries.until + (excluded.until - now()) <= now() + interval '1 minute' RETURNING key)"
	  " SELECT (SELECT count(*) FROM counted) AS counted,"
	  " (SELECT ceil(extract(epoch FROM max(wait)))::int FROM full_ones) AS wait" },
	{ "throttle_forget", "DELETE FROM tries WHERE key = $1" },
	{ "throttle_sweep", "DELETE FROM tries WHERE until < now()" },
	{ NULL, NULL },
};

static char *key_of(const struct throttle *t, const char *who, struct arena *a)
{
	return arena_printf(a, "%s/%s", t->name, who);
}

int throttle_check(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                   struct error *err)
{
	int64_t seconds = 0;

	if (!who)
		return 0;
	if (db_number(db, "throttle_wait", DB_ARGS(key_of(t, who, a), t->limit, t->window), &seconds, err) <
	    0)
		return -1;
	if (seconds <= 0)
		return 0;
	return error_too_many(err, (int)seconds, "too many failed attempts; try again in %d minutes",
	                      (int)(seconds + 59) / 60);
}

int throttle_note(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err)
{
	return who ? db_exec(db, "throttle_note", DB_ARGS(key_of(t, who, a), t->limit, t->window), NULL, err)
	           : 0;
}

int throttle_forget(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                    struct error *err)
{
	return who ? db_exec(db, "throttle_forget", DB_ARGS(key_of(t, who, a)), NULL, err) : 0;
}

int throttle_take(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err)
{
	return db_changed(db, "throttle_take", DB_ARGS(key_of(t, who, a), t->limit, t->window, t->gap), err);
}

int throttle_flow(struct db *db, const struct throttle_flow *flows, size_t count, int *wait, struct arena *a,
                  struct error *err)
{
	char *keys[THROTTLE_FLOWS], *most[THROTTLE_FLOWS];
	OWN(pgresult) PGresult *res = NULL;

	assert(count <= THROTTLE_FLOWS);
	for (size_t i = 0; i < count; i++) {
		keys[i] = arena_strdup(a, flows[i].key);
		most[i] = arena_printf(a, "%d", flows[i].per_minute);
	}
	if (db_exec(db, "throttle_flow",
	            DB_ARGS(db_text_array(keys, count, a), db_text_array(most, count, a)), &res, err) < 0)
		return -1;
	*wait = (int)db_int(res, 0, "wait");
	*wait = *wait > 0 ? *wait : 1; /* somebody else came in between */
	return (size_t)db_int(res, 0, "counted") == count;
}

int throttle_sweep(struct db *db, struct error *err)
{
	return db_exec(db, "throttle_sweep", DB_ARGS(), NULL, err);
}
