#include "common/db/quota.h"

#include <stdlib.h>

#include "common/base/own.h"

const struct db_stmt quota_statements[] = {
	{ "quota_lock", "SELECT pg_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 11))" },
	{ NULL, NULL },
};

int quota_add(struct db *db, const char *owner, const char *stmt, struct db_args args, PGresult **ret,
              struct error *err)
{
	struct db_step steps[] = { { "quota_lock", DB_ARGS(owner, stmt) }, { stmt, args } };
	bool added;

	if (db_together(db, steps, 2, err) < 0)
		return -1;
	added = db_affected(steps[1].res) > 0;
	if (ret)
		*ret = TAKE(steps[1].res);
	db_steps_done(steps, 2);
	return added;
}
