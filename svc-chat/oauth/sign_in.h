/*
 * oauth/sign_in: a user signs in at an MCP server: the browser goes there, and comes back with a code.
 *
 * What comes back is held together by `state`: who it is for and 256 random bits, known here by their hash, good once and
 * for ten minutes. It says nothing about who brings it; so nobody's account lands in a stranger's hands: the browser
 * shows the cookie of this very sign-in, or the bearer of its user, or its user is asked.
 */
#ifndef PARLEY_OAUTH_SIGN_IN_H
#define PARLEY_OAUTH_SIGN_IN_H

#include "common/service/call.h"
#include "svc-chat/store_servers.h"

struct sign_in {
	char *url, *state, *provider;
	char *cookie; /* Set-Cookie */
};
/* For the caller. challenge: WWW-Authenticate of the refusal; NULL: not known. provider: a configured client's name, or
 * NULL. -1: ERROR_UPSTREAM where it cannot be begun, with the reason. Waits for the outside; not in a transaction. */
int sign_in_begin(struct call *call, const struct server_row *server, const char *provider,
                  const char *challenge, int ms, struct sign_in *ret) CHECKED;

/* What the browser has brought. */
struct sign_in_answer {
	const char *state, *code, *iss, *error; /* NULL: not there */
	const char *cookies;                    /* the header */
	bool confirmed;                         /* its user was asked */
};
struct sign_in_end {
	bool ask;          /* nothing is done yet: ask the user of `owner` first */
	const char *owner; /* NULL: it is not known whose it is */
	int64_t server_id;
	const char *server_name;
	const char *cookie; /* Set-Cookie: it is used up */
};
/* 0: done, or to be asked. -1: ERROR_MALFORMED: it is not what it should be (forged, used, over, somebody else's);
 * ERROR_FORBIDDEN: refused there; ERROR_UPSTREAM. What is known of it is in *ret all the same. */
int sign_in_end(struct call *call, const struct sign_in_answer *answer, struct sign_in_end *ret) CHECKED;

#endif
