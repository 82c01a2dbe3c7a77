/*
 * shard: what an administrator does once, when one machine has become too small for the data: the owners' tables are spread over
 * the workers of a Citus cluster (common/db/place.h), whose coordinator this database is.
 *
 * Safe to run again: what is placed stays where it is. Services that start later place the tables that are new in them.
 */
#ifndef PARLEY_AUTH_SHARD_H
#define PARLEY_AUTH_SHARD_H

#include "common/base/error.h"

/* Refused in words when there is no Citus, no worker, or no table yet (the services make them when they start). */
int shard_database(const char *admin_url, struct error *err) CHECKED;

#endif
