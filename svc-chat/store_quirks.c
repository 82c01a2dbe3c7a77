#include "svc-chat/store_quirks.h"

#include <stdlib.h>

const struct db_stmt store_quirks_statements[] = {
	{ "load_quirks", "SELECT bits, most_tokens FROM quirk WHERE endpoint = $1 AND model = $2"
	                 " AND learned_at > now() - interval '1 day'" },
	{ "save_quirks", "INSERT INTO quirk (endpoint, model, bits, most_tokens) VALUES ($1, $2, $3, $4)"
	                 " ON CONFLICT (endpoint, model) DO UPDATE SET bits = excluded.bits,"
	                 " most_tokens = excluded.most_tokens, learned_at = now()" },
	{ NULL, NULL },
};

static int load(void *db, const char *endpoint, const char *model, struct quirks *ret)
{
	OWN(pgresult) PGresult *res = NULL;
	struct error ignored = { 0 };

	if (db_exec(db, "load_quirks", DB_ARGS(endpoint, model), &res, &ignored) < 0 || !PQntuples(res))
		return 0;
	ret->bits = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	ret->most_tokens = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
	return 1;
}

static void save(void *db, const char *endpoint, const char *model, const struct quirks *quirks)
{
	struct error ignored = { 0 };

	if (db_exec(db, "save_quirks", DB_ARGS(endpoint, model, quirks->bits, quirks->most_tokens), NULL,
	            &ignored) < 0)
		return; /* it will be learned again */
}

const struct quirks_store store_quirks = { load, save };
