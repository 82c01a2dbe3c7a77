/*
 * chat_rig: svc-chat's schema for store tests (store_rig.h), with one chatbot, and turns to try things with.
 */
#ifndef PARLEY_TESTS_CHAT_RIG_H
#define PARLEY_TESTS_CHAT_RIG_H

#include "svc-chat/store.h"
#include "tests/unit/store_rig.h"

extern const char owner[], other[]; /* ADA, GRACE */
extern const char bot[];            /* ADA's */

/* What only these tests ask: "t_expire" and so on, see there. */
int chat_rig_open(void **state);

const char *chat_rig_session(void);
struct store_new_turn chat_rig_turn(const char *session, const char *content);
/* Begins it; its writer's view of it. */
struct store_begun chat_rig_begin(const struct store_new_turn *turn);
int chat_rig_finish(const char *session, const char *message_id, int attempt, const char *content,
                    const char **next);
int chat_rig_end(const char *session, const char *message_id, int attempt, const char *content,
                 struct store_ended *ret);
/* A question and its whole answer. Returns the answer's id. */
const char *chat_rig_answered(const char *session, const char *question, const char *answer);

#endif
