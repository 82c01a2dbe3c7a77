#include "common/base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds in microseconds, and as Prometheus writes them in seconds. */
static const struct {
	int64_t us;
	const char *seconds;
} buckets[] = {
	{ 250, "0.00025" }, { 500, "0.0005" },  { 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" },
	{ 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },   { 10000000, "10" },
	{ 30000000, "30" }, { 60000000, "60" },
};
enum { BUCKETS = sizeof buckets / sizeof *buckets };

struct metric {
	enum metric_kind kind;
	char *name, *labels, *about; /* labels may be NULL */
	_Atomic int64_t value;       /* counter, gauge; of a histogram: the sum in microseconds */
	_Atomic int64_t *counts;     /* of a histogram: BUCKETS + 1, each for itself */
	struct metric *next;         /* series of one name stand together */
};

struct metrics {
	pthread_mutex_t lock; /* the list; values are atomic */
	struct arena arena;
	const char *prefix;
	struct metric *first;
};

struct metrics *metrics_new(const char *prefix)
{
	struct metrics *m = calloc(1, sizeof *m);

	if (!m)
		abort();
	pthread_mutex_init(&m->lock, NULL);
	arena_init(&m->arena, 0);
	m->prefix = arena_strdup(&m->arena, prefix);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	arena_done(&m->arena);
	free(m);
}

static int same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

struct metric *metrics_get(struct metrics *m, enum metric_kind kind, const char *name, const char *labels,
                           const char *about)
{
	struct metric **at, *found;
	bool seen = false;

	pthread_mutex_lock(&m->lock);
	for (at = &m->first; *at; at = &(*at)->next) {
		bool named = !strcmp((*at)->name, name);
		if (named && same((*at)->labels, labels))
			break;
		if (seen && !named) /* behind the last of its name */
			break;
		seen = named;
	}
	found = *at;
	if (!found || strcmp(found->name, name)) {
		found = arena_new(&m->arena, struct metric, 1);
		found->kind = kind;
		found->name = arena_strdup(&m->arena, name);
		found->labels = arena_strdup(&m->arena, labels);
		found->about = arena_strdup(&m->arena, about);
		if (kind == METRIC_HISTOGRAM)
			found->counts = arena_new(&m->arena, _Atomic int64_t, BUCKETS + 1);
		found->next = *at;
		*at = found;
	}
	assert(found->kind == kind);
	pthread_mutex_unlock(&m->lock);
	return found;
}

void metric_add(struct metric *m, int64_t n)
{
	atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t value)
{
	atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

void metric_observe(struct metric *m, int64_t microseconds)
{
	int i = 0;

	while (i < BUCKETS && microseconds > buckets[i].us)
		i++;
	atomic_fetch_add_explicit(&m->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->value, microseconds, memory_order_relaxed);
}

static int64_t load(_Atomic int64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void print_histogram(const struct metrics *m, struct metric *s, struct text *out)
{
	const char *labels = s->labels ? s->labels : "", *comma = s->labels ? "," : "";
	const char *open = s->labels ? "{" : "", *close = s->labels ? "}" : "";
	int64_t count = 0, sum = load(&s->value);

	for (int i = 0; i <= BUCKETS; i++) {
		count += load(&s->counts[i]);
		text_addf(out, "%s_%s_bucket{%s%sle=\"%s\"} %lld\n", m->prefix, s->name, labels, comma,
		          i < BUCKETS ? buckets[i].seconds : "+Inf", (long long)count);
	}
	text_addf(out, "%s_%s_sum%s%s%s %lld.%06lld\n", m->prefix, s->name, open, labels, close,
	          (long long)(sum / 1000000), (long long)(sum % 1000000));
	text_addf(out, "%s_%s_count%s%s%s %lld\n", m->prefix, s->name, open, labels, close, (long long)count);
}

void metrics_print(struct metrics *m, struct text *out)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };
	const char *last = "";

	pthread_mutex_lock(&m->lock);
	for (struct metric *i = m->first; i; i = i->next) {
		if (strcmp(last, i->name)) {
			text_addf(out, "# HELP %s_%s %s\n", m->prefix, i->name, i->about);
			text_addf(out, "# TYPE %s_%s %s\n", m->prefix, i->name, kinds[i->kind]);
		}
		last = i->name;
		if (i->kind == METRIC_HISTOGRAM)
			print_histogram(m, i, out);
		else if (i->labels)
			text_addf(out, "%s_%s{%s} %lld\n", m->prefix, i->name, i->labels,
			          (long long)load(&i->value));
		else
			text_addf(out, "%s_%s %lld\n", m->prefix, i->name, (long long)load(&i->value));
	}
	pthread_mutex_unlock(&m->lock);
}
