/* links: svc-chat/store_messages.c svc-chat/store_sessions.c svc-chat/store_turns.c svc-chat/store_follow.c svc-chat/store_keep.c svc-chat/store_handover.c svc-chat/store_quirks.c svc-chat/store_servers.c svc-chat/store_tools.c svc-chat/store_steps.c svc-chat/store_decide.c svc-chat/store_oauth.c build/gen/chat.migrations.c tests/unit/sharded.c */
#include "common/db/throttle.h"
#include "common/job/event.h"
#include "svc-chat/store.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/store_oauth.h"
#include "svc-chat/store_quirks.h"
#include "svc-chat/store_servers.h"
#include "svc-chat/store_tools.h"
#include "tests/unit/sharded.h"

extern const struct db_migration chat_migrations[];

int main(void)
{
	static const struct db_stmt *const tables[] = { store_sessions_statements, store_messages_statements,
		                                        store_turns_statements,    store_follow_statements,
		                                        store_keep_statements,     throttle_statements,
		                                        store_handover_statements, store_quirks_statements,
		                                        store_servers_statements,  store_oauth_statements,
		                                        store_tools_statements,    store_decide_statements,
		                                        event_statements,          NULL };
	static const char *const allowed[] = {
		/* Of many owners at once, since it is for the replica: who has turns whose writers died, and what has
		 * expired. The rest goes owner by owner. */
		"lapsed_owners", "sweep_events", "sweep_keys", NULL
	};

	return sharded_main(&(struct sharded){ chat_migrations, tables, allowed });
}
