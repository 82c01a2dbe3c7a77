/*
 * store: every statement of svc-chat. Each names the owner, but for those that sweep up after dead replicas.
 *
 * Functions that look for something return 1 found, 0 not there (or somebody else's), -1 failed.
 */
#ifndef PARLEY_CHAT_STORE_H
#define PARLEY_CHAT_STORE_H

#include "chat.pb-c.h"
#include "common/db/db.h"
#include "svc-chat/model/model.h"
#include "svc-chat/visitor.h"

extern const struct db_stmt store_sessions_statements[], store_messages_statements[],
    store_turns_statements[], store_follow_statements[], store_keep_statements[];

enum {
	STORE_SESSIONS = 500,  /* in one reply */
	STORE_BYTES = 2 << 20, /* of messages in one reply, roughly; one message always */
	STORE_LEASE_SECONDS = 10,
	STORE_UNDER_WAY = 5, /* turns of a session that have not ended */
	STORE_ATTEMPTS = 4,  /* writers that may die of a turn */
};

/* --- Sessions ------------------------------------------------------------------------------------------------------ */

/* ERROR_NOT_FOUND when the chatbot is not the owner's. */
int store_create_session(struct db *db, const char *owner, const char *id, const char *chatbot,
                         const char *title, struct error *err) CHECKED;
/* That of a visitor whom the site has named: there before his first message. */
int store_add_known_visitor(struct db *db, const char *owner, const char *session, const char *chatbot,
                            const char *origin, const char *expires_at, const struct visitor *visitor,
                            struct error *err) CHECKED;
int store_rename_session(struct db *db, const char *owner, const char *id, const char *title,
                         struct error *err) CHECKED;
int store_get_session(struct db *db, const char *owner, const char *id, Chat__SessionDetails *out,
                      struct arena *a, struct error *err) CHECKED;
/* Newest first, those before the cursor; sets out->next when more follow. */
int store_list_sessions(struct db *db, const char *owner, const char *cursor, int limit,
                        Chat__SessionList *out, struct arena *a, struct error *err) CHECKED;
