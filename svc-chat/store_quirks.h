/* store_quirks: what models refuse, for all replicas and for a day. */
#ifndef PARLEY_CHAT_STORE_QUIRKS_H
#define PARLEY_CHAT_STORE_QUIRKS_H

#include "common/db/db.h"
#include "svc-chat/model/quirks.h"

extern const struct db_stmt store_quirks_statements[];
extern const struct quirks_store store_quirks; /* its db is a struct db */

#endif
