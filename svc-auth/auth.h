/* auth: what the handlers of svc-auth share. */
#ifndef PARLEY_AUTH_AUTH_H
#define PARLEY_AUTH_AUTH_H

#include "auth.pb-c.h"
#include "common/db/throttle.h"
#include "common/egress/egress.h"
#include "common/job/job.h"
#include "common/service/call.h"
#include "svc-auth/feed.h"
#include "svc-auth/keystore.h"
#include "svc-auth/password.h"
#include "svc-auth/preferences.h"
#include "svc-auth/providers.h"
#include "svc-auth/store.h"

struct settings {
	int64_t token_hours, hash_queue;
	const char *admin_email, *url, *state;
	const char *smtp_url, *smtp_user, *smtp_password, *smtp_ca_file, *mail_from;
	bool smtp_require_tls, oidc_only;
	const char *return_url;
	struct provider_settings providers[PROVIDERS];
	struct limits limits;
};

struct auth {
	const struct settings *settings;
	char *admin_email; /* in lower case; "" for nobody */
	unsigned char proof_key[KEY_SIZE];
	unsigned char ticket_key[KEY_SIZE]; /* of tickets, forms and clients' ids */
	struct hasher *hasher;
	struct keystore *keys;
	struct feed *feed;
	struct egress *egress; /* for mail, and to providers */
	struct providers *providers;
	struct job_runner *jobs;
};

/* --- account.c: what several handlers do ------------------------------------------------------------------------- */

/* The address as it is stored: in lower case. Its rule (FORMAT_EMAIL) lets only ASCII through: no look-alikes. */
const char *account_email(struct call *call, const char *given);
/* The hash of a password that somebody chose; ERROR_INVALID for one of the most common ones. */
int account_new_password(struct call *call, const char *given, char **phc) CHECKED;
/* What both registering and signing in answer. */
void account_show(struct call *call, const struct account *who, char *token, Auth__User *out);
/* A cursor that is a number, or none; else ERROR_INVALID. */
int account_number_cursor(struct call *call, const char *cursor) CHECKED;
/* The caller's own row; ERROR_UNAUTHENTICATED when it is gone. */
int account_of_caller(struct call *call, struct account *ret) CHECKED;
/* An API key does not do for this: ERROR_FORBIDDEN. */
int account_needs_session(struct call *call) CHECKED;

/* ERROR_FORBIDDEN where only providers let people in: no passwords, no codes. */
int account_may_prove(struct call *call) CHECKED;

/* In a transaction: a session for who, whose password (or lack of one) was just seen. how: its kind, how long it lasts, and
 * whatever is said of it; its id is made where none is given. */
int account_open(struct call *call, const struct account *who, struct new_session *how) CHECKED;
/* The same, for the API, and its token. */
int account_sign_in(struct call *call, const struct account *who, char **token) CHECKED;
/* A signed token for that session. audience: of a program; NULL: the API. */
int account_token(struct call *call, const struct account *who, const char *session, const char *audience,
                  int64_t seconds, char **token) CHECKED;
/* In a transaction: the address is proven. The first time, what others may have set up with it goes: sessions, keys, and
 * the password (*removed, and a mail says so), unless keep_password. */
int account_prove(struct call *call, struct account *who, bool keep_password, bool *removed) CHECKED;

/* In a transaction, which must be committed whatever comes out: a wrong try counts. 1 right (and used up), 0 wrong. */
int account_check_code(struct call *call, const char *email, const char *code, struct account *ret) CHECKED;
/* 1 right, 0 wrong; ERROR_TOO_MANY after too many wrong ones for the address or from the client. phc NULL: there is no
 * password to be right, which takes as long to say. Outside of a transaction: it waits for the hasher. */
int account_check_password(struct call *call, const char *email, const char *phc,
                           const char *password) CHECKED;

/* End a transaction in which everything went well, or undo it; what the handler then returns. */
int account_end(struct call *call, int result) CHECKED;

/* --- audit.c ----------------------------------------------------------------------------------------------------- */

/* A security event: a row (in the call's transaction, if there is one) and a log line. owner, detail: NULL is fine. */
int audit(struct call *call, const char *event, const char *owner, const char *detail) CHECKED;
/* The caller's User-Agent, fit to be stored: ASCII, at most 300 characters; NULL when there is none. */
char *audit_agent(struct call *call);

/* --- mailer.c ---------------------------------------------------------------------------------------------------- */

extern const struct job_kind mailer_kinds[];
extern const size_t mailer_kind_count;

/* Mail a code, or a link for a new password, to that address, if it is a user's: which is found out later, by the job,
 * so that the answer to the caller takes as long either way. At most one a minute and ten a day. */
int mailer_ask_code(struct call *call, const char *email) CHECKED;
int mailer_ask_link(struct call *call, const char *email) CHECKED;
/* In a transaction: mail the link that proves the address of a new account. So many for one client, the others go without. */
int mailer_ask_confirm(struct call *call, const char *email) CHECKED;
/* In a transaction: mail that the password was removed. */
int mailer_tell_removed(struct call *call, const char *email) CHECKED;

#endif
