/*
 * store: every statement of svc-integrations; each names the owner.
 */
#ifndef PARLEY_INTEGRATIONS_STORE_H
#define PARLEY_INTEGRATIONS_STORE_H

#include "common/db/db.h"
#include "integrations.pb-c.h"

extern const struct db_stmt store_statements[];

enum { STORE_PAGE = 32 }; /* integrations in one reply */

/* Newest first, those before the cursor (NULL: from the newest); sets out->next when more follow. */
int store_list(struct db *db, const char *owner, const char *cursor, int limit,
               Integrations__IntegrationList *out, struct arena *a, struct error *err) CHECKED;

#endif
