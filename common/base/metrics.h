/*
 * metrics: counters, gauges and latency histograms in Prometheus' text form. Made at start, updated without locks.
 */
#ifndef PARLEY_METRICS_H
#define PARLEY_METRICS_H

#include <stdint.h>

#include "common/base/text.h"

struct metrics;
struct metric;

struct metrics *
metrics_new(const char *prefix); /* "parley": the same in every program, so that series add up */
void metrics_free(struct metrics *m);

/* One series: name and labels ("rpc_calls_total", "method=\"get\",result=\"ok\"", or NULL). The same name and labels
 * give the same series again. The text of `about` goes into # HELP. Takes a lock: keep the pointer on hot paths. */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
struct metric *metrics_get(struct metrics *m, enum metric_kind kind, const char *name, const char *labels,
                           const char *about);
void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t value);
void metric_observe(struct metric *m, int64_t microseconds); /* buckets 0.25 ms .. 60 s */

void metrics_print(struct metrics *m, struct text *out);
/* What every Prometheus client tells of its process (process_cpu_seconds_total and so on), and parley_build_info. */
void metrics_print_process(struct text *out);

#endif
