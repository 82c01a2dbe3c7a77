/* store_sql: pieces of SQL that several stores of svc-chat need. */
#ifndef PARLEY_CHAT_STORE_SQL_H
#define PARLEY_CHAT_STORE_SQL_H

#include "svc-chat/store.h"

/* RFC 3339, whatever the time zone of whoever computes it. */
#define STORE_TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* How long a turn is its writer's. */
#define STORE_LEASE "now() + interval '10 seconds'"
/* The lease of a turn that nobody holds, by its writer's own will, and that is to go on or to end now. */
#define STORE_LET_GO "'-infinity'::timestamptz"
_Static_assert(STORE_LEASE_SECONDS == 10, "STORE_LEASE says how many seconds");

#endif
