/*
 * db_batch: what it brings that reads under way at the same time travel together (common/db_batch.c): single-row reads
 * of 1 to 32 threads through a pool, once each on a connection of its own, once as the pool does it. Interleaved
 * rounds, medians. PostgreSQL is the one of the URL given: bench/db_batch URL [SECONDS].
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/id.h"

enum { ROUNDS = 5, ROWS = 10000, MOST_THREADS = 32, MOST_SAMPLES = 200000 };

static const struct db_stmt statements[] = {
	{ "alone", "SELECT id, name, note FROM bench_db_batch WHERE id = $1", .own = true },
	{ "together", "SELECT id, name, note FROM bench_db_batch WHERE id = $1" },
	{ 0 },
};
static const struct db_stmt *const tables[] = { statements, NULL };

struct reader {
	struct db_pool *pool;
	const char *stmt;
	int64_t until; /* monotonic us */
	int count;
	int *took; /* us of each */
};

static void *read_rows(void *arg)
{
	struct reader *r = arg;
	unsigned seed;
	struct db db;

	random_bytes(&seed, sizeof seed);
	db_init(&db, r->pool);
	for (int64_t now = clock_mono_us(); now < r->until;) {
		struct error err = { 0 };
		PGresult *res;
		int64_t end;
		if (db_exec(&db, r->stmt, DB_ARGS(rand_r(&seed) % ROWS), &res, &err) < 0) {
			fprintf(stderr, "%s: %s\n", err.message, err.detail);
			exit(1);
		}
		PQclear(res);
		end = clock_mono_us();
		if (r->count < MOST_SAMPLES)
			r->took[r->count] = (int)(end - now);
		r->count++;
		now = end;
	}
	return NULL;
}

static int ascending(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* Processor time so far, in us: of this process, and of the database's processes that serve it. */
static double cpu_us(PGconn *pg)
{
	struct rusage own;
	double us;
	PGresult *res;

	getrusage(RUSAGE_SELF, &own);
	us = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e6 +
	     (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
	res = PQexec(pg, "SELECT pid FROM pg_stat_activity WHERE application_name = 'parley-public'");
	for (int i = 0; i < PQntuples(res); i++) {
		char path[64];
		unsigned long user, system;
		FILE *stat;
		snprintf(path, sizeof path, "/proc/%s/stat", PQgetvalue(res, i, 0));
		stat = fopen(path, "r");
		/* fields 14 and 15, after a name that holds blanks and ends with ')' */
		if (stat && fscanf(stat, "%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		                   &system) == 2)
			us += (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
		if (stat)
			fclose(stat);
	}
	PQclear(res);
	return us;
}

struct figures {
	int rate[ROUNDS]; /* a second */
	int p99[ROUNDS];  /* us */
	int cpu[ROUNDS];  /* 0.1 us a read */
};

/* One round. */
static void measure(struct db_pool *pool, PGconn *pg, const char *stmt, int threads, double seconds,
                    struct figures *f, int round)
{
	static int took[MOST_THREADS][MOST_SAMPLES], all[MOST_THREADS * 1000];
	struct reader readers[MOST_THREADS];
	pthread_t ids[MOST_THREADS];
	double cpu = cpu_us(pg);
	int64_t until = clock_mono_us() + (int64_t)(seconds * 1e6);
	int total = 0, sampled = 0;

	for (int i = 0; i < threads; i++) {
		readers[i] = (struct reader){ pool, stmt, until, 0, took[i] };
		pthread_create(&ids[i], NULL, read_rows, &readers[i]);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		total += readers[i].count;
		for (int n = 0; n < 1000 && n < readers[i].count; n++)
			all[sampled++] = took[i][(size_t)n * (size_t)readers[i].count / 1000 % MOST_SAMPLES];
	}
	qsort(all, (size_t)sampled, sizeof *all, ascending);
	f->p99[round] = all[sampled * 99 / 100];
	f->rate[round] = (int)(total / seconds);
	f->cpu[round] = (int)((cpu_us(pg) - cpu) * 10 / total);
}

int main(int argc, char **argv)
{
	static const int thread_counts[] = { 1, 2, 4, 8, 16, 32 };
	struct db_config config = { .schema = "public", .connections = 8, .statements = tables };
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	struct error err = { 0 };
	struct db_pool *pool;
	PGconn *pg;

	if (argc < 2) {
		fputs("usage: db_batch URL [SECONDS]\n", stderr);
		return 2;
	}
	config.url = argv[1];
	pg = PQconnectdb(config.url);
	PQclear(PQexec(
	    pg, "SET client_min_messages = warning; DROP TABLE IF EXISTS public.bench_db_batch;"
	        "CREATE TABLE public.bench_db_batch AS SELECT n AS id, 'name ' || n AS name,"
	        " repeat('x', 300) AS note FROM generate_series(0, 9999) AS n;"
	        "ALTER TABLE public.bench_db_batch ADD PRIMARY KEY (id); ANALYZE public.bench_db_batch"));
	if (db_pool_open(&config, 0, &pool, &err) < 0) {
		fprintf(stderr, "%s: %s\n", err.message, err.detail);
		return 1;
	}
	printf("            alone                          together\n"
	       "threads  reads/s  p99 us  cpu us/read  reads/s  p99 us  cpu us/read  ratio\n");
	for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; i++) {
		struct figures f[2];
		for (int round = 0; round < ROUNDS; round++) {
			for (int way = 0; way < 2; way++)
				measure(pool, pg, statements[way].name, thread_counts[i], seconds, &f[way],
				        round);
		}
		printf("%7d", thread_counts[i]);
		for (int way = 0; way < 2; way++) {
			qsort(f[way].rate, ROUNDS, sizeof(int), ascending);
			qsort(f[way].p99, ROUNDS, sizeof(int), ascending);
			qsort(f[way].cpu, ROUNDS, sizeof(int), ascending);
			printf("  %7d  %6d  %11.1f", f[way].rate[ROUNDS / 2], f[way].p99[ROUNDS / 2],
			       f[way].cpu[ROUNDS / 2] / 10.0);
		}
		printf("  %5.2f\n", (double)f[1].rate[ROUNDS / 2] / f[0].rate[ROUNDS / 2]);
		fflush(stdout);
	}
	db_pool_free(pool);
	PQclear(PQexec(pg, "DROP TABLE public.bench_db_batch"));
	PQfinish(pg);
	return 0;
}
