/* changing: what every change of a chatbot has in common: one transaction, a version kept, the others told. */
#ifndef PARLEY_CHATBOTS_CHANGING_H
#define PARLEY_CHATBOTS_CHANGING_H

#include "chatbots.pb-c.h"
#include "common/service/call.h"

/* The chatbot is the caller's, and nobody else changes it before the transaction ends. *settings: as they are. */
int changing_lock(struct call *call, const char *id, const char **settings) CHECKED;

/* End a transaction in which everything went well, or undo it; what the handler then returns. CHANGING_ITSELF: what it
 * is now is kept as a version. */
enum changing { CHANGING_ITSELF, CHANGING_ANSWERS };
int changing_end(struct call *call, const char *id, enum changing what, int result) CHECKED;

#endif
