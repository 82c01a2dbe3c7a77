/*
 * store: every statement of svc-chatbots. Each names the owner, but for store_find(), which serves visitors.
 *
 * Functions that look for a chatbot return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_CHATBOTS_STORE_H
#define PARLEY_CHATBOTS_STORE_H

#include "chatbots.pb-c.h"
#include "common/db/db.h"

extern const struct db_stmt store_statements[], store_answers_statements[], store_versions_statements[];

/* A whole chatbot, as the message wants it. `owner` once more in the subquery: a parameter, so that a cluster which is
 * sharded by owner asks one machine. */
#define STORE_CHATBOT(owner, id)                                                                    \
	"SELECT c.id, c.name, c.description, c.settings, c.owner_id, c.created_at, c.updated_at,"   \
	" ARRAY(SELECT d.document_id FROM chatbot_document d"                                       \
	" WHERE d.owner_id = " owner " AND d.chatbot_id = " id " ORDER BY d.position) AS documents" \
	" FROM chatbot c"

enum {
	STORE_PAGE =
	    32, /* chatbots, or versions, in one reply: with the largest settings they still fit a message */
	STORE_ANSWERS = 200,             /* in one reply */
	STORE_ANSWERS_MAX = 500,         /* of a chatbot */
	STORE_ANSWERS_BYTES = 512 << 10, /* all of a chatbot's together */
	STORE_VERSIONS = 50,             /* kept of a chatbot */
};

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

/* What every change tells the other services (common/service/channels.h). */
int store_tell(struct db *db, const char *id, struct error *err) CHECKED;

/* Which chatbots want conversations to be forgotten, of any owner, by id; after the cursor (NULL: from the first). */
int store_retentions(struct db *db, const char *cursor, Chatbots__RetentionList *out, struct arena *a,
                     struct error *err) CHECKED;

/* --- Answers written beforehand: store_answers.c. The oldest first ------------------------------------------------ */

int store_list_answers(struct db *db, const char *owner, const char *chatbot, const char *cursor, int limit,
                       Chatbots__AnswerList *out, struct arena *a, struct error *err) CHECKED;
int store_enabled_answers(struct db *db, const char *owner, const char *chatbot, size_t *n,
                          Chatbots__Answer ***ret, struct arena *a, struct error *err) CHECKED;
int store_get_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                     Chatbots__Answer *out, struct arena *a, struct error *err) CHECKED;
/* ERROR_FORBIDDEN when the chatbot has as many as it may have. */
int store_add_answer(struct db *db, const char *owner, const char *chatbot, const char *id, char **questions,
                     size_t count, const char *answer, bool enabled, struct arena *a,
                     struct error *err) CHECKED;
/* No questions, NULL: as they are. Of one that is there. */
int store_update_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                        char **questions, size_t count, const char *answer, const bool *enabled,
                        struct arena *a, struct error *err) CHECKED;
int store_delete_answer(struct db *db, const char *owner, const char *chatbot, const char *id,
                        struct error *err) CHECKED;

/* --- What it was: store_versions.c ---------------------------------------------------------------------------------- */

/* What the chatbot is now, unless the latest version is the same. */
int store_keep_version(struct db *db, const char *owner, const char *chatbot, struct error *err) CHECKED;
/* The latest first, those before that number. */
int store_list_versions(struct db *db, const char *owner, const char *chatbot, int64_t before, int limit,
                        Chatbots__VersionList *out, struct arena *a, struct error *err) CHECKED;
int store_get_version(struct db *db, const char *owner, const char *chatbot, int64_t number,
                      Chatbots__Version *out, struct arena *a, struct error *err) CHECKED;
/* Its name and description, and these settings. */
int store_set_back(struct db *db, const char *owner, const char *chatbot, const Chatbots__Version *to,
                   const char *settings, struct error *err) CHECKED;

#endif
