/*
 * store: every statement of svc-chat. Each names the owner, but for those that sweep up after dead replicas.
 *
 * Functions that look for something return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_CHAT_STORE_H
#define PARLEY_CHAT_STORE_H

#include "chat.pb-c.h"
#include "common/db/db.h"
#include "svc-chat/model/provider.h"

extern const struct db_stmt store_sessions_statements[], store_messages_statements[],
    store_turns_statements[];

enum {
	STORE_SESSIONS = 500,  /* in one reply */
	STORE_BYTES = 2 << 20, /* of messages in one reply, roughly; one message always */
	STORE_LEASE_SECONDS = 10,
};

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

/* ERROR_NOT_FOUND when the chatbot is not the owner's. */
int store_create_session(struct db *db, const char *owner, const char *id, const char *chatbot,
                         const char *title, struct error *err) CHECKED;
int store_get_session(struct db *db, const char *owner, const char *id, Chat__SessionDetails *out,
                      struct arena *a, struct error *err) CHECKED;
/* Newest first, those before the cursor; sets out->next when more follow. */
int store_list_sessions(struct db *db, const char *owner, const char *cursor, int limit,
                        Chat__SessionList *out, struct arena *a, struct error *err) CHECKED;
int store_delete_session(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_session_chatbot(struct db *db, const char *owner, const char *session, const char **chatbot,
                          struct arena *a, struct error *err) CHECKED;
int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err) CHECKED;

/* --- Messages ------------------------------------------------------------------------------------------------------ */

/* The messages with after < number < before, oldest first, as many as fit a reply. *last: the last one's number.
 * *more: some did not fit. */
int store_messages(struct db *db, const char *owner, const char *session, int64_t after, int64_t before,
                   int limit, size_t *n, Chat__Message ***ret, int64_t *last, bool *more, struct arena *a,
                   struct error *err) CHECKED;
/* The number of the earliest of the `limit` latest messages before `before` (which together fit max_bytes, where that
 * is not 0); 0 when there is none. *more: there are earlier ones. */
int store_page_start(struct db *db, const char *owner, const char *session, int64_t before, int limit,
                     int64_t max_bytes, int64_t *first, bool *more, struct error *err) CHECKED;
int store_get_message(struct db *db, const char *owner, const char *session, const char *id,
                      Chat__Message *out, struct arena *a, struct error *err) CHECKED;
/* The messages before that one, oldest first, not much more than `characters` of them. */
int store_history(struct db *db, const char *owner, const char *session, const char *before_message,
                  int64_t characters, size_t *n, struct chat_message **ret, struct arena *a,
                  struct error *err) CHECKED;

/* --- Answers ------------------------------------------------------------------------------------------------------- */

/* What tells an answer from other messages. Strings live in the arena. */
struct store_turn {
	const char *question_id, *message_id, *stream, *status, *error, *request_hash;
	bool has_log; /* its events are stored */
};
int store_find_turn(struct db *db, const char *owner, const char *session, const char *message_id,
                    struct store_turn *ret, struct arena *a, struct error *err) CHECKED;
int store_latest_turn(struct db *db, const char *owner, const char *session, struct store_turn *ret,
                      struct arena *a, struct error *err) CHECKED;
int store_turn_by_key(struct db *db, const char *owner, const char *session, const char *key,
                      struct store_turn *ret, struct arena *a, struct error *err) CHECKED;
/* session may be NULL: of any. */
int store_turn_by_stream(struct db *db, const char *owner, const char *session, const char *stream,
                         struct store_turn *ret, struct arena *a, struct error *err) CHECKED;

/* The session stays locked until the transaction ends. */
int store_lock_session(struct db *db, const char *owner, const char *session, struct error *err) CHECKED;
/* Within a transaction: the question, and its answer `generating`. ERROR_CONFLICT while another one is written. */
struct store_new_turn {
	const char *owner, *session, *question_id, *message_id, *stream;
	const char *content, *created_at;
	const char *title;              /* for a session without one; may be NULL */
	const char *key, *request_hash; /* NULL without a key */
};
int store_begin_turn(struct db *db, const struct store_new_turn *turn, struct error *err) CHECKED;
/* The opposite, when nobody could be found to write it. */
int store_abandon_turn(struct db *db, const struct store_new_turn *turn, struct error *err) CHECKED;

/* Renews the lease and stores what there is (NULL: nothing new). 0: the row is not `generating` any more.
 * *stop: its user wants it to end. */
struct store_progress {
	const char *content, *reasoning;
	ProtobufCBinaryData sources;
};
int store_renew(struct db *db, const char *owner, const char *message_id, const struct store_progress *p,
                bool *stop, struct error *err) CHECKED;
/* Closes the row with what the message holds, and keeps the events for ten minutes. 0: it was closed already. */
int store_finish(struct db *db, const char *owner, const Chat__Message *message, ProtobufCBinaryData events,
                 struct arena *a, struct error *err) CHECKED;
/* Its events are told anew, under another stream's id. */
int store_retell(struct db *db, const char *owner, const char *message_id, const char *stream,
                 ProtobufCBinaryData events, struct error *err) CHECKED;
int store_load_events(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData *ret,
                      struct arena *a, struct error *err) CHECKED;
/* 1: it is being written, and whoever writes it will hear of it (NOTIFY on STORE_STOP_CHANNEL: the message's id). */
#define STORE_STOP_CHANNEL "parley_chat_stop"
int store_stop(struct db *db, const char *owner, const char *session, const char *message_id,
               struct error *err) CHECKED;

/* Closes the answers whose writers died. *closed: how many. Not before the database itself has run for grace_seconds,
 * so that the living can renew their leases first. */
int store_close_orphans(struct db *db, int grace_seconds, int64_t *closed, struct error *err) CHECKED;
/* Drops expired events and keys. *streams: how many had their events dropped. */
int store_sweep(struct db *db, int64_t *streams, struct error *err) CHECKED;

const char *store_status_name(Chat__MessageStatus status); /* as the column has it */

/* The column `sources`. */
ProtobufCBinaryData store_pack_sources(Documents__Source **sources, size_t n, struct arena *a);

#endif
