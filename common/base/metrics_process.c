#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/metrics.h"
#include "common/base/version.h"

/* Fields of /proc/self/stat, counted from the state, which follows the name in brackets (proc(5)). */
enum { THREADS = 17, STARTED = 19, RESIDENT = 21, FIELDS };

static int read_stat(long long fields[FIELDS])
{
	char line[1024];
	const char *at;
	FILE *file = fopen("/proc/self/stat", "re");
	size_t n = file ? fread(line, 1, sizeof line - 1, file) : 0;

	if (file)
		fclose(file);
	line[n] = '\0';
	at = strrchr(line, ')');
	for (int i = 0; i < FIELDS; i++) {
		at = at ? strchr(at + 1, ' ') : NULL;
		if (!at)
			return -1;
		fields[i] = strtoll(at + 1, NULL, 10);
	}
	return 0;
}

static void print(struct text *out, const char *name, const char *kind, const char *about, double value)
{
	text_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.2f\n", name, about, name, kind, name, value);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void metrics_print_process(struct text *out)
{
	long long stat[FIELDS];
	struct rusage used;
	struct timespec up;

	text_addf(out,
	          "# HELP parley_build_info Which Parley this is.\n# TYPE parley_build_info gauge\n"
	          "parley_build_info{version=\"%s\"} 1\n",
	          PARLEY_VERSION);
	if (getrusage(RUSAGE_SELF, &used) == 0)
		print(out, "process_cpu_seconds_total", "counter", "Processor time used.",
		      seconds(used.ru_utime) + seconds(used.ru_stime));
	if (read_stat(stat) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
		return;
	print(out, "process_resident_memory_bytes", "gauge", "Memory in use, shared libraries included.",
	      (double)stat[RESIDENT] * (double)sysconf(_SC_PAGESIZE));
	print(out, "process_threads", "gauge", "Threads.", (double)stat[THREADS]);
	print(out, "process_start_time_seconds", "gauge", "When it started, in seconds since 1970.",
	      (double)time(NULL) - (double)up.tv_sec + (double)stat[STARTED] / (double)sysconf(_SC_CLK_TCK));
}
