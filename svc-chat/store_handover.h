/*
 * store_handover: conversations that go on to people: of visitors, with the chatbots that svc-integrations names
 * (common/job/event.h, `handover`). Each goes once.
 */
#ifndef PARLEY_CHAT_STORE_HANDOVER_H
#define PARLEY_CHAT_STORE_HANDOVER_H

#include "common/db/db.h"

extern const struct db_stmt store_handover_statements[];

#define STORE_WANTED "wanted" /* as soon as its visitor has said where he can be reached */
#define STORE_GIVEN "given"

/* What becomes of a conversation in which the visitor was not helped: STORE_WANTED, STORE_GIVEN (his address is known), or
 * NULL: nobody takes over, or somebody has. 1, 0: nothing, -1. */
int store_handover_due(struct db *db, const char *owner, const char *session, const char **ret,
                       struct error *err) CHECKED;
/* What it is now; NULL: nothing. */
int store_handover_of(struct db *db, const char *owner, const char *session, const char **ret,
                      struct error *err) CHECKED;
/* It goes to people, with that contact. 1 it went, or had gone; 0: nobody has offered that. */
int store_hand_over(struct db *db, const char *owner, const char *session, const char *contact,
                    struct arena *a, struct error *err) CHECKED;

#endif
