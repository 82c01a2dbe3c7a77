/*
 * slack/install: the operator's own Slack app in somebody's workspace (OAuth 2.0, docs.slack.dev/authentication), and its
 * token from then on, which Slack may want renewed every few hours.
 *
 * There: a state that names the user, works once and for ten minutes, and a cookie of the browser that begins. Back: with that cookie
 * it is done at once, with another flow's it is refused; without any the user is asked first, so that nobody's workspace lands in a
 * stranger's account.
 */
#ifndef PARLEY_SLACK_INSTALL_H
#define PARLEY_SLACK_INSTALL_H

#include "common/job/job.h"
#include "svc-integrations/store.h"

struct install_begun {
	char *url, *cookie; /* where the browser goes; Set-Cookie */
};
/* ERROR_NOT_FOUND: the operator has no app, or the user no such chatbot. chatbot NULL: none yet. */
int slack_install_begin(struct call *call, const char *chatbot, struct install_begun *ret) CHECKED;

struct install_answer {
	const char *state, *code, *error; /* "" where there is none */
	const char *cookies;              /* the header; NULL */
	bool confirmed;                   /* by a click of whoever was asked */
};
enum install_end { INSTALL_DONE, INSTALL_ASK };
/* ASK: whether it is to be *owner's. -1: ERROR_MALFORMED with a sentence for the user, ERROR_UPSTREAM. */
int slack_install_end(struct call *call, const struct install_answer *in, enum install_end *end,
                      const char **owner) CHECKED;

/* What the app may do there. */
extern const char *const slack_scopes[];
extern const size_t slack_scope_count;

/* Renews a token: now, or in so many seconds. In the caller's transaction. */
int slack_rotate_later(struct call *call, const char *owner, const char *integration,
                       int64_t seconds) CHECKED;
extern const struct job_kind slack_rotate_job;

#endif
