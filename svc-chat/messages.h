/*
 * messages: what the methods about messages share, whichever API shows them: pages of a session's messages, and asking.
 */
#ifndef PARLEY_CHAT_MESSAGES_H
#define PARLEY_CHAT_MESSAGES_H

#include "chat.pb-c.h"
#include "common/service/call.h"
#include "svc-chat/turn/turn.h"

/*
 * Without a limit the messages run from the first to the last. With one, a page is the latest that many, again oldest
 * first, and what follows it is older. Either may take several replies: *next is the cursor of what follows.
 */
struct messages_page {
	const char *session, *cursor;
	bool has_limit, all; /* all: also those in whose place others stand */
	int limit;
	/* What came of it. */
	Chat__Message **messages;
	size_t count;
	char *next;
};
int messages_page(struct call *call, struct messages_page *page) CHECKED;

/* A question of the caller's own, answered: content; or the last answer (again) or question (edits) anew. */
struct messages_ask {
	const char *session, *content, *again, *edits;
};
/* fill makes the answer of the message (NULL: it is the message); what a handler does last, as turn_await() is. */
int messages_ask(struct call *call, const struct messages_ask *ask, turn_fill *fill,
                 ProtobufCMessage *out) CHECKED;
int messages_stream(struct call *call, const struct messages_ask *ask, Rpc__Started *out) CHECKED;

int messages_stop(struct call *call, const char *owner, const char *session, const char *id, turn_fill *fill,
                  ProtobufCMessage *out) CHECKED;
/* That sibling is shown from now on. */
int messages_choose(struct call *call, const char *session, const char *id, Chat__Message *out) CHECKED;
/* value: "up", "down"; NULL takes it back. */
int messages_judge(struct call *call, const char *session, const char *id, const char *value,
                   const char *comment, Chat__Message *out) CHECKED;

/* A session with its messages goes, and whoever writes or reads there hears of it. In handlers_sessions.c. */
int messages_session_delete(struct call *call, const char *session) CHECKED;

#endif
