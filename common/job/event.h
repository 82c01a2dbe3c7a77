/*
 * event: what happened to an owner's things, told to svc-integrations, which tells those who asked for it (webhooks).
 *
 * svc-integrations says by the rpc Listen which events of an owner somebody wants: nothing is written for the others. An
 * event is added as a job ("event") in the transaction of what happened; the service's own handler of that kind puts
 * together what is to be said of it and hands it over with event_tell(). It arrives at least once, always under the job's
 * id.
 */
#ifndef PARLEY_EVENT_H
#define PARLEY_EVENT_H

#include "common/job/job.h"
#include "rpc.pb-c.h"

extern const struct db_stmt event_statements[]; /* go into the service's list */

/* The rpc Listen: what of call's owner is wanted from now on, in place of what was. */
int event_listen(struct call *call, const Rpc__Listening *in) CHECKED;

/* In the caller's transaction: it happened. payload: a JSON object for the service's own handler, which will find the
 * event's name in its "event". Nothing is written where nobody listens. */
int event_add(struct db *db, const char *owner_id, const char *event, const char *payload,
              struct error *err) CHECKED;
/* A statement of the service's own has added some: wake whoever does them. */
int event_wake(struct db *db, struct error *err) CHECKED;

/* What is said of it. */
struct event_words {
	const char *name;       /* "message.created" */
	const char *chatbot_id; /* of a conversation; NULL: the owner's */
	const char *data;       /* a JSON object */
};
int event_tell(struct call *call, const struct job *job, const struct event_words *words) CHECKED;

/* The job_kind of a service whose handler is `run_`. */
#define EVENT_KIND(run_)                                                                \
	{                                                                               \
		.kind = "event", .run = (run_), .attempts = 20, .first_pause_ms = 1000, \
		.lease_ms = 30 * 1000                                                   \
	}

#endif