int store_delete_session(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_usage(struct db *db, const char *owner, int64_t *messages, struct error *err) CHECKED;

/* Chats of ChatConnect: sessions without a chatbot, found by their numbers. kind: "chat", "chatconnect". */
int store_create_chat(struct db *db, const char *owner, const char *id, const char *kind, const char *title,
                      Chat__ChatSession *out, struct arena *a, struct error *err) CHECKED;
int store_find_chat(struct db *db, const char *owner, int64_t number, const char **id, struct arena *a,
                    struct error *err) CHECKED;
int store_get_chat(struct db *db, const char *owner, const char *id, Chat__ChatSession *out, struct arena *a,
                   struct error *err) CHECKED;
/* Newest first; those with numbers below `before` (0: all). */
int store_list_chats(struct db *db, const char *owner, const char *kind, int64_t before, int limit,
                     Chat__ChatSessionList *out, struct arena *a, struct error *err) CHECKED;
int store_message_by_number(struct db *db, const char *owner, const char *session, int64_t number,
                            const char **id, struct arena *a, struct error *err) CHECKED;

/* Conversations of visitors with a chatbot of the owner's. */
int store_list_conversations(struct db *db, const char *owner, const char *chatbot, const char *cursor,
                             int limit, Chat__SessionList *out, struct arena *a, struct error *err) CHECKED;
int store_is_conversation(struct db *db, const char *owner, const char *chatbot, const char *session,
                          struct error *err) CHECKED;
int store_figures(struct db *db, const char *owner, const char *chatbot, int days, Chat__Analytics *out,
                  struct arena *a, struct error *err) CHECKED;

/* --- Messages ------------------------------------------------------------------------------------------------------ */

/* Those of its messages with after < number < before (all: also those in whose place others stand), oldest first, as many
 * as fit a reply. *last: the last one's number. *more: some did not fit. */
int store_messages(struct db *db, const char *owner, const char *session, bool all, int64_t after,
                   int64_t before, int limit, size_t *n, Chat__Message ***ret, int64_t *last, bool *more,
                   struct arena *a, struct error *err) CHECKED;
/* The number of the earliest of the `limit` latest messages before `before` (which together fit max_bytes, where that
 * is not 0); 0 when there is none. *more: there are earlier ones. */
int store_page_start(struct db *db, const char *owner, const char *session, bool all, int64_t before,
                     int limit, int64_t max_bytes, int64_t *first, bool *more, struct error *err) CHECKED;
/* Those of one's own sessions that have all the words, newest first. */
int store_search(struct db *db, const char *owner, char *const *words, size_t count, int limit,
                 Chat__FoundMessageList *out, struct arena *a, struct error *err) CHECKED;
/* Erases at most `most` of a chatbot's conversations, visitors' and the owner's, in which nothing was said for so many
 * days. *gone: how many. */
int store_forget(struct db *db, const char *owner, const char *chatbot, int days, int most, int64_t *gone,
                 struct error *err) CHECKED;
/* That one is shown from now on, of those that stand in its place. ERROR_CONFLICT while an answer is
 * written there. */
int store_choose(struct db *db, const char *owner, const char *session, const char *id,
                 struct error *err) CHECKED;
/* value and comment may be NULL. Only of an answer. */
int store_set_feedback(struct db *db, const char *owner, const char *session, const char *id,
                       const char *value, const char *comment, struct error *err) CHECKED;
/* Somebody may want to hear that of a message. */
int store_tell_message(struct db *db, const char *owner, const char *session, const char *id,
                       const char *event, struct error *err) CHECKED;
int store_get_message(struct db *db, const char *owner, const char *session, const char *id,
                      Chat__Message *out, struct arena *a, struct error *err) CHECKED;

/* --- Turns: the row of the answer is the turn; store_turns.c --------------------------------------------------------- */

/*
 * One order of locks: the session, then the turn, then other messages. Whoever would lock turns without their session
 * (the keeper) skips those that are locked.
 */

/* What tells a turn from other messages. Strings live in the arena. */
struct store_turn {
	const char *question_id, *message_id, *stream, *status, *error, *request_hash;
	int64_t last; /* the sequence of its last event; 0 when its events are not stored */
};
/* From the row of a statement that finds one: 1, or 0 without. */
int store_read_turn(const PGresult *res, struct store_turn *ret, struct arena *a);
int store_find_turn(struct db *db, const char *owner, const char *session, const char *message_id,
                    struct store_turn *ret, struct arena *a, struct error *err) CHECKED;
int store_latest_turn(struct db *db, const char *owner, const char *session, struct store_turn *ret,
                      struct arena *a, struct error *err) CHECKED;
/* session may be NULL: of any. */
int store_turn_by_stream(struct db *db, const char *owner, const char *session, const char *stream,
                         struct store_turn *ret, struct arena *a, struct error *err) CHECKED;

/* What was said before it, a turn is told so many messages of, and so many bytes for each token of the model's context. */
enum { STORE_HISTORY = 100, STORE_BYTES_PER_TOKEN = 4 };

/* The session as it was when its last turn ended: nothing was said in it since, and nothing chosen, while it is so. */
struct store_known {
	char updated_at[40]; /* as SQL has it */
	int64_t last;        /* number of a message in it */
	bool listened;       /* somebody wanted to hear of the owner's conversations */
};

/* How a turn begins: the question, and its answer `generating`, or `queued` behind others. */
struct store_new_turn {
	const char *owner, *session, *question_id, *message_id, *stream;
	const char *content, *created_at;
	const char *title;              /* for a session without one; may be NULL */
	const char *key, *request_hash; /* NULL without a key */
	int history_bytes;              /* so much of the conversation before it is given back */
	/* Of a visitor's session, which the first message makes: the chatbot; else NULL. */
	const char *chatbot, *origin, *expires_at;
	/* The last answer, which is written anew (question_id and content do not matter then); or the last question, which
	 * is asked otherwise. Both are kept, and not shown any more. Else NULL. */
	const char *again, *edits;
	bool waits; /* there is no writer for it now: only behind another turn may it be begun */
	/* Of what was said before it, which is then not read; NULL: it is. Not together with `again` and `edits`. */
	const struct store_known *known;
};
/* What its writer needs, whether it has just begun or is gone on with. */
struct store_begun {
	const char *chatbot_id; /* NULL: a chat without one */
	const char *kind;       /* of the session: "session", "chat", "chatconnect" */
	const char *question_id, *question;
	int64_t question_number, answer_number; /* as ChatConnect shows them */
	const char *created_at;                 /* of the answer */
	bool visitor, queued;
	bool listened; /* somebody wants to hear of the owner's conversations */
	bool as_known; /* what was said before it is what whoever began it knows; else the history has it */
	struct model_message *history; /* oldest first */
	size_t history_count;
	bool foreign; /* the history is none of the session's: whoever asked has brought it */
};
/*
 * 1 begun. 0: its key began one before, which is *before. ERROR_NOT_FOUND, ERROR_INVALID for a key that was used for
 * something else, ERROR_CONFLICT when STORE_UNDER_WAY turns of that session have not ended, ERROR_UNAVAILABLE when it would
 * have to wait behind another, and there is none.
 */
int store_begin_turn(struct db *db, const struct store_new_turn *turn, struct store_begun *begun,
                     struct store_turn *before, struct arena *a, struct error *err) CHECKED;
/* For a turn that waited, or whose writer died. 0: it is gone. */
int store_load_turn(struct db *db, const char *owner, const char *session, const char *message_id,
                    int history_bytes, struct store_begun *ret, struct arena *a, struct error *err) CHECKED;

/* How a turn ends. */
struct store_end {
	const char *owner;
	const Chat__Message *message;
	int attempt;
	bool noted;                 /* steps of it may be stored that nobody needs then */
	ProtobufCBinaryData events; /* kept for ten minutes; or, where there are none, */
	/* What it takes to make them again (svc-chat/turn/cuts.h), for good; else empty, and so stored (answers of before: NULL). */
	ProtobufCBinaryData cuts;
	int64_t last;     /* the sequence of the last */
	const char *told; /* which events it is, as an SQL array (svc-chat/tell.h) */
	bool listened;    /* somebody did, when the turn began */
};
struct store_ended {
	const char *next; /* the turn of the session that may begin then; else NULL */
	struct store_known known;
};
/* Closes the turn with what the message holds. 0: it was not this attempt's any more. */
int store_finish_turn(struct db *db, const struct store_end *end, struct store_ended *ret, struct arena *a,
                      struct error *err) CHECKED;
/* Lets the first that waits in that session begin, when nothing else is under way there. */
int store_next_turn(struct db *db, const char *owner, const char *session, const char **next, struct arena *a,
                    struct error *err) CHECKED;

/* Its events are told anew, under another stream's id. */
int store_retell(struct db *db, const char *owner, const char *message_id, const char *stream,
                 ProtobufCBinaryData events, int64_t last, struct error *err) CHECKED;
int store_keep_events(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData events,
                      int64_t last, struct error *err) CHECKED;
int store_load_events(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData *ret,
                      struct arena *a, struct error *err) CHECKED;
/* Of an answer that has no events, how it was told. *session in the arena. */
int store_load_cuts(struct db *db, const char *owner, const char *message_id, ProtobufCBinaryData *ret,
                    const char **session, struct arena *a, struct error *err) CHECKED;
/* 1: it has not ended, and whoever holds it is to hear of it (store_tell). */
int store_stop(struct db *db, const char *owner, const char *session, const char *message_id,
               struct error *err) CHECKED;

/* --- Keeping them: store_keep.c -------------------------------------------------------------------------------------- */

/* What replicas tell each other: NOTIFY on STORE_CHANNEL, "<what> <id>". */
#define STORE_CHANNEL "parley_chat"
int store_tell(struct db *db, const char *what /* "stop", "begin", "deleted" */, const char *id,
               struct error *err) CHECKED;

/* A turn that is held here. What is NULL (no data) has not changed. */
struct store_held {
	const char *owner, *message_id;
	int attempt, round,
	    step; /* of the model that is asked: which round it is, and the number of its step */
	const char *content, *reasoning;
	ProtobufCBinaryData sources, passages;
	bool speaks; /* the model's answer has begun */
	/* What came of it. */
	bool renewed, stop, begins; /* begins: it is `generating` now */
};
/* Renews their leases and stores what there is. Those not renewed were locked by somebody, or are lost. */
int store_renew(struct db *db, struct store_held *held, size_t count, struct arena *a,
                struct error *err) CHECKED;
/* Is it still that attempt's? 0 no: *gone tells whether the row is not there any more. */
int store_still_held(struct db *db, const struct store_held *held, bool *gone, struct error *err) CHECKED;

/* Lets others take it over at once. */
int store_release(struct db *db, const struct store_held *held, struct error *err) CHECKED;

/* One that waits for people, and is held by nobody from now on. When they have decided, or its user stops it, whoever looks
 * first takes it over. */
int store_let_go(struct db *db, const struct store_held *held, struct error *err) CHECKED;

/*
 * Owners with turns whose writers died, those who wait longest first. None before the database itself has run for
 * grace_seconds, so that the living can renew their leases first.
 */
int store_lapsed_owners(struct db *db, int grace_seconds, const char ***ret, size_t *count, struct arena *a,
                        struct error *err) CHECKED;
/* Ends those that cannot be gone on with: their model was speaking, or their user wanted them to stop, or too many
 * writers died of them. *sessions: where. */
int store_end_orphans(struct db *db, const char *owner, int grace_seconds, const char ***sessions,
                      size_t *count, struct arena *a, struct error *err) CHECKED;

/* A turn whose writer died, or let it go, now ours. */
struct store_orphan {
	const char *session, *message_id, *stream;
	int attempt;              /* one more than that writer's; of one that was let go, the same */
	bool queued, rests, stop; /* rests: it waits for people */
};
/* Takes at most `most` of the others. */
int store_take_over(struct db *db, const char *owner, int grace_seconds, int most, struct store_orphan **ret,
                    size_t *count, struct arena *a, struct error *err) CHECKED;
/* Drops expired events and keys. *streams: how many had their events dropped. */
int store_sweep(struct db *db, int64_t *streams, struct error *err) CHECKED;

const char *store_status_name(Chat__MessageStatus status); /* as the column has it */

/* The column `sources`. */
ProtobufCBinaryData store_pack_sources(Documents__Source **sources, size_t n, struct arena *a);

#endif
