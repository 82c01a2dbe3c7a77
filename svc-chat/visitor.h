/*
 * visitor: who a visitor of a website is, where the site says so: it signs what it knows of him with a secret that only it
 * and we have (of one chatbot; it changes with the chatbot's `identityVersion`).
 */
#ifndef PARLEY_CHAT_VISITOR_H
#define PARLEY_CHAT_VISITOR_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/secret/secret.h"

/* In hexadecimal, as the site uses it: the text itself is the key of its HMAC. */
char *visitor_secret(const unsigned char key[KEY_SIZE], const char *chatbot, int version, struct arena *a);

/* What a site makes of it: HMAC-SHA256 in hexadecimal. */
void visitor_sign(const char *secret, const char *told, char signature[2 * MAC_SIZE + 1]);

struct visitor {
	const char *name, *email; /* NULL where the site does not say */
};
/*
 * told: {"name", "email", "exp"} as the site wrote it. signature: HMAC-SHA256 of exactly that, in hexadecimal. 0, or -1
 * with ERROR_FORBIDDEN (another secret, or its time is over), ERROR_INVALID.
 */
int visitor_read(const char *secret, const char *told, const char *signature, int64_t now,
                 struct visitor *ret, struct arena *a, struct error *err) CHECKED;

#endif
