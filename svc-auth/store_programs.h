/* store_programs: codes that are exchanged once, sign-ins of browsers and programs, sign-ins with a provider. */
#ifndef PARLEY_AUTH_STORE_PROGRAMS_H
#define PARLEY_AUTH_STORE_PROGRAMS_H

#include "svc-auth/store.h"

extern const struct db_stmt store_programs_statements[];

/* Who is signed in by that session of that kind (1), or nobody any more (0). */
int store_find_session(struct db *db, const char *owner, const char *id, const char *kind,
                       struct account *out, struct arena *a, struct error *err) CHECKED;
/* 1 with the provider that somebody signed in with for it, or NULL; 0 no such session. */
int store_session_issuer(struct db *db, const char *owner, const char *id, const char **issuer,
                         struct arena *a, struct error *err) CHECKED;

struct sign_in_code {
	const char *id, *kind; /* token, program */
	const char *client_id, *client_name, *redirect_uri, *challenge, *resource;
	const char *issuer, *issuer_session;
};
int store_put_sign_in_code(struct db *db, const char *owner, const struct sign_in_code *code, int seconds,
                           struct error *err) CHECKED;
/* Uses it up: 1, or 0 when it was used, or is too old. */
int store_take_sign_in_code(struct db *db, const char *owner, const char *id, struct sign_in_code *out,
                            struct arena *a, struct error *err) CHECKED;

/* The refresh token of that number is used, the next one counts: 1 with the program's resource, or 0. asked: the resource
 * that it must be; NULL: whichever. */
int store_renew_program(struct db *db, const char *owner, const char *id, const char *client_id,
                        int64_t number, const char *asked, int days, const char **resource, struct arena *a,
                        struct error *err) CHECKED;
/* End a sign-in whose refresh token of that number was used before (1); 0: it was not, or there is none. */
int store_end_reused(struct db *db, const char *owner, const char *id, const char *client_id, int64_t number,
                     struct error *err) CHECKED;
/* End the sign-in of a program, if it is that program's; client_id NULL: whosever. */
int store_end_program(struct db *db, const char *owner, const char *id, const char *client_id,
                      struct error *err) CHECKED;

int store_sweep_programs(struct db *db, struct error *err) CHECKED;

#endif
