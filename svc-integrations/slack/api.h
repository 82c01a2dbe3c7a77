/*
 * slack/api: Slack's Web API (docs.slack.dev/apis/web-api). Every method is a form with a bearer token (NULL: without); Slack says what
 * it thinks of it in "ok" and "error", whatever the HTTP status but for 429 and 5xx.
 */
#ifndef PARLEY_SLACK_API_H
#define PARLEY_SLACK_API_H

#include <stdbool.h>

#include "common/egress/egress.h"
#include "common/json/json.h"

struct slack {
	struct egress *egress;
	const char *url; /* https://slack.com/api */
	const char *client_id, *client_secret,
	    *signing_secret; /* of the operator's own app; "": there is none */
};

struct slack_arg {
	const char *name, *value; /* a list ends with a NULL name; one with a NULL value is left out */
};

/*
 * 1 Slack did it; 0 Slack refused, and *why is its word ("channel_not_found"); -1 nobody knows or not now: ERROR_UPSTREAM,
 * ERROR_UNKNOWN_OUTCOME, or ERROR_UNAVAILABLE with retry_after as Slack asks for. *ret is the caller's, of 1 and 0.
 */
int slack_ask(const struct slack *slack, const char *method, const char *token, const struct slack_arg *args,
              json_object **ret, const char **why, struct arena *a, struct error *err) CHECKED;

/* A message to a response_url, as JSON. 0 or -1, as above. */
int slack_respond(const struct slack *slack, const char *url, const char *json, struct arena *a,
                  struct error *err) CHECKED;

/* The token is good for nothing any more, so it says of this refusal. */
bool slack_token_is_dead(const char *why);

#endif
