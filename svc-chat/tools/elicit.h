/*
 * tools/elicit: what an MCP server asks a user in the middle of a call (elicitation/create), and what comes of it.
 *
 * A form is flat: texts, numbers, yes or no, choices. What must not be asked is declined unseen, as the protocol wants it: a
 * form that asks for a secret, one that cannot be shown, an address that is none of the web. Addresses are for the user's
 * browser; they are never fetched here.
 */
#ifndef PARLEY_TOOLS_ELICIT_H
#define PARLEY_TOOLS_ELICIT_H

#include "chat.pb-c.h"
#include "common/base/text.h"

#define ELICIT_DECLINED "{\"action\":\"decline\"}"
#define ELICIT_CANCELLED "{\"action\":\"cancel\"}"

/* Reads its params; ret->action is "decline" when it is not to be shown. */
void elicit_read(const char *params, const char *id, Chat__Elicitation *ret, struct arena *a);

/* The answer for the server, as JSON: an accepted form has what was filled in, checked, and the form's defaults. NULL: the
 * form does not take it, which `why` says, a line for each mistake. content: JSON object, or NULL. */
const char *elicit_answer(const Chat__Elicitation *asked, const char *action, const char *content,
                          struct text *why, struct arena *a);

#endif
