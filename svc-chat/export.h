/*
 * export: messages of a session as text for people: Markdown to read or print, JSON to read in again. Knows nothing of
 * rows and calls: what is written is a beginning, messages one after another, and an end.
 */
#ifndef PARLEY_CHAT_EXPORT_H
#define PARLEY_CHAT_EXPORT_H

#include <stdbool.h>

#include "chat.pb-c.h"
#include "common/base/text.h"

enum export_format { EXPORT_MARKDOWN, EXPORT_JSON };

struct export_head {
	int64_t number;              /* of a chat of ChatConnect, which has no id; else 0 */
	const char *id, *chatbot_id; /* chatbot_id may be NULL */
	const char *title;           /* may be NULL */
	const char *created_at, *updated_at;
	const char *visitor_name, *visitor_email; /* as the website has signed them; else NULL */
};

void export_begin(enum export_format format, const struct export_head *head, struct text *out);
/* first: of all. */
void export_message(enum export_format format, const struct export_head *head, const Chat__Message *m,
                    bool first, struct text *out);
void export_end(enum export_format format, struct text *out);

#endif
