/*
 * browser: who is signed in at our own pages (/sign-in, /oauth/...). A session of the kind "browser", whose cookie goes to
 * /oauth alone and is nothing that the API takes. And the seals of forms, by which a page knows what it has sent out
 * itself: another site's form has none (CSRF), also not to sign somebody in (login CSRF).
 */
#ifndef PARLEY_AUTH_BROWSER_H
#define PARLEY_AUTH_BROWSER_H

#include "svc-auth/auth.h"
#include "svc-auth/web.h"

/* The account (1), or nobody (0). *cookie: what to seal forms with. */
int browser_account(struct web *w, struct account *ret, const char **cookie) CHECKED;
/* In a transaction: signs in, by a cookie in the answer. issuer, issuer_session: of a provider, or NULL. */
int browser_sign_in(struct web *w, const struct account *who, const char *issuer,
                    const char *issuer_session) CHECKED;
/* In a transaction. */
int browser_sign_out(struct web *w) CHECKED;

/* The cookie that the forms of somebody who is not signed in are sealed with; set when there is none. */
const char *browser_form_cookie(struct web *w);
/* What stands in a form. what: more that it is good for, or "". */
const char *browser_seal(const struct web *w, const char *cookie, const char *what);
bool browser_sealed(const struct web *w, const char *cookie, const char *what, const char *seal);

/* Where somebody goes on after signing in: a page of ours that asked for it; else NULL. */
const char *browser_next(const char *given);

#endif
