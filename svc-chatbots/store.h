/*
 * store: every statement of svc-chatbots. Each names the owner, but for store_find(), which serves visitors.
 *
 * Functions that look for a chatbot return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_CHATBOTS_STORE_H
#define PARLEY_CHATBOTS_STORE_H

#include "chatbots.pb-c.h"
#include "common/db/db.h"

extern const struct db_stmt store_statements[];

enum { STORE_PAGE = 32 }; /* chatbots in one reply: with the largest settings they still fit a message */

/* ERROR_FORBIDDEN when the owner has `most` already. */
int store_create(struct db *db, const char *owner, const char *id, const Chatbots__CreateChatbotRequest *in,
                 const char *settings, int64_t most, struct error *err) CHECKED;
int store_get(struct db *db, const char *owner, const char *id, Chatbots__Chatbot *out, struct arena *a,
              struct error *err) CHECKED;
int store_find(struct db *db, const char *id, Chatbots__Chatbot *out, struct arena *a,
               struct error *err) CHECKED;

/* Newest first, those before the cursor (NULL: from the newest); sets out->next when more follow. */
int store_list(struct db *db, const char *owner, const char *cursor, int limit, Chatbots__ChatbotList *out,
               struct arena *a, struct error *err) CHECKED;

/* Lock a chatbot until the transaction ends and give its settings. */
int store_lock(struct db *db, const char *owner, const char *id, const char **settings, struct arena *a,
               struct error *err) CHECKED;
/* NULL keeps what is there; reset_description clears it. */
int store_update(struct db *db, const char *owner, const char *id, const char *name, const char *description,
                 bool reset_description, const char *settings, struct error *err) CHECKED;
int store_delete(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;

/* ERROR_NOT_FOUND when one of the documents is not the owner's; the transaction is to be rolled back then. */
int store_assign(struct db *db, const char *owner, const char *id, char **documents, size_t count,
                 struct arena *a, struct error *err) CHECKED;
int store_unassign(struct db *db, const char *owner, const char *id, const char *document,
                   struct error *err) CHECKED;
int store_unassign_all(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;

int store_uses(struct db *db, const char *owner, char **documents, size_t count, Chatbots__UseList *out,
               struct arena *a, struct error *err) CHECKED;

#endif
