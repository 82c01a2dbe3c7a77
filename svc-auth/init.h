/*
 * init: what an administrator of the database does once: the extension, and per service a role and the schema it owns.
 *
 * Safe to run again, and at every start: what is there is left alone. The roles' passwords are derived from PARLEY_SECRET
 * (purpose "db/<role>"), as each service derives its own: nobody stores them. A server that asks for none is fine too.
 */
#ifndef PARLEY_AUTH_INIT_H
#define PARLEY_AUTH_INIT_H

#include "common/base/error.h"
#include "common/secret/secret.h"

/* Waits up to wait_ms for the database. */
int init_database(const char *admin_url, const struct secret *secret, int wait_ms, struct error *err) CHECKED;

#endif
