#include "tests/unit/rpc_pair.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"

int pair_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	memset(rig_counts, 0, sizeof *rig_counts);
	for (int i = 0; i < 2; i++) {
		f->ports[i] = rig_free_port();
		f->pids[i] = rig_fork(f->ports[i]);
	}
	for (int i = 0; i < 2; i++) /* before anybody dials, who would wait before he tries again */
		rig_wait_listening(f->ports[i]);
	f->metrics = metrics_new("parley");
	f->peer = rig_peer(f->metrics, f->ports);
	rig_wait_ready(f->peer, 2, 10000);
	arena_init(&f->arena, 0);
	*state = f;
	return 0;
}

int pair_teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		if (f->pids[i])
			rig_kill(f->pids[i], SIGKILL);
	}
	rig_close(f->peer);
	metrics_free(f->metrics);
	arena_done(&f->arena);
	free(f);
	return 0;
}

char *pair_call(struct fixture *f, enum rig_method m, const char *text, int ms)
{
	error_clear(&f->err);
	return rig_call(f->peer, m, "user", text, ms, &f->arena, &f->err);
}

static void *run(void *arg)
{
	struct caller *c = arg;
	struct arena a;

	arena_init(&a, 0);
	for (int i = 0; i < c->calls; i++) {
		int64_t began = clock_mono_ms();
		struct error err = { 0 };

		(void)rig_call(c->f->peer, c->method, "user", c->text, c->ms, &a, &err);
		c->by_code[err.code]++;
		if (clock_mono_ms() - began > c->longest)
			c->longest = clock_mono_ms() - began;
		arena_reset(&a);
		usleep((unsigned)c->pause_ms * 1000);
	}
	arena_done(&a);
	return NULL;
}

void callers_start(struct caller *all, int n, struct caller like)
{
	for (int i = 0; i < n; i++) {
		all[i] = like;
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
}

struct caller *callers_finish(struct caller *all, int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
	for (int i = 1; i < n; i++) {
		for (int code = 0; code < ERROR_CODES; code++)
			all[0].by_code[code] += all[i].by_code[code];
		if (all[i].longest > all[0].longest)
			all[0].longest = all[i].longest;
	}
	return &all[0];
}

int64_t pair_count(struct fixture *f, int replica, const char *result)
{
	char labels[160];

	snprintf(
	    labels, sizeof labels,
	    "parley_rpc_client_calls_total{service=\"rig\",replica=\"tcp://127.0.0.1:%d\",result=\"%s\"} ",
	    f->ports[replica], result);
	struct text out;
	text_init(&out, &f->arena);
	metrics_print(f->metrics, &out);
	const char *at = strstr(out.at, labels);
	return at ? atoll(at + strlen(labels)) : 0;
}
