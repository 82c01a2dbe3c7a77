/* slack/manifest: the app manifest (docs.slack.dev/reference/app-manifest) of a Slack app for this installation. */
#ifndef PARLEY_SLACK_MANIFEST_H
#define PARLEY_SLACK_MANIFEST_H

#include "common/base/arena.h"

char *slack_manifest(const char *public_url, struct arena *a);

#endif
