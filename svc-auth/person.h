/*
 * person: whom a provider speaks of, and who that is here.
 *
 * A subject of an issuer that was here before is that account, whatever address it has by now. A new one needs an address
 * that the provider says is verified: it is a proof like a mailed code. The account of that address, or a new one, is
 * theirs from then on; if nobody had proven the address yet, what others may have set up with it goes (account_prove()).
 * But an account has one subject of an issuer: a second one with its address is somebody who was given that address
 * later, and does not get in.
 */
#ifndef PARLEY_AUTH_PERSON_H
#define PARLEY_AUTH_PERSON_H

#include "svc-auth/auth.h"
#include "svc-auth/providers.h"

struct person {
	const char *issuer, *subject;
	const char *session; /* the provider's own, for its logout; NULL: not said */
	const char *email;   /* in lower case, and verified; NULL: no such address is known */
	const char *unfit;   /* why there is none: a sentence */
	const char *name;    /* fit to be a display name; NULL: none */
	bool admin;
};

/* claims: of the id_token; more: what else the provider says, or NULL. */
void person_read(struct call *call, const struct provider *who, json_object *claims, json_object *more,
                 struct person *ret);

/* In a transaction: 1; 0 with a sentence in *why, for the person; -1. */
int person_account(struct call *call, const struct provider *who, const struct person *p, struct account *ret,
                   const char **why) CHECKED;

#endif
