/*
 * owners: nobody's answers are written any more once the account is disabled. A thread asks svc-auth every second about
 * those for whom turns have been written here for that long; an svc-auth that does not say ends nothing.
 */
#ifndef PARLEY_CHAT_OWNERS_H
#define PARLEY_CHAT_OWNERS_H

#include "common/service/call.h"

struct keeper;
struct owners;

struct owners *owners_open(struct service *s, struct keeper *k);
void owners_close(struct owners *o); /* NULL is fine; before the keeper */

#endif
