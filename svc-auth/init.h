/*
 * init: what an administrator of the database does once: the extension, and per service a role and the schema it owns.
 *
 * Safe to run again, and at every start: what is there is left alone. The roles' passwords are derived from PARLEY_SECRET
 * (purpose "db/<role>"), as each service derives its own: nobody stores them. A server that asks for none is fine too.
 *
 * Which server was made ready is noted in the state directory (database-made): an empty database on another one is
 * refused then, since a volume that failed to mount looks like that.
 */
#ifndef PARLEY_AUTH_INIT_H
#define PARLEY_AUTH_INIT_H

#include "common/base/error.h"
#include "common/secret/secret.h"

/* Waits up to wait_ms for the database. state: that directory, which may be missing or not writable; "": there is none. */
int init_database(const char *admin_url, const struct secret *secret, const char *state, int wait_ms,
                  struct error *err) CHECKED;

#endif
