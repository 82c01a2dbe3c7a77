/*
 * slack/signature: who calls says so by a signature of the raw bytes (docs.slack.dev, "Verifying requests from Slack").
 */
#ifndef PARLEY_SLACK_SIGNATURE_H
#define PARLEY_SLACK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

enum { SLACK_CLOCK_SECONDS = 300 }; /* how far from now a request may say it was made, either way */

/* The headers X-Slack-Request-Timestamp and X-Slack-Signature; NULL where there is none. */
struct slack_stamp {
	const char *timestamp, *signature;
};

/* Whether the stamp can be one of these minutes at all. now: Unix seconds. */
bool slack_stamp_is_fresh(const struct slack_stamp *stamp, int64_t now);

/* Whether the owner of that secret made it for these bytes. In constant time, and without a copy of them: many secrets may be tried. */
bool slack_signature_fits(const struct slack_stamp *stamp, const char *secret, const void *body, size_t size,
                          struct arena *a);

#endif
