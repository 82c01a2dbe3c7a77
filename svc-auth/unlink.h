/*
 * unlink: what the operator does when somebody's account at a provider is another one by now (the provider was moved, the
 * person came back under a new subject): svc-auth --unlink EMAIL [ISSUER]. Whoever comes from that provider next with this
 * address, verified, is that account's owner from then on.
 */
#ifndef PARLEY_AUTH_UNLINK_H
#define PARLEY_AUTH_UNLINK_H

#include "svc-auth/store.h"

struct unlinking {
	const char *email, *issuer; /* issuer NULL: only say which there are */
	const char *admin_email;    /* PARLEY_ADMIN_EMAIL */
};

/* What that provider let in ends, and what it said of rights. Says what it did on stdout. */
int unlink_person(struct db *db, const struct unlinking *what, struct arena *a, struct error *err) CHECKED;

#endif
