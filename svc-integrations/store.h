/*
 * store: every statement of svc-integrations; each names the owner, but for those that find him by what Slack says.
 */
#ifndef PARLEY_INTEGRATIONS_STORE_H
#define PARLEY_INTEGRATIONS_STORE_H

#include "common/db/db.h"
#include "integrations.pb-c.h"

extern const struct db_stmt store_statements[], store_slack_statements[];

enum { STORE_PAGE = 32 }; /* integrations in one reply */

/* What stands in a row beside what the public sees. */
struct integration_row {
	const char *owner_id, *id, *type, *status, *status_detail, *name, *chatbot_id, *config;
	const char *secrets;                     /* sealed; NULL: none */
	const char *read_secrets;                /* as they were when the row was read */
	const char *team, *app, *bot_user, *bot; /* of Slack; NULL while not known */
};

/* Newest first, those before the cursor (NULL: from the newest); sets out->next when more follow. */
int store_list(struct db *db, const char *owner, const char *cursor, int limit,
               Integrations__IntegrationList *out, struct arena *a, struct error *err) CHECKED;
/* 1, 0: there is none, -1. */
int store_get(struct db *db, const char *owner, const char *id, Integrations__Integration *out,
              struct arena *a, struct error *err) CHECKED;
int store_load(struct db *db, const char *owner, const char *id, struct integration_row *ret, struct arena *a,
               struct error *err) CHECKED;
int store_delete(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;

/* Write the row whole: add, or change (0: it is gone). ERROR_NOT_FOUND: no such chatbot of that owner. ERROR_CONFLICT: somebody
 * has changed its secrets since the row was read, and keeps them: a token that was renewed is never written over by the old one. */
/* ERROR_FORBIDDEN when the owner has `most` already. */
int store_add(struct db *db, const struct integration_row *row, int64_t most, struct error *err) CHECKED;
int store_change(struct db *db, const struct integration_row *row, struct error *err) CHECKED;
/* What was found out in passing. One that its owner has switched off stays so. */
int store_set_status(struct db *db, const char *owner, const char *id, const char *status, const char *detail,
                     struct error *err) CHECKED;

/* For the two files. */
void store_read_row(const PGresult *res, int row, struct integration_row *ret, struct arena *a);

/* --- store_slack.c ------------------------------------------------------------------------------------------------ */

/* The integrations of a workspace (whoever's they are), or, with team NULL, all of Slack's that have secrets: at most 200, newest
 * first. */
int store_of_team(struct db *db, const char *team, struct integration_row **ret, size_t *count,
                  struct arena *a, struct error *err) CHECKED;
int store_find_installed(struct db *db, const char *owner, const char *team, const char *app,
                         struct integration_row *ret, struct arena *a, struct error *err) CHECKED;
/* A renewed token: secrets and config alone. 1; 0: the row is gone, or has other secrets than were read, which stay; -1. */
int store_put_secrets(struct db *db, const struct integration_row *row, struct error *err) CHECKED;
/* Slack says no to them: the status is error, with the detail. 1; 0: the row is gone, or has other secrets than were read; -1. */
int store_refuse_secrets(struct db *db, const struct integration_row *row, const char *detail,
                         struct error *err) CHECKED;

/* Installations under way (slack/install.h): state and cookie are hashes. find, end: 1, 0: there is none, -1. */
int store_begin_install(struct db *db, const char *owner, const char *state, const char *cookie,
                        const char *chatbot, int seconds, struct error *err) CHECKED;
int store_find_install(struct db *db, const char *owner, const char *state, const char **cookie,
                       const char **chatbot, struct arena *a, struct error *err) CHECKED;
int store_end_install(struct db *db, const char *owner, const char *state, struct error *err) CHECKED;

int store_learn_app(struct db *db, const char *owner, const char *id, const char *app,
                    struct error *err) CHECKED;

/* Adds the job that answers, unless event (NULL: none) or text is known. tell: all replicas hear of it. */
int store_take_question(struct db *db, const char *owner, const char *event, const char *text,
                        const char *payload, bool tell, struct error *err) CHECKED;
/* 1: it is new and now marked; 0: it was there. */
int store_mark_event(struct db *db, const char *owner, const char *key, struct error *err) CHECKED;
/* Where the answer of a job stands: ts NULL: it is about to be begun. *ts "" then. 1, 0: nothing was begun, -1. */
int store_put_post(struct db *db, const char *owner, const char *job, const char *ts,
                   struct error *err) CHECKED;
int store_get_post(struct db *db, const char *owner, const char *job, const char **ts, struct arena *a,
                   struct error *err) CHECKED;
/* Drop what is over, whoever's it is: events and posts after a day, installations. */
int store_sweep_events(struct db *db, struct error *err) CHECKED;
int store_sweep_installs(struct db *db, struct error *err) CHECKED;

int store_join_thread(struct db *db, const char *owner, const char *id, const char *channel,
                      const char *thread, struct error *err) CHECKED;
/* 1: the bot has answered there. */
int store_in_thread(struct db *db, const char *owner, const char *id, const char *channel, const char *thread,
                    struct error *err) CHECKED;

#endif
