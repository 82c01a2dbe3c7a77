/* store_account: a row of users as a struct account, for the store's own files. */
#ifndef PARLEY_AUTH_STORE_ACCOUNT_H
#define PARLEY_AUTH_STORE_ACCOUNT_H

#include "svc-auth/store.h"

#define STORE_RFC3339(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define STORE_ACCOUNT                                                                              \
	"u.uid, u.id, u.email, u.display_name, u.password, u.admin::int,"                          \
	" (u.disabled_at IS NOT NULL)::int AS disabled, (u.proven_at IS NOT NULL)::int AS proven," \
	" u.preferences, " STORE_RFC3339("u.created_at") " AS created_at, " STORE_RFC3339(         \
	    "u.updated_at") " AS updated_at"

/* The account that a statement of one parameter finds: 1, 0, -1. */
int store_account(struct db *db, const char *stmt, const char *which, struct account *out, struct arena *a,
                  struct error *err) CHECKED;
void store_read_account(const PGresult *res, struct account *out, struct arena *a);

#endif
