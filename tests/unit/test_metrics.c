/* The text that Prometheus reads. */
#include "common/base/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/version.h"

static void test_text(void **state)
{
	struct metrics *m = metrics_new("parley");
	struct metric *get, *put, *again, *depth, *time;
	struct arena a;
	struct text got;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	get = metrics_get(m, METRIC_COUNTER, "calls_total", "method=\"get\"", "Calls.");
	depth = metrics_get(m, METRIC_GAUGE, "depth", NULL, "Waiting.");
	put = metrics_get(m, METRIC_COUNTER, "calls_total", "method=\"put\"", "Calls.");
	again = metrics_get(m, METRIC_COUNTER, "calls_total", "method=\"get\"", "Calls.");
	time = metrics_get(m, METRIC_HISTOGRAM, "seconds", "method=\"get\"", "Time.");
	assert_ptr_equal(get, again);
	assert_ptr_not_equal(get, put);
	metric_add(get, 2);
	metric_add(put, 1);
	metric_set(depth, -4);
	metric_observe(time, 250);
	metric_observe(time, 251);
	metric_observe(time, 61000000);
	metrics_print(m, &got);
	assert_memory_equal(got.at,
	                    "# HELP parley_calls_total Calls.\n# TYPE parley_calls_total counter\n"
	                    "parley_calls_total{method=\"get\"} 2\nparley_calls_total{method=\"put\"} 1\n"
	                    "# HELP parley_depth Waiting.\n# TYPE parley_depth gauge\nparley_depth -4\n",
	                    185);
	assert_non_null(strstr(got.at, "parley_seconds_bucket{method=\"get\",le=\"0.00025\"} 1\n"));
	assert_non_null(strstr(got.at, "parley_seconds_bucket{method=\"get\",le=\"0.0005\"} 2\n"));
	assert_non_null(strstr(got.at, "parley_seconds_bucket{method=\"get\",le=\"60\"} 2\n"));
	assert_non_null(strstr(got.at, "parley_seconds_bucket{method=\"get\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(got.at, "parley_seconds_sum{method=\"get\"} 61.000501\n"));
	assert_non_null(strstr(got.at, "parley_seconds_count{method=\"get\"} 3\n"));
	arena_done(&a);
	metrics_free(m);
}

static void *count(void *arg)
{
	struct metrics *m = arg;

	for (int i = 0; i < 10000; i++)
		metric_add(metrics_get(m, METRIC_COUNTER, "n", NULL, "N."), 1);
	return NULL;
}

static void test_threads(void **state)
{
	struct metrics *m = metrics_new("parley");
	pthread_t threads[4];
	struct arena a;
	struct text got;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count, m);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	metrics_print(m, &got);
	assert_non_null(strstr(got.at, "\nparley_n 40000\n"));
	arena_done(&a);
	metrics_free(m);
}

static double value_of(const char *text, const char *name)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof line, "\n%s ", name);
	at = strstr(text, line);
	assert_non_null(at);
	return strtod(at + strlen(line), NULL);
}

static void test_process(void **state)
{
	struct arena a;
	struct text got;
	double started;

	(void)state;
	arena_init(&a, 0);
	text_init(&got, &a);
	metrics_print_process(&got);
	assert_non_null(strstr(got.at, "\nparley_build_info{version=\"" PARLEY_VERSION "\"} 1\n"));
	started = value_of(got.at, "process_start_time_seconds");
	assert_true(started <= (double)time(NULL) + 1 && started > (double)time(NULL) - 600);
	assert_true(value_of(got.at, "process_resident_memory_bytes") > 1e6);
	assert_true(value_of(got.at, "process_threads") >= 1);
	assert_true(value_of(got.at, "process_cpu_seconds_total") >= 0);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_threads),
		                            cmocka_unit_test(test_process) };

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
