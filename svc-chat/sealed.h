/*
 * sealed: ids that are shown to strangers and carry whose rows they lead to, so that a look-up names its owner without a
 * table of ids. Both are under a key of the installation; nobody else can make one, or read whose it is.
 */
#ifndef PARLEY_CHAT_SEALED_H
#define PARLEY_CHAT_SEALED_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/secret/secret.h"

/* --- The tail of a stream's id: random, and the owner behind it ------------------------------------------------------ */

enum { SEALED_OWNER_TEXT = 44 };
void sealed_owner(const unsigned char key[KEY_SIZE], const char *owner, char tail[SEALED_OWNER_TEXT]);
/* 0, or -1: that is no tail of ours. A tail that was tampered with may tell of an owner who is none. */
int sealed_owner_of(const unsigned char key[KEY_SIZE], const char *tail, char owner[UUID_TEXT]);

/* --- What a visitor of a website shows ------------------------------------------------------------------------------- */

struct sealed_visit {
	char owner[UUID_TEXT], session[UUID_TEXT];
	int64_t expires;          /* Unix milliseconds */
	unsigned char origin[16]; /* sealed_origin() of the page that started it; zeros for none */
};
void sealed_origin(const char *origin, unsigned char ret[16]); /* NULL: none */
/* Bound to that chatbot. In the arena, base64url. */
char *sealed_visit(const unsigned char key[KEY_SIZE], const char *chatbot, const struct sealed_visit *visit,
                   struct arena *a);
/* 0, or -1: it is none of ours, or of another chatbot. The caller looks at `expires`. */
int sealed_visit_of(const unsigned char key[KEY_SIZE], const char *chatbot, const char *text,
                    struct sealed_visit *ret);

#endif
