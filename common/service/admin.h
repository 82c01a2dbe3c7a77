/*
 * admin: a small HTTP port on each process for those who operate it: /healthz (the process runs), /readyz (it can do
 * its work; else 503 with a sentence), /metrics. Not for the internet: binds loopback unless told otherwise.
 */
#ifndef PARLEY_ADMIN_H
#define PARLEY_ADMIN_H

#include "common/base/error.h"
#include "common/base/metrics.h"

struct admin;

/* ready(arg, why, size): 1, or 0 with a sentence in why. */
int admin_start(const char *listen /* "127.0.0.1:8010" */, struct metrics *m,
                int (*ready)(void *arg, char *why, size_t size), void *arg, struct admin **ret,
                struct error *err) CHECKED;
void admin_stop(struct admin *a);

#endif
