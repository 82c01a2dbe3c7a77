/*
 * ticket: a bearer value that names what it opens: whose, which, the how manieth, and a MAC over these under svc-auth's
 * own key. So the row is found by its owner, nothing needs to be stored to know a ticket for ours, and one that is ours
 * but old can be told from one that was made up. A ticket of one purpose is none of another.
 */
#ifndef PARLEY_AUTH_TICKET_H
#define PARLEY_AUTH_TICKET_H

#include <stdbool.h>

#include "common/base/id.h"
#include "common/secret/secret.h"

#define TICKET_BROWSER "browser"   /* the cookie of our pages: a session */
#define TICKET_CODE "code"         /* a sign_in_code */
#define TICKET_HANDOVER "handover" /* likewise, for a frontend */
#define TICKET_REFRESH "refresh"   /* a program's session */

enum { TICKET_TEXT = 92 }; /* with the NUL */

struct ticket {
	char owner[UUID_TEXT], id[UUID_TEXT];
	uint32_t number; /* 0 where there is only one */
};

void ticket_make(const unsigned char key[KEY_SIZE], const char *purpose, const struct ticket *t,
                 char text[TICKET_TEXT]);
/* false: it is not ours, or for something else. text NULL is fine. */
bool ticket_read(const unsigned char key[KEY_SIZE], const char *purpose, const char *text,
                 struct ticket *ret);

#endif
